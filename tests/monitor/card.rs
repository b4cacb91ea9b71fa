//! A card whose memory a test changes.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use acolyte::hardware::DetectOptions;
use acolyte::hardware::engines::Places;

use crate::common;

/// The stand-in for NVIDIA's library, told by a file.
pub struct Card {
    folder: tempfile::TempDir,
}

impl Card {
    /// With this state: free MiB, then a process with its MiB.
    pub fn new(state: &str) -> Self {
        let card = Self { folder: tempfile::tempdir().unwrap() };
        card.is(state);
        card
    }

    /// The file.
    pub fn state(&self) -> PathBuf {
        self.folder.path().join("card.state")
    }

    /// Changes the state, at once.
    pub fn is(&self, state: &str) {
        let new = self.folder.path().join("card.new");
        std::fs::write(&new, state).unwrap();
        std::fs::rename(new, self.state()).unwrap();
    }

    /// How often the library was initialised.
    pub fn starts(&self) -> usize {
        std::fs::read(self.folder.path().join("card.starts")).map_or(0, |starts| starts.len())
    }

    /// Variables for the programs under test.
    pub fn variables(&self) -> [(&'static str, PathBuf); 3] {
        [
            ("ACOLYTE_NVML_PATH", common::stand_in_nvml()),
            ("STAND_IN_NVML", "laptop".into()),
            ("STAND_IN_NVML_STATE", self.state()),
        ]
    }

    /// Adds it to a command's environment.
    pub fn beside(&self, mut command: Command) -> Command {
        command.envs(self.variables());
        command
    }

    /// Options of detection that see it.
    pub fn options(&self, home: &Path) -> DetectOptions {
        let variables = self.variables().map(|(name, value)| (OsString::from(name), value.into_os_string()));
        DetectOptions {
            probe_program: Some(env!("CARGO_BIN_EXE_acolyte").into()),
            engines: Places::default(),
            driver_limit: Duration::from_secs(10),
            probe_environment: variables.to_vec(),
            ..DetectOptions::new(home.to_owned())
        }
    }
}
