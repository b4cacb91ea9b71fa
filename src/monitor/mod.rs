//! Is it still healthy? Watches how full the graphics memory is and raises an alert before the engine runs out.
//!
//! The context is never lowered to make room: 32,768 tokens are what ACOLYTE needs. So all an alert can do is say so in
//! time and name what helps. [`VramWatch`] is the rule, fed with one [`VramUse`] after another; where the figures come
//! from is the caller's business.

use serde::Serialize;

use crate::machine::Hardware;
use crate::say;
use crate::text::Text;

/// Share of the graphics memory above which the engine may fail at the next allocation.
pub const CRITICAL_SHARE: f64 = 0.95;

/// Share below which an alert is over. Lower than [`CRITICAL_SHARE`], so that a value that trembles around the limit
/// does not raise an alert every second.
pub const CALM_SHARE: f64 = 0.92;

/// How full one GPU's memory is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VramUse {
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
            .usable_gpus()
            .filter_map(|gpu| {
                let total_bytes = gpu.vram_total_bytes.filter(|total| *total > 0)?;
                let used_bytes = total_bytes.saturating_sub(gpu.vram_free_bytes?);
                Some(Self { gpu: gpu.name.clone(), used_bytes, total_bytes })
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

impl Alert {
    /// What to tell the person, and what helps.
    pub fn text(&self, text: Text) -> String {
        match self {
            Self::Critical(now) => say!(
                text,
                "monitor-vram-critical",
                gpu = now.gpu.as_str(),
                share = text.percent(now.share()),
                used = text.memory_number(now.used_bytes),
                total = text.memory(now.total_bytes),
            ),
            Self::Over(now) => {
                say!(text, "monitor-vram-over", gpu = now.gpu.as_str(), share = text.percent(now.share()))
            }
        }
    }
}

/// Remembers which GPUs are in alert, so that each alert is raised once.
#[derive(Clone, Debug, Default)]
pub struct VramWatch {
    critical: Vec<String>,
}

impl VramWatch {
    /// Takes the newest figures and answers with what changed.
    pub fn update(&mut self, now: &[VramUse]) -> Vec<Alert> {
        let mut alerts = Vec::new();
        for gpu in now {
            let known = self.critical.iter().position(|name| *name == gpu.gpu);
            match known {
                None if gpu.share() > CRITICAL_SHARE => {
                    self.critical.push(gpu.gpu.clone());
                    alerts.push(Alert::Critical(gpu.clone()));
                }
                Some(index) if gpu.share() < CALM_SHARE => {
                    self.critical.swap_remove(index);
                    alerts.push(Alert::Over(gpu.clone()));
                }
                _ => {}
            }
        }
        alerts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GIB;
    use crate::text::Language;

    fn in_use(share: f64) -> VramUse {
        VramUse { gpu: "card".to_owned(), used_bytes: (share * 1e9) as u64, total_bytes: 1_000_000_000 }
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
    fn an_alert_says_how_full_and_what_helps_and_never_offers_less_context() {
        let alert = Alert::Critical(VramUse {
            gpu: "GeForce RTX 4060".to_owned(),
            used_bytes: 7_800 << 20,
            total_bytes: 8 * GIB,
        });
        for language in Language::ALL {
            let said = alert.text(Text::new(language));
            for part in ["GeForce RTX 4060", "95", "8\u{a0}GB", "32"] {
                assert!(said.contains(part), "{said:?} lacks {part:?}");
            }
        }
    }
}
