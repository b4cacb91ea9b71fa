//! `acolyte set`.

use clap::Args;

use crate::cli::args::PlanArgs;
use crate::install::{Amount, SettingChange, ValueOrPlan};
use crate::models::KvCacheType;
use crate::sentences::ValueProblem;

/// `acolyte set`.
#[derive(Args, Clone, Debug)]
pub struct SetArgs {
    /// Layers on the GPU: all (which may fail), as many as fit (auto), or so many
    #[arg(long, value_name = "N|all|auto", value_parser = amount, conflicts_with = "cpu_only")]
    pub gpu_layers: Option<Amount>,
    /// Mixtures of experts: keep the experts of the first N blocks in main memory, of all blocks, or of as many as do not
    /// fit the card (auto)
    #[arg(long, value_name = "N|all|auto", value_parser = amount, conflicts_with = "cpu_only")]
    pub n_cpu_moe: Option<Amount>,
    /// Type of the KV cache: f16, q8_0, q4_0, or the plan's (auto)
    #[arg(long, value_name = "TYPE|auto", value_parser = kv_or_plan)]
    pub kv: Option<ValueOrPlan<KvCacheType>>,
    /// Context length in tokens, 32768 at least, or the plan's (auto)
    #[arg(long, value_name = "N|auto", value_parser = context_or_plan)]
    pub context: Option<ValueOrPlan<u32>>,
    /// Tokens of a prompt processed at once, or the plan's (auto)
    #[arg(long, value_name = "N|auto", value_parser = batch_or_plan)]
    pub num_batch: Option<ValueOrPlan<u32>>,
    /// Emergency: everything on the CPU, without the graphics card. Back with --gpu-layers auto
    #[arg(long)]
    pub cpu_only: bool,
    /// Return every other setting to what the plan chose
    #[arg(long = "plan")]
    pub back_to_plan: bool,
    /// Consent to a degraded setting
    #[arg(long)]
    pub accept_degraded: bool,
    /// Do not ask for confirmation
    #[arg(long, short)]
    pub yes: bool,
    /// Show memory and speed before and after, and change nothing
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Print one JSON event per line; the last one holds the receipt. With --dry-run, print both plans
    #[arg(long)]
    pub json: bool,
    /// Inputs of the plan.
    #[command(flatten)]
    pub plan: PlanArgs,
}

impl SetArgs {
    /// What is to be changed.
    pub fn change(&self) -> SettingChange {
        SettingChange {
            gpu_layers: if self.cpu_only { Some(Amount::Count(0)) } else { self.gpu_layers },
            n_cpu_moe: self.n_cpu_moe,
            kv_cache_type: self.kv,
            context_tokens: self.context,
            num_batch: self.num_batch,
            back_to_plan: self.back_to_plan,
        }
    }
}

const AUTO: &str = "auto";

fn amount(typed: &str) -> Result<Amount, ValueProblem> {
    match typed {
        "all" => Ok(Amount::All),
        AUTO => Ok(Amount::Auto),
        number => number.parse().map(Amount::Count).map_err(|_| ValueProblem::Amount),
    }
}

fn kv_or_plan(typed: &str) -> Result<ValueOrPlan<KvCacheType>, ValueProblem> {
    if typed == AUTO {
        return Ok(ValueOrPlan::Plan);
    }
    typed.parse().map(ValueOrPlan::Value).map_err(|_| ValueProblem::KvCacheType)
}

fn context_or_plan(typed: &str) -> Result<ValueOrPlan<u32>, ValueProblem> {
    number_or_plan(typed, 16_777_216)
}

fn batch_or_plan(typed: &str) -> Result<ValueOrPlan<u32>, ValueProblem> {
    number_or_plan(typed, 65_536)
}

fn number_or_plan(typed: &str, most: u32) -> Result<ValueOrPlan<u32>, ValueProblem> {
    match typed {
        AUTO => Ok(ValueOrPlan::Plan),
        number => number
            .parse()
            .ok()
            .filter(|number| (1..=most).contains(number))
            .map(ValueOrPlan::Value)
            .ok_or(ValueProblem::NumberOrAuto { most }),
    }
}
