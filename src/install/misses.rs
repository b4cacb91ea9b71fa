//! Promises that were missed, each said plainly.

use crate::install::{MeasuredFigures, PredictedFigures};
use crate::say;
use crate::text::Text;

/// Memory above the prediction by more than this share is a miss.
const MEMORY_TOLERANCE: f64 = 0.10;

/// Compares what was promised with what came. Better than promised is no miss. `driver_bytes` is the part of the
/// promised VRAM that belongs to the driver and is in no buffer of the engine.
pub fn misses(
    promised: &PredictedFigures,
    measured: &MeasuredFigures,
    driver_bytes: u64,
    text: Text,
) -> Vec<String> {
    let mut misses = Vec::new();
    if let Some(tokens) = measured.context_tokens.filter(|tokens| *tokens < promised.context_tokens) {
        let (promised, measured) = (text.count(promised.context_tokens.into()), text.count(tokens.into()));
        misses.push(say!(text, "install-miss-context", promised = promised, measured = measured));
    }
    if let Some(layers) =
        measured.gpu_layers.filter(|layers| *layers < promised.gpu_layers.min(promised.total_layers))
    {
        let (promised, total) = (promised.gpu_layers, promised.total_layers);
        misses.push(say!(text, "install-miss-layers", promised = promised, measured = layers, total = total));
    }
    match &measured.kv_cache_type {
        Some(found) if found != promised.kv_cache_type.name() => {
            let promised = promised.kv_cache_type.name();
            misses.push(say!(text, "install-miss-kv", promised = promised, measured = found.clone()));
        }
        Some(_) => {}
        None => {
            misses.push(say!(text, "install-miss-kv-unknown", promised = promised.kv_cache_type.name()));
        }
    }
    let buffers = promised.vram_bytes.saturating_sub(driver_bytes);
    if let Some(bytes) = measured.vram_bytes.filter(|bytes| exceeds(*bytes, buffers)) {
        let (promised, measured) = (text.memory(buffers), text.memory(bytes));
        misses.push(say!(text, "install-miss-vram", promised = promised, measured = measured));
    }
    if let Some(bytes) = measured.ram_bytes.filter(|bytes| exceeds(*bytes, promised.ram_bytes)) {
        let (promised, measured) = (text.memory(promised.ram_bytes), text.memory(bytes));
        misses.push(say!(text, "install-miss-ram", promised = promised, measured = measured));
    }
    match measured.decode_tokens_per_s {
        Some(speed) if speed < promised.decode_tokens_per_s.low => {
            let promised = text.range(promised.decode_tokens_per_s);
            misses.push(say!(text, "install-miss-speed", promised = promised, measured = text.figure(speed)));
        }
        Some(_) => {}
        None => misses.push(say!(text, "install-miss-speed-unknown")),
    }
    if let Some(seconds) = measured.first_token_s.filter(|seconds| *seconds > promised.first_token_s.high) {
        let tokens = text.count(measured.first_token_prompt_tokens.unwrap_or(0));
        let (promised, measured) = (text.range(promised.first_token_s), text.figure(seconds));
        misses.push(say!(
            text,
            "install-miss-wait",
            tokens = tokens,
            promised = promised,
            measured = measured
        ));
    }
    misses
}

fn exceeds(measured: u64, promised: u64) -> bool {
    measured as f64 > promised as f64 * (1.0 + MEMORY_TOLERANCE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GIB;
    use crate::figures::Range;
    use crate::models::KvCacheType;
    use crate::text::Language;

    fn promised() -> PredictedFigures {
        let range = |low, mid, high| Range { low, mid, high };
        PredictedFigures {
            context_tokens: 32_768,
            gpu_layers: 29,
            total_layers: 29,
            kv_cache_type: KvCacheType::Q8_0,
            vram_bytes: 6 * GIB,
            ram_bytes: 2 * GIB,
            gpu_share: 0.9,
            decode_tokens_per_s: range(38.0, 44.0, 50.0),
            first_token_full_prompt_s: range(10.0, 14.0, 20.0),
            first_token_s: range(1.0, 1.4, 2.0),
        }
    }

    fn measured() -> MeasuredFigures {
        MeasuredFigures {
            context_tokens: Some(32_768),
            gpu_layers: Some(29),
            gpu_share: Some(0.9),
            kv_cache_type: Some("q8_0".to_owned()),
            vram_bytes: Some(5 * GIB),
            ram_bytes: Some(GIB),
            decode_tokens_per_s: Some(60.0),
            prefill_tokens_per_s: Some(1000.0),
            first_token_s: Some(0.5),
            first_token_prompt_tokens: Some(4096),
        }
    }

    #[test]
    fn better_than_promised_is_no_miss() {
        for language in Language::ALL {
            assert_eq!(misses(&promised(), &measured(), GIB / 2, Text::new(language)), Vec::<String>::new());
        }
    }

    #[test]
    fn every_miss_is_said_with_both_figures() {
        let bad = MeasuredFigures {
            context_tokens: Some(16_384),
            gpu_layers: Some(20),
            kv_cache_type: None,
            vram_bytes: Some(7 * GIB),
            ram_bytes: Some(3 * GIB),
            decode_tokens_per_s: Some(12.0),
            first_token_s: Some(9.0),
            ..measured()
        };
        let said = misses(&promised(), &bad, GIB / 2, Text::new(Language::English));
        assert_eq!(said.len(), 7, "{said:#?}");
        assert!(said[0].contains("16,384") && said[0].contains("32,768"), "{}", said[0]);
        assert!(said[5].contains("12.0") && said[5].contains("38–50"), "{}", said[5]);
    }
}
