//! What can be typed: commands, options and what they mean.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::install::fetch::parse_rate;
use crate::models::KvCacheType;
use crate::ollama::http::{HttpError, HttpOptions};
use crate::text::Language;

/// Sets up a local coding model for ACOLYTE and tells the truth about this computer first
#[derive(Debug, Parser)]
#[command(name = "acolyte", version, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

const AFTER_HELP: &str = "Exit codes: 0 done (check-requirements: compatible), 1 failed or could not find out, 2 wrong usage,\n\
     10 degraded, consent needed, 20 refused (check-requirements, install), 130 stopped by Ctrl-C.";

/// Options of every command.
#[derive(Args, Clone, Debug)]
pub struct GlobalArgs {
    /// Language of what is said: en or es (default: the system's)
    #[arg(long, global = true, help_heading = "Options of every command", value_name = "LANGUAGE", value_parser = language)]
    pub lang: Option<Language>,
    /// Folder of ACOLYTE (default: ACOLYTE_HOME, else ~/.acolyte)
    #[arg(long, global = true, help_heading = "Options of every command", value_name = "DIR")]
    pub home: Option<PathBuf>,
    /// Say only what was asked for and what went wrong
    #[arg(long, short, global = true, help_heading = "Options of every command", conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say on standard error what is being done
    #[arg(long, short, global = true, help_heading = "Options of every command")]
    pub verbose: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what this computer has
    Detect(DetectArgs),
    /// Write a report about this computer for somebody who is to help, without names, addresses and keys
    Doctor(DoctorArgs),
    /// Put every profile against this computer: what runs, how well, and why not
    #[command(visible_alias = "check")]
    CheckRequirements(CheckArgs),
    /// What a model would need and how fast it would be on any card
    Estimate(EstimateArgs),
    /// Install the engine and the model, load it and measure it
    Install(InstallArgs),
    /// Show what is installed and whether it runs
    Status(StatusArgs),
    /// Start the private server of what is installed
    Start,
    /// Stop the private server; it starts again at the next login or with start
    Stop,
    /// Take back an installation that was cut short; what was in force before is in force again
    Undo(UndoArgs),
    /// Watch graphics memory and say when it is nearly full
    Monitor(MonitorArgs),
    /// Remove everything that was installed
    Uninstall(UninstallArgs),
    /// Go through the steps of the window as questions in the terminal
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
}

/// What is planned against what: a saved machine, other profiles.
#[derive(Args, Clone, Debug, Default)]
pub struct PlanArgs {
    /// Use this hardware document (as detect --json prints it) instead of asking this computer
    #[arg(long, value_name = "FILE")]
    pub hardware: Option<PathBuf>,
    /// Use these profiles and this policy instead of the built-in ones
    #[arg(long, value_name = "FILE")]
    pub profiles: Option<PathBuf>,
}

/// Where the engine and the model come from.
#[derive(Args, Clone, Debug, Default)]
pub struct SourceArgs {
    /// Which Ollama: auto takes one that is on this computer and recent enough, else pinned; pinned is the release this
    /// program was made with; newest asks which one that is, and is less certain
    #[arg(long, value_name = "WHICH", default_value = "auto", conflicts_with = "release")]
    pub ollama: WhichOllama,
    /// List of the release to install, in place of the built-in one
    #[arg(long, value_name = "FILE")]
    pub release: Option<PathBuf>,
    /// Base address under which the release's files lie; may be given several times, the best first
    #[arg(long, value_name = "URL")]
    pub mirror: Vec<String>,
    /// Archive of the engine that is on this computer already, instead of a download; its hash must be the release's.
    /// May be given several times, for a release of several archives
    #[arg(long, value_name = "FILE")]
    pub archive: Vec<PathBuf>,
    /// How to reach the outside world.
    #[command(flatten)]
    pub network: NetworkArgs,
    /// No faster than this, in bytes a second; k, M and G mean 2^10, 2^20 and 2^30: 5M
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub limit_rate: Option<u64>,
    /// Model of your own: a tag of the catalogue, or host:port/namespace/name:tag
    #[arg(long, value_name = "REF")]
    pub model: Option<String>,
    /// Talk plain http to the registry that --model names
    #[arg(long)]
    pub insecure_registry: bool,
}

/// Which Ollama is installed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum WhichOllama {
    /// One that is here and recent enough, else the pinned one.
    #[default]
    Auto,
    /// The release this program was made with.
    Pinned,
    /// The newest release.
    Newest,
}

/// How to reach the outside world.
#[derive(Args, Clone, Default)]
pub struct NetworkArgs {
    /// Proxy for everything but this computer: http://[USER:PASSWORD@]HOST:PORT (default: the system's)
    // Not parsed by clap, whose message would repeat the password.
    #[arg(long, value_name = "URL")]
    pub proxy: Option<String>,
    /// Certificate authorities to trust besides the system's, in PEM format (a company's own)
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
}

impl NetworkArgs {
    /// For the HTTP clients.
    ///
    /// # Errors
    /// When the proxy's address is none.
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
    /// Judge only this profile
    #[arg(long, value_name = "ID")]
    pub profile: Option<String>,
    /// Show what was once expected of six computers beside what is computed for them, instead of judging this one
    #[arg(long, conflicts_with = "profile")]
    pub reference: bool,
    /// What is planned against what.
    #[command(flatten)]
    pub plan: PlanArgs,
}

/// `acolyte estimate`.
#[derive(Args, Clone, Debug)]
pub struct EstimateArgs {
    /// Tag of the catalogue, path of a .gguf file, or registry reference
    #[arg(long, value_name = "TAG")]
    pub model: String,
    /// Type of the KV cache: f16 (the engine's default), q8_0 or q4_0
    #[arg(long, value_name = "TYPE", default_value = "f16", value_parser = kv_cache_type)]
    pub kv: KvCacheType,
    /// Tokens of context
    #[arg(long, value_name = "N", default_value_t = crate::MIN_CONTEXT_TOKENS,
          value_parser = clap::value_parser!(u32).range(1..=16_777_216))]
    pub context: u32,
    /// Name of a graphics card, for example "RTX 4060"; without one (and without --vram-gib) the processor computes
    #[arg(long, value_name = "NAME")]
    pub gpu: Option<String>,
    /// Memory of the card in GiB, all of it free for the model
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
    /// Layers on the card, as the engine counts them (default: as many as fit)
    #[arg(long, value_name = "N")]
    pub gpu_layers: Option<u32>,
    /// How to reach a registry.
    #[command(flatten)]
    pub network: NetworkArgs,
    /// Talk plain http to the registry that --model names
    #[arg(long)]
    pub insecure_registry: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `acolyte install`.
#[derive(Args, Clone, Debug, Default)]
pub struct InstallArgs {
    /// Profile to install (default: the recommended one)
    #[arg(long, value_name = "ID")]
    pub profile: Option<String>,
    /// Where from.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Accept what check-requirements calls degraded
    #[arg(long)]
    pub accept_degraded: bool,
    /// Run on the processor where no card can be used; says what it costs first
    #[arg(long)]
    pub emergency_cpu: bool,
    /// Ask nothing
    #[arg(long, short)]
    pub yes: bool,
    /// Port of the private server (default: the first free one from 42434 to 42453)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1024..))]
    pub port: Option<u16>,
    /// Folder of the models (default: models in the home folder)
    #[arg(long, value_name = "DIR")]
    pub models_dir: Option<PathBuf>,
    /// Do not start the server at login
    #[arg(long)]
    pub no_autostart: bool,
    /// Go on with an installation that was cut short, as it was asked for
    #[arg(long = "continue", conflicts_with_all = ["profile", "model", "emergency_cpu"])]
    pub go_on: bool,
    /// Take back an installation that was cut short, and install nothing
    #[arg(long, conflicts_with_all = ["go_on", "profile", "model", "emergency_cpu"])]
    pub undo: bool,
    /// Print one JSON event a line; the last one holds the receipt
    #[arg(long)]
    pub json: bool,
    /// What is planned against what.
    #[command(flatten)]
    pub plan: PlanArgs,
}

/// `acolyte undo`.
#[derive(Args, Clone, Debug)]
pub struct UndoArgs {
    /// Ask nothing
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
    /// Seconds between two looks
    #[arg(long, value_name = "S", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub interval: u64,
    /// Look once; exit code 10 when the memory is nearly full
    #[arg(long)]
    pub once: bool,
    /// Print one JSON object a line and look
    #[arg(long)]
    pub json: bool,
}

/// `acolyte uninstall`.
#[derive(Args, Clone, Debug)]
pub struct UninstallArgs {
    /// Ask nothing
    #[arg(long, short)]
    pub yes: bool,
    /// Leave the downloaded models
    #[arg(long)]
    pub keep_models: bool,
}

/// `acolyte wizard`, and the options of `acolyte-installer`.
#[derive(Args, Clone, Debug, Default)]
pub struct WizardArgs {
    /// Where from.
    #[command(flatten)]
    pub source: SourceArgs,
    /// What is planned against what.
    #[command(flatten)]
    pub plan: PlanArgs,
}

fn language(tag: &str) -> Result<Language, String> {
    Language::from_tag(tag).ok_or_else(|| "use en or es".to_owned())
}

fn rate(typed: &str) -> Result<u64, String> {
    parse_rate(typed).ok_or_else(|| "write it like 500k or 5M (bytes a second)".to_owned())
}

fn kv_cache_type(name: &str) -> Result<KvCacheType, String> {
    name.parse().map_err(|error: crate::models::UnknownKvCacheType| error.to_string())
}

fn positive(number: &str) -> Result<f64, String> {
    /// More than any machine has, in GiB or GB/s.
    const MOST: f64 = 100_000.0;
    number
        .parse()
        .ok()
        .filter(|n: &f64| n.is_finite() && *n > 0.0 && *n <= MOST)
        .ok_or_else(|| format!("use a number above 0 and up to {MOST}"))
}
