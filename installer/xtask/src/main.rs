//! Makes the files of a release: `cargo xtask dist`, and what is published with them. docs/packaging.md has the design;
//! `.ci/dist-tools` installs the tools.

mod commands;
mod compile;
mod error;
mod inspect;
mod linux;
mod macos;
mod plan;
mod publish;
mod release;
mod tool;
mod windows;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::error::DistError;
use crate::plan::System;
use crate::release::Release;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Tasks of this repository")]
struct Xtask {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build for release and make the packages that can be made on this system, in target/dist
    Dist(Dist),
    #[command(flatten)]
    Publish(commands::PublishTask),
}

#[derive(Args)]
struct Dist {
    /// Make only the packages of this system: linux, windows or macos; may be repeated (default: all that can be made here)
    #[arg(long, value_name = "SYSTEM")]
    system: Vec<System>,
    /// Package the programs in DIR, which were built for SYSTEM, instead of building them; may be repeated
    #[arg(long, value_name = "SYSTEM=DIR", value_parser = binaries)]
    binaries: Vec<(System, PathBuf)>,
    /// Certificate with which the app for macOS is signed ("Developer ID Application: …"); ad hoc without it
    #[arg(long, value_name = "NAME")]
    identity: Option<String>,
    /// Where the packages go
    #[arg(long, value_name = "DIR", default_value = "target/dist")]
    output: PathBuf,
    /// Only print which packages would be made, and what makes them
    #[arg(long)]
    plan: bool,
}

fn binaries(text: &str) -> Result<(System, PathBuf), String> {
    let (system, folder) = text.split_once('=').ok_or("SYSTEM=DIR")?;
    Ok((system.parse()?, PathBuf::from(folder)))
}

fn main() -> ExitCode {
    let done = match Xtask::parse().task {
        Task::Dist(args) => dist(&args).map_err(|error| error.to_string()),
        Task::Publish(task) => commands::publish(&task).map_err(|error| error.to_string()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn dist(args: &Dist) -> Result<(), DistError> {
    let host = System::host();
    let possible = |system: &System| host.is_some_and(|host| system.is_made_on(host));
    let systems: Vec<System> = if args.system.is_empty() {
        System::ALL.into_iter().filter(possible).collect()
    } else {
        args.system.clone()
    };
    let binaries_of =
        |system| args.binaries.iter().find(|(of, _)| *of == system).map(|(_, folder)| folder.as_path());
    let only_bundle =
        |system| system == System::MacOs && host != Some(System::MacOs) && binaries_of(system).is_some();
    if let Some(system) = systems.iter().find(|system| !possible(system) && !only_bundle(**system)) {
        return Err(DistError::WrongHost { system: *system, host: std::env::consts::OS });
    }
    let release = Release::of_this_checkout(&args.output)?;
    if args.plan {
        release.print_plan(&systems);
        return Ok(());
    }
    release.prepare()?;
    for system in systems {
        let binaries = match (system, binaries_of(system)) {
            (System::MacOs, binaries) => {
                macos::make(&release, binaries, args.identity.as_deref(), only_bundle(system))?;
                continue;
            }
            (_, Some(folder)) => std::path::absolute(folder).map_err(error::at(folder))?,
            (System::Linux, None) => compile::for_linux(&release)?,
            (System::Windows, None) => compile::for_windows(&release)?,
        };
        match system {
            System::Linux => linux::make(&release, &binaries)?,
            _ => windows::make(&release, &binaries)?,
        }
    }
    release.write_checksums()
}
