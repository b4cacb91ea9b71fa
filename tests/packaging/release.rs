//! What `cargo xtask dist` makes: names, metadata of the packages, the installer for Windows.

use std::collections::BTreeSet;
use std::process::Command;

use acolyte::install::Paths;
use acolyte::install::keep::app_entry;

use crate::plan::{self, Form, System};
use crate::{PROGRAMS, text_of};

#[test]
fn every_package_has_the_name_that_others_rely_on() {
    let names = |system: System| -> Vec<String> {
        system.forms().iter().map(|form| form.file_name("1.2.3", "x86_64")).collect()
    };
    assert_eq!(
        names(System::Linux),
        [
            "acolyte-installer-1.2.3-linux-x86_64.tar.gz",
            "acolyte-installer_1.2.3-1_amd64.deb",
            "acolyte-installer-1.2.3-1.x86_64.rpm",
            "acolyte-installer-1.2.3-linux-x86_64.run",
        ]
    );
    assert_eq!(
        names(System::Windows),
        ["acolyte-installer-1.2.3-windows-x86_64.zip", "acolyte-installer-1.2.3-windows-x86_64-setup.exe"]
    );
    assert_eq!(
        names(System::MacOs),
        ["acolyte-installer-1.2.3-macos.zip", "acolyte-installer-1.2.3-macos.dmg"]
    );
    assert_eq!(Form::Deb.file_name("1.2.3", "aarch64"), "acolyte-installer_1.2.3-1_arm64.deb");
    for name in System::ALL.into_iter().flat_map(names) {
        assert!(plan::is_package(&name), "{name} would be missing from the list of checksums");
    }
    assert!(!plan::is_package(plan::CHECKSUMS));
    for system in System::ALL {
        let programs = system.programs().map(|program| program.trim_end_matches(".exe"));
        assert_eq!(programs, PROGRAMS);
    }
}

#[test]
fn a_system_makes_what_it_has_the_tools_for() {
    let made_on = |host: System| -> Vec<System> {
        System::ALL.into_iter().filter(|system| system.is_made_on(host)).collect()
    };
    assert_eq!(made_on(System::Linux), [System::Linux, System::Windows]);
    assert_eq!(made_on(System::Windows), [System::Windows]);
    assert_eq!(made_on(System::MacOs), [System::MacOs]);
}

/// A table of a manifest, without its name.
fn table<'a>(manifest: &'a str, name: &str) -> &'a str {
    let start = manifest.split_once(&format!("\n[{name}]\n")).unwrap_or_else(|| panic!("[{name}]")).1;
    start.split("\n[").next().unwrap()
}

/// The packages promise what `cargo xtask dist` checks the programs for, and both recommend the same libraries.
#[test]
fn deb_and_rpm_say_the_same() {
    let manifest = text_of("Cargo.toml");
    let (deb, rpm) = (table(&manifest, "package.metadata.deb"), "package.metadata.generate-rpm");
    let inspect = text_of("installer/xtask/src/inspect.rs");
    let floor = inspect.split("GlibcVersion = GlibcVersion(").nth(1).unwrap().split(')').next().unwrap();
    let (major, minor) = floor.trim_end_matches(", 0").split_once(", ").unwrap();
    assert!(deb.contains(&format!("depends = \"libc6 (>= {major}.{minor})\"")), "{floor}");
    let needed = table(&manifest, &format!("{rpm}.requires"));
    assert!(needed.contains(&format!("\"libc.so.6(GLIBC_{major}.{minor})(64bit)\" = \"*\"\n")), "{needed}");

    // Debian's names are made of the libraries' own: libX11.so.6 is in libx11-6, libEGL.so.1 in libegl1.
    let debian_name = |library: &str| {
        let (name, version) = library.split_once(".so.").unwrap();
        let separator = if name.ends_with(|last: char| last.is_ascii_digit()) { "-" } else { "" };
        format!("{}{separator}{version}", name.to_lowercase())
    };
    let libraries = table(&manifest, &format!("{rpm}.recommends"));
    let of_rpm: BTreeSet<String> = libraries
        .lines()
        .filter_map(|line| Some(debian_name(line.strip_prefix('"')?.split_once("()")?.0)))
        .collect();
    let recommends = deb.split("recommends = \"\"\"").nth(1).unwrap().split("\"\"\"").next().unwrap();
    let of_deb: BTreeSet<String> = recommends
        .split(|other: char| other.is_whitespace() || ",\\".contains(other))
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    assert_eq!(of_deb, of_rpm);
    assert!(of_deb.len() > 10, "{of_deb:?}");
}

/// Packages for Linux have one file; by the name of the terminal program it is that.
#[cfg(unix)]
#[test]
fn the_window_program_called_as_acolyte_is_the_terminal_program() {
    use std::os::unix::process::CommandExt as _;
    let folder = tempfile::tempdir().unwrap();
    let (window, link) = (env!("CARGO_BIN_EXE_acolyte-installer"), folder.path().join("acolyte"));
    std::os::unix::fs::symlink(window, &link).unwrap();
    let version = |program: &std::path::Path, called: &str| {
        let said = crate::output(Command::new(program).arg0(called).arg("--version"));
        String::from_utf8(said.stdout).unwrap()
    };
    assert_eq!(version(&link, link.to_str().unwrap()), format!("acolyte {}\n", crate::VERSION));
    assert_eq!(version(&link, "acolyte"), format!("acolyte {}\n", crate::VERSION));
    assert_eq!(version(window.as_ref(), window), format!("acolyte-installer {}\n", crate::VERSION));
    // The rpm has a script instead of the link.
    std::os::unix::fs::symlink(window, folder.path().join("acolyte-installer")).unwrap();
    std::fs::remove_file(&link).unwrap();
    std::fs::copy(crate::at("installer/linux/acolyte.sh"), &link).unwrap();
    let said = crate::output(Command::new("bash").arg(&link).arg("--version"));
    assert_eq!(String::from_utf8_lossy(&said.stdout), format!("acolyte {}\n", crate::VERSION));
}

/// The two entries in Windows' list of installed apps: of what this file brings, and of what its programs installed.
#[test]
fn the_setup_and_the_kept_programs_have_entries_of_their_own() {
    let script = text_of("installer/windows/setup.nsi");
    let key = script.split("!define APPS_KEY \"${APPS}\\").nth(1).unwrap().split('"').next().unwrap();
    let kept = app_entry::name(&Paths::new(std::path::Path::new("/home/someone/.acolyte")));
    let (prefix, _) = kept.split_once('-').unwrap();
    assert_eq!(prefix, "ACOLYTE");
    assert!(!key.starts_with(&format!("{prefix}-")), "{key}");
    assert!(script.contains("$SMPROGRAMS\\ACOLYTE Installer.lnk"));
    let places = text_of("src/install/keep/places.rs");
    assert!(!places.contains("ACOLYTE Installer.lnk"), "the menu entries must differ too");
}

#[test]
fn the_setup_speaks_both_languages_and_obeys_the_removal() {
    let script = text_of("installer/windows/setup.nsi");
    let keys = |language: &str| -> Vec<&str> {
        script
            .lines()
            .filter_map(|line| {
                line.strip_prefix("LangString ")?.split_once(&format!(" ${{LANG_{language}}} "))
            })
            .map(|(key, _)| key)
            .collect()
    };
    assert!(!keys("ENGLISH").is_empty());
    assert_eq!(keys("ENGLISH"), keys("SPANISH"));
    for key in keys("ENGLISH") {
        assert!(script.contains(&format!("$({key})")), "{key} is never shown");
    }
    assert!(script.contains("RequestExecutionLevel user"));
    // Its arguments are those of the program.
    let line = script.lines().find(|line| line.contains("nsExec::ExecToLog")).unwrap();
    let arguments = line.split("acolyte.exe\" ").nth(1).unwrap().trim_end_matches('\'');
    let home = tempfile::tempdir().unwrap();
    let said = crate::output(
        Command::new(env!("CARGO_BIN_EXE_acolyte"))
            .args(arguments.split(' '))
            .arg("--home")
            .arg(home.path().join(".acolyte"))
            .env("HOME", home.path()),
    );
    assert_eq!(said.status.code(), Some(0), "{}", String::from_utf8_lossy(&said.stderr));
}

/// With stand-ins for the programs, and every warning an error. `.ci/setup-walk` runs it under Wine.
#[cfg(target_os = "linux")]
#[test]
fn the_setup_is_made_and_the_same_each_time() {
    if !crate::has("makensis") {
        return;
    }
    let folder = tempfile::Builder::new().prefix("with space ").tempdir().unwrap();
    for program in System::Windows.programs() {
        std::fs::write(folder.path().join(program), "stand-in").unwrap();
    }
    let make = |name: &str| {
        let to = folder.path().join(Form::Setup.file_name(crate::VERSION, name));
        let define = |name: &str, value: &std::path::Path| format!("-D{name}={}", value.display());
        let said = crate::output(
            Command::new("makensis")
                .args(["-V2", "-WX", "-INPUTCHARSET", "UTF8", &format!("-DVERSION={}", crate::VERSION)])
                .args([
                    define("ROOT", &crate::at("")),
                    define("BINARIES", folder.path()),
                    define("OUTPUT", &to),
                ])
                .arg(crate::at("installer/windows/setup.nsi"))
                .env("SOURCE_DATE_EPOCH", "1767225600"),
        );
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stdout));
        std::fs::read(to).unwrap()
    };
    let first = make("first");
    assert_eq!(first.get(..2), Some(b"MZ".as_slice()));
    assert!(first == make("again"));
}

/// What the self-extracting file runs when it has unpacked.
#[cfg(unix)]
#[test]
fn the_unpacked_program_starts_where_the_user_was() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::Builder::new().prefix("with space ").tempdir().unwrap();
    let program = folder.path().join("bin").join(PROGRAMS[0]);
    std::fs::create_dir(folder.path().join("bin")).unwrap();
    std::fs::write(&program, "#!/bin/sh\necho \"$(pwd -P) $*\"\nexit 7\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::copy(crate::at("installer/linux/start.sh"), folder.path().join("start.sh")).unwrap();
    let user = tempfile::tempdir().unwrap();
    let said = crate::output(
        Command::new("sh")
            .args(["./start.sh", "--hardware", "a file"])
            .current_dir(folder.path())
            .env("USER_PWD", user.path()),
    );
    let here = std::fs::canonicalize(user.path()).unwrap();
    assert_eq!(String::from_utf8_lossy(&said.stdout), format!("{} --hardware a file\n", here.display()));
    assert_eq!(said.status.code(), Some(7));
}
