//! When a card counts as nearly full, and when no longer.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::machine::Hardware;
use crate::monitor::placement::PlacementLoss;
use crate::untrusted::UntrustedText;

/// Share of the graphics memory above which the engine may fail at the next allocation.
pub const CRITICAL_SHARE: f64 = 0.95;

/// Share below which an alert ends. Lower than [`CRITICAL_SHARE`], so that a value that fluctuates around the limit
/// does not raise an alert every second.
pub const RECOVERED_SHARE: f64 = 0.92;

/// Memory use of one GPU.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VramUse {
    /// Index in `gpus` of the hardware document; distinguishes cards of the same name.
    #[serde(skip)]
    pub adapter: usize,
    /// The GPU's name.
    pub gpu: UntrustedText,
    /// In use by all programs, in bytes.
    pub used_bytes: u64,
    /// Total memory in bytes.
    pub total_bytes: u64,
}

impl VramUse {
    /// Memory use of each GPU that can hold a model and reports total and free memory.
    pub fn of(hardware: &Hardware) -> Vec<Self> {
        hardware
            .gpus
            .iter()
            .enumerate()
            .filter(|(_, gpu)| gpu.is_usable())
            .filter_map(|(adapter, gpu)| {
                let total_bytes = gpu.vram_total_bytes.filter(|total| *total > 0)?;
                let used_bytes = total_bytes.saturating_sub(gpu.vram_free_bytes?);
                Some(Self { adapter, gpu: gpu.name.clone(), used_bytes, total_bytes })
            })
            .collect()
    }

    /// Share in use, 0 to 1.
    pub fn share(&self) -> f64 {
        self.used_bytes as f64 / self.total_bytes.max(1) as f64
    }
}

/// A change of a GPU's state.
#[derive(Clone, Debug, PartialEq)]
pub enum Alert {
    /// The memory is nearly full.
    Critical(VramUse),
    /// It is below [`RECOVERED_SHARE`] again.
    Recovered(VramUse),
    /// The model, or a part of it, is no longer on the card.
    LeftCard(PlacementLoss),
}

/// Tracks which GPUs are in alert, so that each alert is raised once. Every update must be about the same machine.
#[derive(Clone, Debug, Default)]
pub struct VramWatch {
    /// Indexes of the GPUs in alert.
    critical: BTreeSet<usize>,
}

impl VramWatch {
    /// Processes new figures and returns the alerts raised or ended by them.
    pub fn update(&mut self, now: &[VramUse]) -> Vec<Alert> {
        let mut alerts = Vec::new();
        for gpu in now {
            if gpu.share() > CRITICAL_SHARE && self.critical.insert(gpu.adapter) {
                alerts.push(Alert::Critical(gpu.clone()));
            } else if gpu.share() < RECOVERED_SHARE && self.critical.remove(&gpu.adapter) {
                alerts.push(Alert::Recovered(gpu.clone()));
            }
        }
        alerts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GIB;
    use crate::machine::{Gpu, GpuKind, MainMemory};

    fn in_use(share: f64) -> VramUse {
        VramUse {
            adapter: 0,
            gpu: "card".into(),
            used_bytes: (share * 1e9) as u64,
            total_bytes: 1_000_000_000,
        }
    }

    #[test]
    fn an_alert_is_raised_once_and_ends_only_well_below_the_limit() {
        let mut watch = VramWatch::default();
        assert!(watch.update(&[in_use(0.95)]).is_empty(), "at the limit is not above it");
        assert_eq!(watch.update(&[in_use(0.96)]), [Alert::Critical(in_use(0.96))]);
        assert!(watch.update(&[in_use(0.97)]).is_empty());
        assert!(watch.update(&[in_use(0.93)]).is_empty(), "between the limits nothing changes");
        assert_eq!(watch.update(&[in_use(0.5)]), [Alert::Recovered(in_use(0.5))]);
        assert_eq!(watch.update(&[in_use(0.99)]), [Alert::Critical(in_use(0.99))]);
    }

    #[test]
    fn two_cards_of_the_same_name_are_watched_separately() {
        let cards = [in_use(0.97), VramUse { adapter: 1, ..in_use(0.3) }];
        let mut watch = VramWatch::default();
        assert_eq!(watch.update(&cards), [Alert::Critical(cards[0].clone())]);
        assert_eq!(watch.update(&cards), [], "a card with free memory does not end the alert of the other");
        let recovered = [in_use(0.5), cards[1].clone()];
        assert_eq!(watch.update(&recovered), [Alert::Recovered(recovered[0].clone())]);
    }

    #[test]
    fn two_cards_of_one_machine_have_different_indexes() {
        let card = |free: u64| Gpu {
            vram_free_bytes: Some(free),
            ..Gpu::named("RTX 3090", GpuKind::Discrete, Some(24 * GIB))
        };
        let memory = MainMemory { total_bytes: 64 * GIB, ..MainMemory::default() };
        let found = VramUse::of(&Hardware::with(memory, vec![card(GIB), card(20 * GIB)]));
        assert_eq!(found.iter().map(|now| now.adapter).collect::<Vec<_>>(), [0, 1]);
    }
}
