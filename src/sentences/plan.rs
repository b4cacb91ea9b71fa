//! Sentences about verdicts, reasons and improvements, and the two texts of degraded mode: the consent and the banner.

use crate::figures::Range;
use crate::plan::{Grade, Improvement, Limit, Plan, Reason, Verdict};
use crate::say;
use crate::sentences::choices::profile_title;
use crate::text::Text;

impl Verdict {
    /// One word, for the screen.
    pub fn title(self, text: Text) -> String {
        match self {
            Self::Compatible => say!(text, "plan-verdict-compatible"),
            Self::Degraded => say!(text, "plan-verdict-degraded"),
            Self::Refused => say!(text, "plan-verdict-refused"),
        }
    }
}

impl Grade {
    /// One word, for the screen.
    pub fn title(self, text: Text) -> String {
        match self {
            Self::Good => say!(text, "plan-grade-good"),
            Self::Recommended => say!(text, "plan-grade-recommended"),
            Self::Premium => say!(text, "plan-grade-premium"),
        }
    }
}

impl Reason {
    /// Stable code, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoUsableGpu { .. } => "no_usable_gpu",
            Self::VramTooSmall { .. } => "vram_too_small",
            Self::VramUnknown { .. } => "vram_unknown",
            Self::ProfileNeedsVram { .. } => "profile_needs_vram",
            Self::ProfileNeedsRam { .. } => "profile_needs_ram",
            Self::VramShort { .. } => "vram_short",
            Self::RamShort { .. } => "ram_short",
            Self::LayersOnCpu { .. } => "layers_on_cpu",
            Self::CpuOnly => "cpu_only",
            Self::SmallCard { .. } => "small_card",
            Self::KvQ4 => "kv_q4",
            Self::SlowDecode { .. } => "slow_decode",
            Self::SlowFirstToken { .. } => "slow_first_token",
            Self::ContextBelowMinimum { .. } => "context_below_minimum",
            Self::ContextNotSupported { .. } => "context_not_carried",
            Self::KvNeedsFlashAttention { .. } => "kv_needs_flash_attention",
            Self::EngineRefuses { .. } => "engine_refuses",
            Self::ExpertsInRam { .. } => "experts_in_ram",
            Self::SeveralCards { .. } => "several_cards",
            Self::KvQualityLost { .. } => "kv_quality_lost",
            Self::ToolCallsUnreliable { .. } => "tool_calls_unreliable",
            Self::ArchitectureUnknown { .. } => "architecture_unknown",
            Self::NoChatTemplate => "no_chat_template",
            Self::NonCommercial { .. } => "non_commercial",
            Self::DiskShort { .. } => "disk_short",
            Self::Fits { .. } => "fits",
            Self::FitsIfFree { .. } => "fits_if_free",
            Self::SeveralSizes { .. } => "several_sizes",
            Self::ArithmeticCut { .. } => "arithmetic_cut",
        }
    }

    /// A short title, for tables.
    pub fn title(&self, text: Text) -> String {
        match self {
            Self::NoUsableGpu { .. } => say!(text, "plan-reason-no-usable-gpu-title"),
            Self::VramTooSmall { need_gib, .. } => {
                say!(text, "plan-reason-vram-too-small-title", need = *need_gib)
            }
            Self::VramUnknown { .. } => say!(text, "plan-reason-vram-unknown-title"),
            Self::ProfileNeedsVram { need_gib, .. } => {
                say!(text, "plan-reason-profile-needs-vram-title", need = *need_gib)
            }
            Self::ProfileNeedsRam { need_gib, .. } => {
                say!(text, "plan-reason-profile-needs-ram-title", need = *need_gib)
            }
            Self::VramShort { .. } => say!(text, "plan-reason-vram-short-title"),
            Self::RamShort { .. } => say!(text, "plan-reason-ram-short-title"),
            Self::LayersOnCpu { cpu_layers, total_layers, .. } => {
                say!(text, "plan-reason-layers-on-cpu-title", cpu = *cpu_layers, total = *total_layers)
            }
            Self::CpuOnly => say!(text, "plan-reason-cpu-only-title"),
            Self::SmallCard { have_gib, .. } => say!(text, "plan-reason-small-card-title", have = *have_gib),
            Self::KvQ4 => say!(text, "plan-reason-kv-q4-title"),
            Self::SlowDecode { tokens_per_s, .. } => {
                say!(text, "plan-reason-slow-decode-title", speed = text.figure(*tokens_per_s))
            }
            Self::SlowFirstToken { seconds, .. } => {
                say!(text, "plan-reason-slow-first-token-title", wait = text.duration(*seconds))
            }
            Self::ContextBelowMinimum { minimum_tokens, .. } => say!(
                text,
                "plan-reason-context-below-minimum-title",
                minimum = text.count(u64::from(*minimum_tokens))
            ),
            Self::ContextNotSupported { supported_tokens, .. } => say!(
                text,
                "plan-reason-context-not-carried-title",
                carried = text.count(u64::from(*supported_tokens))
            ),
            Self::KvNeedsFlashAttention { .. } => say!(text, "plan-reason-kv-needs-flash-attention-title"),
            Self::EngineRefuses { refusal } => refusal.title(text),
            Self::ExpertsInRam { .. } => say!(text, "plan-reason-experts-in-ram-title"),
            Self::SeveralCards { count, .. } => {
                say!(text, "plan-reason-several-cards-title", count = *count)
            }
            Self::KvQualityLost { .. } => say!(text, "plan-reason-kv-quality-lost-title"),
            Self::ToolCallsUnreliable { .. } => say!(text, "plan-reason-tool-calls-unreliable-title"),
            Self::ArchitectureUnknown { .. } => say!(text, "plan-reason-architecture-unknown-title"),
            Self::NoChatTemplate => say!(text, "plan-reason-no-chat-template-title"),
            Self::NonCommercial { .. } => say!(text, "plan-reason-non-commercial-title"),
            Self::DiskShort { .. } => say!(text, "plan-reason-disk-short-title"),
            Self::Fits { .. } => say!(text, "plan-reason-fits-title"),
            Self::FitsIfFree { .. } => say!(text, "plan-reason-fits-if-free-title"),
            Self::ArithmeticCut { .. } => say!(text, "plan-reason-arithmetic-cut-title"),
            Self::SeveralSizes { planned_gib, .. } => {
                say!(text, "plan-reason-several-sizes-title", planned = *planned_gib)
            }
        }
    }

    /// What was found, what it means and, for a refusal, what to do; in sentences.
    pub fn text(&self, text: Text) -> String {
        match self {
            Self::NoUsableGpu { found, need_gib } if found.is_empty() => {
                say!(text, "plan-reason-no-gpu", need = *need_gib)
            }
            Self::NoUsableGpu { found, need_gib } => {
                say!(text, "plan-reason-no-usable-gpu", found = found.join(", "), need = *need_gib)
            }
            Self::VramTooSmall { have_gib, need_gib } => {
                say!(text, "plan-reason-vram-too-small", have = *have_gib, need = *need_gib)
            }
            Self::VramUnknown { gpu } => say!(text, "plan-reason-vram-unknown", gpu = gpu.as_str()),
            Self::ProfileNeedsVram { have_gib, need_gib } => {
                say!(text, "plan-reason-profile-needs-vram", have = *have_gib, need = *need_gib)
            }
            Self::ProfileNeedsRam { have_gib, need_gib } => {
                say!(text, "plan-reason-profile-needs-ram", have = *have_gib, need = *need_gib)
            }
            Self::VramShort { need_bytes, free_bytes, fits_when_closed } => {
                let (need, free) = (text.memory(*need_bytes), text.memory(*free_bytes));
                if *fits_when_closed {
                    say!(text, "plan-reason-vram-short-now", need = need, free = free)
                } else {
                    say!(text, "plan-reason-vram-short", need = need, free = free)
                }
            }
            Self::RamShort { need_bytes, have_bytes, fits_when_closed } => {
                let (need, have) = (text.memory(*need_bytes), text.memory(*have_bytes));
                if *fits_when_closed {
                    say!(text, "plan-reason-ram-short-now", need = need, have = have)
                } else {
                    say!(text, "plan-reason-ram-short", need = need, have = have)
                }
            }
            Self::LayersOnCpu { cpu_layers, total_layers, decode_tokens_per_s, all_on_gpu_tokens_per_s } => {
                say!(
                    text,
                    "plan-reason-layers-on-cpu",
                    cpu = *cpu_layers,
                    total = *total_layers,
                    speed = text.range(*decode_tokens_per_s),
                    whole = text.range(*all_on_gpu_tokens_per_s)
                )
            }
            Self::CpuOnly => say!(text, "plan-reason-cpu-only"),
            Self::SmallCard { have_gib, comfortable_gib } => {
                say!(text, "plan-reason-small-card", have = *have_gib, comfortable = *comfortable_gib)
            }
            Self::KvQ4 => say!(text, "plan-reason-kv-q4"),
            Self::SlowDecode { tokens_per_s, limit } => say!(
                text,
                "plan-reason-slow-decode",
                speed = text.figure(*tokens_per_s),
                limit = text.decimal(*limit, 0)
            ),
            Self::SlowFirstToken { seconds, limit } => say!(
                text,
                "plan-reason-slow-first-token",
                wait = text.duration(*seconds),
                limit = text.duration(*limit)
            ),
            Self::ContextBelowMinimum { want_tokens, minimum_tokens } => say!(
                text,
                "plan-reason-context-below-minimum",
                want = text.count(u64::from(*want_tokens)),
                minimum = text.count(u64::from(*minimum_tokens))
            ),
            Self::ContextNotSupported { want_tokens, supported_tokens } => say!(
                text,
                "plan-reason-context-not-carried",
                want = text.count(u64::from(*want_tokens)),
                carried = text.count(u64::from(*supported_tokens))
            ),
            Self::KvNeedsFlashAttention { gpu } => {
                say!(text, "plan-reason-kv-needs-flash-attention", gpu = gpu.as_str())
            }
            Self::EngineRefuses { refusal } => refusal.explain(text),
            Self::ExpertsInRam { blocks, total_blocks } => {
                say!(text, "plan-reason-experts-in-ram", blocks = *blocks, total = *total_blocks)
            }
            Self::SeveralCards { count, together_bytes } => say!(
                text,
                "plan-reason-several-cards",
                count = *count,
                together = text.memory(*together_bytes)
            ),
            Self::KvQualityLost { kv_cache_type, similarity } => say!(
                text,
                "plan-reason-kv-quality-lost",
                kv = kv_cache_type.name(),
                share = text.percent(*similarity)
            ),
            Self::ToolCallsUnreliable { worked, of } => {
                say!(text, "plan-reason-tool-calls-unreliable", worked = *worked, of = *of)
            }
            Self::ArchitectureUnknown { family } => {
                say!(text, "plan-reason-architecture-unknown", family = family.as_str())
            }
            Self::NoChatTemplate => say!(text, "plan-reason-no-chat-template"),
            Self::NonCommercial { licence } => {
                say!(text, "plan-reason-non-commercial", licence = licence.as_str())
            }
            Self::DiskShort { need_bytes, free_bytes } => say!(
                text,
                "plan-reason-disk-short",
                need = text.file_size(*need_bytes),
                free = text.file_size(*free_bytes)
            ),
            Self::Fits { spare_bytes } => say!(text, "plan-reason-fits", spare = text.memory(*spare_bytes)),
            Self::FitsIfFree { spare_bytes, free_bytes } => say!(
                text,
                "plan-reason-fits-if-free",
                spare = text.memory(*spare_bytes),
                free = text.memory(*free_bytes)
            ),
            Self::ArithmeticCut { gpu, share } => {
                say!(text, "plan-reason-arithmetic-cut", gpu = gpu.as_str(), share = text.percent(*share))
            }
            Self::SeveralSizes { gpu, sizes_gib, planned_gib } => {
                let sizes: Vec<String> = sizes_gib.iter().map(ToString::to_string).collect();
                say!(
                    text,
                    "plan-reason-several-sizes",
                    gpu = gpu.as_str(),
                    sizes = sizes.join(", "),
                    planned = *planned_gib
                )
            }
        }
    }
}

impl Improvement {
    /// What to do and its effect, in a sentence.
    pub fn text(&self, text: Text) -> String {
        match self {
            Self::CloseGpuPrograms { frees_bytes, gpu_layers, total_layers, decode_tokens_per_s } => say!(
                text,
                "plan-improve-close-gpu-programs",
                frees = text.memory(*frees_bytes),
                layers = *gpu_layers,
                total = *total_layers,
                speed = text.range(*decode_tokens_per_s)
            ),
            Self::CloseRamPrograms { frees_bytes } => {
                say!(text, "plan-improve-close-ram-programs", frees = text.memory(*frees_bytes))
            }
            Self::LargerCard { need_gib } => say!(text, "plan-improve-larger-card", need = *need_gib),
            Self::MoreRam { need_gib } => say!(text, "plan-improve-more-ram", need = *need_gib),
            Self::OtherKvCacheType { kv_cache_type } => {
                say!(text, "plan-improve-other-kv", kv = kv_cache_type.name())
            }
            Self::FreeDisk { frees_bytes } => {
                say!(text, "plan-improve-free-disk", frees = text.file_size(*frees_bytes))
            }
            Self::EmergencyCpu => say!(text, "plan-improve-emergency-cpu"),
        }
    }
}

/// What the user reads before agreeing to a degraded plan: the limits on this machine, the most important first, and the
/// expected figures. [`consent_record`] is the text once the user has agreed.
pub fn consent_text(plan: &Plan, text: Text) -> String {
    let candidate = &plan.candidate;
    let mut lines = vec![say!(
        text,
        "plan-consent-intro",
        profile = profile_title(&candidate.id, text),
        model = candidate.model.title.as_str()
    )];
    let limits = plan.limits();
    lines.extend(limits.map(|reason| format!("- {}", reason.text(text))));
    lines.push(say!(
        text,
        "plan-consent-expect",
        speed = text.range(plan.speed.decode_tokens_per_s),
        wait = wait(plan.speed.first_token_full_prompt_s, text),
        context = text.count(u64::from(candidate.context_tokens))
    ));
    lines.join("\n")
}

/// The consent text with the user's agreement, as `consent.json` keeps it.
pub fn consent_record(plan: &Plan, text: Text) -> String {
    format!("{}\n{}", consent_text(plan, text), say!(text, "plan-consent-agree"))
}

/// The line shown with every answer in degraded mode; `None` without limits.
pub fn banner(plan: &Plan, text: Text) -> Option<String> {
    limits_banner(&plan.consent.as_ref()?.limits, plan.total_layers, text)
}

/// The banner that names these limits of a model of `total_layers` layers; `None` without limits.
pub(super) fn limits_banner(limits: &[Limit], total_layers: u32, text: Text) -> Option<String> {
    let titles: Vec<String> =
        limits.iter().map(|limit| in_a_sentence(&limit.title(total_layers, text))).collect();
    (!titles.is_empty()).then(|| say!(text, "plan-banner", why = titles.join("; ")))
}

impl Limit {
    /// A short title, the one of its reason. `total_layers`: all layers of the model.
    pub fn title(&self, total_layers: u32, text: Text) -> String {
        match self {
            Self::RamShort { .. } => say!(text, "plan-reason-ram-short-title"),
            Self::CpuOnly => say!(text, "plan-reason-cpu-only-title"),
            Self::SlowDecode { tokens_per_s } => {
                say!(text, "plan-reason-slow-decode-title", speed = text.figure(*tokens_per_s))
            }
            Self::LayersOnCpu { cpu_layers } => {
                say!(text, "plan-reason-layers-on-cpu-title", cpu = *cpu_layers, total = total_layers)
            }
            Self::SlowFirstToken { seconds } => {
                say!(text, "plan-reason-slow-first-token-title", wait = text.duration(*seconds))
            }
            Self::KvQ4 => say!(text, "plan-reason-kv-q4-title"),
            Self::SmallCard { have_gib } => say!(text, "plan-reason-small-card-title", have = *have_gib),
        }
    }
}

/// A title for the middle of a sentence: starts with a lower-case letter, unless its first word is all capitals
/// (`RAM`).
fn in_a_sentence(title: &str) -> String {
    let mut letters = title.chars();
    match (letters.next(), letters.next()) {
        (Some(first), Some(second)) if second.is_lowercase() => {
            first.to_lowercase().chain(title.chars().skip(1)).collect()
        }
        _ => title.to_owned(),
    }
}

/// A range of waiting times: `19–27 s`, `1 min 35 s–2 min 40 s`.
pub fn wait(range: Range, text: Text) -> String {
    if range.high < 120.0 {
        return format!("{}\u{a0}s", text.range(range));
    }
    let (low, high) = (text.duration(range.low), text.duration(range.high));
    if low == high { low } else { format!("{low}–{high}") }
}
