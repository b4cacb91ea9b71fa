//! The commands and options. Their comments are the English help; the Spanish is in `assets/locales/es/help.yaml`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::figures::{TypedNumberError, typed_decimal};
use crate::install::fetch::parse_rate;
use crate::models::KvCacheType;
use crate::ollama::http::{HttpError, HttpOptions};
use crate::sentences::ValueProblem;
use crate::text::Language;

/// Set up a local coding model for ACOLYTE, after an honest look at this computer
#[derive(Debug, Parser)]
#[command(name = "acolyte", version, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Cli {
    /// Options shared by all commands.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// The command; help without one.
    #[command(subcommand)]
    pub command: Option<CliCommand>,
}

const AFTER_HELP: &str = "Exit codes: 0 success (check-requirements: compatible), 1 failure, 2 wrong usage,\n\
     10 degraded, consent needed, 20 refused (check-requirements, install), 130 interrupted by Ctrl-C.";

/// Options of every command.
#[derive(Args, Clone, Debug)]
pub struct GlobalArgs {
    /// Language of messages and help: en or es (default: the system's)
    #[arg(long, global = true, help_heading = "Options of every command", value_name = "LANGUAGE", value_parser = language)]
    pub lang: Option<Language>,
    /// Folder of ACOLYTE (default: ACOLYTE_HOME, else ~/.acolyte)
    #[arg(long, global = true, help_heading = "Options of every command", value_name = "DIR")]
    pub home: Option<PathBuf>,
    /// Print only results and errors
    #[arg(long, short, global = true, help_heading = "Options of every command", conflicts_with = "verbose")]
    pub quiet: bool,
    /// Log to standard error
    #[arg(long, short, global = true, help_heading = "Options of every command")]
    pub verbose: bool,
}

/// The subcommands of `acolyte`.
#[derive(Debug, Subcommand)]
pub enum CliCommand {
    /// Show the hardware of this computer
    Detect(DetectArgs),
    /// Write a report about this computer for support, without names, addresses and keys
    Doctor(DoctorArgs),
    /// Check every profile against this computer: what runs, how well, and why not
    #[command(visible_alias = "check")]
    CheckRequirements(CheckArgs),
    /// Show every profile with its quality and expected speed on this computer
    Profiles(ProfilesArgs),
    /// Estimate what a model needs and how fast it is on any graphics card
    Estimate(EstimateArgs),
    /// Install the engine and a model, load it and measure it
    Install(InstallArgs),
    /// Show what is installed and whether it runs
    Status(StatusArgs),
    /// Ask the model one question
    Ask(AskArgs),
    /// Talk with the model; an empty line or Ctrl-D ends
    Chat(ChatArgs),
    /// Start the private server
    Start,
    /// Stop the private server and start it again
    Restart,
    /// Stop the private server until the next login or start
    Stop,
    /// Search for the fastest setting of what is installed by measuring, and use it
    Tune(TuneArgs),
    /// Measure what is installed again and compare it with the measurement after installing
    Bench(BenchArgs),
    /// Undo an interrupted installation and restore the previous one
    Undo(UndoArgs),
    /// Watch graphics memory and warn when it is nearly full
    Monitor(MonitorArgs),
    /// Remove everything that was installed
    Uninstall(UninstallArgs),
    /// Go through the steps of the window in the terminal
    Wizard(WizardArgs),
}

/// `acolyte detect`.
#[derive(Args, Clone, Debug)]
pub struct DetectArgs {
    /// Print the hardware document, which --hardware reads
    #[arg(long)]
    pub json: bool,
}

/// `acolyte doctor`.
#[derive(Args, Clone, Debug)]
pub struct DoctorArgs {
    /// Write the report to this file instead of standard output; --hardware reads it
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write the file without showing the report and asking first
    #[arg(long, short, requires = "output")]
    pub yes: bool,
}

/// Inputs of the plan: a saved machine, other profiles.
#[derive(Args, Clone, Debug, Default)]
pub struct PlanArgs {
    /// Use this hardware document (from detect --json) instead of detecting this computer
    #[arg(long, value_name = "FILE")]
    pub hardware: Option<PathBuf>,
    /// Use these profiles and this policy instead of the built-in ones
    #[arg(long, value_name = "FILE")]
    pub profiles: Option<PathBuf>,
}

/// Where the engine and the model come from.
#[derive(Args, Clone, Debug, Default)]
pub struct SourceArgs {
    /// Which Ollama: auto reuses one on this computer that is recent enough, else pinned; pinned is the release this
    /// program was tested with; newest is the latest release, and less certain
    #[arg(long, value_name = "WHICH", default_value = "auto", conflicts_with = "release")]
    pub ollama: OllamaChoice,
    /// Release file to install from, instead of the built-in one
    #[arg(long, value_name = "FILE")]
    pub release: Option<PathBuf>,
    /// Base URL of a mirror of the release; repeatable, best first
    #[arg(long, value_name = "URL")]
    pub mirror: Vec<String>,
    /// Archive of the engine on this computer, instead of a download; its checksum must be the release's. Repeatable, for
    /// a release of several archives
    #[arg(long, value_name = "FILE")]
    pub archive: Vec<PathBuf>,
    /// Proxy and certificates.
    #[command(flatten)]
    pub network: NetworkArgs,
    /// Limit downloads to this many bytes per second; k, M and G mean 2^10, 2^20 and 2^30, as in 5M
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub limit_rate: Option<u64>,
    /// Your own model: a tag of the catalogue, or host:port/namespace/name:tag
    #[arg(long, value_name = "REF")]
    pub model: Option<String>,
    /// Your own model: a .gguf file on this computer, or any part of a split one (-00001-of-00003.gguf). It is copied
    #[arg(long, value_name = "FILE", conflicts_with = "model")]
    pub model_file: Option<PathBuf>,
    /// Use plain HTTP for the registry in --model
    #[arg(long)]
    pub insecure_registry: bool,
}

/// Which Ollama is installed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OllamaChoice {
    /// One on this computer that is recent enough, else the pinned one.
    #[default]
    Auto,
    /// The release this program was tested with.
    Pinned,
    /// The newest release.
    Newest,
}

/// Proxy and certificates.
#[derive(Args, Clone, Default)]
pub struct NetworkArgs {
    /// Proxy for all connections beyond this computer: http://[USER:PASSWORD@]HOST:PORT (default: the system's)
    // Not parsed by clap, whose message would repeat the password.
    #[arg(long, value_name = "URL")]
    pub proxy: Option<String>,
    /// File of certificate authorities to trust besides the system's: PEM or DER
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
}

impl NetworkArgs {
    /// Options of the HTTP clients.
    ///
    /// # Errors
    /// When the proxy's address is not a valid URL.
    pub fn http(&self) -> Result<HttpOptions, HttpError> {
        let proxy = self.proxy.as_deref().map(str::parse).transpose()?;
        Ok(HttpOptions { proxy, ca_file: self.ca.clone() })
    }
}

/// Without the proxy, which may hold a password.
impl std::fmt::Debug for NetworkArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NetworkArgs").field("ca", &self.ca).finish_non_exhaustive()
    }
}

/// `acolyte check-requirements`.
#[derive(Args, Clone, Debug)]
pub struct CheckArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Check only this profile
    #[arg(long, value_name = "ID")]
    pub profile: Option<String>,
    /// Do not ask whether to install the recommended choice
    #[arg(long)]
    pub no_input: bool,
    /// Compare the original expectations for six reference computers with the estimates, instead of checking this one
    #[arg(long, conflicts_with = "profile")]
    pub reference: bool,
    /// Inputs of the plan.
    #[command(flatten)]
    pub plan: PlanArgs,
}

/// `acolyte profiles`.
#[derive(Args, Clone, Debug)]
pub struct ProfilesArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Inputs of the plan.
    #[command(flatten)]
    pub plan: PlanArgs,
}

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

/// `acolyte install`.
#[derive(Args, Clone, Debug, Default)]
pub struct InstallArgs {
    /// Profile to install (default: the recommended one)
    #[arg(long, value_name = "ID")]
    pub profile: Option<String>,
    /// Where engine and model come from.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Consent to a degraded profile
    #[arg(long)]
    pub accept_degraded: bool,
    /// Use an unverified model of another Ollama on this computer if its registry cannot be reached
    #[arg(long)]
    pub accept_unverified_model: bool,
    /// Run on the CPU when no graphics card can be used; shows first what it costs
    #[arg(long)]
    pub emergency_cpu: bool,
    /// Do not ask for confirmation
    #[arg(long, short)]
    pub yes: bool,
    /// Port of the private server (default: the first free one from 42434 to 42453)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1024..))]
    pub port: Option<u16>,
    /// Folder of the models (default: models in ACOLYTE's folder)
    #[arg(long, value_name = "DIR")]
    pub models_dir: Option<PathBuf>,
    /// Do not start the server at login
    #[arg(long)]
    pub no_autostart: bool,
    /// Do not search for the fastest setting after loading; "acolyte tune" does it later
    #[arg(long)]
    pub no_tune: bool,
    /// Resume an interrupted installation with the choices made then
    #[arg(long = "continue", conflicts_with_all = ["profile", "model", "model_file", "emergency_cpu"])]
    pub resume: bool,
    /// Undo an interrupted installation and install nothing
    #[arg(long, conflicts_with_all = ["resume", "profile", "model", "model_file", "emergency_cpu"])]
    pub undo: bool,
    /// Print one JSON event per line; the last one holds the receipt
    #[arg(long)]
    pub json: bool,
    /// Inputs of the plan.
    #[command(flatten)]
    pub plan: PlanArgs,
}

/// `acolyte tune`.
#[derive(Args, Clone, Debug)]
pub struct TuneArgs {
    /// Print one JSON event per line; the last one holds the receipt
    #[arg(long)]
    pub json: bool,
    /// Inputs of the plan.
    #[command(flatten)]
    pub plan: PlanArgs,
}

/// `acolyte bench`.
#[derive(Args, Clone, Debug)]
pub struct BenchArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `acolyte ask`.
#[derive(Args, Clone, Debug)]
pub struct AskArgs {
    /// The question; without it, standard input is read
    #[arg(value_name = "QUESTION")]
    pub question: Option<String>,
    /// Send the text of this file after the question; - is standard input. Repeatable
    #[arg(long, short, value_name = "FILE")]
    pub file: Vec<PathBuf>,
    /// What an answer may be.
    #[command(flatten)]
    pub answer: AnswerArgs,
}

/// `acolyte chat`.
#[derive(Args, Clone, Debug)]
pub struct ChatArgs {
    /// What an answer may be.
    #[command(flatten)]
    pub answer: AnswerArgs,
}

/// What an answer may be.
#[derive(Args, Clone, Debug)]
pub struct AnswerArgs {
    /// Most tokens of an answer (default: until the model ends it)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_tokens: Option<u32>,
    /// Print each answer as JSON, one line each
    #[arg(long)]
    pub json: bool,
}

/// `acolyte undo`.
#[derive(Args, Clone, Debug)]
pub struct UndoArgs {
    /// Do not ask for confirmation
    #[arg(long, short)]
    pub yes: bool,
}

/// `acolyte status`.
#[derive(Args, Clone, Debug)]
pub struct StatusArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `acolyte monitor`.
#[derive(Args, Clone, Debug)]
pub struct MonitorArgs {
    /// Seconds between two checks
    #[arg(long, value_name = "S", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub interval: u64,
    /// Check once; exit code 10 when the memory is nearly full
    #[arg(long)]
    pub once: bool,
    /// Print one JSON object per check
    #[arg(long)]
    pub json: bool,
}

/// `acolyte uninstall`.
#[derive(Args, Clone, Debug)]
pub struct UninstallArgs {
    /// Do not ask for confirmation
    #[arg(long, short)]
    pub yes: bool,
    /// Keep the downloaded models
    #[arg(long)]
    pub keep_models: bool,
    /// Show what would be removed, and remove nothing
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Print what is removed and what is left as JSON
    #[arg(long)]
    pub json: bool,
}

/// `acolyte wizard`, and the options of `acolyte-installer`.
#[derive(Args, Clone, Debug, Default)]
pub struct WizardArgs {
    /// Where engine and model come from.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Inputs of the plan.
    #[command(flatten)]
    pub plan: PlanArgs,
}

fn language(tag: &str) -> Result<Language, ValueProblem> {
    Language::from_tag(tag).ok_or(ValueProblem::Language)
}

fn rate(typed: &str) -> Result<u64, ValueProblem> {
    parse_rate(typed).ok_or(ValueProblem::Rate)
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
