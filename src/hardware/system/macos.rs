//! macOS.

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use super::mount_point::disk_kind;
use crate::hardware::evidence::{Evidence, GpuClient};
use crate::hardware::power;
use crate::machine::{EngineKind, FoundEngine};
use crate::platform::program;

/// For example `14.5`.
pub fn os_version() -> Option<String> {
    sysinfo::System::os_version().ok()
}

/// Reads the power supply; everything else comes from Metal and sysctl.
pub fn system_evidence(evidence: &mut Evidence) {
    evidence.power = power::of_pmset(&pmset(&["-g", "batt"]), &pmset(&["-g"]));
}

fn pmset(args: &[&str]) -> String {
    let mut command = program::command("/usr/bin/pmset");
    command.args(args);
    program::run(command, Duration::from_secs(2)).map(|output| output.stdout).unwrap_or_default()
}

/// The app installed by Ollama's own installer, and programs installed by Homebrew and users.
pub fn engine_programs(user_home: Option<&Path>) -> Vec<FoundEngine> {
    let mut apps = vec![PathBuf::from("/Applications/Ollama.app")];
    let mut programs =
        vec![PathBuf::from("/usr/local/bin/ollama"), PathBuf::from("/opt/homebrew/bin/ollama")];
    let mut services = vec![PathBuf::from("/Library/LaunchDaemons/com.ollama.ollama.plist")];
    if let Some(home) = user_home {
        apps.push(home.join("Applications/Ollama.app"));
        programs.push(home.join(".local/bin/ollama"));
        services.push(home.join("Library/LaunchAgents/homebrew.mxcl.ollama.plist"));
    }
    let app = |path: PathBuf| FoundEngine {
        kind: EngineKind::App,
        version: bundle_version(&path.join("Contents/Info.plist")).map(Into::into),
        path: Some(path),
        ..FoundEngine::default()
    };
    let of_kind = |kind: EngineKind| {
        move |path: PathBuf| FoundEngine { kind, path: Some(path), ..FoundEngine::default() }
    };
    let apps = apps.into_iter().filter(|path| path.is_dir()).map(app);
    let programs = programs.into_iter().filter(|path| path.is_file()).map(of_kind(EngineKind::Binary));
    let services = services.into_iter().filter(|path| path.is_file()).map(of_kind(EngineKind::Service));
    apps.chain(programs).chain(services).collect()
}

/// `CFBundleShortVersionString` of a property list, in XML or binary.
fn bundle_version(path: &Path) -> Option<String> {
    let plist = plist::Value::from_file(path).ok()?;
    Some(plist.as_dictionary()?.get("CFBundleShortVersionString")?.as_string()?.to_owned())
}

/// None: Ollama runs as the user here.
pub fn system_model_folders() -> Vec<PathBuf> {
    Vec::new()
}

/// Running an `ollama` program may start the desktop app.
pub const CAN_RUN_PROGRAMS: bool = false;

/// None: macOS does not report which programs use graphics memory.
pub fn gpu_clients() -> Vec<GpuClient> {
    Vec::new()
}
