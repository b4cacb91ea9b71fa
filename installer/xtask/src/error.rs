//! Why a release cannot be made.

use std::io;
use std::path::PathBuf;

use crate::plan::System;

/// Why a release cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum DistError {
    /// A system's packages cannot be made here.
    #[error(
        "packages for {system} cannot be made on {host}{}",
        if *.system == System::MacOs {
            ": codesign, ditto and hdiutil are on macOS only. The bundle alone can be made here from programs that were built \
             for macOS: --system macos --binaries macos=DIR"
        } else {
            ""
        }
    )]
    WrongHost {
        /// The packages' system.
        system: System,
        /// The system of this computer.
        host: &'static str,
    },
    /// A tool is missing.
    #[error("{tool} is missing: {cure}")]
    NoTool {
        /// Its name.
        tool: &'static str,
        /// How to get it.
        cure: &'static str,
    },
    /// A tool could not be started.
    #[error("{program} could not be started: {source}")]
    Start {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// A tool failed; it printed why.
    #[error("{0} failed")]
    Failed(String),
    /// A file or folder could not be read or written.
    #[error("{}: {source}", .path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A program could not be read.
    #[error("{}: {why}", .path.display())]
    Program {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

/// Adds the path to an error of a file.
pub fn at(path: &std::path::Path) -> impl FnOnce(io::Error) -> DistError {
    let path = path.to_owned();
    move |source| DistError::File { path, source }
}
