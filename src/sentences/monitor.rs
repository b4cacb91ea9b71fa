//! Sentences about alerts of the monitor.

use crate::monitor::{Alert, ModelSample, PlacementLoss, VramUse};
use crate::say;
use crate::text::Text;

impl Alert {
    /// How full the memory is, and what helps.
    pub fn explain(&self, text: Text) -> String {
        match self {
            Self::Critical(now) => say!(
                text,
                "monitor-vram-critical",
                gpu = now.gpu.as_str(),
                share = text.percent(now.share()),
                used = text.memory_number(now.used_bytes),
                total = text.memory(now.total_bytes),
            ),
            Self::LeftCard(loss) => loss.explain(text),
            Self::Recovered(now) => {
                say!(
                    text,
                    "monitor-vram-recovered",
                    gpu = now.gpu.as_str(),
                    share = text.percent(now.share())
                )
            }
        }
    }
}

impl VramUse {
    /// The card, and how full its memory is.
    pub fn words(&self, text: Text) -> String {
        say!(
            text,
            "monitor-line",
            gpu = self.gpu.as_str(),
            used = text.memory_number(self.used_bytes),
            total = text.memory(self.total_bytes),
            share = text.percent(self.share())
        )
    }
}

impl PlacementLoss {
    /// What has left the card, and what helps.
    pub fn explain(&self, text: Text) -> String {
        match self {
            Self::LayersLeft { layers, total } => {
                say!(text, "monitor-layers-left", layers = layers, total = total)
            }
            Self::Spilled { bytes } => say!(text, "monitor-spilled", size = text.memory(*bytes)),
        }
    }
}

/// `75%/25% GPU/CPU`, as the engine's own list shows it, from the share of the model's memory on cards; `None` where the
/// engine's figures are unreliable.
pub fn processor_split(gpu_share: f64) -> String {
    // Not 100 while anything is elsewhere.
    let percent = if gpu_share >= 1.0 { 100.0 } else { (gpu_share * 100.0).round().min(99.0) };
    match percent {
        0.0 => "100% CPU".to_owned(),
        100.0 => "100% GPU".to_owned(),
        gpu => format!("{gpu:.0}%/{:.0}% GPU/CPU", 100.0 - gpu),
    }
}

/// Until when a model stays in memory. `expires_at_s` and `now_s` are seconds since the Unix epoch.
pub fn until(expires_at_s: Option<u64>, now_s: u64, text: Text) -> String {
    // The engine's word for "never" is centuries ahead.
    const NEVER_S: u64 = 100 * 365 * 24 * 3600;
    match expires_at_s {
        None => say!(text, "install-unknown"),
        Some(at) if at <= now_s => say!(text, "monitor-until-now"),
        Some(at) if at - now_s > NEVER_S => say!(text, "monitor-until-forever"),
        Some(at) => say!(text, "monitor-until", span = text.duration((at - now_s) as f64)),
    }
}

impl ModelSample {
    /// Where its layers and experts are; empty while the log does not tell.
    pub fn placement(&self, text: Text) -> String {
        let (Some(layers), Some(total)) = (self.gpu_layers, self.total_layers) else { return String::new() };
        if layers == 0 {
            return say!(text, "monitor-on-processor");
        }
        let placed = say!(text, "monitor-layers", layers = layers, total = total);
        match self.n_cpu_moe {
            0 => placed,
            blocks => say!(
                text,
                "monitor-experts",
                layers = placed,
                blocks = blocks,
                total = total.saturating_sub(1)
            ),
        }
    }

    /// How much of the context is in use; empty while the log does not tell.
    pub fn context(&self, text: Text) -> String {
        let Some(total) = self.context_tokens else { return String::new() };
        let used = text.count(self.context_used_tokens.unwrap_or(0).into());
        say!(text, "monitor-context", used = used, total = text.count(total.into()))
    }

    /// Speeds of the last answers, at most `most`; empty before the first.
    pub fn speeds(&self, most: usize, text: Text) -> String {
        let from = self.answers.len().saturating_sub(most);
        let speeds: Vec<String> =
            self.answers[from..].iter().map(|answer| text.figure(answer.tokens_per_s)).collect();
        if speeds.is_empty() {
            return String::new();
        }
        say!(text, "monitor-answers", speeds = speeds.join(" · "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GIB;
    use crate::monitor::VramUse;
    use crate::text::Language;

    #[test]
    fn the_split_is_shown_as_the_engine_shows_it() {
        let shares = [0.0, 0.001, 0.25, 0.75, 0.999, 1.0];
        let expected =
            ["100% CPU", "100% CPU", "25%/75% GPU/CPU", "75%/25% GPU/CPU", "99%/1% GPU/CPU", "100% GPU"];
        assert_eq!(shares.map(processor_split), expected);
    }

    #[test]
    fn until_when_a_model_stays_is_said() {
        let text = Text::new(Language::English);
        let said = |at: Option<u64>| until(at, 1_000, text);
        assert_eq!(said(Some(1_290)), "for 4\u{a0}min 50\u{a0}s more");
        assert_eq!(said(Some(9_000_000_000)), "until it is unloaded");
        assert_eq!((said(Some(1_000)), said(None)), ("being unloaded".to_owned(), "unknown".to_owned()));
    }

    #[test]
    fn what_left_the_card_is_counted() {
        for language in Language::ALL {
            let text = Text::new(language);
            let said = Alert::LeftCard(PlacementLoss::LayersLeft { layers: 4, total: 29 }).explain(text);
            assert!(said.contains('4') && said.contains("29"), "{said}");
            let said = Alert::LeftCard(PlacementLoss::Spilled { bytes: 2 * GIB }).explain(text);
            assert!(said.contains("2\u{a0}GB"), "{said}");
        }
    }

    #[test]
    fn an_alert_says_how_full_and_what_helps_and_never_offers_less_context() {
        let alert = Alert::Critical(VramUse {
            adapter: 0,
            gpu: "GeForce RTX 4060".into(),
            used_bytes: 7_800 << 20,
            total_bytes: 8 * GIB,
        });
        for language in Language::ALL {
            let said = alert.explain(Text::new(language));
            for part in ["GeForce RTX 4060", "95", "8\u{a0}GB", "32"] {
                assert!(said.contains(part), "{said:?} lacks {part:?}");
            }
        }
    }
}
