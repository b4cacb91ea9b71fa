//! Contents of the menu entry: a desktop file with icons on Linux, an app bundle on macOS.

use std::path::Path;

use crate::install::Paths;
use crate::platform::login::autostart::{exec_value, string_value};

/// The entry of the package, which names the program on `PATH`.
const DESKTOP_FILE: &str = include_str!("../../../installer/linux/acolyte-installer.desktop");
/// The property list of the package.
const PROPERTY_LIST: &str = include_str!("../../../installer/macos/Info.plist");

/// The icon of an app bundle.
pub const APP_ICON: &[u8] = include_bytes!("../../../assets/icons/app.icns");

/// Icons of the menu entry by the folder of their size.
pub const ICONS: &[(&str, &[u8])] = &[
    ("16x16", include_bytes!("../../../assets/icons/app/16.png")),
    ("22x22", include_bytes!("../../../assets/icons/app/22.png")),
    ("24x24", include_bytes!("../../../assets/icons/app/24.png")),
    ("32x32", include_bytes!("../../../assets/icons/app/32.png")),
    ("48x48", include_bytes!("../../../assets/icons/app/48.png")),
    ("64x64", include_bytes!("../../../assets/icons/app/64.png")),
    ("128x128", include_bytes!("../../../assets/icons/app/128.png")),
    ("256x256", include_bytes!("../../../assets/icons/app.png")),
    ("512x512", include_bytes!("../../../assets/icons/app/512.png")),
    ("scalable", include_bytes!("../../../assets/icons/app.svg")),
];

/// The menu entry for a program, which opens its home; `None` if a path cannot be written into one. It names its home, so
/// that entries of other homes are told apart.
pub fn desktop_entry(paths: &Paths, program: &Path) -> Option<String> {
    let (program, home) = (program.to_str()?, paths.home().to_str()?);
    let exec = exec_value(&[program, "--home", home]).ok()?;
    let tried = string_value(program).ok()?;
    let mut entry = String::new();
    for line in DESKTOP_FILE.lines() {
        match line.split_once('=') {
            Some(("Exec", _)) => entry.push_str(&format!("Exec={exec}")),
            Some(("TryExec", _)) => entry.push_str(&format!("TryExec={tried}")),
            _ => entry.push_str(line),
        }
        entry.push('\n');
    }
    entry.push_str(&format!("X-ACOLYTE-Home={}\n", paths.id()));
    Some(entry)
}

/// The property list of an app bundle with [`app_program`].
pub fn app_property_list(version: &str) -> String {
    let program = "<key>CFBundleExecutable</key>\n\t<string>";
    PROPERTY_LIST
        .replace("@VERSION@", version)
        .replace(&format!("{program}acolyte-installer</string>"), &format!("{program}acolyte</string>"))
}

/// The program of an app bundle: it becomes the kept copy. `None` if a path is not text.
pub fn app_program(paths: &Paths, program: &Path) -> Option<String> {
    let quoted = |path: &Path| Some(format!("'{}'", path.to_str()?.replace('\'', r"'\''")));
    let (program, home) = (quoted(program)?, quoted(paths.home())?);
    Some(format!("#!/bin/sh\n# home {}\nexec {program} --home {home} \"$@\"\n", paths.id()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn the_entry_starts_the_copy_and_names_its_home() {
        let paths = Paths::new(Path::new("/home/a b/100%/.acolyte"));
        let entry =
            desktop_entry(&paths, Path::new("/home/a b/100%/.acolyte/bin/acolyte-installer")).unwrap();
        let exec =
            r#"Exec="/home/a b/100%%/.acolyte/bin/acolyte-installer" --home "/home/a b/100%%/.acolyte""#;
        assert!(entry.lines().any(|line| line == exec), "{entry}");
        assert!(entry.contains("\nTryExec=/home/a b/100%/.acolyte/bin/acolyte-installer\n"), "{entry}");
        assert!(entry.contains("Name[es]=") && entry.ends_with(&format!("X-ACOLYTE-Home={}\n", paths.id())));
        assert_eq!(desktop_entry(&Paths::new(Path::new("/a\nb")), Path::new("/a\nb/x")), None);
    }

    #[test]
    fn the_apps_property_list_names_its_program_and_version() {
        let list = plist::Value::from_reader_xml(app_property_list("1.2.3").as_bytes()).unwrap();
        let list = list.as_dictionary().unwrap();
        let text = |key: &str| list.get(key).and_then(|value| value.as_string()).unwrap().to_owned();
        assert_eq!((text("CFBundleExecutable"), text("CFBundleVersion")), ("acolyte".into(), "1.2.3".into()));
        assert_eq!(text("CFBundleIconFile"), "app.icns");
    }

    #[cfg(unix)]
    #[test]
    fn the_apps_program_becomes_the_copy() {
        use crate::platform::program::{command, run};
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("acolyte");
        let paths = Paths::new(Path::new("/home/o'neil/.acolyte"));
        std::fs::write(&script, app_program(&paths, Path::new("/bin/echo")).unwrap()).unwrap();
        let mut shell = command("/bin/sh");
        shell.arg(&script).arg("--lang=es");
        let said = run(shell, std::time::Duration::from_secs(20)).unwrap().stdout;
        assert_eq!(said, "--home /home/o'neil/.acolyte --lang=es\n");
    }
}
