//! Names of GPUs, which drivers, users and lists write in many ways (`NVIDIA GeForce RTX 4060 Laptop GPU`,
//! `rtx-4060-8gb`), reduced to the words that distinguish cards.

/// The words of a name that distinguish cards.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GpuNameKey {
    /// In alphabetical order.
    pub words: Vec<String>,
    /// Whether it is a laptop chip.
    pub laptop: bool,
}

/// Words that do not distinguish cards.
const NOISE: [&str; 36] = [
    "nvidia",
    "amd",
    "ati",
    "intel",
    "geforce",
    "gtx",
    "rx",
    "radeon",
    "instinct",
    "tesla",
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
    "gddr6",
    "gddr6x",
    "gddr5",
    "sxm2",
    "sxm3",
    "sxm4",
    "sxm5",
    "sxm",
    "hbm2",
    "hbm2e",
    "hbm3",
    "compute",
];

/// Words that distinguish cards with the same number.
pub const VARIANTS: [&str; 22] = [
    "ti",
    "super",
    "xt",
    "xtx",
    "gre",
    "ada",
    "blackwell",
    "quadro",
    "titan",
    "max",
    "pro",
    "ultra",
    "d",
    "v2",
    "sff",
    "maxq",
    "nvl",
    "dgxs",
    "cnx",
    "x",
    "boost",
    "server",
];

/// Series of card makers, whose "X" does not distinguish cards.
const MAKERS_SERIES: [&str; 3] = ["suprim", "gaming", "trio"];

/// The key of a name, and the memory in GiB if the name contains it.
pub fn reduce(name: &str) -> (GpuNameKey, Option<u64>) {
    let name = name
        .to_lowercase()
        .replace("(tm)", " ")
        .replace("(r)", " ")
        .replace("max-q", "maxq laptop")
        .replace("notebook", "laptop");
    // Drivers add their own name or the chip's in parentheses, which does not distinguish cards.
    let name = name.split_once('(').map_or(name.as_str(), |(model, _)| model);
    let raw: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let laptop = raw.iter().any(|word| matches!(*word, "laptop" | "mobile"));
    let mut words = Vec::new();
    let mut gib = None;
    for (i, word) in raw.iter().enumerate() {
        if let Some(number) = word.strip_suffix("gb").or_else(|| word.strip_suffix("gib")) {
            let number = if number.is_empty() { raw.get(i.wrapping_sub(1)).copied() } else { Some(number) };
            gib = number.and_then(|n| n.parse().ok()).or(gib);
            continue;
        }
        let size_follows = matches!(raw.get(i + 1), Some(&"gb" | &"gib"));
        if size_follows && word.bytes().all(|b| b.is_ascii_digit()) {
            continue;
        }
        let before = i.checked_sub(1).and_then(|before| raw.get(before));
        if *word == "x" && before.is_some_and(|before| MAKERS_SERIES.contains(before)) {
            continue;
        }
        words.extend(parts(word));
    }
    words.retain(|word| !NOISE.contains(&word.as_str()));
    words.sort();
    words.dedup();
    (GpuNameKey { words, laptop }, gib)
}

/// `4070tis` is `4070`, `ti` and `super`; `rtx3060` is `rtx` and `3060`.
fn parts(word: &str) -> Vec<String> {
    let digits = word.find(|c: char| c.is_ascii_digit());
    if let Some(at) = digits
        && let Some(head @ ("rtx" | "gtx" | "rx" | "arc" | "titan")) = word.get(..at)
    {
        let mut all = vec![head.to_owned()];
        all.extend(word.get(at..).map(parts).unwrap_or_default());
        return all;
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
        _ => return vec![word.to_owned()],
    };
    if number.len() < 3 {
        return vec![word.to_owned()];
    }
    std::iter::once(number).chain(suffixes.iter().copied()).map(str::to_owned).collect()
}
