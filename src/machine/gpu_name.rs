//! Names of GPUs, which drivers, users and lists write in many ways (`NVIDIA GeForce RTX 4060 Laptop GPU`,
//! `rtx-4060-8gb`), taken apart into what distinguishes cards: vendor, product line, model, variant, generation, memory.
//!
//! A number alone identifies nothing: GeForce GTX 480, Radeon RX 480 and Radeon HD 4800 are three generations of two
//! vendors. [`GpuName::distance`] compares all parts.

use std::collections::BTreeSet;

/// A name, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GpuName {
    /// `nvidia`, `amd`, `intel` or `apple`, where a word of the name belongs to one vendor only.
    pub vendor: Option<&'static str>,
    /// Product lines that distinguish cards of one number: `gtx`, `rtx`, `quadro`, `rx`, `hd`, …
    pub lines: BTreeSet<&'static str>,
    /// Words with digits: `4060`, `a100`, `780m`.
    pub numbers: BTreeSet<String>,
    /// Other words: variants (`ti`, `xt`) and decoration (`gaming`, `edition`).
    pub words: BTreeSet<String>,
    /// Generation of the chip, if the name has it: `pascal`, `ada`, …
    pub generation: Option<&'static str>,
    /// Whether it is a laptop chip.
    pub laptop: bool,
}

/// A share of a card that a hypervisor hands to a virtual machine (NVIDIA vGPU), by its name: `GRID T4-4Q`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VgpuProfile {
    /// Name of the card, as far as the profile has it: `grid t4`.
    board: String,
    /// Memory of the share in GiB.
    pub gib: u64,
    /// Whether it can compute: profiles of the series Q and C can, those for desktops (B) and applications (A) cannot.
    pub computes: bool,
}

/// Words that are of one vendor only.
const VENDORS: [(&str, &str); 35] = [
    ("nvidia", "nvidia"),
    ("geforce", "nvidia"),
    ("gtx", "nvidia"),
    ("rtx", "nvidia"),
    ("gts", "nvidia"),
    ("gt", "nvidia"),
    ("quadro", "nvidia"),
    ("titan", "nvidia"),
    ("tesla", "nvidia"),
    ("nvs", "nvidia"),
    ("grid", "nvidia"),
    ("cmp", "nvidia"),
    ("jetson", "nvidia"),
    ("tegra", "nvidia"),
    ("amd", "amd"),
    ("ati", "amd"),
    ("radeon", "amd"),
    ("rx", "amd"),
    ("firepro", "amd"),
    ("firegl", "amd"),
    ("firestream", "amd"),
    ("mobility", "amd"),
    ("instinct", "amd"),
    ("ryzen", "amd"),
    ("athlon", "amd"),
    ("intel", "intel"),
    ("arc", "intel"),
    ("iris", "intel"),
    ("uhd", "intel"),
    ("gma", "intel"),
    ("pentium", "intel"),
    ("celeron", "intel"),
    ("core", "intel"),
    ("flex", "intel"),
    ("apple", "apple"),
];

/// Product lines: the same number in two of them is two cards. `geforce`, `radeon`, `tesla` and `instinct` are not among
/// them, because people leave them out.
const LINES: [&str; 26] = [
    "gtx",
    "gts",
    "gt",
    "rtx",
    "quadro",
    "titan",
    "nvs",
    "fx",
    "cmp",
    "rx",
    "hd",
    "firepro",
    "firegl",
    "firestream",
    "mobility",
    "ryzen",
    "athlon",
    "arc",
    "iris",
    "uhd",
    "gma",
    "core",
    "flex",
    "jetson",
    "tegra",
    "apple",
];

/// Generations that names contain.
const GENERATIONS: [(&str, &str); 12] = [
    ("fermi", "fermi"),
    ("kepler", "kepler"),
    ("maxwell", "maxwell"),
    ("pascal", "pascal"),
    ("volta", "volta"),
    ("turing", "turing"),
    ("ampere", "ampere"),
    ("ada", "ada"),
    ("lovelace", "ada"),
    ("hopper", "hopper"),
    ("blackwell", "blackwell"),
    ("rdna", "rdna"),
];

/// Words that do not distinguish cards.
const NOISE: [&str; 34] = [
    "nvidia",
    "amd",
    "ati",
    "intel",
    "geforce",
    "radeon",
    "instinct",
    "tesla",
    "grid",
    "graphics",
    "gpu",
    "corporation",
    "corp",
    "inc",
    "tm",
    "r",
    "c",
    "with",
    "design",
    "generation",
    "card",
    "laptop",
    "mobile",
    "gddr5",
    "gddr6",
    "gddr6x",
    "gddr7",
    "hbm2",
    "hbm2e",
    "hbm3",
    "hbm3e",
    "compute",
    "series",
    "refresh",
];

/// Words that distinguish cards with the same number.
const VARIANTS: [&str; 22] = [
    "ti", "super", "xt", "xtx", "gre", "max", "pro", "ultra", "d", "sff", "maxq", "nvl", "dgxs", "cnx", "x",
    "boost", "server", "xe", "le", "vega", "duo", "wx",
];

/// Series of card makers, whose "X" does not distinguish cards.
const MAKERS_SERIES: [&str; 3] = ["suprim", "gaming", "trio"];

/// The parts of a name; of one that lists several models (`Radeon RX 6800/6800 XT`) those of each. The memory in GiB if
/// the name contains it.
pub fn parse(name: &str) -> (Vec<GpuName>, Option<u64>) {
    let name = plain(name);
    let mut models = name.split('/');
    let (first, gib) = parse_model(models.next().unwrap_or_default());
    let mut names = vec![first.clone()];
    for model in models {
        let (mut other, _) = parse_model(model);
        if other.numbers.is_empty() {
            continue;
        }
        other.vendor = other.vendor.or(first.vendor);
        if other.lines.is_empty() {
            other.lines.clone_from(&first.lines);
        }
        names.push(other);
    }
    (names, gib)
}

/// The share that a name of an NVIDIA vGPU stands for: `GRID RTX6000-8Q`, `NVIDIA A100-4-20C`, `GRID M60-1B4`.
pub fn vgpu_profile(name: &str) -> Option<VgpuProfile> {
    let name = plain(name);
    let (board, profile) = name.trim().rsplit_once('-')?;
    let digits = profile.find(|c: char| !c.is_ascii_digit())?;
    let (gib, series) = profile.split_at(digits);
    let gib = gib.parse().ok().filter(|gib| *gib > 0)?;
    let (letter, rest) = series.split_at(1);
    if !matches!(letter, "q" | "c" | "b" | "a") || !(rest == "me" || rest.bytes().all(|b| b.is_ascii_digit()))
    {
        return None;
    }
    // A share that is a MIG slice too has the number of its parts before the memory.
    let board = match board.rsplit_once('-') {
        Some((card, parts)) if !parts.is_empty() && parts.bytes().all(|b| b.is_ascii_digit()) => card,
        _ => board,
    };
    let vendor = parse_model(board).0.vendor;
    let is_nvidia = vendor == Some("nvidia");
    is_nvidia.then(|| VgpuProfile { board: board.to_owned(), gib, computes: matches!(letter, "q" | "c") })
}

impl VgpuProfile {
    /// Names of the card, the most likely first. Profiles add letters for the form of a card (`V100D`, `RTX6000P`) and
    /// leave out its line (`RTX6000` is the Quadro RTX 6000; the Ada card's profiles have `Ada`).
    pub fn boards(&self) -> Vec<GpuName> {
        let (exact, _) = parse_model(&self.board);
        let mut boards = vec![exact.clone()];
        for suffix in ["p", "x", "d", "dx", "l", "c"] {
            let stripped = |number: &String| -> String {
                let bare =
                    number.strip_suffix(suffix).filter(|bare| bare.ends_with(|c: char| c.is_ascii_digit()));
                bare.unwrap_or(number).to_owned()
            };
            boards.push(GpuName { numbers: exact.numbers.iter().map(stripped).collect(), ..exact.clone() });
        }
        if exact.lines.contains("rtx") && exact.generation.is_none() {
            let quadro = boards.iter().map(|board| {
                let lines = board.lines.iter().copied().chain(["quadro"]).collect();
                GpuName { lines, ..board.clone() }
            });
            let quadro: Vec<GpuName> = quadro.collect();
            boards.extend(quadro);
        }
        boards
    }
}

impl GpuName {
    /// How far this name is from a row of the table: 0 if all parts are equal, `None` if they are names of two cards.
    /// `row_generation` is the generation of the row's chip.
    pub fn distance(&self, row: &Self, row_generation: &str, professional: bool) -> Option<usize> {
        if self.numbers != row.numbers || self.laptop != row.laptop {
            return None;
        }
        if self.vendor.is_some() && row.vendor.is_some() && self.vendor != row.vendor {
            return None;
        }
        match (self.generation, row.generation) {
            (Some(mine), _) if mine != row_generation => return None,
            // `RTX PRO` is in the name of Blackwell cards only.
            (None, Some(_)) if !row.words.contains("pro") => return None,
            _ => {}
        }
        let lines = self.line_distance(row, professional)?;
        let is_variant = |word: &&String| VARIANTS.contains(&word.as_str());
        let mine: Vec<&String> = self.words.difference(&row.words).collect();
        let theirs: Vec<&String> = row.words.difference(&self.words).collect();
        if mine.iter().chain(&theirs).any(is_variant) {
            return None;
        }
        // Without a number, the words are the model: `Jetson AGX Orin`, `Iris Xe`.
        if self.numbers.is_empty() && (!theirs.is_empty() || (row.words.is_empty() && self.lines.is_empty()))
        {
            return None;
        }
        Some(mine.len() * 2 + theirs.len() + lines)
    }

    /// Lines that only one of the names has. A name may leave out all lines, not some of them: `Quadro 6000` is not the
    /// Quadro RTX 6000.
    fn line_distance(&self, row: &Self, professional: bool) -> Option<usize> {
        let more = self.lines.difference(&row.lines).filter(|line| !(professional && **line == "quadro"));
        if more.count() > 0 {
            return None;
        }
        let missing = row.lines.difference(&self.lines).count();
        let titan = self.lines.contains("titan") && row.lines.contains("gtx");
        // A model that is only a line is named by that line: `Arc Graphics`.
        let is_only_a_line = row.numbers.is_empty() && row.words.is_empty();
        let is_processor = row.lines.iter().any(|line| matches!(*line, "ryzen" | "core"));
        let some_left_out =
            missing > 0 && (!self.lines.is_empty() && !titan || is_only_a_line || is_processor);
        (!some_left_out).then_some(missing)
    }
}

/// Whether a name is that of graphics in a processor, which share its memory: `Radeon 780M`, `Radeon Vega 8 Graphics`, `Intel
/// UHD Graphics 630`, `Arc 140V`. Cards of these vendors are `Radeon RX 6600M`, `Radeon RX Vega 56`, `Arc A770`.
pub fn is_integrated(name: &str) -> bool {
    let (names, _) = parse(name);
    let Some(name) = names.first() else { return false };
    let has = |line: &str| name.lines.contains(line);
    let is_card_number = |number: &String| {
        let digits = number.strip_prefix(['a', 'b']);
        digits.is_some_and(|digits| digits.len() >= 2 && digits.starts_with(|c: char| c.is_ascii_digit()))
    };
    match name.vendor {
        Some("intel") => {
            let is_card =
                has("flex") || name.words.contains("max") || name.numbers.iter().any(is_card_number);
            !is_card && (!name.lines.is_empty() || name.numbers.is_empty())
        }
        Some("amd") if !name.lines.is_empty() => has("ryzen") || has("athlon"),
        Some("amd") => {
            let of_processor = |number: &String| {
                let digits = number.strip_suffix('m').filter(|digits| digits.len() == 3);
                digits.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
            };
            let small = |number: &String| number.parse().is_ok_and(|number: u32| number <= 11);
            let vega = name.words.contains("vega") && name.numbers.iter().all(small);
            name.numbers.iter().any(of_processor) || (vega && !name.words.contains("pro"))
        }
        _ => false,
    }
}

/// In lower case, without trademark signs and additions in parentheses (the driver's name, the chip's), but with what
/// these say of generation and form.
fn plain(name: &str) -> String {
    let name = name
        .to_lowercase()
        .replace("(tm)", " ")
        .replace("(r)", " ")
        .replace(['™', '®'], " ")
        .replace("max-q", "maxq laptop")
        .replace("notebook", "laptop");
    // A slice of a card (MIG) is named after the card.
    let name = name.split_once(" mig ").map_or(name.as_str(), |(card, _)| card);
    let mut plain = String::new();
    let mut said = String::new();
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('(') {
        plain.push_str(before);
        let (inside, after) = after.split_once(')').unwrap_or((after, ""));
        for word in inside.split(|c: char| !c.is_ascii_alphanumeric()) {
            if matches!(word, "laptop" | "mobile") || GENERATIONS.iter().any(|(known, _)| *known == word) {
                said.push(' ');
                said.push_str(word);
            }
        }
        rest = after;
    }
    plain + rest + &said
}

fn parse_model(name: &str) -> (GpuName, Option<u64>) {
    let raw: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let mut parsed =
        GpuName { laptop: raw.iter().any(|word| matches!(*word, "laptop" | "mobile")), ..GpuName::default() };
    let mut gib = None;
    for (i, word) in raw.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|before| raw.get(before)).copied();
        if let Some(number) = word.strip_suffix("gb").or_else(|| word.strip_suffix("gib")) {
            let number = if number.is_empty() { before } else { Some(number) };
            gib = number.and_then(|n| n.parse().ok()).or(gib);
            continue;
        }
        let is_number = |word: &str| word.bytes().all(|b| b.is_ascii_digit());
        let size_follows = matches!(raw.get(i + 1), Some(&"gb" | &"gib"));
        if size_follows && is_number(word) {
            continue;
        }
        // Makers write the memory as `24G` or `O24G` and the number of fans as `3X`.
        let size = word.strip_suffix('g').map(|size| size.trim_start_matches('o'));
        if let Some(size) = size.filter(|size| matches!(size.len(), 1..=3) && is_number(size)) {
            gib = gib.or(size.parse().ok());
            continue;
        }
        if word.strip_suffix('x').is_some_and(|fans| fans.len() == 1 && is_number(fans)) {
            continue;
        }
        if *word == "x" && before.is_some_and(|before| MAKERS_SERIES.contains(&before)) {
            continue;
        }
        for part in parts(word) {
            parsed.add(&part);
        }
    }
    (parsed, gib)
}

impl GpuName {
    fn add(&mut self, word: &str) {
        if let Some((_, vendor)) = VENDORS.iter().find(|(known, _)| *known == word) {
            self.vendor = self.vendor.or(Some(vendor));
        }
        if let Some(line) = LINES.iter().find(|line| **line == word) {
            self.lines.insert(line);
        } else if let Some((_, generation)) = GENERATIONS.iter().find(|(known, _)| *known == word) {
            self.generation = Some(generation);
        } else if NOISE.contains(&word) || word.starts_with("sxm") {
        } else if word.bytes().any(|b| b.is_ascii_digit()) {
            self.numbers.insert(word.to_owned());
        } else {
            self.words.insert(word.to_owned());
        }
    }
}

/// `4070tis` is `4070`, `ti` and `super`; `rtx3060` is `rtx` and `3060`; `rtxa6000` is `rtx` and `a6000`.
fn parts(word: &str) -> Vec<String> {
    for head in ["rtx", "gtx", "rx", "arc", "titan", "quadro", "cmp"] {
        let rest = word.strip_prefix(head).filter(|rest| rest.bytes().any(|b| b.is_ascii_digit()));
        if let Some(rest) = rest {
            let mut all = vec![head.to_owned()];
            all.extend(parts(rest));
            return all;
        }
    }
    let end = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
    let (number, suffix) = word.split_at(end);
    let suffixes: &[&str] = match suffix {
        "ti" => &["ti"],
        "tis" | "tisuper" => &["ti", "super"],
        "s" | "super" => &["super"],
        "xt" => &["xt"],
        "xtx" => &["xtx"],
        "gre" => &["gre"],
        "ada" => &["ada"],
        _ => return vec![word.to_owned()],
    };
    if number.len() < 3 {
        return vec![word.to_owned()];
    }
    std::iter::once(number).chain(suffixes.iter().copied()).map(str::to_owned).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn graphics_in_a_processor_are_told_from_cards() {
        for name in [
            "Radeon 780M",
            "AMD Radeon 890M Graphics",
            "Radeon 740M",
            "AMD Radeon(TM) Vega 8 Graphics",
            "Radeon Vega 11 Graphics",
            "Intel(R) UHD Graphics 630",
            "Intel(R) Iris(R) Xe Graphics",
            "Intel(R) Arc(TM) 140V GPU (16GB)",
            "Arc 140T",
            "Intel(R) Arc(TM) Graphics",
            "Intel(R) HD Graphics 4000",
            "Intel Graphics",
            "Ryzen 7 7840U",
        ] {
            assert!(is_integrated(name), "{name}");
        }
        for name in [
            "Radeon RX 6600M",
            "Radeon RX Vega 56",
            "AMD Radeon Pro Vega 16",
            "Radeon HD 7970M",
            "Arc A770",
            "Intel(R) Arc(TM) Pro B50 Graphics",
            "Intel Iris Xe MAX Graphics",
            "GeForce 940M",
            "Quadro M620",
            "",
        ] {
            assert!(!is_integrated(name), "{name}");
        }
    }

    #[test]
    fn shares_of_a_card_are_recognised_by_their_profile() {
        for (name, gib, computes) in [
            ("GRID RTX6000-8Q", 8, true),
            ("NVIDIA A40-12Q", 12, true),
            ("GRID T4-4Q", 4, true),
            ("GRID V100D-8Q", 8, true),
            ("NVIDIA RTXA6000-24Q", 24, true),
            ("NVIDIA A100-4-20C", 20, true),
            ("NVIDIA A100D-1-10CME", 10, true),
            ("GRID M60-1B4", 1, false),
            ("GRID T4-2B", 2, false),
            ("GRID T4-16A", 16, false),
        ] {
            let profile = vgpu_profile(name).unwrap_or_else(|| unreachable!("{name}"));
            assert_eq!((profile.gib, profile.computes), (gib, computes), "{name}");
        }
        for name in ["rtx-4060-8gb", "P106-100", "NVIDIA GeForce RTX 2080 with Max-Q Design", "t4-16gb", ""] {
            assert_eq!(vgpu_profile(name), None, "{name}");
        }
    }
}
