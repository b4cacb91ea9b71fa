//! Is it still healthy? Watches how full the graphics memory is and raises an alert before the engine runs out.
//!
//! The context is never lowered to make room: 32,768 tokens are what ACOLYTE needs. So all an alert can do is say so in
//! time and name what helps. [`VramWatch`] is the rule, fed with one [`VramUse`] after another; where the figures come
//! from is the caller's business.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::machine::Hardware;

/// Share of the graphics memory above which the engine may fail at the next allocation.
pub const CRITICAL_SHARE: f64 = 0.95;

/// Share below which an alert is over. Lower than [`CRITICAL_SHARE`], so that a value that trembles around the limit
/// does not raise an alert every second.
pub const CALM_SHARE: f64 = 0.92;

/// How full one GPU's memory is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VramUse {
    /// Position among the adapters of the hardware document; tells cards of one name apart.
    #[serde(skip)]
    pub adapter: usize,
    /// The GPU's name.
    pub gpu: String,
    /// In use by all programs, in bytes.
    pub used_bytes: u64,
    /// All of it, in bytes.
    pub total_bytes: u64,
}

impl VramUse {
    /// Of each GPU that can hold a model and tells both figures.
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

/// What changed, when something did.
#[derive(Clone, Debug, PartialEq)]
pub enum Alert {
    /// The memory is nearly full.
    Critical(VramUse),
    /// It is well below the limit again.
    Over(VramUse),
}

/// Remembers which GPUs are in alert, so that each alert is raised once. Expects the same machine at every update.
#[derive(Clone, Debug, Default)]
pub struct VramWatch {
    /// Positions of the adapters that are in alert.
    critical: BTreeSet<usize>,
}

impl VramWatch {
    /// Takes the newest figures and returns what changed.
    pub fn update(&mut self, now: &[VramUse]) -> Vec<Alert> {
        let mut alerts = Vec::new();
        for gpu in now {
            if gpu.share() > CRITICAL_SHARE && self.critical.insert(gpu.adapter) {
                alerts.push(Alert::Critical(gpu.clone()));
            } else if gpu.share() < CALM_SHARE && self.critical.remove(&gpu.adapter) {
                alerts.push(Alert::Over(gpu.clone()));
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
            gpu: "card".to_owned(),
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
        assert_eq!(watch.update(&[in_use(0.5)]), [Alert::Over(in_use(0.5))]);
        assert_eq!(watch.update(&[in_use(0.99)]), [Alert::Critical(in_use(0.99))]);
    }

    #[test]
    fn two_cards_of_one_name_are_watched_apart() {
        let cards = [in_use(0.97), VramUse { adapter: 1, ..in_use(0.3) }];
        let mut watch = VramWatch::default();
        assert_eq!(watch.update(&cards), [Alert::Critical(cards[0].clone())]);
        assert_eq!(watch.update(&cards), [], "the calm card does not end the alert of the other");
        let calm = [in_use(0.5), cards[1].clone()];
        assert_eq!(watch.update(&calm), [Alert::Over(calm[0].clone())]);
    }

    #[test]
    fn two_cards_of_one_machine_are_told_apart() {
        let card = |free: u64| Gpu {
            vram_free_bytes: Some(free),
            ..Gpu::named("RTX 3090", GpuKind::Discrete, Some(24 * GIB))
        };
        let memory = MainMemory { total_bytes: 64 * GIB, ..MainMemory::default() };
        let found = VramUse::of(&Hardware::with(memory, vec![card(GIB), card(20 * GIB)]));
        assert_eq!(found.iter().map(|now| now.adapter).collect::<Vec<_>>(), [0, 1]);
    }
}
