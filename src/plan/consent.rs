//! Terms that the user agrees to before a degraded plan is installed. Consent is compared by these figures, not by
//! wording or language.

use serde::{Deserialize, Serialize};

use crate::figures::Range;
use crate::models::{KvCacheType, ModelTag};
use crate::plan::Reason;

/// The terms of consent: the limits of a plan and its estimated speed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConsentTerms {
    /// Profile id.
    pub profile: String,
    /// Tag of the model.
    pub model: ModelTag,
    /// Tokens of context.
    pub context_tokens: u32,
    /// Type of the KV cache.
    pub kv_cache_type: KvCacheType,
    /// Blocks whose routed experts stay in main memory; 0 in consents of earlier versions.
    #[serde(default)]
    pub n_cpu_moe: u32,
    /// The limits, the most important first.
    pub limits: Vec<Limit>,
    /// Estimated generated tokens per second with a nearly empty context.
    pub decode_tokens_per_s: Range,
    /// Estimated seconds to the first token of a full prompt.
    pub first_token_full_prompt_s: Range,
}

/// A limit that needs consent, with the figure the user agrees to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "limit", rename_all = "snake_case")]
pub enum Limit {
    /// Main memory is short until other programs are closed.
    RamShort {
        /// Bytes that must become available.
        missing_bytes: u64,
    },
    /// The whole model runs on the processor.
    CpuOnly,
    /// Slow answers.
    SlowDecode {
        /// Estimated tokens per second, middle of the range.
        tokens_per_s: f64,
    },
    /// Some layers run on the processor.
    LayersOnCpu {
        /// Layers on the processor.
        cpu_layers: u32,
    },
    /// A long wait for a full prompt.
    SlowFirstToken {
        /// Estimated seconds, middle of the range.
        seconds: f64,
    },
    /// The KV cache is kept at 4 bits.
    KvQ4,
    /// The card is smaller than recommended.
    SmallCard {
        /// Its nominal size in GiB.
        have_gib: u32,
    },
}

impl ConsentTerms {
    /// Whether consent to these terms also covers `now`: same model and setting, no new kind of limit, no worse figure.
    /// Estimates and free memory vary between measurements, so they may be worse by the share `tolerance` (0.15 is 15
    /// %); layers and size of the card may not.
    pub fn covers(&self, now: &Self, tolerance: f64) -> bool {
        let at_least = |now: f64, agreed: f64| now >= agreed * (1.0 - tolerance);
        let at_most = |now: f64, agreed: f64| now <= agreed * (1.0 + tolerance);
        self.model == now.model
            && self.context_tokens == now.context_tokens
            && self.kv_cache_type == now.kv_cache_type
            && now.n_cpu_moe <= self.n_cpu_moe
            && now
                .limits
                .iter()
                .all(|limit| self.limits.iter().any(|agreed| agreed.covers(*limit, tolerance)))
            && at_least(now.decode_tokens_per_s.mid, self.decode_tokens_per_s.mid)
            && at_most(now.first_token_full_prompt_s.mid, self.first_token_full_prompt_s.mid)
    }
}

impl Reason {
    /// Whether this reason needs consent.
    pub fn is_limit(&self) -> bool {
        Limit::of(self).is_some()
    }
}

impl Limit {
    pub(super) fn of(reason: &Reason) -> Option<Self> {
        Some(match *reason {
            Reason::RamShort { need_bytes, have_bytes, .. } => {
                Self::RamShort { missing_bytes: need_bytes.saturating_sub(have_bytes) }
            }
            Reason::CpuOnly => Self::CpuOnly,
            Reason::SlowDecode { tokens_per_s, .. } => Self::SlowDecode { tokens_per_s },
            Reason::LayersOnCpu { cpu_layers, .. } => Self::LayersOnCpu { cpu_layers },
            Reason::SlowFirstToken { seconds, .. } => Self::SlowFirstToken { seconds },
            Reason::KvQ4 => Self::KvQ4,
            Reason::SmallCard { have_gib, .. } => Self::SmallCard { have_gib },
            _ => return None,
        })
    }

    fn covers(self, now: Self, tolerance: f64) -> bool {
        match (self, now) {
            (Self::RamShort { missing_bytes: agreed }, Self::RamShort { missing_bytes: now }) => {
                now as f64 <= agreed as f64 * (1.0 + tolerance)
            }
            (Self::SlowDecode { tokens_per_s: agreed }, Self::SlowDecode { tokens_per_s: now }) => {
                now >= agreed * (1.0 - tolerance)
            }
            (Self::LayersOnCpu { cpu_layers: agreed }, Self::LayersOnCpu { cpu_layers: now }) => {
                now <= agreed
            }
            (Self::SlowFirstToken { seconds: agreed }, Self::SlowFirstToken { seconds: now }) => {
                now <= agreed * (1.0 + tolerance)
            }
            (Self::SmallCard { have_gib: agreed }, Self::SmallCard { have_gib: now }) => now >= agreed,
            (Self::CpuOnly, Self::CpuOnly) | (Self::KvQ4, Self::KvQ4) => true,
            _ => false,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn agreed() -> ConsentTerms {
        let range = |mid: f64| Range { low: mid * 0.8, mid, high: mid * 1.25 };
        ConsentTerms {
            profile: "hybrid_8gb".to_owned(),
            model: ModelTag::parse("qwen2.5-coder:7b").unwrap(),
            context_tokens: 32_768,
            kv_cache_type: KvCacheType::Q8_0,
            n_cpu_moe: 20,
            limits: vec![
                Limit::LayersOnCpu { cpu_layers: 4 },
                Limit::SlowFirstToken { seconds: 70.0 },
                Limit::SmallCard { have_gib: 8 },
            ],
            decode_tokens_per_s: range(20.0),
            first_token_full_prompt_s: range(70.0),
        }
    }

    fn covers(change: impl FnOnce(&mut ConsentTerms)) -> bool {
        let mut now = agreed();
        change(&mut now);
        agreed().covers(&now, 0.15)
    }

    #[test]
    fn consent_covers_the_same_or_milder_limits() {
        assert!(covers(|_| ()));
        assert!(covers(|now| now.limits[0] = Limit::LayersOnCpu { cpu_layers: 2 }));
        assert!(covers(|now| now.limits[2] = Limit::SmallCard { have_gib: 10 }));
        assert!(covers(|now| now.n_cpu_moe = 19));
        assert!(covers(|now| now.limits.clear()), "no limits are left");
        assert!(covers(|now| now.decode_tokens_per_s.mid = 17.5), "bandwidth varies between measurements");
        assert!(covers(|now| now.profile = "custom".to_owned()), "the profile's name is not compared");
    }

    #[test]
    fn consent_does_not_cover_anything_worse() {
        assert!(!covers(|now| now.limits[0] = Limit::LayersOnCpu { cpu_layers: 5 }));
        assert!(!covers(|now| now.limits[2] = Limit::SmallCard { have_gib: 6 }));
        assert!(!covers(|now| now.limits[1] = Limit::SlowFirstToken { seconds: 90.0 }));
        assert!(!covers(|now| now.n_cpu_moe = 21), "more experts in main memory");
        assert!(!covers(|now| now.limits.push(Limit::KvQ4)), "a new kind of limit");
        assert!(!covers(|now| now.decode_tokens_per_s.mid = 15.0));
        assert!(!covers(|now| now.first_token_full_prompt_s.mid = 100.0));
        assert!(!covers(|now| now.model = ModelTag::parse("qwen2.5-coder:3b").unwrap()));
        assert!(!covers(|now| now.context_tokens = 65_536));
        assert!(!covers(|now| now.kv_cache_type = KvCacheType::Q4_0));
    }

    #[test]
    fn consent_of_an_earlier_version_covers_no_experts_in_main_memory() {
        let mut written = serde_json::to_value(agreed()).unwrap();
        written.as_object_mut().unwrap().remove("n_cpu_moe").unwrap();
        let earlier: ConsentTerms = serde_json::from_value(written).unwrap();
        let now = |n_cpu_moe| ConsentTerms { n_cpu_moe, ..agreed() };
        assert!(earlier.covers(&now(0), 0.15));
        assert!(!earlier.covers(&now(1), 0.15));
    }

    #[test]
    fn terms_round_trip() {
        let json = serde_json::to_string(&agreed()).unwrap();
        assert_eq!(serde_json::from_str::<ConsentTerms>(&json).unwrap(), agreed(), "{json}");
    }
}
