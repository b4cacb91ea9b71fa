//! The archive for Linux: complete, the same each time, and started through its menu entries.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use acolyte::text::Language;
use acolyte::wizard::APP_ID;
use resvg::usvg::roxmltree::Document;

use crate::process::output;
use crate::scripts::{package, printed, succeeded};
use crate::{PROGRAMS, VERSION};

/// An archive made and unpacked, in folders with a space in their names.
struct Unpacked {
    _folder: tempfile::TempDir,
    archive: PathBuf,
    root: PathBuf,
}

fn unpacked() -> Unpacked {
    let folder = tempfile::Builder::new().prefix("with space ").tempdir().unwrap();
    let said = package("installer/linux/package.sh", folder.path(), &[]);
    let archive = PathBuf::from(said.lines().next().unwrap());
    printed(Command::new("tar").arg("xzf").arg(&archive).current_dir(folder.path()));
    let name = archive.file_name().unwrap().to_str().unwrap().strip_suffix(".tar.gz").unwrap();
    assert_eq!(name, format!("acolyte-installer-{VERSION}-linux-{}", std::env::consts::ARCH));
    let root = folder.path().join(name);
    Unpacked { _folder: folder, archive, root }
}

#[test]
fn the_archive_is_complete_and_the_same_each_time() {
    let first = unpacked();
    for program in PROGRAMS {
        let mode = std::fs::metadata(first.root.join("bin").join(program)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755, "{program}");
    }
    for file in [
        "README.txt",
        "menu.sh",
        "share/licenses/acolyte-installer/LICENSE-MIT",
        "share/licenses/acolyte-installer/LICENSE-APACHE",
        "share/licenses/acolyte-installer/Inter-OFL.txt",
    ] {
        let text = std::fs::read_to_string(first.root.join(file)).unwrap();
        assert!(!text.contains("@VERSION@") && !text.contains("@ARCH@"), "{file}");
    }
    printed(
        Command::new("sha256sum")
            .args(["--check", "--strict"])
            .arg(format!("{}.sha256", first.archive.display()))
            .current_dir(first.archive.parent().unwrap()),
    );
    let again = unpacked();
    assert!(std::fs::read(&first.archive).unwrap() == std::fs::read(&again.archive).unwrap());
}

#[test]
fn the_menu_entry_names_the_program_its_icons_and_its_window() {
    let unpacked = unpacked();
    let entry = entry(&unpacked.root.join(format!("share/applications/{APP_ID}.desktop")));
    assert_eq!(entry["StartupWMClass"], APP_ID);
    assert!(PROGRAMS.contains(&entry["Exec"].as_str()));
    assert_eq!(entry["TryExec"], entry["Exec"]);
    assert_eq!(entry["Terminal"], "false");
    for language in Language::ALL {
        let suffix =
            if language == Language::English { String::new() } else { format!("[{}]", language.tag()) };
        for key in ["Name", "Comment", "Keywords"] {
            assert!(entry.contains_key(&format!("{key}{suffix}")), "{key} in {}", language.endonym());
        }
    }
    let icons = unpacked.root.join("share/icons/hicolor");
    assert!(icons.join("scalable/apps").join(format!("{}.svg", entry["Icon"])).is_file());
    for px in [16, 22, 24, 32, 48, 64, 128, 256, 512] {
        let icon = icons.join(format!("{px}x{px}/apps/{}.png", entry["Icon"]));
        let image = ico::IconImage::read_png(std::io::Cursor::new(std::fs::read(icon).unwrap())).unwrap();
        assert_eq!((image.width(), image.height()), (px, px));
    }
}

#[test]
fn the_software_catalogue_describes_this_version_of_this_program() {
    let unpacked = unpacked();
    let path = unpacked.root.join("share/metainfo/com.acolyte.installer.metainfo.xml");
    let text = std::fs::read_to_string(&path).unwrap();
    let document = Document::parse(&text).unwrap();
    let all = |tag: &'static str| document.descendants().filter(move |node| node.has_tag_name(tag));
    let of = |tag| all(tag).next().unwrap().text().unwrap().to_owned();
    assert_eq!(format!("{}.metainfo.xml", of("id")), path.file_name().unwrap().to_str().unwrap());
    assert_eq!(of("launchable"), format!("{APP_ID}.desktop"));
    assert_eq!(of("project_license"), env!("CARGO_PKG_LICENSE"));
    assert_eq!(all("binary").filter_map(|node| node.text()).collect::<Vec<_>>(), PROGRAMS);
    let release = all("release").next().unwrap();
    assert_eq!(release.attribute("version"), Some(VERSION));
    assert_eq!(release.attribute("date"), Some("2026-01-01"));
    let entry = entry(&unpacked.root.join(format!("share/applications/{APP_ID}.desktop")));
    for (tag, key) in [("name", "Name"), ("summary", "Comment")] {
        let words: Vec<_> = all(tag).filter_map(|node| node.text()).collect();
        assert_eq!(words, [entry[key].as_str(), entry[&format!("{key}[es]")].as_str()]);
    }
}

#[test]
fn the_systems_own_tools_accept_the_metadata() {
    let unpacked = unpacked();
    let share = unpacked.root.join("share");
    let entry = share.join(format!("applications/{APP_ID}.desktop"));
    let metainfo = share.join("metainfo/com.acolyte.installer.metainfo.xml");
    for (tool, arguments, file) in
        [("desktop-file-validate", &[][..], &entry), ("appstreamcli", &["validate", "--no-net"], &metainfo)]
    {
        if !crate::has(tool) {
            continue;
        }
        let said = output(Command::new(tool).args(arguments).arg(file));
        let words =
            String::from_utf8_lossy(&said.stdout).into_owned() + &String::from_utf8_lossy(&said.stderr);
        assert!(said.status.success(), "{tool}: {words}");
    }
}

#[test]
fn the_entry_in_the_folder_starts_the_program_beside_it() {
    let unpacked = unpacked();
    let path = unpacked.root.join("acolyte-installer.desktop");
    let entry = entry(&path);
    assert_eq!(entry["StartupWMClass"], APP_ID);
    let words = words(&entry["Exec"]);
    // Some file managers give the path, some an address.
    for location in [path.display().to_string(), format!("file://{}", path.display())] {
        let arguments =
            words[1..].iter().map(|word| if word == "%k" { location.clone() } else { word.clone() });
        let said = printed(Command::new(&words[0]).args(arguments));
        assert_eq!(said, format!("started {}\n", unpacked.root.join("bin").join(PROGRAMS[0]).display()));
    }
}

#[test]
fn the_menu_entry_is_added_and_removed() {
    let unpacked = unpacked();
    let home = tempfile::tempdir().unwrap();
    let menu = |arguments: &[&str]| {
        let mut command = Command::new("sh");
        command.arg(unpacked.root.join("menu.sh")).args(arguments).env("HOME", home.path());
        output(command.env_remove("XDG_DATA_HOME"))
    };
    succeeded(&menu(&[]));
    let data = home.path().join(".local/share");
    let entry = entry(&data.join("applications").join(format!("{APP_ID}.desktop")));
    let program = unpacked.root.join("bin").join(PROGRAMS[0]).display().to_string();
    assert_eq!(entry["TryExec"], program);
    assert_eq!(words(&entry["Exec"]), [program.as_str()]);
    assert_eq!(printed(&mut Command::new(&program)), format!("started {program}\n"));
    assert_eq!(ours(&data).len(), 11, "one entry, nine sizes and a drawing");
    assert_eq!(menu(&["--undo"]).status.code(), Some(2));
    succeeded(&menu(&["--remove"]));
    assert_eq!(ours(&data), [] as [PathBuf; 0]);

    let odd = unpacked.root.with_file_name("price in $");
    std::fs::rename(&unpacked.root, &odd).unwrap();
    let refused = output(Command::new("sh").arg(odd.join("menu.sh")).env("HOME", home.path()));
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("move it to another folder"));
    assert_eq!(ours(&data), [] as [PathBuf; 0]);
}

/// Files below a folder with our name; the system's caches are not ours.
fn ours(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(ours(&path));
        } else if path.file_stem().is_some_and(|stem| stem == APP_ID) {
            found.push(path);
        }
    }
    found
}

/// Keys and values of a desktop entry, backslashes resolved.
fn entry(path: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("[Desktop Entry]"));
    lines
        .map(|line| line.split_once('=').unwrap())
        .map(|(key, value)| (key.to_owned(), value.replace("\\\\", "\\")))
        .collect()
}

/// The words of an `Exec` value: quoted ones may hold spaces, and a backslash takes the next character as it is.
fn words(exec: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    let mut characters = exec.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => quoted = !quoted,
            '\\' if quoted => word.extend(characters.next()),
            ' ' if !quoted => words.push(std::mem::take(&mut word)),
            other => word.push(other),
        }
    }
    assert!(!quoted, "{exec}");
    words.push(word);
    words
}
