//! The commands and options. Their comments are the English help; the Spanish is in `assets/locales/es/help.yaml`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::sentences::ValueProblem;
use crate::text::Language;

mod estimate;
mod generated;
mod keep;
mod models;
mod monitor;
mod plan;
mod set;
mod source;
mod update;

pub use estimate::{EstimateArgs, ExpertBlocks};
pub use generated::{CompletionShell, CompletionsArgs, ManArgs};
pub use keep::KeepArgs;
pub use models::ModelsArgs;
pub use monitor::{LogsArgs, MonitorArgs};
pub use plan::PlanArgs;
pub use set::SetArgs;
pub use source::{InstallArgs, NetworkArgs, OllamaChoice, SourceArgs};
pub use update::{Switch, UpdateArgs};

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
    Start(ServerArgs),
    /// Stop the private server and start it again
    Restart(ServerArgs),
    /// Stop the private server until the next login or start
    Stop(ServerArgs),
    /// Change single settings of what is installed: layers on the GPU, experts, KV cache, context, batch
    Set(SetArgs),
    /// Show the models on the drive, and remove one that nothing uses
    Models(ModelsArgs),
    /// Search for the fastest setting of what is installed by measuring, and use it
    Tune(TuneArgs),
    /// Measure what is installed again and compare it with the measurement after installing
    Bench(BenchArgs),
    /// Look for a newer program, engine and model, and install the newer engine and model
    Update(UpdateArgs),
    /// Undo an interrupted installation and restore the previous one
    Undo(UndoArgs),
    /// Watch graphics memory and the model, and warn when the memory is nearly full
    Monitor(MonitorArgs),
    /// Show the log of the private server, without names and keys
    Logs(LogsArgs),
    /// Remove everything that was installed
    Uninstall(UninstallArgs),
    /// Go through the steps of the window in the terminal
    Wizard(WizardArgs),
    /// Keep this program on this computer, with a menu entry and on PATH, or replace an older copy
    Keep(KeepArgs),
    /// Print the completions of a shell
    Completions(CompletionsArgs),
    /// Print the manual page, or write those of all commands
    Man(ManArgs),
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
    /// Print JSON; the report is JSON anyway
    #[arg(long)]
    pub json: bool,
    /// Write the report to this file instead of standard output; --hardware reads it
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write the file without showing the report and asking first
    #[arg(long, short, requires = "output")]
    pub yes: bool,
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

/// `acolyte start`, `restart` and `stop`.
#[derive(Args, Clone, Debug)]
pub struct ServerArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `acolyte undo`.
#[derive(Args, Clone, Debug)]
pub struct UndoArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
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

/// `acolyte uninstall`.
#[derive(Args, Clone, Debug, Default)]
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
    /// Succeed when nothing is installed
    #[arg(long)]
    pub if_installed: bool,
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
