//! The constants of the estimates, with their provenance: `assets/efficiency.yaml`.
//!
//! The file has sections of named constants. A chip family has the constants of its maker's section, replaced by those
//! of its own. Every constant states its basis; `examples/fit_efficiency` computes the fitted ones from the tables in
//! `examples/data`.

mod figures;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde::Deserialize;

use crate::built_in;
use crate::machine::GpuBackend;
use crate::machine::gpu_table::ChipFamily;
use figures::{
    BusFigures, ConstantMistake, CopyFigures, DriverFigures, InstructionFigures, VendorFigures,
    VulkanFigures, mistake,
};
pub(super) use figures::{CommonFigures, FamilyFigures, ProcessorFigures};

/// All constants of the estimates.
#[derive(Clone, Debug)]
pub struct EfficiencyConstants {
    document: ConstantsDocument,
    /// Every family; `other_family` is for the compiler.
    families: BTreeMap<ChipFamily, FamilyConstants>,
    other_family: FamilyConstants,
    cuda: DriverFigures,
    rocm: DriverFigures,
    metal: DriverFigures,
    /// By the words of a name.
    processors: Vec<(Vec<String>, VendorFigures, CopyFigures)>,
    other_processor: (VendorFigures, CopyFigures),
    /// By features.
    instruction_sets: Vec<(InstructionSet, InstructionFigures)>,
    other_instructions: (InstructionSet, InstructionFigures),
    pub(super) common: CommonFigures,
    pub(super) processor: ProcessorFigures,
    pub(super) bus: BusFigures,
    vulkan: VulkanFigures,
    vulkan_driver: DriverFigures,
}

type Sections = BTreeMap<String, BTreeMap<String, EfficiencyConstant>>;

/// A constant with its provenance.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EfficiencyConstant {
    /// Its value; the unit is in `units` of the file.
    pub value: f64,
    /// What it is based on.
    pub basis: ConstantBasis,
    /// Tags of the measurements that it is fitted to; `!` excludes a tag.
    #[serde(default)]
    pub on: Vec<String>,
    /// Number of measurements.
    #[serde(default)]
    pub rows: u32,
    /// Number of devices that were measured.
    #[serde(default)]
    pub devices: u32,
    /// Date of the fit or source, `YYYY-MM-DD`.
    pub date: String,
    /// Source, devices by name, or reason.
    #[serde(default)]
    pub note: String,
}

/// What a constant is based on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConstantBasis {
    /// Computed by the fitter: least mean error on the measurements in `on`.
    Fit,
    /// Computed by the fitter: range that holds 80 % of the measurements in `on`.
    Range,
    /// Median over the family's cards in `assets/gpus.csv`.
    Table,
    /// Measured by the project; the note says where. Not fitted, because the effect is measured alone.
    Measured,
    /// Published; the note has the source.
    Published,
    /// Assumed.
    Guess,
}

/// Why a file of constants is invalid.
#[derive(Debug, thiserror::Error)]
pub enum EfficiencyError {
    /// Invalid YAML, or an unknown or missing key.
    #[error("{path} holds no constants: {source}", path = path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The parser's error, with line and column.
        source: Box<serde_saphyr::Error>,
    },
    /// A missing, unknown or invalid constant.
    #[error("{path}, {section}.{name}: {problem}", path = path.display())]
    Constant {
        /// The file.
        path: PathBuf,
        /// Its section.
        section: String,
        /// Its name.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// Format of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConstantsDocument {
    /// Name of a constant → unit and meaning.
    units: BTreeMap<String, String>,
    families: BTreeMap<String, FamilyEntry>,
    processors: Vec<ProcessorName>,
    instruction_sets: Vec<InstructionSet>,
    /// Prefixes of model families whose blocks have more norms than usual.
    families_with_more_norms: Vec<String>,
    sections: Sections,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FamilyEntry {
    /// The section whose constants it shares.
    maker: String,
    /// Whether its own chips were measured. Without, its figures are a guess from related families.
    measured: bool,
}

/// Which processors a section is about.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProcessorName {
    /// Words of the name, in lower case; none for all other processors.
    words: Vec<String>,
    /// Section with the share of a measured dot product.
    vendor: String,
    /// Section with the rate of copies to a card.
    class: String,
}

/// Which processors have an instruction set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct InstructionSet {
    /// Parts of the features' names; none for all other processors.
    features: Vec<String>,
    /// The vendor's section, if it is about one vendor only.
    #[serde(default)]
    vendor: Option<String>,
    /// Its section.
    section: String,
    /// Whether the engine repacks weights for its vectors on loading.
    repacks: bool,
}

/// Constants of a GPU family, and whether its chips were measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct FamilyConstants {
    pub figures: FamilyFigures,
    pub measured: bool,
}

/// Constants of one processor.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProcessorConstants {
    pub instructions: InstructionFigures,
    pub repacks: bool,
    pub vendor: VendorFigures,
    pub copies: CopyFigures,
}

const FILE: &str = "assets/efficiency.yaml";
const DRIVERS: [&str; 4] = ["cuda", "rocm", "vulkan", "metal"];

impl EfficiencyConstants {
    /// The built-in constants.
    pub fn built_in() -> &'static Self {
        static BUILT_IN: LazyLock<EfficiencyConstants> = LazyLock::new(|| {
            let text = include_str!("../../assets/efficiency.yaml");
            built_in::valid(FILE, EfficiencyConstants::from_yaml(text, Path::new(FILE)))
        });
        &BUILT_IN
    }

    /// Reads constants from text; `path` is only used in errors.
    ///
    /// # Errors
    /// Invalid YAML, an unknown or missing key, a constant that is missing, is not used or is out of range.
    pub fn from_yaml(text: &str, path: &Path) -> Result<Self, EfficiencyError> {
        let document: ConstantsDocument = serde_saphyr::from_str(text)
            .map_err(|source| EfficiencyError::Format { path: path.to_owned(), source: Box::new(source) })?;
        Self::of(&document).map_err(|ConstantMistake { section, name, problem }| EfficiencyError::Constant {
            path: path.to_owned(),
            section,
            name,
            problem,
        })
    }

    /// All constants, each with its section and name.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str, &EfficiencyConstant)> {
        self.document.sections.iter().flat_map(|(section, constants)| {
            constants.iter().map(|(name, constant)| (section.as_str(), name.as_str(), constant))
        })
    }

    /// The same constants with another value of one. `None` if there is no such constant or the value is not allowed.
    #[must_use]
    pub fn with(&self, section: &str, name: &str, value: f64) -> Option<Self> {
        let mut document = self.document.clone();
        document.sections.get_mut(section)?.get_mut(name)?.value = value;
        Self::of(&document).ok()
    }

    /// Section of a family's maker.
    pub fn maker(&self, family: ChipFamily) -> &str {
        self.document.families.get(family.name()).map_or("", |entry| entry.maker.as_str())
    }

    /// Whether a family's figures are fitted to measurements of its chips. The others are guesses from related families
    /// and data sheets.
    pub fn is_measured(&self, family: ChipFamily) -> bool {
        self.family(family).measured
    }

    /// Sections of a processor's vendor and class, by its name.
    pub fn processor_sections(&self, name: &str) -> (&str, &str) {
        let name = name.to_lowercase();
        let entries = &self.document.processors;
        let named = |entry: &&ProcessorName| entry.words.iter().any(|word| name.contains(word.as_str()));
        let entry = entries.iter().find(named).or(entries.last());
        entry.map_or(("", ""), |entry| (entry.vendor.as_str(), entry.class.as_str()))
    }

    /// Section of the instruction set of a processor, by its name and features.
    pub fn instruction_set(&self, name: &str, features: &[String]) -> &str {
        &self.instructions(self.processor_sections(name).0, features).0.section
    }

    pub(super) fn family(&self, family: ChipFamily) -> &FamilyConstants {
        self.families.get(&family).unwrap_or(&self.other_family)
    }

    /// VRAM that a backend's driver takes for a computing process.
    pub(super) fn driver(&self, backend: GpuBackend) -> DriverFigures {
        match backend {
            GpuBackend::Cuda => self.cuda,
            GpuBackend::Rocm => self.rocm,
            GpuBackend::Vulkan => self.vulkan_driver,
            GpuBackend::Metal => self.metal,
        }
    }

    /// Microseconds to send a block's activations to the processor and the result back.
    pub(super) fn crossing_us(&self, family: &FamilyFigures, backend: GpuBackend) -> f64 {
        if backend == GpuBackend::Vulkan { self.vulkan.crossing_us } else { family.crossing_us }
    }

    /// Whether the blocks of a model family have more norms than usual.
    pub fn has_more_norms(&self, family: &str) -> bool {
        self.document.families_with_more_norms.iter().any(|prefix| family.starts_with(prefix.as_str()))
    }

    /// Constants of a processor by its name and features.
    pub(super) fn of_processor(&self, name: &str, features: &[String]) -> ProcessorConstants {
        let (set, instructions) = self.instructions(self.processor_sections(name).0, features);
        let name = name.to_lowercase();
        let (vendor, copies) = self
            .processors
            .iter()
            .find(|(words, ..)| words.iter().any(|word| name.contains(word.as_str())))
            .map_or(self.other_processor, |(_, vendor, copies)| (*vendor, *copies));
        ProcessorConstants { instructions: *instructions, repacks: set.repacks, vendor, copies }
    }

    fn instructions(&self, vendor: &str, features: &[String]) -> &(InstructionSet, InstructionFigures) {
        let features: Vec<String> = features.iter().map(|feature| feature.to_lowercase()).collect();
        let shows = |mark: &String| features.iter().any(|feature| feature.contains(mark.as_str()));
        self.instruction_sets
            .iter()
            .find(|(set, _)| {
                set.vendor.as_deref().is_none_or(|of| of == vendor) && set.features.iter().any(shows)
            })
            .unwrap_or(&self.other_instructions)
    }

    fn of(document: &ConstantsDocument) -> Result<Self, ConstantMistake> {
        document.check()?;
        let family = |(name, family)| {
            let entry = document.families.get(name).ok_or_else(|| mistake("families", name, MISSING))?;
            let figures = FamilyFigures::read(&|constant| {
                document.value(name, constant).or_else(|_| document.value(&entry.maker, constant))
            })?;
            Ok((family, FamilyConstants { figures, measured: entry.measured }))
        };
        let families: BTreeMap<_, _> =
            ChipFamily::NAMES.into_iter().map(family).collect::<Result<_, ConstantMistake>>()?;
        let processor = |entry: &ProcessorName| {
            let vendor = VendorFigures::read(&document.lookup(&entry.vendor))?;
            Ok((entry.words.clone(), vendor, CopyFigures::read(&document.lookup(&entry.class))?))
        };
        let mut processors =
            document.processors.iter().map(processor).collect::<Result<Vec<_>, ConstantMistake>>()?;
        let instructions = |set: &InstructionSet| {
            Ok((set.clone(), InstructionFigures::read(&document.lookup(&set.section))?))
        };
        let mut instruction_sets = document
            .instruction_sets
            .iter()
            .map(instructions)
            .collect::<Result<Vec<_>, ConstantMistake>>()?;
        let missing = |name| mistake(name, "the entry for all others", MISSING);
        let (_, vendor, copies) = processors.pop().ok_or_else(|| missing("processors"))?;
        Ok(Self {
            other_family: *families.values().next().ok_or_else(|| missing("families"))?,
            families,
            cuda: DriverFigures::read(&document.lookup("cuda"))?,
            rocm: DriverFigures::read(&document.lookup("rocm"))?,
            metal: DriverFigures::read(&document.lookup("metal"))?,
            other_processor: (vendor, copies),
            processors,
            other_instructions: instruction_sets.pop().ok_or_else(|| missing("instruction_sets"))?,
            instruction_sets,
            common: CommonFigures::read(&document.lookup("common"))?,
            processor: ProcessorFigures::read(&document.lookup("processor"))?,
            bus: BusFigures::read(&document.lookup("bus"))?,
            vulkan: VulkanFigures::read(&document.lookup("vulkan"))?,
            vulkan_driver: DriverFigures::read(&document.lookup("vulkan"))?,
            document: document.clone(),
        })
    }
}

const MISSING: &str = "is missing";

impl ConstantsDocument {
    fn value(&self, section: &str, name: &str) -> Result<f64, ConstantMistake> {
        let constant = self.sections.get(section).and_then(|constants| constants.get(name));
        constant.map(|constant| constant.value).ok_or_else(|| mistake(section, name, MISSING))
    }

    fn lookup<'a>(&'a self, section: &'a str) -> impl Fn(&'static str) -> Result<f64, ConstantMistake> + 'a {
        move |name| self.value(section, name)
    }

    /// Values in range, names that are used, units for all of them, and provenance.
    fn check(&self) -> Result<(), ConstantMistake> {
        for (name, entry) in &self.families {
            if ChipFamily::named(name).is_none() {
                return Err(mistake("families", name, "is not a chip family of the table of cards"));
            }
            if !self.sections.contains_key(&entry.maker) {
                return Err(mistake("families", name, "has a maker without a section"));
            }
        }
        if let Some((name, _)) = ChipFamily::NAMES.iter().find(|(name, _)| !self.families.contains_key(*name))
        {
            return Err(mistake("families", name, MISSING));
        }
        if self.processors.last().is_none_or(|entry| !entry.words.is_empty()) {
            return Err(mistake("processors", "words", "must end with an entry for all other processors"));
        }
        if self.instruction_sets.last().is_none_or(|set| !set.features.is_empty()) {
            return Err(mistake(
                "instruction_sets",
                "features",
                "must end with an entry for all other processors",
            ));
        }
        for (section, constants) in &self.sections {
            for (name, constant) in constants {
                let wrong = |problem| Err(mistake(section, name, problem));
                if !self.is_used(section, name) {
                    return wrong("is not used");
                }
                if !self.units.contains_key(name) {
                    return wrong("has no unit");
                }
                if !(0.0..=10_000.0).contains(&constant.value) {
                    return wrong("must be 0 to 10000");
                }
                if name.ends_with("_range") && !(1.0..=4.0).contains(&constant.value) {
                    return wrong("a range must be 1 to 4");
                }
                let computed = matches!(constant.basis, ConstantBasis::Fit | ConstantBasis::Range);
                if computed == constant.on.is_empty()
                    || computed != (constant.rows > 0 && constant.devices > 0)
                {
                    return wrong("a computed constant, and no other, has `on`, `rows` and `devices`");
                }
                if constant.date.len() != 10 {
                    return wrong("needs a date, YYYY-MM-DD");
                }
                if !computed && constant.basis != ConstantBasis::Table && constant.note.is_empty() {
                    return wrong("needs a note: where it is from");
                }
            }
        }
        Ok(())
    }

    fn is_used(&self, section: &str, name: &str) -> bool {
        let is_maker = self.families.values().any(|entry| entry.maker == section);
        let mut used: Vec<&[&str]> = Vec::new();
        if is_maker || self.families.contains_key(section) {
            used.push(FamilyFigures::NAMES);
        }
        if DRIVERS.contains(&section) {
            used.push(DriverFigures::NAMES);
        }
        if self.processors.iter().any(|entry| entry.vendor == section) {
            used.push(VendorFigures::NAMES);
        }
        if self.processors.iter().any(|entry| entry.class == section) {
            used.push(CopyFigures::NAMES);
        }
        if self.instruction_sets.iter().any(|set| set.section == section) {
            used.push(InstructionFigures::NAMES);
        }
        match section {
            "common" => used.push(CommonFigures::NAMES),
            "processor" => used.push(ProcessorFigures::NAMES),
            "bus" => used.push(BusFigures::NAMES),
            "vulkan" => used.push(VulkanFigures::NAMES),
            _ => {}
        }
        used.iter().any(|names| names.contains(&name))
    }
}
