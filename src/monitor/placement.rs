//! Whether the model is still where it was when it was measured.

use serde::Serialize;

use crate::ollama::evidence::LoadEvidence;

/// Main memory that a driver uses for every model that it runs: staging buffers. Beyond it, weights or cache overflowed.
const USUAL_SHARED_BYTES: u64 = 768 << 20;

/// Where the model's layers were when it was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MeasuredPlacement {
    /// Layers on the card.
    pub gpu_layers: u32,
    /// All layers.
    pub total_layers: u32,
}

/// How the model has left the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum PlacementLoss {
    /// The engine loaded fewer layers onto the card.
    LayersLeft {
        /// Layers that were on the card and are in main memory now.
        layers: u32,
        /// All layers.
        total: u32,
    },
    /// The driver moved memory of the card into main memory, which Windows does when a card is full.
    Spilled {
        /// Main memory in use for the card, in bytes.
        bytes: u64,
    },
}

/// Compares the last load with what was measured. `shared_bytes` is main memory that the engine uses as the card's, where
/// the system tells. A load that is not finished tells nothing.
pub fn placement_loss(
    measured: MeasuredPlacement,
    load: &LoadEvidence,
    shared_bytes: Option<u64>,
) -> Option<PlacementLoss> {
    let MeasuredPlacement { gpu_layers, total_layers: total } = measured;
    // The log lists the buffers before a load has ended, and no layers where no card was used.
    let finished = load.context_tokens.is_some();
    let on_card = load.offloaded.map_or(0, |(on_card, _)| on_card);
    let layers = gpu_layers.saturating_sub(on_card);
    if finished && layers > 0 {
        return Some(PlacementLoss::LayersLeft { layers, total });
    }
    let spilled = shared_bytes.filter(|bytes| gpu_layers > 0 && *bytes > USUAL_SHARED_BYTES);
    spilled.map(|bytes| PlacementLoss::Spilled { bytes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GIB;

    const CUDA: &str = include_str!("../../tests/fixtures/ollama/made-up-cuda-partial.log");
    const CPU: &str = include_str!("../../tests/fixtures/ollama/server-log-load-q8_0-cpu.log");

    #[test]
    fn layers_that_left_the_card_are_counted_once_a_load_has_ended() {
        let loss = |gpu_layers, log: &str, shared| {
            let measured = MeasuredPlacement { gpu_layers, total_layers: 29 };
            placement_loss(measured, &LoadEvidence::parse(log), shared)
        };
        assert_eq!(loss(29, CUDA, None), Some(PlacementLoss::LayersLeft { layers: 4, total: 29 }));
        assert_eq!(loss(25, CUDA, None), None);
        assert_eq!(loss(24, CUDA, Some(0)), None, "more than measured is no loss");
        assert_eq!(
            loss(25, CPU, None),
            Some(PlacementLoss::LayersLeft { layers: 25, total: 29 }),
            "without a card the log has no line about layers"
        );
        assert_eq!(loss(0, CPU, None), None);
        let unfinished = CUDA.split("n_ctx_slot").next().unwrap_or_default();
        assert_eq!(loss(29, unfinished, None), None);
        assert_eq!(loss(25, CUDA, Some(2 * GIB)), Some(PlacementLoss::Spilled { bytes: 2 * GIB }));
        assert_eq!(loss(25, CUDA, Some(GIB / 2)), None, "staging buffers are not a spill");
        assert_eq!(loss(0, CPU, Some(2 * GIB)), None);
    }
}
