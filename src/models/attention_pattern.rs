//! Which blocks of an architecture have full attention, and which attend to a window or chunk only.
//!
//! Many files state the size of the window but not which blocks have one; the engine hard-codes it. The tables are from
//! `src/models` of llama.cpp b10488, which the pinned engine is built with, and, for the names that Ollama's own files use,
//! from its `llama/compat`; a few are from later versions. For an architecture that is not listed, the cache is computed
//! with full attention in every block, and the plan says that it is not known.

/// Attention that the engine builds for an architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AttentionPattern {
    /// Full attention in every block, even if the file states a window.
    Full,
    /// Sliding-window attention in some blocks.
    Windows(Windows),
    /// The file lists the blocks with a window; the engine does not load one without the list.
    Listed,
    /// Not known.
    Unknown,
}

/// Which blocks have a window, in the engine's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Windows {
    /// One block in every `period` has full attention; 0 if none has.
    pub period: u32,
    /// Whether it is the first block of the period instead of the last.
    pub full_first: bool,
    /// Size of the window.
    pub tokens: Tokens,
    /// Only models with this number of blocks have windows.
    pub only_with_blocks: Option<usize>,
    /// Whether the engine follows a list of blocks in the file; if not, it ignores one.
    pub follows_list: bool,
}

/// Size of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tokens {
    /// The file's value; no window without it.
    OfFile,
    /// The file's value, by default this.
    Default(u32),
    /// This, if the file states a window of any size.
    Fixed(u32),
    /// This, unless the file states 0.
    Always(u32),
}

const fn windows(period: u32, full_first: bool, tokens: Tokens) -> Windows {
    Windows { period, full_first, tokens, only_with_blocks: None, follows_list: false }
}

const fn last(period: u32, tokens: Tokens) -> AttentionPattern {
    AttentionPattern::Windows(windows(period, false, tokens))
}

const fn first(period: u32, tokens: Tokens) -> AttentionPattern {
    AttentionPattern::Windows(windows(period, true, tokens))
}

/// The file's list, else a period of four.
const fn listed_or_four(full_first: bool) -> AttentionPattern {
    let windows = windows(4, full_first, Tokens::OfFile);
    AttentionPattern::Windows(Windows { follows_list: true, ..windows })
}

/// Architectures with windows or chunks.
const WITH_WINDOWS: &[(&str, AttentionPattern)] = &[
    ("afmoe", last(4, Tokens::OfFile)),
    ("cohere2", last(4, Tokens::OfFile)),
    ("cohere2moe", listed_or_four(true)),
    ("exaone-moe", last(4, Tokens::Default(128))),
    (
        "exaone4",
        AttentionPattern::Windows(Windows {
            only_with_blocks: Some(64),
            ..windows(4, false, Tokens::Default(4096))
        }),
    ),
    ("gemma2", last(2, Tokens::Default(4096))),
    ("gemma3", last(6, Tokens::OfFile)),
    ("gemma3n", last(5, Tokens::OfFile)),
    ("gemma4", AttentionPattern::Listed),
    ("gpt-oss", last(2, Tokens::OfFile)),
    // Ollama's name in files of its library.
    ("gptoss", last(2, Tokens::OfFile)),
    ("granite_swa", AttentionPattern::Listed),
    ("laguna", first(4, Tokens::OfFile)),
    ("lfm2", last(0, Tokens::OfFile)),
    // Chunks of 8,192 tokens, cached like a window.
    ("llama4", last(4, Tokens::Always(8192))),
    ("maple", AttentionPattern::Listed),
    ("mellum", listed_or_four(false)),
    ("mimo2", AttentionPattern::Listed),
    ("muse-glimmer", listed_or_four(false)),
    ("olmo2", last(4, Tokens::OfFile)),
    // Ollama's name; loaded as olmo2.
    ("olmo3", last(4, Tokens::OfFile)),
    ("plamo3", last(8, Tokens::OfFile)),
    ("smallthinker", first(4, Tokens::Fixed(4096))),
    ("spark2_5", AttentionPattern::Listed),
    ("step35", AttentionPattern::Listed),
];

/// Architectures with full attention in every attention block. Not listed are those whose cache we cannot compute:
/// indexers (`deepseek32`, `glm-dsa`, …), recurrent states other than state-space ones (`rwkv7`, `kimi-linear`, …),
/// repeated blocks (`nanbeige`), compressed caches (`deepseek4`), attention and state in one block (`falcon-h1`); nor
/// those that do not write text token by token. A test names each of them.
const FULL: &[&str] = &[
    "apertus",
    "arcee",
    "arctic",
    "baichuan",
    "bailingmoe",
    "bailingmoe2",
    "bitnet",
    "bloom",
    "chameleon",
    "chatglm",
    "codeshell",
    "cogvlm",
    "command-r",
    "dbrx",
    "deci",
    "deepseek",
    "deepseek2",
    "deepseek2-ocr",
    // Ollama's name; loaded as deepseek2-ocr.
    "deepseekocr",
    "dots1",
    "ernie4_5",
    "ernie4_5-moe",
    "exaone",
    "falcon",
    "gemma",
    // Ollama's name for GLM-4.7-Flash, which llama.cpp loads as deepseek2.
    "glm4moelite",
    "glm4",
    "glm4moe",
    // Ollama's name; loaded as glm4.
    "glmocr",
    "gpt2",
    "gptj",
    "gptneox",
    "granite",
    "granitehybrid",
    "granitemoe",
    "grok",
    "grovemoe",
    "hunyuan-dense",
    "hunyuan-moe",
    "hunyuan_vl",
    "hy_v3",
    "internlm2",
    "jais",
    "jais2",
    "jamba",
    "lfm2moe",
    "llama",
    "maincoder",
    "mamba",
    "mamba2",
    "minicpm",
    "minimax-m2",
    "mistral3",
    "mistral4",
    "mpt",
    "nemotron",
    "nemotron_h",
    "nemotron_h_moe",
    // Ollama's name; its text part is loaded as one of the two above.
    "nemotron_h_omni",
    "olmo",
    "olmoe",
    "openelm",
    "orion",
    "paddleocr",
    "pangu-embedded",
    "phi2",
    // The engine ignores Phi's window.
    "phi3",
    "phimoe",
    "plamo",
    "plamo2",
    "qwen",
    "qwen2",
    // Ollama's name; loaded as qwen2vl.
    "qwen25vl",
    "qwen2moe",
    "qwen2vl",
    "qwen3",
    "qwen35",
    "qwen35moe",
    "qwen3moe",
    "qwen3next",
    "qwen3vl",
    "qwen3vlmoe",
    "refact",
    "seed_oss",
    "smollm3",
    "stablelm",
    "starcoder",
    "starcoder2",
    "talkie",
    "xverse",
];

/// Architectures that do not write text token by token: embeddings, encoders, speech, diffusion, and models that only draft
/// for another.
const NO_TEXT: &[&str] = &[
    "bert",
    "clip",
    "dflash",
    "dream",
    "eagle3",
    "eurobert",
    "gemma-embedding",
    "gemma4-assistant",
    "jina-bert-v2",
    "jina-bert-v3",
    "llada",
    "llada-moe",
    "llama-embed",
    "modern-bert",
    "neo-bert",
    "nomic-bert",
    "nomic-bert-moe",
    "pockettts",
    "qwen3tts",
    "rnd1",
    "t5",
    "t5encoder",
    "wavtokenizer-dec",
];

impl AttentionPattern {
    /// Whether models of an architecture do not write text token by token, so that the engine cannot chat with them.
    pub fn writes_no_text(family: &str) -> bool {
        NO_TEXT.contains(&family)
    }

    /// Pattern of an architecture, by the engine's name for it.
    pub fn of(family: &str) -> Self {
        let listed = WITH_WINDOWS.iter().find(|(name, _)| *name == family).map(|(_, pattern)| *pattern);
        listed.unwrap_or(if FULL.contains(&family) { Self::Full } else { Self::Unknown })
    }

    /// The first block without keys and values of its own, if the engine hard-codes it.
    pub fn first_shared_block(family: &str) -> Option<usize> {
        (family == "gemma3n").then_some(20)
    }
}

impl Windows {
    /// Whether block `index` has full attention. `period` is the file's value, if it has one.
    pub fn has_full_attention(self, index: usize, period: Option<u64>) -> bool {
        let period = period.unwrap_or(u64::from(self.period));
        let Ok(period) = usize::try_from(period) else { return false };
        if period == 0 {
            return false;
        }
        index % period == if self.full_first { 0 } else { period - 1 }
    }

    /// Size of the window in tokens, for a model with `blocks` blocks; `None` without windows. `of_file` is the file's
    /// value.
    pub fn tokens(self, of_file: Option<u64>, blocks: usize) -> Option<u64> {
        if self.only_with_blocks.is_some_and(|only| only != blocks) {
            return None;
        }
        match self.tokens {
            Tokens::OfFile => of_file.filter(|tokens| *tokens > 0),
            Tokens::Default(tokens) => of_file.or(Some(u64::from(tokens))).filter(|tokens| *tokens > 0),
            Tokens::Fixed(tokens) => of_file.filter(|found| *found > 0).map(|_| u64::from(tokens)),
            Tokens::Always(tokens) => (of_file != Some(0)).then_some(u64::from(tokens)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::panic, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn no_architecture_is_listed_twice() {
        for (index, (name, _)) in WITH_WINDOWS.iter().enumerate() {
            assert!(!FULL.contains(name), "{name}");
            assert!(WITH_WINDOWS[..index].iter().all(|(other, _)| other != name), "{name}");
        }
        for (index, name) in FULL.iter().enumerate() {
            assert!(!FULL[..index].contains(name), "{name}");
        }
    }

    /// Architectures of the pinned engine (llama.cpp b10488) that are reported as not known: their caches cannot be computed.
    const NOT_KNOWN: &[&str] = &[
        "arwkv7",
        "bailingmoe3",
        "deepseek32",
        "deepseek4",
        "falcon-h1",
        "glm-dsa",
        "graniteswitch",
        "kimi-k3",
        "kimi-linear",
        "minicpm3",
        "minimax-01",
        "minimax-m3",
        "nanbeige",
        "plm",
        "rwkv6",
        "rwkv6qwen2",
        "rwkv7",
    ];

    #[test]
    fn every_architecture_of_the_engine_is_listed_or_named_as_not_known() {
        let engine = include_str!("../../tests/data/engine_architectures.txt");
        let names: Vec<&str> =
            engine.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        assert!(names.len() > 140, "{}", names.len());
        for name in &names {
            let is_unknown = AttentionPattern::of(name) == AttentionPattern::Unknown;
            assert_eq!(is_unknown, NOT_KNOWN.contains(name) || NO_TEXT.contains(name), "{name}");
        }
        for name in NOT_KNOWN.iter().chain(NO_TEXT) {
            assert!(names.contains(name), "{name} is no architecture of the engine");
        }
    }

    #[test]
    fn the_full_attention_block_is_the_first_or_last_of_a_period() {
        let full = |family: &str, blocks: usize| -> Vec<usize> {
            let AttentionPattern::Windows(windows) = AttentionPattern::of(family) else { return Vec::new() };
            (0..blocks).filter(|index| windows.has_full_attention(*index, None)).collect()
        };
        assert_eq!(full("laguna", 9), [0, 4, 8]);
        assert_eq!(full("cohere2moe", 9), [0, 4, 8]);
        assert_eq!(full("muse-glimmer", 9), [3, 7]);
        assert_eq!(full("llama4", 9), [3, 7]);
        assert_eq!(full("gemma3", 13), [5, 11]);
        assert!(full("lfm2", 9).is_empty());
        assert_eq!(AttentionPattern::of("laguna2"), AttentionPattern::Unknown);
        assert_eq!(AttentionPattern::of("qwen2"), AttentionPattern::Full);
    }

    /// What the engine builds for a file that states the size of its window but not which blocks have one, by
    /// `src/models/*.cpp` of llama.cpp b10488: `swa_period`, `dense_first` and the default of `n_swa`.
    #[test]
    fn without_a_list_in_the_file_every_pattern_is_the_engines() {
        let every = |first: usize, period: usize| (first..64).step_by(period).collect::<Vec<_>>();
        let expected: &[(&str, u64, Vec<usize>)] = &[
            ("afmoe", 512, every(3, 4)),
            ("cohere2", 512, every(3, 4)),
            ("cohere2moe", 512, every(0, 4)),
            ("exaone-moe", 512, every(3, 4)),
            ("exaone4", 512, every(3, 4)),
            ("gemma2", 512, every(1, 2)),
            ("gemma3", 512, every(5, 6)),
            ("gemma3n", 512, every(4, 5)),
            ("gpt-oss", 512, every(1, 2)),
            ("gptoss", 512, every(1, 2)),
            ("laguna", 512, every(0, 4)),
            ("lfm2", 512, Vec::new()),
            ("llama4", 8192, every(3, 4)),
            ("mellum", 512, every(3, 4)),
            ("muse-glimmer", 512, every(3, 4)),
            ("olmo2", 512, every(3, 4)),
            ("olmo3", 512, every(3, 4)),
            ("plamo3", 512, every(7, 8)),
            ("smallthinker", 4096, every(0, 4)),
        ];
        let with_pattern: Vec<&str> = WITH_WINDOWS
            .iter()
            .filter(|(_, pattern)| matches!(pattern, AttentionPattern::Windows(_)))
            .map(|(name, _)| *name)
            .collect();
        assert_eq!(with_pattern, expected.iter().map(|(name, ..)| *name).collect::<Vec<_>>());
        for (family, tokens, full) in expected {
            let AttentionPattern::Windows(windows) = AttentionPattern::of(family) else { panic!("{family}") };
            assert_eq!(windows.tokens(Some(512), 64), Some(*tokens), "{family}");
            let found: Vec<usize> =
                (0..64).filter(|index| windows.has_full_attention(*index, None)).collect();
            assert_eq!(found, *full, "{family}");
        }
    }

    #[test]
    fn the_window_size_is_the_files_or_the_engines() {
        let tokens = |family: &str, of_file: Option<u64>, blocks: usize| match AttentionPattern::of(family) {
            AttentionPattern::Windows(windows) => windows.tokens(of_file, blocks),
            _ => None,
        };
        assert_eq!(tokens("laguna", Some(512), 40), Some(512));
        assert_eq!(tokens("laguna", None, 70), None);
        assert_eq!(tokens("gemma2", None, 26), Some(4096));
        assert_eq!(tokens("smallthinker", Some(512), 32), Some(4096));
        assert_eq!(tokens("smallthinker", None, 32), None);
        assert_eq!((tokens("llama4", None, 48), tokens("llama4", Some(0), 48)), (Some(8192), None));
        assert_eq!((tokens("exaone4", None, 64), tokens("exaone4", Some(4096), 30)), (Some(4096), None));
    }
}
