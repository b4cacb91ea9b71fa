//! The limits and assumptions of the plan. All of them are data in `assets/profiles.yaml`.

use serde::Deserialize;

use crate::GIB;
use crate::plan::Grade;

/// Limits for refusal and consent, and assumptions for unknown figures.
///
/// "GB" of memory are advertised sizes (2^30 bytes); GB/s and disk sizes are decimal.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Sizes of graphics memory on the market, ascending.
    pub vram_sizes_gb: Vec<u32>,
    /// Sizes of main memory on the market, ascending.
    pub ram_sizes_gb: Vec<u32>,
    /// Smaller cards are refused.
    pub refused_below_vram_gb: u32,
    /// Smaller cards need consent.
    pub degraded_below_vram_gb: u32,
    /// From here a compatible machine is [`Grade::Recommended`].
    pub recommended_from_vram_gb: u32,
    /// From here a compatible machine is [`Grade::Premium`].
    pub premium_from_vram_gb: u32,
    /// Below this speed consent is needed.
    pub slow_below_tokens_per_s: f64,
    /// Above this time to the first token of a full prompt consent is needed.
    pub slow_above_first_token_s: f64,
    /// VRAM kept free beyond the computed need.
    pub vram_margin_mib: u64,
    /// VRAM assumed to be in use if the driver does not report free memory.
    pub assumed_desktop_vram_mib: u64,
    /// VRAM that a desktop uses with every other program closed.
    pub idle_desktop_vram_mib: u64,
    /// Assumed available share of main memory if the system does not report it, 0 to 1.
    pub assumed_available_ram_share: f64,
    /// Main memory reserved for the operating system, even with every program closed.
    pub reserved_ram_gb: u64,
    /// Most main memory for the engine's cache of earlier prompts, in MiB; 0 for no such cache.
    #[serde(default = "usual_prompt_cache_mib")]
    pub prompt_cache_mib: u32,
    /// Assumed share of unified memory that the GPU may use if the system does not report it, 0 to 1.
    pub assumed_unified_share: f64,
    /// Assumed main memory, if unknown.
    pub assumed_ram_gb: u64,
    /// Assumed bandwidth of main memory, if not measured, in decimal GB/s.
    pub assumed_ram_bandwidth_gb_s: f64,
    /// Assumed bandwidth of the bus from main memory to a card, if unknown, in decimal GB/s.
    #[serde(default = "usual_bus_gb_s")]
    pub assumed_bus_gb_s: f64,
    /// Assumed number of cores, if unknown.
    pub assumed_physical_cores: u32,
    /// Assumed bandwidth of a card of which only the size is known, ascending by size.
    pub assumed_gpu_bandwidth: Vec<TypicalCard>,
    /// Share by which an estimate may be worse than the agreed one without asking for consent again.
    #[serde(default = "usual_consent_tolerance")]
    pub consent_tolerance: f64,
    /// Assumed disk space for the engine's archive and unpacked files, if the release does not state it, in decimal GB.
    pub engine_disk_gb: f64,
}

/// A step of [`Policy::assumed_gpu_bandwidth`].
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypicalCard {
    /// Smallest size this applies to.
    pub from_vram_gb: u32,
    /// Its bandwidth in decimal GB/s.
    pub gb_s: f64,
}

impl Policy {
    /// Advertised size in GB of a card that reports this many bytes: the nearest size on the market.
    pub fn nominal_vram_gb(&self, bytes: u64) -> u32 {
        nearest(&self.vram_sizes_gb, bytes)
    }

    /// Advertised size in GB for this much usable main memory; firmware and integrated graphics reserve a part.
    pub fn nominal_ram_gb(&self, bytes: u64) -> u32 {
        // The reserved part is less than the step between two sizes, so the next larger size applies if it is close.
        let gib = bytes as f64 / GIB as f64;
        self.ram_sizes_gb
            .iter()
            .copied()
            .find(|size| f64::from(*size) >= gib && gib >= f64::from(*size) * 0.85)
            .unwrap_or_else(|| nearest(&self.ram_sizes_gb, bytes))
    }

    /// Bandwidth of a typical card of this size, in decimal GB/s.
    pub fn typical_gpu_bandwidth_gb_s(&self, nominal_vram_gb: u32) -> f64 {
        self.assumed_gpu_bandwidth
            .iter()
            .rev()
            .find(|step| step.from_vram_gb <= nominal_vram_gb)
            .or(self.assumed_gpu_bandwidth.first())
            .map_or(self.assumed_ram_bandwidth_gb_s, |step| step.gb_s)
    }

    /// Grade of a compatible machine with a card of this size.
    pub fn grade(&self, nominal_vram_gb: u32) -> Grade {
        match nominal_vram_gb {
            gb if gb >= self.premium_from_vram_gb => Grade::Premium,
            gb if gb >= self.recommended_from_vram_gb => Grade::Recommended,
            _ => Grade::Good,
        }
    }

    /// The smallest card on the market, in GB, with space for this many bytes in addition to a desktop.
    pub fn card_that_holds(&self, bytes: u64) -> Option<u32> {
        let desktop = (self.assumed_desktop_vram_mib + self.vram_margin_mib) * crate::MIB;
        self.vram_sizes_gb
            .iter()
            .copied()
            .find(|size| u64::from(*size) * GIB >= bytes.saturating_add(desktop))
    }

    /// The smallest main memory on the market, in GB, with space for this many bytes in addition to the operating
    /// system.
    pub fn ram_that_holds(&self, bytes: u64) -> Option<u32> {
        let wanted = bytes.saturating_add(self.reserved_ram_gb * GIB);
        self.ram_sizes_gb.iter().copied().find(|size| u64::from(*size) * GIB >= wanted)
    }

    /// The first invalid value: its key and the allowed values.
    pub(super) fn mistake(&self) -> Option<(&'static str, &'static str)> {
        let ascending = |sizes: &[u32]| !sizes.is_empty() && sizes.windows(2).all(|pair| pair[0] < pair[1]);
        let share = |share: f64| share > 0.0 && share <= 1.0;
        let rate = |rate: f64| rate > 0.0 && rate <= 100_000.0;
        let steps = &self.assumed_gpu_bandwidth;
        [
            ("vram_sizes_gb", ascending(&self.vram_sizes_gb) && plausible_sizes(&self.vram_sizes_gb), SIZES),
            ("ram_sizes_gb", ascending(&self.ram_sizes_gb) && plausible_sizes(&self.ram_sizes_gb), SIZES),
            ("refused_below_vram_gb", (1..=1024).contains(&self.refused_below_vram_gb), "1 to 1024"),
            (
                "degraded_below_vram_gb",
                (self.refused_below_vram_gb..=1024).contains(&self.degraded_below_vram_gb),
                "refused_below_vram_gb to 1024",
            ),
            (
                "recommended_from_vram_gb",
                (self.degraded_below_vram_gb..=1024).contains(&self.recommended_from_vram_gb),
                "degraded_below_vram_gb to 1024",
            ),
            (
                "premium_from_vram_gb",
                (self.recommended_from_vram_gb..=1024).contains(&self.premium_from_vram_gb),
                "recommended_from_vram_gb to 1024",
            ),
            ("slow_below_tokens_per_s", rate(self.slow_below_tokens_per_s), "above 0"),
            ("slow_above_first_token_s", rate(self.slow_above_first_token_s), "above 0"),
            ("vram_margin_mib", self.vram_margin_mib <= 16_384, "0 to 16384"),
            ("assumed_desktop_vram_mib", self.assumed_desktop_vram_mib <= 16_384, "0 to 16384"),
            ("idle_desktop_vram_mib", self.idle_desktop_vram_mib <= 16_384, "0 to 16384"),
            ("assumed_available_ram_share", share(self.assumed_available_ram_share), "above 0, up to 1"),
            ("reserved_ram_gb", self.reserved_ram_gb <= 64, "0 to 64"),
            ("prompt_cache_mib", self.prompt_cache_mib <= 65_536, "0 to 65536"),
            ("assumed_unified_share", share(self.assumed_unified_share), "above 0, up to 1"),
            ("assumed_ram_gb", (1..=65_536).contains(&self.assumed_ram_gb), "1 to 65536"),
            ("assumed_ram_bandwidth_gb_s", rate(self.assumed_ram_bandwidth_gb_s), "above 0"),
            ("assumed_bus_gb_s", rate(self.assumed_bus_gb_s), "above 0"),
            ("assumed_physical_cores", (1..=4096).contains(&self.assumed_physical_cores), "1 to 4096"),
            (
                "assumed_gpu_bandwidth",
                !steps.is_empty()
                    && steps.windows(2).all(|pair| pair[0].from_vram_gb < pair[1].from_vram_gb)
                    && steps.iter().all(|step| rate(step.gb_s)),
                "ascending sizes, each with a rate above 0",
            ),
            ("consent_tolerance", (0.0..=1.0).contains(&self.consent_tolerance), "0 to 1"),
            ("engine_disk_gb", (0.0..=1000.0).contains(&self.engine_disk_gb), "0 to 1000"),
        ]
        .into_iter()
        .find(|(_, fine, _)| !fine)
        .map(|(key, _, wanted)| (key, wanted))
    }
}

/// Default for files written before the key existed.
/// PCI Express 4.0 x8, or 3.0 x16.
fn usual_bus_gb_s() -> f64 {
    15.8
}

fn usual_prompt_cache_mib() -> u32 {
    2048
}

fn usual_consent_tolerance() -> f64 {
    0.15
}

const SIZES: &str = "ascending sizes from 1 to 65536";

fn plausible_sizes(sizes: &[u32]) -> bool {
    sizes.iter().all(|size| (1..=65_536).contains(size))
}

fn nearest(sizes: &[u32], bytes: u64) -> u32 {
    let gib = bytes as f64 / GIB as f64;
    sizes
        .iter()
        .copied()
        .min_by(|a, b| (f64::from(*a) - gib).abs().total_cmp(&(f64::from(*b) - gib).abs()))
        // Outside the listed sizes, round the reported memory.
        .filter(|size| (f64::from(*size) - gib).abs() <= f64::from(*size) / 4.0)
        .unwrap_or(gib.round() as u32)
}
