//! macOS. Its tests run on every system.
#![cfg_attr(not(target_os = "macos"), allow(dead_code, unused_imports, reason = "only tests use it here"))]

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
    engine_programs_on(Path::new("/"), user_home)
}

fn engine_programs_on(disk: &Path, user_home: Option<&Path>) -> Vec<FoundEngine> {
    let mut apps = vec![disk.join("Applications/Ollama.app")];
    let mut programs = vec![disk.join("usr/local/bin/ollama"), disk.join("opt/homebrew/bin/ollama")];
    let mut services = vec![disk.join("Library/LaunchDaemons/com.ollama.ollama.plist")];
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Property lists of apps are XML where they were written by hand, and binary where Xcode wrote them.
    #[test]
    fn the_version_of_an_app_is_read_in_both_forms() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("Info.plist");
        let mut entries = plist::Dictionary::new();
        entries.insert("CFBundleShortVersionString".to_owned(), "0.32.15".into());
        entries.insert("CFBundleVersion".to_owned(), "1".into());
        let value = plist::Value::Dictionary(entries);
        value.to_file_binary(&list).unwrap();
        assert!(std::fs::read(&list).unwrap().starts_with(b"bplist00"));
        assert_eq!(bundle_version(&list).as_deref(), Some("0.32.15"));
        value.to_file_xml(&list).unwrap();
        assert_eq!(bundle_version(&list).as_deref(), Some("0.32.15"));
        for broken in [&b"bplist00"[..], b"<plist><dict/></plist>", b""] {
            std::fs::write(&list, broken).unwrap();
            assert_eq!(bundle_version(&list), None);
        }
    }

    #[test]
    fn apps_programs_and_services_are_found_where_they_are_usual() {
        let disk = tempfile::tempdir().unwrap();
        let home = disk.path().join("Users/ana");
        let put = |path: &Path| {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        };
        assert_eq!(engine_programs_on(disk.path(), Some(&home)), []);
        let app = disk.path().join("Applications/Ollama.app");
        put(&app.join("Contents/Resources/ollama"));
        let mut entries = plist::Dictionary::new();
        entries.insert("CFBundleShortVersionString".to_owned(), "0.30.1".into());
        plist::Value::Dictionary(entries).to_file_xml(app.join("Contents/Info.plist")).unwrap();
        let homebrew = disk.path().join("opt/homebrew/bin/ollama");
        let service = home.join("Library/LaunchAgents/homebrew.mxcl.ollama.plist");
        let other_app = home.join("Applications/Ollama.app");
        put(&homebrew);
        put(&service);
        put(&other_app.join("Contents/Info.plist"));
        let found = engine_programs_on(disk.path(), Some(&home));
        let facts: Vec<_> = found
            .iter()
            .map(|engine| (engine.kind, engine.path.clone().unwrap(), engine.version.is_some()))
            .collect();
        assert_eq!(
            facts,
            [
                (EngineKind::App, app, true),
                (EngineKind::App, other_app, false),
                (EngineKind::Binary, homebrew, false),
                (EngineKind::Service, service, false),
            ]
        );
        assert_eq!(engine_programs_on(disk.path(), None).len(), 2, "without a user's home");
    }
}
