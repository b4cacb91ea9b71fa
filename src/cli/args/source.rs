//! Where engine and model come from, how they are fetched, and `acolyte install`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::plan::PlanArgs;
use crate::install::EngineChoice;
use crate::install::fetch::parse_rate;
use crate::ollama::http::{HttpError, HttpOptions};
use crate::sentences::ValueProblem;

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
    /// Keep this program on this computer, with a menu entry and on PATH (default at a terminal; never with --yes alone)
    #[arg(long, conflicts_with = "no_keep")]
    pub keep: bool,
    /// Do not keep this program on this computer; what an earlier installation kept stays
    #[arg(long)]
    pub no_keep: bool,
    /// Watch graphics memory from login on, and notify on the desktop when it is nearly full
    #[arg(long, conflicts_with = "no_autostart")]
    pub watch: bool,
    /// Do not search for the fastest setting after loading; "acolyte tune" does it later
    #[arg(long)]
    pub no_tune: bool,
    /// Look for newer versions once a day; "acolyte update --daily off" ends it
    #[arg(long)]
    pub daily_updates: bool,
    /// The engine of an update.
    #[arg(skip)]
    pub engine: Option<EngineChoice>,
    /// The model's file is updated.
    #[arg(skip)]
    pub refresh_model: bool,
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

fn rate(typed: &str) -> Result<u64, ValueProblem> {
    parse_rate(typed).ok_or(ValueProblem::Rate)
}
