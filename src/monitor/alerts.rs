//! Which alerts a sample raises or ends.

use crate::monitor::placement::PlacementLoss;
use crate::monitor::sampler::Sample;
use crate::monitor::vram::{Alert, VramUse, VramWatch};

/// Tracks the cards and the model's placement, so that each alert is raised once. Every update must be about the same machine.
#[derive(Clone, Debug, Default)]
pub struct AlertWatch {
    vram: VramWatch,
    loss: Option<PlacementLoss>,
}

impl AlertWatch {
    /// Processes a sample and returns the alerts raised or ended by it.
    pub fn update(&mut self, sample: &Sample) -> Vec<Alert> {
        let cards: Vec<VramUse> = sample.gpus.iter().map(|card| card.memory.clone()).collect();
        let mut alerts = self.vram.update(&cards);
        if let Some(model) = &sample.model {
            let is_news = match (self.loss, model.loss) {
                (_, None) => false,
                // How much has spilled changes at every look.
                (Some(PlacementLoss::Spilled { .. }), Some(PlacementLoss::Spilled { .. })) => false,
                (before, now) => before != now,
            };
            self.loss = model.loss;
            alerts.extend(model.loss.filter(|_| is_news).map(Alert::LeftCard));
        }
        alerts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::sampler::ModelSample;
    use std::time::Instant;

    #[test]
    fn a_loss_is_said_once_until_it_changes() {
        let mut watch = AlertWatch::default();
        let mut update = |loss: Option<PlacementLoss>| {
            let model = Some(ModelSample { loss, ..ModelSample::default() });
            watch.update(&Sample { at: Instant::now(), gpus: Vec::new(), model })
        };
        let left = |layers| PlacementLoss::LayersLeft { layers, total: 29 };
        let spilled = |bytes| PlacementLoss::Spilled { bytes };
        assert_eq!(update(None), []);
        assert_eq!(update(Some(left(4))), [Alert::LeftCard(left(4))]);
        assert_eq!(update(Some(left(4))), []);
        assert_eq!(update(Some(left(8))), [Alert::LeftCard(left(8))]);
        assert_eq!(update(Some(spilled(1))), [Alert::LeftCard(spilled(1))]);
        assert_eq!(update(Some(spilled(2))), []);
        assert_eq!(update(None), []);
        assert_eq!(update(Some(left(8))), [Alert::LeftCard(left(8))]);
    }
}
