//! When a tip is given. All limits are data in `assets/tips.yaml`.

use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;

use crate::built_in;
use crate::figures::Range;
use crate::machine::ComputeCapability;

/// Limits from which tips are given.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TipRules {
    /// Always [`crate::SCHEMA`].
    pub schema: u32,
    /// Share by which answers must be faster.
    pub least_gain: f64,
    /// Share by which the wait for the first token must be shorter.
    pub least_shorter_wait: f64,
    /// Maximum number of programs that one tip asks to close.
    pub most_programs: usize,
    /// Reading a model from a hard disk, in decimal MB/s: low, usual, high.
    pub hdd_mb_s: [f64; 3],
    /// The same of a solid-state disk.
    pub ssd_mb_s: [f64; 3],
    /// Main memory.
    pub ram: RamRules,
    /// NVIDIA's driver.
    pub nvidia_driver: DriverRule,
    /// Power limits.
    pub power_limit: PowerLimitRules,
    /// Sizes of batch that are tried, in tokens.
    pub batches: Vec<u32>,
}

/// When main memory is slow.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RamRules {
    /// Share of the nominal rate of two channels below which it is slow.
    pub slow_below: f64,
    /// Share of the nominal rate that is usually measured.
    pub usual_share: f64,
    /// Share by which modules may be slower than they are made for.
    pub rated_tolerance: f64,
    /// Nominal rates by processor, the first that matches counts.
    pub processors: Vec<ProcessorRam>,
}

/// Nominal rate of main memory with a family of processors.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessorRam {
    /// Regular expression for the processor's name.
    pub name: String,
    /// Nominal rate of two channels in decimal GB/s.
    pub gb_s: f64,
}

/// The driver with which the engine uses its newer library.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DriverRule {
    /// The first branch.
    pub branch: u32,
    /// The least compute capability of cards that it matters for.
    pub capability: ComputeCapability,
}

/// When a power limit is low.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PowerLimitRules {
    /// Share below the default.
    pub below_default: f64,
    /// Laptops: share below the highest.
    pub laptop_below_highest: f64,
}

static BUILT_IN: LazyLock<TipRules> = LazyLock::new(|| {
    let (text, file) = (include_str!("../../../assets/tips.yaml"), "assets/tips.yaml");
    built_in::valid(file, serde_saphyr::from_str(text))
});

static PROCESSORS: LazyLock<Vec<(Regex, f64)>> = LazyLock::new(|| {
    let rows = &TipRules::built_in().ram.processors;
    rows.iter().map(|row| (built_in::valid("assets/tips.yaml", Regex::new(&row.name)), row.gb_s)).collect()
});

impl TipRules {
    /// The rules compiled into this program.
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// Seconds to read a file of this size from a hard disk.
    pub fn hdd_seconds(&self, bytes: u64) -> Range {
        seconds(bytes, self.hdd_mb_s)
    }

    /// Seconds to read it from a solid-state disk.
    pub fn ssd_seconds(&self, bytes: u64) -> Range {
        seconds(bytes, self.ssd_mb_s)
    }

    /// Nominal rate of two channels with this processor in decimal GB/s, if it is listed.
    pub fn usual_ram_gb_s(&self, processor: &str) -> Option<f64> {
        PROCESSORS.iter().find(|(name, _)| name.is_match(processor)).map(|(_, gb_s)| *gb_s)
    }
}

fn seconds(bytes: u64, [low, usual, high]: [f64; 3]) -> Range {
    let at = |mb_s: f64| bytes as f64 / (mb_s * 1e6);
    Range { low: at(high), mid: at(usual), high: at(low) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_are_plausible() {
        let rules = TipRules::built_in();
        assert_eq!(rules.schema, crate::SCHEMA);
        let shares =
            [rules.least_gain, rules.least_shorter_wait, rules.ram.slow_below, rules.ram.usual_share];
        assert!(shares.iter().all(|share| *share > 0.0 && *share < 1.0), "{shares:?}");
        assert!(rules.hdd_mb_s.is_sorted() && rules.ssd_mb_s.is_sorted());
        assert!(rules.hdd_mb_s[2] < rules.ssd_mb_s[0]);
    }

    #[test]
    fn reading_takes_size_by_rate() {
        // 4.2 GB at 90, 140 and 200 MB/s.
        let range = TipRules::built_in().hdd_seconds(4_200_000_000);
        assert_eq!((range.low, range.mid), (21.0, 30.0));
        assert!((range.high - 46.67).abs() < 0.01);
    }

    #[test]
    fn desktop_processors_have_a_usual_rate_and_laptops_none() {
        let usual = |name: &str| TipRules::built_in().usual_ram_gb_s(name);
        for (name, gb_s) in [
            ("AMD Ryzen 5 5600X 6-Core Processor", 51.2),
            ("AMD Ryzen 7 2700 Eight-Core Processor", 42.6),
            ("AMD Ryzen 7 7800X3D 8-Core Processor", 83.2),
            ("Intel(R) Core(TM) i5-9400F CPU @ 2.90GHz", 42.6),
            ("Intel(R) Core(TM) i7-10700K CPU @ 3.80GHz", 42.6),
            ("12th Gen Intel(R) Core(TM) i5-12400F", 51.2),
            ("13th Gen Intel(R) Core(TM) i9-13900K", 51.2),
        ] {
            assert_eq!(usual(name), Some(gb_s), "{name}");
        }
        for name in [
            "AMD Ryzen 7 5800H with Radeon Graphics",
            "AMD Ryzen 7 7840HS w/ Radeon 780M Graphics",
            "AMD Ryzen Threadripper 3970X 32-Core Processor",
            "Intel(R) Core(TM) i7-1165G7 @ 2.80GHz",
            "12th Gen Intel(R) Core(TM) i7-12700H",
            "Intel(R) Core(TM) Ultra 7 155H",
            "Apple M2",
            "Intel Xeon Processor (Skylake, IBRS)",
        ] {
            assert_eq!(usual(name), None, "{name}");
        }
    }
}
