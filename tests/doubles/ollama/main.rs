//! A stand-in for Ollama 0.32.15, modelled on recordings of the real one (see `tests/fixtures/ollama`).
//!
//! `ollama serve` reads the same environment, stores models in the same places, answers with the same shapes, logs the
//! same lines and starts a `llama-server` child for each load. One program plays both roles: named `llama-server` it is
//! the child. The simulated machine is configured in `double.json` next to it (see [`config::Config`]).
//!
//! Simpler than the real one: one model is loaded at a time, a layer is pulled in one part, answers are words from a
//! list.

#[path = "../body.rs"]
mod body;

mod api;
mod breaks;
mod config;
mod create;
mod engine;
mod generate;
mod gguf;
mod go;
mod http;
mod layout;
mod log;
mod names;
mod pull;
mod runner;
mod server;
mod store;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args();
    let own_name = arguments.next().unwrap_or_default();
    let arguments: Vec<String> = arguments.collect();
    let plays_runner = std::path::Path::new(&own_name)
        .file_stem()
        .is_some_and(|name| name.to_string_lossy().starts_with("llama-server"));
    if plays_runner {
        return match runner::main(&arguments) {
            Ok(()) => ExitCode::SUCCESS,
            Err(message) => {
                if !message.is_empty() {
                    log::raw(&message);
                }
                ExitCode::FAILURE
            }
        };
    }
    match arguments.first().map(String::as_str) {
        Some("serve") => server::main(),
        Some("-v" | "--version") => version(),
        _ => {
            log::raw("Error: this stand-in only knows: ollama serve, ollama --version");
            ExitCode::FAILURE
        }
    }
}

fn version() -> ExitCode {
    match config::own_program().and_then(|own| config::Config::beside(&own)) {
        Ok(config) => {
            // The real one warns as well when no server answers; nobody reads that.
            let mut out = std::io::stdout();
            let _ = std::io::Write::write_all(
                &mut out,
                format!("ollama version is {}\n", config.version).as_bytes(),
            );
            ExitCode::SUCCESS
        }
        Err(message) => {
            log::raw(&format!("Error: {message}"));
            ExitCode::FAILURE
        }
    }
}
