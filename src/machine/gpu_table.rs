//! Table of GPUs by name: memory bandwidth and arithmetic rate, which drivers often do not report, and the
//! architecture, on which efficiency depends. The table is `assets/gpus.csv`, which names its sources.
//!
//! Names are compared by their [`GpuNameKey`]. A laptop chip never matches the desktop card of the same name, which is faster.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::gpu_name::{GpuNameKey, VARIANTS, reduce};
use crate::GIB;
use crate::built_in;
use crate::machine::{ComputeCapability, Gpu, GpuBackend};

/// A row of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct GpuRow {
    /// The vendor's name for it.
    pub name: String,
    /// Chip family.
    pub architecture: ChipFamily,
    /// Backend that Ollama uses.
    pub backend: GpuBackend,
    /// Dedicated memory in bytes; 0 if it shares main memory.
    pub vram_bytes: u64,
    /// Memory bandwidth in decimal GB/s.
    pub bandwidth_gb_s: f64,
    /// 32-bit floating-point rate of its vector units, in TFLOPS.
    pub fp32_tflops: f64,
    /// Memory technology.
    pub memory: MemoryTechnology,
    /// Whether it is a laptop chip.
    pub laptop: bool,
    /// Whether it is a professional card: their GDDR memory uses error correction, which costs bandwidth, and their
    /// clocks are lower than those of the consumer card with the same chip.
    pub professional: bool,
}

/// Memory technology of a GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MemoryTechnology {
    /// DDR3 or DDR4 on a card.
    Ddr,
    /// GDDR5, 6, 6X, 7.
    Gddr,
    /// Stacked memory of data-centre cards.
    Hbm,
    /// Memory shared with the processor.
    Lpddr,
}

/// Family of a GPU's chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are the makers' own")]
pub enum ChipFamily {
    Maxwell,
    Pascal,
    Volta,
    Turing,
    /// TU116 and TU117, which have no tensor cores (GeForce GTX 16, T1000, …).
    TuringTu11x,
    Ampere,
    Ada,
    Hopper,
    Blackwell,
    Gcn,
    Cdna,
    Rdna1,
    Rdna2,
    Rdna3,
    Rdna4,
    XeLp,
    XeLpg,
    XeHpg,
    Xe2,
    AppleM1,
    Apple,
}

impl ChipFamily {
    /// All families with their names in `assets/gpus.csv` and `assets/efficiency.yaml`.
    pub const NAMES: [(&'static str, Self); 21] = [
        ("maxwell", Self::Maxwell),
        ("pascal", Self::Pascal),
        ("volta", Self::Volta),
        ("turing", Self::Turing),
        ("turing-tu11x", Self::TuringTu11x),
        ("ampere", Self::Ampere),
        ("ada", Self::Ada),
        ("hopper", Self::Hopper),
        ("blackwell", Self::Blackwell),
        ("gcn", Self::Gcn),
        ("cdna", Self::Cdna),
        ("rdna1", Self::Rdna1),
        ("rdna2", Self::Rdna2),
        ("rdna3", Self::Rdna3),
        ("rdna4", Self::Rdna4),
        ("xe-lp", Self::XeLp),
        ("xe-lpg", Self::XeLpg),
        ("xe-hpg", Self::XeHpg),
        ("xe2", Self::Xe2),
        ("apple-m1", Self::AppleM1),
        ("apple", Self::Apple),
    ];

    /// The family with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(known, _)| *known == name).map(|(_, family)| family)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES.into_iter().find(|(_, family)| *family == self).map_or("", |(name, _)| name)
    }

    /// The family of an NVIDIA chip with this CUDA compute capability.
    pub fn of_compute_capability(ComputeCapability { major, minor }: ComputeCapability) -> Option<Self> {
        Some(match (major, minor) {
            (5, _) => Self::Maxwell,
            (6, _) => Self::Pascal,
            (7, 0..=4) => Self::Volta,
            (7, _) => Self::Turing,
            (8, 9) => Self::Ada,
            (8, _) => Self::Ampere,
            (9, _) => Self::Hopper,
            (10.., _) => Self::Blackwell,
            _ => return None,
        })
    }

    fn backend(self) -> GpuBackend {
        match self {
            Self::Maxwell
            | Self::Pascal
            | Self::Volta
            | Self::Turing
            | Self::TuringTu11x
            | Self::Ampere
            | Self::Ada
            | Self::Hopper
            | Self::Blackwell => GpuBackend::Cuda,
            Self::Cdna | Self::Rdna2 | Self::Rdna3 | Self::Rdna4 => GpuBackend::Rocm,
            Self::Gcn | Self::Rdna1 | Self::XeLp | Self::XeLpg | Self::XeHpg | Self::Xe2 => {
                GpuBackend::Vulkan
            }
            Self::AppleM1 | Self::Apple => GpuBackend::Metal,
        }
    }
}

struct GpuTable {
    rows: Vec<(GpuNameKey, GpuRow)>,
    /// Indexes into `rows` of the rows of a key, in order of release.
    exact: HashMap<GpuNameKey, Vec<usize>>,
}

/// All rows of the table.
pub fn rows() -> impl Iterator<Item = &'static GpuRow> {
    table().rows.iter().map(|(_, row)| row)
}

/// The row of a GPU called `name`; among cards of the same name the one whose memory is closest to `vram_total_bytes`.
/// `None` for an unknown name, or for a laptop chip of which only the desktop card is listed.
pub fn lookup(name: &str, vram_total_bytes: Option<u64>) -> Option<&'static GpuRow> {
    let (key, named_gib) = reduce(name);
    let vram = vram_total_bytes.or(named_gib.map(|gib| gib.saturating_mul(GIB)));
    table().find(&key, vram)
}

fn table() -> &'static GpuTable {
    static TABLE: LazyLock<GpuTable> = LazyLock::new(|| {
        built_in::valid("assets/gpus.csv", GpuTable::from_csv(include_str!("../../assets/gpus.csv")))
    });
    &TABLE
}

impl Gpu {
    /// The row of an adapter: by name, and among cards of the same name by memory.
    pub fn table_row(&self) -> Option<&'static GpuRow> {
        lookup(&self.name, self.vram_total_bytes.filter(|bytes| *bytes > 0))
    }
}

impl GpuTable {
    fn from_csv(csv: &str) -> Result<Self, String> {
        let mut table = Self { rows: Vec::new(), exact: HashMap::new() };
        for line in csv.lines().filter(|line| !line.starts_with('#')).skip(1) {
            let row = parse_row(line).ok_or_else(|| format!("not a row of the table: {line}"))?;
            let key = GpuNameKey { laptop: row.laptop, ..reduce(&row.name).0 };
            table.exact.entry(key.clone()).or_default().push(table.rows.len());
            table.rows.push((key, row));
        }
        Ok(table)
    }

    fn find(&self, key: &GpuNameKey, vram: Option<u64>) -> Option<&GpuRow> {
        if let Some(found) = self.exact.get(key) {
            return self.nearest(found.iter().copied(), vram);
        }
        // A name such as "A770M" is a laptop chip without the word "laptop".
        let either = GpuNameKey { laptop: true, ..key.clone() };
        if let Some(found) = self.exact.get(&either) {
            return self.nearest(found.iter().copied(), vram);
        }
        let likeness = |row: &GpuNameKey| -> Option<usize> {
            let missing: Vec<&String> = key.words.iter().filter(|w| !row.words.contains(w)).collect();
            let added: Vec<&String> = row.words.iter().filter(|w| !key.words.contains(w)).collect();
            let tells = |word: &&String| {
                VARIANTS.contains(&word.as_str()) || word.bytes().any(|b| b.is_ascii_digit())
            };
            let shared_number = row
                .words
                .iter()
                .any(|word| key.words.contains(word) && word.bytes().any(|b| b.is_ascii_digit()));
            (row.laptop == key.laptop
                && shared_number
                && !added.iter().any(tells)
                && !missing.iter().any(|word| VARIANTS.contains(&word.as_str())))
            .then(|| missing.len() * 2 + added.len())
        };
        let best = self.rows.iter().filter_map(|(row, _)| likeness(row)).min()?;
        let found =
            self.rows.iter().enumerate().filter(|(_, (row, _))| likeness(row) == Some(best)).map(|(i, _)| i);
        self.nearest(found, vram)
    }

    /// The row at one of `positions` whose memory is closest to `vram`; the first one if that is unknown.
    fn nearest(&self, positions: impl Iterator<Item = usize>, vram: Option<u64>) -> Option<&GpuRow> {
        let rows = positions.filter_map(|position| self.rows.get(position)).map(|(_, row)| row);
        match vram {
            Some(vram) => rows.min_by_key(|row| row.vram_bytes.abs_diff(vram)),
            None => rows.into_iter().next(),
        }
    }
}

fn parse_row(line: &str) -> Option<GpuRow> {
    let mut fields = line.split(',');
    let mut next = || fields.next().map(str::trim);
    let (_vendor, name, architecture) = (next()?, next()?, ChipFamily::named(next()?)?);
    let gib: f64 = next()?.parse().ok()?;
    let (bandwidth_gb_s, fp32_tflops) = (next()?.parse().ok()?, next()?.parse().ok()?);
    let memory = match next()? {
        "ddr" => MemoryTechnology::Ddr,
        "gddr" => MemoryTechnology::Gddr,
        "hbm" => MemoryTechnology::Hbm,
        "lpddr" => MemoryTechnology::Lpddr,
        _ => return None,
    };
    let laptop = match next()? {
        "yes" => true,
        "no" => false,
        _ => return None,
    };
    let professional = match next()? {
        "professional" => true,
        "consumer" => false,
        _ => return None,
    };
    Some(GpuRow {
        name: name.to_owned(),
        architecture,
        backend: architecture.backend(),
        vram_bytes: (gib * GIB as f64) as u64,
        bandwidth_gb_s,
        fp32_tflops,
        memory,
        laptop,
        professional,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_line_of_the_table_is_valid() {
        let csv = include_str!("../../assets/gpus.csv");
        let lines: Vec<&str> = csv.lines().filter(|line| !line.starts_with('#')).skip(1).collect();
        assert!(lines.len() > 700);
        for line in lines {
            let row = parse_row(line).unwrap_or_else(|| unreachable!("{line}"));
            assert!(row.bandwidth_gb_s > 1.0 && row.fp32_tflops > 0.01, "{line}");
        }
    }

    #[test]
    fn every_row_is_found_by_its_own_name() {
        let table = GpuTable::from_csv(include_str!("../../assets/gpus.csv")).unwrap();
        for (_, row) in &table.rows {
            let (key, gib) = reduce(&row.name);
            let found = table.find(
                &GpuNameKey { laptop: row.laptop, ..key },
                gib.map(|g| g * GIB).or(Some(row.vram_bytes)),
            );
            let found = found.unwrap_or_else(|| unreachable!("{}", row.name));
            assert_eq!(found.architecture, row.architecture, "{} is found as {}", row.name, found.name);
        }
    }

    #[test]
    fn one_card_has_many_names() {
        let cases: [(&str, Option<u64>, f64); 48] = [
            ("NVIDIA GeForce RTX 4060 Laptop GPU", None, 256.0),
            ("RTX 4060 Laptop", None, 256.0),
            ("NVIDIA GeForce RTX 4060", None, 272.0),
            ("rtx-4060-8gb", None, 272.0),
            ("NVIDIA GeForce RTX 3060", Some(12), 360.0),
            ("NVIDIA GeForce RTX 3060", Some(8), 240.0),
            ("NVIDIA GeForce RTX 3060", None, 360.0),
            ("NVIDIA GeForce RTX 3060 Laptop GPU", None, 336.0),
            ("NVIDIA GeForce RTX 3080", Some(10), 760.3),
            ("NVIDIA GeForce RTX 3080", Some(12), 912.4),
            ("rtx-4070tis-16gb", None, 672.3),
            ("NVIDIA GeForce RTX 4070 Ti SUPER", None, 672.3),
            ("rtx-4090-24gb", None, 1010.0),
            ("AMD Radeon RX 7900 XT", Some(20), 800.0),
            ("AMD Radeon RX 7900 XTX (RADV NAVI31)", None, 960.0),
            ("rx-7900-xtx-24gb", None, 960.0),
            ("AMD Radeon(TM) RX 6700 XT", None, 384.0),
            ("Intel(R) Arc(TM) A770 Graphics", None, 512.0),
            ("intel-arc-b580-12gb", None, 456.0),
            ("Apple M2 Max", None, 400.0),
            ("apple-m4-pro-24gb", None, 273.0),
            ("Apple M1", None, 68.25),
            // What macOS lets the GPU use of 36, 48, 96 and 36 GB.
            ("Apple M3 Max", Some(27), 300.0),
            ("Apple M3 Max", Some(36), 400.0),
            ("Apple M3 Max", Some(72), 300.0),
            ("Apple M3 Max", None, 400.0),
            ("Apple M4 Max", Some(27), 410.0),
            ("Tesla T4", None, 320.0),
            ("t4-16gb", None, 320.0),
            ("tesla-p40-24gb", None, 347.1),
            ("NVIDIA A100-SXM4-80GB", None, 2040.0),
            ("NVIDIA H100 80GB HBM3", None, 3360.0),
            ("NVIDIA RTX 6000 Ada Generation", None, 960.0),
            ("Quadro RTX 6000", None, 672.0),
            ("NVIDIA RTX A6000", None, 768.0),
            ("a6000-48gb", None, 768.0),
            ("AMD Radeon 8060S Graphics", None, 256.0),
            ("Radeon 8060S Graphics (RADV GFX1151)", Some(96), 256.0),
            ("AMD Radeon(TM) 8060S Graphics", Some(64), 256.0),
            ("AMD Radeon(TM) 780M", None, 89.6),
            ("AMD Radeon 780M Graphics (RADV PHOENIX)", Some(16), 89.6),
            ("NVIDIA GeForce RTX 5090 Laptop GPU", Some(24), 896.0),
            ("RTX 5090 Laptop", None, 896.0),
            ("NVIDIA GeForce RTX 2080 Super with Max-Q Design", Some(8), 352.0),
            ("NVIDIA GeForce RTX 3080 Max-Q", None, 384.0),
            ("MSI GeForce RTX 4090 SUPRIM X", Some(24), 1010.0),
            ("NVIDIA GeForce RTX 4080 SUPRIM", None, 716.8),
            ("Apple M5 Max", Some(27), 460.0),
        ];
        for (name, gib, bandwidth) in cases {
            let row = lookup(name, gib.map(|g| g * GIB));
            assert_eq!(row.map(|r| r.bandwidth_gb_s), Some(bandwidth), "{name}: {row:?}");
        }
    }

    #[test]
    fn an_unknown_name_has_no_row() {
        for name in ["", "llvmpipe", "NVIDIA", "GeForce", "Microsoft Basic Render Driver", "RTX", "RTX 9999"]
        {
            assert_eq!(lookup(name, None), None, "{name}");
        }
    }
}
