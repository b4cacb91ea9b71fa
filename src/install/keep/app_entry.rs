//! The entry in Windows' list of installed apps. Its buttons run the kept copy, for the home that it names.

use std::path::Path;

use super::programs::ProgramKind;
use super::record::KeptFile;
use crate::install::Paths;
use crate::platform::files;
use crate::platform::installed_apps::AppValue;
use crate::platform::windows_quoting::quoted;

/// Name of the entry's key: one for each home.
pub fn name(paths: &Paths) -> String {
    format!("ACOLYTE-{}", paths.id())
}

/// The values of the entry. Its button opens the window, or the terminal program where the window is not kept.
pub fn values(paths: &Paths, kept: &KeptFile) -> Vec<(&'static str, AppValue)> {
    let at = |kind: ProgramKind| paths.programs().join(kind.file_name());
    let home = paths.home();
    let shown = ProgramKind::ALL.into_iter().find(|kind| kept.program(*kind).is_some());
    let icon = at(shown.unwrap_or(ProgramKind::Window)).display().to_string();
    let bytes: u64 = ProgramKind::ALL.iter().map(|kind| files::length(&at(*kind))).sum();
    let mut values = vec![
        ("DisplayName", AppValue::Text("ACOLYTE".to_owned())),
        ("DisplayVersion", AppValue::Text(kept.version.as_str().to_owned())),
        ("Publisher", AppValue::Text("ACOLYTE".to_owned())),
        ("DisplayIcon", AppValue::Text(icon)),
        ("InstallLocation", AppValue::Text(home.display().to_string())),
        // In KiB.
        ("EstimatedSize", AppValue::Number(u32::try_from(bytes / 1024).unwrap_or(u32::MAX))),
        ("NoModify", AppValue::Number(1)),
        ("NoRepair", AppValue::Number(1)),
    ];
    let (terminal, window) = (at(ProgramKind::Terminal), at(ProgramKind::Window));
    // The window asks where it is kept, so that the button opens no console.
    let asks = match kept.window {
        Some(_) => line(&window, &["--uninstall", "--home"], home),
        None => line(&terminal, &["uninstall", "--home"], home),
    };
    values.push(("UninstallString", AppValue::Text(asks)));
    if kept.terminal.is_some() {
        let quiet = line(&terminal, &["uninstall", "--yes", "--home"], home);
        values.push(("QuietUninstallString", AppValue::Text(quiet)));
    }
    values
}

/// A command line that ends with the home.
fn line(program: &Path, arguments: &[&str], home: &Path) -> String {
    let home = quoted(&home.display().to_string());
    format!("\"{}\" {} {home}", program.display(), arguments.join(" "))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::checksum::Sha256;

    fn paths() -> Paths {
        Paths::new(Path::new("/Users/Ana María/.acolyte"))
    }

    fn value(kept: &KeptFile, name: &str) -> Option<AppValue> {
        values(&paths(), kept).into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    #[test]
    fn the_buttons_run_the_copy_for_its_home() {
        let terminal = KeptFile { terminal: Some(Sha256::of(b"")), ..KeptFile::of_this_version() };
        let program = paths().programs().join(ProgramKind::Terminal.file_name()).display().to_string();
        let home = paths().home().display().to_string();
        let text = |text: String| Some(AppValue::Text(text));
        let uninstall = text(format!("\"{program}\" uninstall --home \"{home}\""));
        assert_eq!(value(&terminal, "UninstallString"), uninstall);
        let quiet = text(format!("\"{program}\" uninstall --yes --home \"{home}\""));
        assert_eq!(value(&terminal, "QuietUninstallString"), quiet.clone());
        assert_eq!(value(&terminal, "NoModify"), Some(AppValue::Number(1)));
        assert_eq!(value(&terminal, "DisplayVersion"), text(env!("CARGO_PKG_VERSION").to_owned()));
        let window = KeptFile { window: Some(Sha256::of(b"")), ..KeptFile::of_this_version() };
        assert_eq!(value(&window, "QuietUninstallString"), None);
        let both = KeptFile { terminal: Some(Sha256::of(b"")), ..window.clone() };
        let program = paths().programs().join(ProgramKind::Window.file_name()).display().to_string();
        let asks = text(format!("\"{program}\" --uninstall --home \"{home}\""));
        for kept in [&window, &both] {
            assert_eq!(value(kept, "UninstallString"), asks);
        }
        assert_eq!(value(&both, "QuietUninstallString"), quiet);
    }

    #[test]
    fn each_home_has_an_entry_of_its_own() {
        let name_of = |home: &str| name(&Paths::new(Path::new(home)));
        assert_ne!(name_of("/a/.acolyte"), name_of("/b/.acolyte"));
    }
}
