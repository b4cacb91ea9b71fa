//! What only the environment of `llama-server` can say. The server is private, and hands its environment to each runner
//! it starts.

use std::collections::BTreeMap;
use std::ffi::OsString;

use serde::{Deserialize, Serialize};

/// Settings of the runner that no parameter of a model carries. The defaults are the engine's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunnerSettings {
    /// Blocks whose routed experts stay in main memory.
    pub experts_in_ram: ExpertsInRam,
    /// Most main memory for the cache of earlier prompts, in MiB; 0 switches it off. `None` leaves the engine's own
    /// limit of 8,192 MiB.
    pub prompt_cache_mib: Option<u32>,
    /// Most checkpoints of a prompt, which the engine makes of windows and recurrent states. `None` leaves its own limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_checkpoints: Option<u32>,
    /// Whether weights in main memory may be page-locked, which makes copies to the card faster. Some drivers fail to
    /// lock as much as a mixture's experts take.
    pub pinned_memory: bool,
    /// Whether the engine looks for cards through Vulkan only, because it finds none through CUDA or ROCm.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub vulkan_only: bool,
    /// Whether no card is meant to be used through Vulkan. Then a variable that hides a card from CUDA or ROCm hides it from
    /// Vulkan too, which would show it to the engine again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub without_vulkan: bool,
}

/// Blocks whose routed experts stay in main memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpertsInRam {
    /// None: the variable is absent.
    #[default]
    None,
    /// The first ones, as many as this.
    First(u32),
    /// All of them, also of heads for multi-token prediction, which are blocks beyond the counted ones.
    All,
}

impl ExpertsInRam {
    /// Of this many blocks in all.
    pub fn of(n_cpu_moe: u32, blocks: u32) -> Self {
        match n_cpu_moe {
            0 => Self::None,
            n if n >= blocks => Self::All,
            n => Self::First(n),
        }
    }
}

impl Default for RunnerSettings {
    fn default() -> Self {
        Self {
            experts_in_ram: ExpertsInRam::None,
            prompt_cache_mib: None,
            context_checkpoints: None,
            pinned_memory: true,
            vulkan_only: false,
            without_vulkan: false,
        }
    }
}

const N_CPU_MOE: &str = "LLAMA_ARG_N_CPU_MOE";
const CPU_MOE: &str = "LLAMA_ARG_CPU_MOE";
const CACHE_RAM: &str = "LLAMA_ARG_CACHE_RAM";
const CHECKPOINTS: &str = "LLAMA_ARG_CTX_CHECKPOINTS";
const NO_PINNED: &str = "GGML_CUDA_NO_PINNED";
/// Which of the engine's libraries for cards it uses, by the name of the library's folder.
const LIBRARY: &str = "OLLAMA_LLM_LIBRARY";

impl RunnerSettings {
    /// Every variable these settings may become. One that is not set is absent from the server's environment.
    pub const VARIABLES: [&str; 6] = [N_CPU_MOE, CPU_MOE, CACHE_RAM, CHECKPOINTS, NO_PINNED, LIBRARY];

    /// The variables that are set.
    pub fn variables(self) -> BTreeMap<&'static str, OsString> {
        let mut set = BTreeMap::new();
        match self.experts_in_ram {
            ExpertsInRam::None => {}
            ExpertsInRam::First(blocks) => _ = set.insert(N_CPU_MOE, blocks.to_string().into()),
            ExpertsInRam::All => _ = set.insert(CPU_MOE, "1".into()),
        }
        if let Some(mib) = self.prompt_cache_mib {
            set.insert(CACHE_RAM, mib.to_string().into());
        }
        if let Some(count) = self.context_checkpoints {
            set.insert(CHECKPOINTS, count.to_string().into());
        }
        if !self.pinned_memory {
            set.insert(NO_PINNED, "1".into());
        }
        if self.vulkan_only {
            set.insert(LIBRARY, "vulkan".into());
        }
        set
    }
}
