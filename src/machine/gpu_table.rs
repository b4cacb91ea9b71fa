//! Table of GPUs by name: memory bandwidth and arithmetic rate, which drivers often do not report, and the
//! architecture, on which efficiency depends. The table is `assets/gpus.csv`, which names its sources.
//!
//! Names are compared part by part ([`gpu_name`]): vendor, line, number, variant, generation. A laptop chip never matches
//! the desktop card of the same name, which is faster. A name that fits no row is unknown, and what the driver says beats a
//! row. Cards that are too old for Ollama are in `assets/old_gpus.csv`.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use super::gpu_name::{self, GpuName};
use crate::GIB;
use crate::built_in;
use crate::machine::{ComputeCapability, Gpu, GpuBackend, GpuKind};

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
    /// Share of the speed of other cards with the chip that a stock build of the engine reaches, 0 to 1, of cards whose
    /// arithmetic is cut; `None` for all others.
    pub stock_share: Option<f64>,
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

    /// Its generation, as in names of cards: families of one generation have the same.
    pub fn generation(self) -> &'static str {
        match self {
            Self::TuringTu11x => Self::Turing.name(),
            Self::Rdna1 | Self::Rdna2 | Self::Rdna3 | Self::Rdna4 => "rdna",
            family => family.name(),
        }
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
    rows: Vec<(GpuName, GpuRow)>,
    /// Indexes into `rows` by the numbers of the names, in order of release.
    by_numbers: HashMap<BTreeSet<String>, Vec<usize>>,
}

/// A card that is older than every Ollama build, and its figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OldCard {
    /// Its CUDA compute capability.
    pub capability: ComputeCapability,
    /// Its memory in bytes.
    pub vram_bytes: u64,
}

/// What the driver says of a card beside its name. A row that contradicts it belongs to another card.
#[derive(Clone, Copy, Debug, Default)]
struct DriverFigures<'a> {
    vendor: Option<&'a str>,
    capability: Option<ComputeCapability>,
    vram_bytes: Option<u64>,
    bandwidth_gb_s: Option<f64>,
}

/// All rows of the table.
pub fn rows() -> impl Iterator<Item = &'static GpuRow> {
    table().rows.iter().map(|(_, row)| row)
}

/// The row of a GPU called `name`; among cards of the same name the one whose memory is closest to `vram_total_bytes`,
/// without it the usual one. `None` for an unknown name, or for a laptop chip of which only the desktop card is listed.
/// The name of a share of a card (vGPU) has the row of the whole card.
pub fn lookup(name: &str, vram_total_bytes: Option<u64>) -> Option<&'static GpuRow> {
    let found = table().candidates(name, DriverFigures::default());
    let vram = vram_total_bytes.or(named_vram_bytes(name));
    match vram.filter(|_| !is_vgpu(name)) {
        Some(vram) => found.into_iter().min_by_key(|row| row.vram_bytes.abs_diff(vram)),
        None => found.into_iter().next(),
    }
}

/// Sizes of memory in bytes that cards of this name are sold with, ascending: two or more if the name alone does not tell.
/// Empty for an unknown name, for a name that contains the size, and for shared memory.
pub fn sizes(name: &str) -> Vec<u64> {
    if named_vram_bytes(name).is_some() {
        return Vec::new();
    }
    let found = table().candidates(name, DriverFigures::default());
    let sizes: BTreeSet<u64> = found.iter().map(|row| row.vram_bytes).filter(|bytes| *bytes > 0).collect();
    sizes.into_iter().collect()
}

/// Memory in bytes that a name contains: `T4-16GB` has 16 GiB, the share `GRID T4-4Q` 4 GiB.
pub fn named_vram_bytes(name: &str) -> Option<u64> {
    let gib = gpu_name::vgpu_profile(name).map(|share| share.gib).or(gpu_name::parse(name).1);
    gib.filter(|gib| *gib > 0).map(|gib| gib.saturating_mul(GIB))
}

/// Kind of adapter by its name alone: a chip whose memory Ollama shares with the processor, graphics in a processor that
/// it leaves out, else a card.
pub fn kind_of_name(name: &str) -> GpuKind {
    const STRIX_HALO: [&str; 3] = ["Radeon 8060S", "Radeon 8050S", "Radeon 8040S"];
    let row = lookup(name, None);
    let is_shared = row.is_some_and(|row| row.memory == MemoryTechnology::Lpddr);
    let used = row.is_some_and(|row| {
        let strix_halo = STRIX_HALO.contains(&row.name.as_str()) || row.name.starts_with("Ryzen AI Max");
        matches!(row.backend, GpuBackend::Metal | GpuBackend::Cuda) || strix_halo
    });
    match (is_shared, used) {
        (true, true) => GpuKind::Unified,
        (true, false) => GpuKind::Integrated,
        (false, _) if row.is_none() && gpu_name::is_integrated(name) => GpuKind::Integrated,
        (false, _) => GpuKind::Discrete,
    }
}

/// Whether a name stands for a share of a card (vGPU).
pub fn is_vgpu(name: &str) -> bool {
    gpu_name::vgpu_profile(name).is_some()
}

/// Whether a name stands for a share of a card (vGPU) that cannot compute.
pub fn is_vgpu_without_compute(name: &str) -> bool {
    gpu_name::vgpu_profile(name).is_some_and(|share| !share.computes)
}

/// The old NVIDIA card with this name. `None` if the name is also that of a card of the table.
pub fn too_old(name: &str) -> Option<OldCard> {
    if !table().candidates(name, DriverFigures::default()).is_empty() {
        return None;
    }
    let (names, _) = gpu_name::parse(name);
    let found = names.iter().flat_map(|name| {
        old_cards().iter().filter(|(old, card)| {
            let generation = if card.capability.major >= 3 { "kepler" } else { "fermi" };
            let either = GpuName { laptop: old.laptop, ..name.clone() };
            either.distance(old, generation, false).is_some()
        })
    });
    found.map(|(_, card)| *card).max_by_key(|card| card.capability)
}

fn table() -> &'static GpuTable {
    static TABLE: LazyLock<GpuTable> = LazyLock::new(|| {
        built_in::valid("assets/gpus.csv", GpuTable::from_csv(include_str!("../../assets/gpus.csv")))
    });
    &TABLE
}

fn old_cards() -> &'static [(GpuName, OldCard)] {
    static OLD: LazyLock<Vec<(GpuName, OldCard)>> = LazyLock::new(|| {
        built_in::valid("assets/old_gpus.csv", old_from_csv(include_str!("../../assets/old_gpus.csv")))
    });
    &OLD
}

fn old_from_csv(csv: &str) -> Result<Vec<(GpuName, OldCard)>, String> {
    let rows = csv.lines().filter(|line| !line.starts_with('#')).skip(1);
    let parsed = rows.map(|line| {
        let mut fields = line.split(',').map(str::trim);
        let mut row = || {
            let name = gpu_name::parse(fields.next()?).0.into_iter().next()?;
            let capability = fields.next()?.parse().ok()?;
            let gib: f64 = fields.next()?.parse().ok()?;
            let name = GpuName { vendor: Some("nvidia"), ..name };
            Some((name, OldCard { capability, vram_bytes: (gib * GIB as f64) as u64 }))
        };
        row().ok_or_else(|| format!("not a row of the table: {line}"))
    });
    parsed.collect()
}

impl Gpu {
    /// The row of an adapter: by name, and among cards of the same name by what the driver says. Of several sizes the
    /// smallest, if the driver does not tell.
    pub fn table_row(&self) -> Option<&'static GpuRow> {
        let from_driver = |key: &str| self.sources.get(key).is_some_and(|source| source == NVML);
        table().of_card(
            &self.name,
            DriverFigures {
                vendor: self.vendor.as_deref(),
                capability: self.compute_capability,
                vram_bytes: self.vram_total_bytes.filter(|bytes| *bytes > 0),
                bandwidth_gb_s: self.memory_bandwidth_gb_s.filter(|_| from_driver("memory_bandwidth_gb_s")),
            },
        )
    }
}

/// Source of a figure that NVIDIA's management library reported.
const NVML: &str = "nvml";

impl GpuTable {
    fn from_csv(csv: &str) -> Result<Self, String> {
        let mut table = Self { rows: Vec::new(), by_numbers: HashMap::new() };
        for line in csv.lines().filter(|line| !line.starts_with('#')).skip(1) {
            let bad = || format!("not a row of the table: {line}");
            let (vendor, row) = parse_row(line).ok_or_else(bad)?;
            let name = gpu_name::parse(&row.name).0.into_iter().next().ok_or_else(bad)?;
            let name = GpuName { laptop: row.laptop, vendor: Some(vendor), ..name };
            table.by_numbers.entry(name.numbers.clone()).or_default().push(table.rows.len());
            table.rows.push((name, row));
        }
        Ok(table)
    }

    /// The rows that fit a name best and do not contradict the driver, in order of release.
    fn candidates(&self, name: &str, driver: DriverFigures<'_>) -> Vec<&GpuRow> {
        let names = match gpu_name::vgpu_profile(name) {
            Some(share) => {
                let boards = share.boards();
                boards.into_iter().find(|board| !self.of_name(board, driver).is_empty()).into_iter().collect()
            }
            None => gpu_name::parse(name).0,
        };
        // A name that lists several models has the rows of all.
        let found: BTreeSet<usize> = names.iter().flat_map(|name| self.of_name(name, driver)).collect();
        found.into_iter().filter_map(|index| self.rows.get(index)).map(|(_, row)| row).collect()
    }

    /// Indexes of the rows that fit one model's name best.
    fn of_name(&self, name: &GpuName, driver: DriverFigures<'_>) -> Vec<usize> {
        let listed = self.by_numbers.get(&name.numbers).map_or(&[][..], Vec::as_slice);
        let rows = || listed.iter().filter_map(|index| Some((*index, self.rows.get(*index)?)));
        let distance = |name: &GpuName, listed: &GpuName, row: &GpuRow| {
            (driver.allows(listed, row))
                .then(|| name.distance(listed, row.architecture.generation(), row.professional))
                .flatten()
        };
        let nearest = |name: &GpuName, most: usize| -> Vec<usize> {
            let best = rows().filter_map(|(_, (listed, row))| distance(name, listed, row)).min();
            let best = best.filter(|best| *best <= most);
            let fits =
                |(listed, row): &(GpuName, GpuRow)| best.is_some() && distance(name, listed, row) == best;
            rows().filter(|(_, entry)| fits(entry)).map(|(index, _)| index).collect()
        };
        // A name without its generation is told from others by the driver's compute capability.
        let generation =
            driver.capability.and_then(ChipFamily::of_compute_capability).map(ChipFamily::generation);
        let with_generation = GpuName { generation: name.generation.or(generation), ..name.clone() };
        let found = nearest(&with_generation, usize::MAX);
        if !found.is_empty() || name.laptop {
            return found;
        }
        // A name such as "A770M" is a laptop chip without the word "laptop".
        nearest(&GpuName { laptop: true, ..with_generation }, 0)
    }

    fn of_card(&self, name: &str, driver: DriverFigures<'_>) -> Option<&GpuRow> {
        let found = self.candidates(name, driver);
        // The memory of a share or a slice is not that of its card.
        let is_share = is_vgpu(name);
        let reported = driver.vram_bytes.filter(|_| !name.contains(" MIG "));
        let off = |row: &GpuRow| {
            let known = driver.bandwidth_gb_s.map_or(0.0, |known| (row.bandwidth_gb_s / known).ln().abs());
            (known * 100.0).round() as u64
        };
        match reported.or(named_vram_bytes(name)).filter(|_| !is_share) {
            Some(vram) => found.into_iter().min_by_key(|row| (row.vram_bytes.abs_diff(vram) >> 28, off(row))),
            None => found.into_iter().min_by_key(|row| (row.vram_bytes, off(row))),
        }
    }
}

impl DriverFigures<'_> {
    /// Whether a row can be that of this card: its vendor, and of an NVIDIA card the generation of its chip.
    fn allows(&self, listed: &GpuName, row: &GpuRow) -> bool {
        const KNOWN: [&str; 4] = ["nvidia", "amd", "intel", "apple"];
        let vendor = self.vendor.filter(|vendor| KNOWN.contains(vendor));
        let generation =
            self.capability.and_then(ChipFamily::of_compute_capability).map(ChipFamily::generation);
        vendor.is_none_or(|vendor| listed.vendor == Some(vendor))
            && generation.is_none_or(|generation| generation == row.architecture.generation())
    }
}

/// A row, with the vendor's name.
fn parse_row(line: &str) -> Option<(&'static str, GpuRow)> {
    let mut fields = line.split(',');
    let mut next = || fields.next().map(str::trim);
    let vendor = match next()? {
        "nvidia" => "nvidia",
        "amd" => "amd",
        "intel" => "intel",
        "apple" => "apple",
        _ => return None,
    };
    let (name, architecture) = (next()?, ChipFamily::named(next()?)?);
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
    let stock_share = match next() {
        Some(share) => Some(share.parse().ok().filter(|share| *share > 0.0 && *share < 1.0)?),
        None => None,
    };
    let row = GpuRow {
        name: name.to_owned(),
        architecture,
        backend: architecture.backend(),
        vram_bytes: (gib * GIB as f64) as u64,
        bandwidth_gb_s,
        fp32_tflops,
        memory,
        laptop,
        professional,
        stock_share,
    };
    Some((vendor, row))
}

#[cfg(test)]
mod tests;
