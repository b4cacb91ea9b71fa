//! `acolyte estimate`.

use clap::Args;

use super::source::NetworkArgs;
use crate::figures::{TypedNumberError, typed_decimal};
use crate::models::KvCacheType;
use crate::sentences::ValueProblem;

/// `acolyte estimate`.
#[derive(Args, Clone, Debug)]
pub struct EstimateArgs {
    /// Tag of the catalogue, path of a .gguf file, or host:port/namespace/name:tag
    #[arg(long, value_name = "TAG")]
    pub model: String,
    /// Type of the KV cache: f16 (the engine's default), q8_0 or q4_0
    #[arg(long, value_name = "TYPE", default_value = "f16", value_parser = kv_cache_type)]
    pub kv: KvCacheType,
    /// Context length in tokens
    #[arg(long, value_name = "N", default_value_t = crate::MIN_CONTEXT_TOKENS,
          value_parser = clap::value_parser!(u32).range(1..=16_777_216))]
    pub context: u32,
    /// Name of a graphics card, for example "RTX 4060"; without it (and without --vram-gib), CPU only
    #[arg(long, value_name = "NAME")]
    pub gpu: Option<String>,
    /// Memory of the card in GiB, all of it taken as free
    #[arg(long, value_name = "X", value_parser = positive, allow_negative_numbers = true)]
    pub vram_gib: Option<f64>,
    /// Memory bandwidth of the card in decimal GB/s
    #[arg(long, value_name = "Y", value_parser = positive, allow_negative_numbers = true)]
    pub gpu_bandwidth_gb_s: Option<f64>,
    /// Main memory in GiB
    #[arg(long, value_name = "N", value_parser = positive, allow_negative_numbers = true)]
    pub ram_gib: Option<f64>,
    /// Bandwidth of main memory in decimal GB/s
    #[arg(long, value_name = "N", value_parser = positive, allow_negative_numbers = true)]
    pub ram_bandwidth_gb_s: Option<f64>,
    /// Layers on the GPU, as the engine counts them (default: as many as fit)
    #[arg(long, value_name = "N")]
    pub gpu_layers: Option<u32>,
    /// Mixtures of experts: keep the experts of the first N blocks in main memory, or of all blocks, and everything else
    /// on the card
    #[arg(long, value_name = "N|all", value_parser = expert_blocks)]
    pub n_cpu_moe: Option<ExpertBlocks>,
    /// Tokens of a prompt processed at once
    #[arg(long, value_name = "N", default_value_t = crate::plan::NUM_BATCH,
          value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub num_batch: u32,
    /// Read the file that the model's registry serves now, instead of using the catalogue's figures
    #[arg(long)]
    pub from_registry: bool,
    /// Proxy and certificates.
    #[command(flatten)]
    pub network: NetworkArgs,
    /// Use plain HTTP for the registry in --model
    #[arg(long)]
    pub insecure_registry: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Blocks whose experts stay in main memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpertBlocks {
    /// Those of all blocks.
    All,
    /// Those of the first so many blocks.
    First(u32),
}

fn kv_cache_type(name: &str) -> Result<KvCacheType, ValueProblem> {
    name.parse().map_err(|_| ValueProblem::KvCacheType)
}

fn expert_blocks(typed: &str) -> Result<ExpertBlocks, ValueProblem> {
    match typed {
        "all" => Ok(ExpertBlocks::All),
        number => number.parse().map(ExpertBlocks::First).map_err(|_| ValueProblem::ExpertBlocks),
    }
}

fn positive(number: &str) -> Result<f64, ValueProblem> {
    /// Upper limit of plausible values, in GiB or GB/s.
    const MOST: f64 = 100_000.0;
    match typed_decimal(number) {
        Ok(n) if n.is_finite() && n > 0.0 && n <= MOST => Ok(n),
        Err(TypedNumberError::SeveralMarks) => Err(ValueProblem::SeveralMarks),
        _ => Err(ValueProblem::Number { most: MOST }),
    }
}
