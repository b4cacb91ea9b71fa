//! The kinds of tips, with figures.

use serde::Serialize;

use super::gain::TipGain;
use crate::figures::Range;
use crate::machine::Slowdown;
use crate::models::KvCacheType;
use crate::untrusted::UntrustedText;

/// One tip, with figures; `sentences` puts it into words.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Tip {
    /// Close programs that hold memory of the card.
    CloseGpuPrograms {
        /// The card.
        gpu: UntrustedText,
        /// The programs, the largest first; empty where the driver does not tell which they are.
        programs: Vec<ProgramMemory>,
        /// Graphics memory that becomes free, in bytes.
        frees_bytes: u64,
        /// The plan before and after.
        gain: TipGain,
    },
    /// Close programs that hold memory of the card: then a better model is recommended.
    CloseForBetterModel {
        /// The card.
        gpu: UntrustedText,
        /// The programs, the largest first.
        programs: Vec<ProgramMemory>,
        /// Graphics memory that becomes free, in bytes.
        frees_bytes: u64,
        /// The model that is recommended now; `None` where none runs.
        now: Option<RecommendedModel>,
        /// The model that is recommended then.
        then: RecommendedModel,
    },
    /// Unload the model of another Ollama server.
    UnloadModel {
        /// The model.
        model: UntrustedText,
        /// TCP port of the server.
        port: u16,
        /// Graphics memory that becomes free, in bytes.
        frees_bytes: u64,
        /// The plan before and after.
        gain: TipGain,
    },
    /// Close programs that use main memory.
    CloseRamPrograms {
        /// The programs, the largest first.
        programs: Vec<ProgramMemory>,
        /// Main memory that becomes free, in bytes.
        frees_bytes: u64,
        /// The plan before and after.
        gain: TipGain,
    },
    /// The computer runs on its battery.
    PlugIn,
    /// A power-saving mode is on.
    EndPowerSaving,
    /// The power limit of the card is low.
    RaisePowerLimit {
        /// The card.
        gpu: UntrustedText,
        /// The limit in watts.
        limit_w: f64,
        /// Its default or, of a laptop, the highest that can be set.
        usual_w: f64,
        /// Whether it is a laptop's.
        laptop: bool,
    },
    /// The card lowers its clocks.
    CardSlowed {
        /// The card.
        gpu: UntrustedText,
        /// Why.
        by: Slowdown,
        /// Its temperature in degrees Celsius.
        temperature_c: Option<u32>,
    },
    /// Connect the display to another adapter.
    MoveDisplay {
        /// The card that computes.
        gpu: UntrustedText,
        /// The other adapter.
        to: UntrustedText,
        /// The plan before and after.
        gain: TipGain,
    },
    /// A card is not used.
    IdleCard {
        /// The card.
        gpu: UntrustedText,
        /// Its memory in bytes, if known.
        vram_bytes: Option<u64>,
        /// Why.
        why: IdleReason,
    },
    /// Another type of KV cache.
    OtherKvCache {
        /// The type.
        kv_cache_type: KvCacheType,
        /// The plan before and after. With a more exact cache it may be slower.
        gain: TipGain,
    },
    /// Another size of batch.
    OtherBatch {
        /// Tokens processed at once.
        num_batch: u32,
        /// The plan before and after.
        gain: TipGain,
    },
    /// The models are on a hard disk.
    ModelsOnHardDisk {
        /// Folder of the models, or its nearest existing parent.
        path: UntrustedText,
        /// Seconds of the first load.
        load_s: Range,
        /// The same from a solid-state disk.
        on_ssd_s: Range,
        /// A solid-state disk that was found, with enough free space.
        ssd: Option<UntrustedText>,
    },
    /// Only one module of main memory is installed.
    AddRamModule {
        /// Measured rate in decimal GB/s.
        gb_s: f64,
        /// Size of the module in bytes.
        module_bytes: u64,
        /// The plan before, and with two modules.
        gain: TipGain,
    },
    /// Main memory runs slower than its modules are made for.
    RamBelowRated {
        /// Millions of transfers per second.
        mt_s: u32,
        /// The same of the slowest module by its maker.
        rated_mt_s: u32,
        /// The plan before and after.
        gain: TipGain,
    },
    /// Main memory is slower than usual, and the modules do not tell why.
    SlowRam {
        /// Measured rate in decimal GB/s.
        gb_s: f64,
        /// What is usually measured with two channels.
        usual_gb_s: f64,
        /// The plan before and after.
        gain: TipGain,
    },
    /// The NVIDIA driver is too old for the engine's newer library.
    UpdateDriver {
        /// The card.
        gpu: UntrustedText,
        /// The driver's version.
        driver: UntrustedText,
        /// The first branch that is new enough.
        branch: u32,
    },
}

/// A program and the memory it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProgramMemory {
    /// Its name.
    pub name: UntrustedText,
    /// Bytes.
    pub bytes: u64,
}

/// A recommended model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RecommendedModel {
    /// Its title.
    pub title: UntrustedText,
    /// Its stars, 1 to 5.
    pub stars: u8,
    /// Its speed on this machine.
    pub decode_tokens_per_s: Range,
}

/// Why a card is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IdleReason {
    /// The model fits another card alone.
    FitsOne,
    /// The engine reaches it through another backend than the card that is used.
    OtherBackend,
}
