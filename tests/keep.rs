//! ACOLYTE stays on the computer: its copies, menu entry, `PATH`, completions and manual pages, read by the tools they are
//! for; replaced, left alone and removed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![cfg(target_os = "linux")]

mod common;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use acolyte::platform::files;
use common::process::output;
use common::world::{World, listing};
use serde_json::{Value, json};

const INSTALL: [&str; 4] = ["--profile", "light_6gb", "--accept-degraded", "--no-autostart"];
/// The user's own files, the second one without a line break at its end.
const PROFILES: [(&str, &str); 2] =
    [(".profile", "# mine\nexport EDITOR=vi\n"), (".bashrc", "alias ll='ls -l'")];

/// A user with bash and zsh, and something installed.
fn installed() -> World {
    let world = World::new(&json!({}));
    std::fs::create_dir_all(world.path("home/.config/fish")).unwrap();
    for (name, contents) in PROFILES {
        std::fs::write(world.path("home").join(name), contents).unwrap();
    }
    std::fs::write(world.path("home/.zshrc"), "autoload -U compinit && compinit -u\n").unwrap();
    world.install(&INSTALL).receipt();
    world
}

/// A command without variables of whoever runs the tests.
fn plain(mut command: Command) -> Command {
    command.env_remove("ZDOTDIR").env("SHELL", "/bin/bash");
    command
}

fn run(world: &World, arguments: &[&str]) -> Output {
    output(plain(world.acolyte(arguments)))
}

fn keep(world: &World) -> Value {
    let said = run(world, &["keep", "--yes", "--json"]);
    assert!(said.status.success(), "{}", stderr(&said));
    serde_json::from_slice::<Value>(&said.stdout).unwrap()["kept"].clone()
}

fn stderr(said: &Output) -> String {
    String::from_utf8_lossy(&said.stderr).into_owned()
}

fn has(tool: &str) -> bool {
    let found = std::env::split_paths(&std::env::var_os("PATH").unwrap()).any(|dir| dir.join(tool).is_file());
    if !found {
        eprintln!("skipped: {tool} is not installed (bash .ci/tools installs it)");
    }
    found
}

/// What a command of the system prints in the user's environment.
fn printed(world: &World, program: &str, arguments: &[&str]) -> String {
    let mut command = plain(world.program(program));
    command.args(arguments).env("PATH", "/usr/local/bin:/usr/bin:/bin").env_remove("ACOLYTE_HOME");
    let said = output(command);
    assert!(said.status.success(), "{program} {arguments:?}: {}", stderr(&said));
    String::from_utf8(said.stdout).unwrap().trim().to_owned()
}

/// Every file below a folder with its contents, the installation's own apart.
fn contents(world: &World) -> BTreeMap<PathBuf, Vec<u8>> {
    let home = world.home();
    listing(&world.path("home"))
        .into_iter()
        .filter(|path| {
            path.is_file() && !["llm", "logs"].iter().any(|folder| path.starts_with(home.join(folder)))
        })
        .map(|path| (path.clone(), std::fs::read(&path).unwrap()))
        .collect()
}

#[test]
fn the_programs_are_copied_and_found_by_the_systems_own_tools() {
    let world = installed();
    let said = keep(&world);
    assert_eq!((&said["skipped"], &said["missing"]), (&json!([]), &Value::Null), "{said:#}");
    let bin = world.home().join("bin");
    for program in [env!("CARGO_BIN_EXE_acolyte"), env!("CARGO_BIN_EXE_acolyte-installer")] {
        let copy = bin.join(Path::new(program).file_name().unwrap());
        let found = std::fs::symlink_metadata(&copy).unwrap();
        assert!(found.is_file() && found.permissions().mode() & 0o777 == 0o700, "{}", copy.display());
        let sha256 = |path: &Path| files::sha256(path, &|| false).unwrap();
        assert_eq!(sha256(&copy), sha256(Path::new(program)), "{}", copy.display());
    }
    let terminal = bin.join("acolyte");

    // Shells: a login of each.
    for (shell, arguments) in [
        ("bash", ["-lc", "command -v acolyte"]),
        ("bash", ["-ic", "command -v acolyte"]),
        ("zsh", ["-c", "command -v acolyte"]),
        ("fish", ["-c", "command -v acolyte"]),
    ] {
        if has(shell) {
            let found = printed(&world, shell, &arguments);
            assert_eq!(found.lines().last(), terminal.to_str(), "{shell} {arguments:?}");
        }
    }
    let data = world.path("home/.local/share");
    let line = format!(
        "source '{}'; COMP_WORDS=(acolyte uninst); COMP_CWORD=1; _acolyte acolyte uninst acolyte; echo $COMPREPLY",
        data.join("bash-completion/completions/acolyte").display()
    );
    assert_eq!(printed(&world, "bash", &["--norc", "-c", &line]), "uninstall");
    if has("zsh") {
        assert_eq!(printed(&world, "zsh", &["-ic", "print -r -- $_comps[acolyte]"]), "_acolyte");
    }
    if has("fish") {
        let completed = printed(&world, "fish", &["-c", "complete --do-complete 'acolyte uninst'"]);
        assert!(completed.starts_with("uninstall\t"), "{completed}");
    }
    if has("man") {
        let page = printed(&world, "bash", &["-lc", "man -w acolyte-install"]);
        assert_eq!(Path::new(&page), world.home().join("share/man/man1/acolyte-install.1"));
    }

    // The menu.
    let entry = data.join("applications/acolyte-installer.desktop");
    let text = std::fs::read_to_string(&entry).unwrap();
    assert!(text.contains(&format!("TryExec={}\n", bin.join("acolyte-installer").display())), "{text}");
    if has("desktop-file-validate") {
        assert_eq!(printed(&world, "desktop-file-validate", &[entry.to_str().unwrap()]), "");
    }
    for size in ["16x16", "256x256", "512x512"] {
        assert!(data.join(format!("icons/hicolor/{size}/apps/acolyte-installer.png")).is_file());
    }
}

#[test]
fn keeping_twice_changes_nothing() {
    let world = installed();
    let first = keep(&world);
    let before = contents(&world);
    let again = keep(&world);
    assert!(contents(&world) == before, "every file is as it was");
    assert_eq!(again["profile_files"], first["profile_files"]);
    let bashrc = std::fs::read_to_string(world.path("home/.bashrc")).unwrap();
    assert_eq!(bashrc.matches(".acolyte/env").count(), 2, "one line that names the file twice: {bashrc}");
}

#[test]
fn the_kept_program_removes_itself_and_every_trace() {
    let world = installed();
    let before: Vec<PathBuf> = {
        let home = world.home();
        listing(&world.path("home")).into_iter().filter(|path| !path.starts_with(&home)).collect()
    };
    keep(&world);
    let dry: Value =
        serde_json::from_slice(&run(&world, &["uninstall", "--dry-run", "--json"]).stdout).unwrap();
    let listed = |key: &str| -> Vec<PathBuf> { serde_json::from_value(dry["removal"][key].clone()).unwrap() };
    let (files, folders, edited) = (listed("paths"), listed("folders"), listed("edited_files"));
    let home = world.path("home");
    let names: Vec<PathBuf> = [".profile", ".bashrc", ".zshenv"].map(|name| home.join(name)).into();
    assert_eq!(edited, names);
    let kept = listing(&home);

    let mut uninstall = plain(world.program(world.home().join("bin/acolyte").to_str().unwrap()));
    uninstall.args(["uninstall", "--yes", "--lang", "en"]);
    let said = output(uninstall);
    assert!(said.status.success(), "{}", stderr(&said));
    assert!(!world.home().exists(), "{:?}", listing(&world.home()));
    let after = listing(&home);
    assert_eq!(after, before, "nothing else is left, and nothing of the user went");
    for (name, contents) in PROFILES {
        assert_eq!(std::fs::read_to_string(home.join(name)).unwrap(), contents, "{name}");
    }
    for gone in kept.iter().filter(|path| !after.contains(path)) {
        let is_listed = files.iter().any(|path| gone.starts_with(path))
            || folders.contains(gone)
            || edited.contains(gone)
            || gone.starts_with(world.home().join("models"));
        assert!(is_listed, "{} went and was not listed", gone.display());
    }
}

#[test]
fn what_is_not_ours_is_left_alone_and_said() {
    let world = installed();
    let data = world.path("home/.local/share");
    let foreign = [
        data.join("applications/acolyte-installer.desktop"),
        data.join("bash-completion/completions/acolyte"),
        data.join("icons/hicolor/48x48/apps/acolyte-installer.png"),
    ];
    for path in &foreign {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "another home's").unwrap();
    }
    let (profile, bashrc) = (world.path("home/.profile"), world.path("home/.bashrc"));
    std::fs::set_permissions(&profile, std::fs::Permissions::from_mode(0o666)).unwrap();
    let dotfile = world.path("home/dotfiles");
    std::fs::rename(&bashrc, &dotfile).unwrap();
    std::os::unix::fs::symlink(&dotfile, &bashrc).unwrap();
    let said = keep(&world);
    let skipped: Vec<PathBuf> = serde_json::from_value(said["skipped"].clone()).unwrap();
    // Without our entry its icons are not needed.
    assert_eq!(skipped, [foreign[0].clone(), profile.clone(), foreign[1].clone()], "{said:#}");
    assert_eq!(std::fs::read_to_string(&profile).unwrap(), PROFILES[0].1);
    assert!(bashrc.is_symlink() && std::fs::read_to_string(&dotfile).unwrap().contains(".acolyte/env"));
    let removed = run(&world, &["uninstall", "--yes"]);
    assert!(removed.status.success(), "{}", stderr(&removed));
    for path in &foreign {
        assert_eq!(std::fs::read_to_string(path).unwrap(), "another home's", "{}", path.display());
    }
    assert!(bashrc.is_symlink());
    assert_eq!(std::fs::read_to_string(&dotfile).unwrap(), PROFILES[1].1);
}

#[test]
fn a_failure_restores_what_was_kept_before() {
    let world = installed();
    let untouched = contents(&world);
    // A folder in place of the record, which is written last.
    let record = world.home().join("llm/kept.json");
    let fail = || {
        std::fs::create_dir_all(record.join("occupied")).unwrap();
        let failed = run(&world, &["keep", "--yes"]);
        std::fs::remove_dir_all(&record).unwrap();
        assert_eq!(failed.status.code(), Some(1), "{}", stderr(&failed));
    };
    fail();
    assert_eq!(contents(&world).keys().collect::<Vec<_>>(), untouched.keys().collect::<Vec<_>>());
    assert!(contents(&world) == untouched);
    assert_eq!(world.status()["unfinished"], false);

    // A copy of an earlier version is replaced, and returns.
    keep(&world);
    let saved = std::fs::read(&record).unwrap();
    let copy = world.home().join("bin/acolyte");
    std::fs::write(&copy, "an earlier version").unwrap();
    let older = contents(&world);
    std::fs::remove_file(&record).unwrap();
    fail();
    assert!(contents(&world) == older);
    std::fs::write(&record, saved).unwrap();
}

#[test]
fn a_newer_program_offers_to_replace_the_copy_and_an_older_one_never_does() {
    let world = installed();
    keep(&world);
    let record = world.home().join("llm/kept.json");
    let with_version = |version: &str| {
        let mut kept = world.json("llm/kept.json");
        kept["version"] = json!(version);
        std::fs::write(&record, kept.to_string()).unwrap();
    };
    let status = |world: &World| String::from_utf8(run(world, &["status"]).stdout).unwrap();
    assert!(!status(&world).contains("kept on this computer"), "the same version");
    with_version("0.0.9");
    assert!(status(&world).contains("Replace it with acolyte keep"), "{}", status(&world));
    keep(&world);
    assert_eq!(world.json("llm/kept.json")["version"], env!("CARGO_PKG_VERSION"));

    with_version("99.0.0");
    std::fs::write(world.home().join("bin/acolyte"), "the newer version").unwrap();
    let before = contents(&world);
    assert!(status(&world).contains("older than the ACOLYTE kept"), "{}", status(&world));
    let refused = run(&world, &["keep", "--yes"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("Nothing was replaced"), "{}", stderr(&refused));
    let mut install = plain(world.install_command(&INSTALL));
    install.arg("--keep");
    let said = output(install);
    assert!(said.status.success(), "{}", stderr(&said));
    assert!(contents(&world) == before, "an installation does not replace it either");
    assert_eq!(world.json("llm/kept.json")["version"], "99.0.0");
}

#[test]
fn without_a_question_it_is_kept_only_if_asked_for() {
    let world = installed();
    assert!(!world.home().join("bin/acolyte").exists());
    let mut install = plain(world.install_command(&INSTALL));
    install.arg("--keep");
    let said = output(install);
    assert!(said.status.success(), "{}", stderr(&said));
    for part in ["/.bashrc that puts acolyte on PATH", "menu entry", "is kept in"] {
        assert!(stderr(&said).contains(part), "{part}: {}", stderr(&said));
    }
    assert!(world.home().join("bin/acolyte").exists());
    let last = String::from_utf8(said.stdout).unwrap();
    let last: Value = serde_json::from_str(last.lines().last().unwrap()).unwrap();
    assert!(last["receipt"].is_object(), "the last line of JSON is the receipt: {last}");

    // An update of what is installed leaves it as it is.
    world.install(&INSTALL).receipt();
    assert!(world.home().join("bin/acolyte").exists());
    let nothing = World::new(&json!({}));
    assert_eq!(run(&nothing, &["keep", "--yes"]).status.code(), Some(1), "nothing is installed");
}

/// A download of one program alone: what was kept of the other one stays.
#[test]
fn a_program_without_its_twin_is_kept_alone() {
    let world = installed();
    let downloads = world.path("downloads");
    std::fs::create_dir(&downloads).unwrap();
    let alone = downloads.join("acolyte (1)");
    std::fs::copy(env!("CARGO_BIN_EXE_acolyte"), &alone).unwrap();
    // Another program under the twin's name.
    let other = downloads.join("acolyte-installer");
    std::fs::write(&other, "#!/bin/sh\necho acolyte-installer 0.0.1\n").unwrap();
    std::fs::set_permissions(&other, std::fs::Permissions::from_mode(0o700)).unwrap();
    let keep_alone = || {
        let mut command = plain(world.program(alone.to_str().unwrap()));
        command.args(["keep", "--yes", "--json", "--lang", "en"]);
        let said = output(command);
        assert!(said.status.success(), "{}", stderr(&said));
        (serde_json::from_slice::<Value>(&said.stdout).unwrap()["kept"].clone(), stderr(&said))
    };
    let (said, words) = keep_alone();
    assert_eq!((&said["missing"], &said["missing_is_kept"]), (&json!("window"), &json!(false)), "{said:#}");
    assert!(words.contains("there is no menu entry"), "{words}");
    assert!(world.home().join("bin/acolyte").is_file(), "under its own name");
    assert!(!world.home().join("bin/acolyte-installer").exists());
    keep(&world);
    let (said, words) = keep_alone();
    assert_eq!(said["missing_is_kept"], true, "{said:#}");
    assert!(words.contains("the copy that was kept before stays"), "{words}");
    assert!(world.home().join("bin/acolyte-installer").is_file());
}

/// A run that was killed once its first copy is there: its changes are in the journal.
fn kill_while_keeping(world: &World) {
    let mut command = plain(world.acolyte(&["keep", "--yes"]));
    let mut running = common::process::Guarded(command.spawn().unwrap());
    let copy = world.home().join("bin/acolyte");
    let began = std::time::Instant::now();
    while !copy.exists() {
        assert!(began.elapsed() < common::process::PATIENCE);
        assert!(running.0.try_wait().unwrap().is_none(), "it ended before it copied anything");
        std::thread::yield_now();
    }
    running.0.kill().unwrap();
    running.0.wait().unwrap();
    assert_eq!(world.status()["unfinished"], true, "killed after its first copy");
}

#[test]
fn an_interrupted_run_is_undone() {
    let world = installed();
    let before = contents(&world);
    kill_while_keeping(&world);
    let undone = run(&world, &["undo", "--yes"]);
    assert!(undone.status.success(), "{}", stderr(&undone));
    assert!(contents(&world) == before);
    assert_eq!(world.status()["unfinished"], false);
}

/// What was installed is complete, so nobody is asked whether to go on with it.
#[test]
fn an_interrupted_run_stops_neither_the_next_one_nor_an_installation() {
    let world = installed();
    let before = contents(&world);
    kill_while_keeping(&world);
    let resumed = run(&world, &["install", "--continue", "--yes"]);
    assert_eq!(resumed.status.code(), Some(1), "{}", stderr(&resumed));
    assert!(contents(&world) == before);
    assert_eq!(world.status()["unfinished"], false);
    kill_while_keeping(&world);
    keep(&world);
    assert_eq!(world.status()["unfinished"], false);
    let removed = run(&world, &["uninstall", "--yes"]);
    assert!(removed.status.success() && !world.home().exists(), "{}", stderr(&removed));
}

#[test]
fn what_is_kept_can_be_removed_alone() {
    let world = installed();
    let (before, files) = (contents(&world), listing(&world.path("home")));
    let remove = || {
        let said = run(&world, &["keep", "--remove", "--yes", "--json"]);
        assert!(said.status.success(), "{}", stderr(&said));
        let removed = serde_json::from_slice::<Value>(&said.stdout).unwrap()["removed"].clone();
        (removed.as_array().unwrap().len(), stderr(&said))
    };
    for _ in 0..2 {
        keep(&world);
        let (count, words) = remove();
        assert!(count > 10 && words.contains("Removed: line of ACOLYTE in"), "{count}: {words}");
        assert!(contents(&world) == before, "files of the user are as they were");
        let is_of_program = |path: &&PathBuf| {
            ["llm", "logs"].iter().any(|folder| path.starts_with(world.home().join(folder)))
        };
        let left = listing(&world.path("home"));
        let extra: Vec<&PathBuf> = left.iter().filter(|path| !files.contains(path)).collect();
        assert!(extra.iter().all(is_of_program) && files.iter().all(|path| left.contains(path)), "{extra:?}");
        assert_eq!(world.status()["kept"], Value::Null);
    }
    let (count, words) = remove();
    assert!(count == 0 && words.contains("is not kept on this computer"), "{words}");
    assert_eq!(world.status()["server"]["running"], true, "what is installed goes on");
    let nothing = World::new(&json!({}));
    assert_eq!(run(&nothing, &["keep", "--remove", "--yes"]).status.code(), Some(1), "nothing is installed");
}

/// The kept program can remove itself.
#[test]
fn the_kept_program_can_stop_being_kept() {
    let world = installed();
    let before = contents(&world);
    keep(&world);
    let mut remove = plain(world.program(world.home().join("bin/acolyte").to_str().unwrap()));
    remove.args(["keep", "--remove", "--yes"]);
    let said = output(remove);
    assert!(said.status.success(), "{}", stderr(&said));
    assert!(contents(&world) == before);
}
