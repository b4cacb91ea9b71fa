//! Sentences about alerts of the monitor.

use crate::monitor::Alert;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GIB;
    use crate::monitor::VramUse;
    use crate::text::Language;

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
