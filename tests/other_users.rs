//! Another user of this computer, and what they can prepare: a home of theirs, a journal that names what is not ours,
//! links where we write, folders that everybody may change. Files are given to another user with `chown` and programs run
//! as one, which only root can do; elsewhere those tests say that they were skipped.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod common;

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use common::process::{launched_by, output};
use common::world::{Said, World, listing};
use serde_json::{Value, json};

/// A user who is neither this one nor root.
const STRANGER: u32 = 12_345;

const LIGHT: [&str; 4] = ["--profile", "light_6gb", "--accept-degraded", "--no-autostart"];

fn is_root() -> bool {
    let root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    if !root {
        eprintln!("skipped: only root can give files to another user");
    }
    root
}

fn give_away(folder: &Path) {
    for path in listing(folder).iter().chain([&folder.to_owned()]) {
        if !path.is_symlink() {
            chown(path, Some(STRANGER), Some(STRANGER)).unwrap();
        }
    }
}

fn make(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Every file below a folder with its contents, and every folder and link.
fn state(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let contents = |path: PathBuf| {
        let bytes = if path.is_symlink() {
            std::fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
        } else {
            std::fs::read(&path).unwrap_or_default()
        };
        (path, bytes)
    };
    listing(folder).into_iter().map(contents).collect()
}

fn line(change: &Value) -> String {
    let mut entry = json!({"at": "2026-11-23T10:00:00Z", "phase": "intent"});
    for (key, value) in change.as_object().unwrap() {
        entry[key] = value.clone();
    }
    format!("{entry}\n")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Everything that reads or changes a home.
const ENTRIES: [&[&str]; 12] = [
    &["install", "--yes", "--profile", "light_6gb", "--accept-degraded", "--no-autostart"],
    &["install", "--yes", "--continue"],
    &["undo", "--yes"],
    &["uninstall", "--yes"],
    &["uninstall", "--dry-run"],
    &["status"],
    &["start"],
    &["stop"],
    &["doctor"],
    &["monitor", "--once"],
    &["logs"],
    &["wizard"],
];

/// Runs each of them, and the program of the window, which asks in the terminal where there is no display.
fn enter(world: &World) -> Vec<(String, Output)> {
    let mut window = world.program(env!("CARGO_BIN_EXE_acolyte-installer"));
    window.args(["--lang", "en"]).stdin(Stdio::null());
    for display in ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"] {
        window.env_remove(display);
    }
    let entered = ENTRIES.iter().map(|entry| (entry.join(" "), world.run(entry)));
    entered.chain([("window".to_owned(), output(window))]).collect()
}

/// Root with the home of a user: `sudo acolyte …` with `HOME` kept. What the user prepared there would be done as root.
#[test]
fn a_home_of_another_user_is_refused_everywhere_and_not_touched() {
    if !is_root() {
        return;
    }
    let world = World::new(&json!({}));
    let secret = world.path("secret");
    std::fs::write(&secret, "of root").unwrap();
    let llm = world.home().join("llm");
    std::fs::create_dir_all(&llm).unwrap();
    std::fs::create_dir_all(world.home().join("logs")).unwrap();
    std::fs::write(llm.join("journal"), line(&json!({"change": "write_file", "path": secret}))).unwrap();
    symlink(&secret, llm.join("request.json.new")).unwrap();
    symlink(&secret, world.home().join("logs/acolyte.log")).unwrap();
    // Creates the folders that the programs get as arguments.
    world.acolyte(&[]);
    give_away(&world.path("home"));
    let before = state(&world.path("home"));
    for (entry, said) in enter(&world) {
        let words = stderr(&said);
        assert_eq!(said.status.code(), Some(1), "{entry:?}: {words}");
        assert!(words.contains("belongs to 12345") && words.contains("without sudo"), "{entry:?}: {words}");
        assert!(words.contains(world.path("home").to_str().unwrap()), "{entry:?} names no path: {words}");
    }
    assert_eq!(std::fs::read(&secret).unwrap(), b"of root");
    assert_eq!(state(&world.path("home")), before);
}

/// One of our programs that another user runs with the home of this user.
fn as_stranger(world: &World, home: &Path, arguments: &[&str]) -> Output {
    let program = world.path("acolyte");
    if !program.exists() {
        std::fs::copy(env!("CARGO_BIN_EXE_acolyte"), &program).unwrap();
        make(&program, 0o755);
        make(world.folder.path(), 0o755);
    }
    let mut command = Command::new(program);
    command.args(arguments).args(["--lang", "en", "--home"]).arg(home);
    command.env("HOME", world.path("stranger")).env_remove("ACOLYTE_HOME").stdin(Stdio::null());
    command.uid(STRANGER).gid(STRANGER).current_dir("/");
    output(command)
}

#[test]
fn another_user_who_names_our_home_is_told_whose_it_is() {
    if !is_root() {
        return;
    }
    let world = World::new(&json!({}));
    let home = world.home();
    std::fs::create_dir_all(home.join("llm")).unwrap();
    for folder in [world.path("home"), home.clone(), home.join("llm")] {
        make(&folder, 0o755);
    }
    for entry in [&["status"][..], &["uninstall", "--yes"], &["start"]] {
        let said = as_stranger(&world, &home, entry);
        let words = stderr(&said);
        assert_eq!(said.status.code(), Some(1), "{words}");
        assert!(words.contains("belongs to root") && words.contains("--home"), "{entry:?}: {words}");
    }
    // Their own home is as good as any.
    let own = world.path("stranger");
    std::fs::create_dir(&own).unwrap();
    chown(&own, Some(STRANGER), Some(STRANGER)).unwrap();
    make(&own, 0o700);
    let said = as_stranger(&world, &own.join(".acolyte"), &["status"]);
    assert!(!stderr(&said).contains("belongs to"), "{}", stderr(&said));
}

#[test]
fn a_home_that_others_can_change_is_refused_with_what_mends_it() {
    let world = World::new(&json!({}));
    let llm = world.home().join("llm");
    std::fs::create_dir_all(&llm).unwrap();
    std::fs::write(llm.join("journal"), "").unwrap();
    let cases = [
        (world.home(), 0o777, "chmod -R go-w"),
        (world.home(), 0o775, "chmod -R go-w"),
        (llm.clone(), 0o777, "chmod -R go-w"),
        (llm.join("journal"), 0o666, "chmod -R go-w"),
        (world.path("home"), 0o777, "chmod go-w"),
    ];
    for (path, mode, mend) in cases {
        let before = std::fs::metadata(&path).unwrap().permissions().mode();
        make(&path, mode);
        for (entry, said) in enter(&world) {
            let words = stderr(&said);
            assert_eq!(said.status.code(), Some(1), "{entry:?}: {words}");
            let is_told = words.contains(path.to_str().unwrap()) && words.contains(mend);
            assert!(is_told, "{} {mode:o} {entry:?}: {words}", path.display());
        }
        make(&path, before);
    }
    assert!(!stderr(&world.run(&["status"])).contains("chmod"));
}

/// It was ours when it was installed: nothing of it is used any more, and the profile is not changed.
#[test]
fn an_installation_that_others_can_change_since_is_refused() {
    let world = World::new(&json!({}));
    world.install(&LIGHT).receipt();
    world.run(&["stop"]);
    let home = world.home();
    let paths = [home.clone(), home.join("llm/profile.yaml"), home.join("ollama/0.32.15"), home.join("bin")];
    std::fs::create_dir_all(home.join("bin")).unwrap();
    make(&home.join("bin"), 0o700);
    let before = state(&world.path("home"));
    for path in paths {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        make(&path, mode & 0o777 | 0o022);
        let change = world.install(&["--profile", "hybrid_8gb", "--accept-degraded", "--no-autostart"]);
        assert_eq!(change.code, Some(1), "{}: {change:#?}", path.display());
        assert!(change.errors.contains(path.to_str().unwrap()), "{}", change.errors);
        for (entry, said) in enter(&world) {
            let words = stderr(&said);
            assert_eq!(said.status.code(), Some(1), "{entry:?}: {words}");
            assert!(words.contains(path.to_str().unwrap()), "{} {entry:?}: {words}", path.display());
        }
        make(&path, mode);
    }
    assert_eq!(state(&world.path("home")), before);
    assert!(world.run(&["status"]).status.success());
}

#[test]
fn an_empty_home_that_others_can_write_is_made_private() {
    let world = World::new(&json!({}));
    std::fs::create_dir_all(world.home()).unwrap();
    make(&world.home(), 0o777);
    world.install(&LIGHT).receipt();
    assert_eq!(std::fs::metadata(world.home()).unwrap().permissions().mode() & 0o777, 0o700);
}

/// Each planted line would have deleted what it names. A link in the way is no way around.
#[test]
fn a_planted_journal_touches_nothing() {
    let world = World::new(&json!({}));
    world.install(&LIGHT).receipt();
    world.run(&["stop"]);
    let (documents, key) = (world.path("home/Documents"), world.path("home/key"));
    std::fs::create_dir(&documents).unwrap();
    std::fs::write(documents.join("thesis.odt"), "years").unwrap();
    std::fs::write(&key, "secret").unwrap();
    symlink(&documents, world.home().join("ollama/0.99.0")).unwrap();
    let store = world.path("home/.ollama/models");
    let manifest = store.join("manifests/registry.ollama.ai/library/mine/latest");
    std::fs::create_dir_all(manifest.parent().unwrap()).unwrap();
    std::fs::write(&manifest, "{\"layers\":[]}").unwrap();
    let through = world.home().join("llm/../../Documents");
    let planted = [
        json!({"change": "write_file", "path": key}),
        json!({"change": "create_folder", "path": world.path("home/.ollama")}),
        json!({"change": "download", "path": documents.join("thesis.odt")}),
        json!({"change": "unpack_engine", "version": "0.1.0", "path": documents, "staging": documents}),
        json!({"change": "unpack_engine", "version": "0.1.0", "path": through, "staging": through}),
        json!({"change": "set_aside", "path": world.home().join("ollama/0.32.15"), "aside": documents}),
        json!({"change": "pull_model", "tag": "mine", "models_dir": store}),
        json!({"change": "create_model", "name": "mine", "models_dir": world.home().join("models")}),
    ];
    let journal = world.home().join("llm/journal");
    let good = std::fs::read_to_string(&journal).unwrap();
    for change in planted {
        for phase in ["", "{\"at\":\"2026-11-23T10:00:00Z\",\"phase\":\"begin\"}\n"] {
            std::fs::write(&journal, format!("{good}{phase}{}", line(&change))).unwrap();
            let before = state(&world.path("home"));
            for entry in [&ENTRIES[0], &ENTRIES[2], &ENTRIES[3], &ENTRIES[4]] {
                let said = world.run(entry);
                let words = stderr(&said);
                assert_eq!(said.status.code(), Some(1), "{change} {entry:?}: {words}");
                let is_told = words.contains(journal.to_str().unwrap())
                    && words.contains("does not belong to this installation");
                assert!(is_told, "{change} {entry:?}: {words}");
            }
            let mut after = state(&world.path("home"));
            // Of what the program says of itself there may be more.
            let log = world.home().join("logs/acolyte.log");
            after.remove(&log);
            let before: BTreeMap<_, _> = before.into_iter().filter(|(path, _)| *path != log).collect();
            assert_eq!(after, before, "{change}");
        }
    }
    std::fs::write(&journal, good).unwrap();
    let said = world.run(&["uninstall", "--yes"]);
    assert!(said.status.success(), "{}", stderr(&said));
    assert!(documents.join("thesis.odt").exists() && key.exists() && manifest.exists());
}

/// A profile or a server's document that names another program: it would be started.
#[test]
fn a_planted_document_starts_nothing() {
    let world = World::new(&json!({}));
    world.install(&LIGHT).receipt();
    world.run(&["stop"]);
    let planted = world.path("home/planted");
    std::fs::write(&planted, format!("#!/bin/sh\ntouch {}\n", world.path("ran").display())).unwrap();
    make(&planted, 0o755);
    let engine = world.home().join("ollama/0.32.15/bin/ollama");
    let (engine, planted) = (engine.to_str().unwrap(), planted.to_str().unwrap().to_owned());
    let profile = world.home().join("llm/profile.yaml");
    let good = std::fs::read_to_string(&profile).unwrap();
    for program in [planted, format!("{}/../../../../planted", engine.trim_end_matches("/ollama"))] {
        std::fs::write(&profile, good.replace(engine, &program)).unwrap();
        for entry in [&["start"][..], &["status"], &["uninstall", "--yes"]] {
            let said = world.run(entry);
            assert_eq!(said.status.code(), Some(1), "{entry:?}");
            assert!(
                stderr(&said).contains("does not belong to this installation"),
                "{entry:?}: {}",
                stderr(&said)
            );
        }
    }
    assert!(!world.path("ran").exists());
}

#[test]
fn nothing_is_written_through_a_planted_link() {
    let world = World::new(&json!({}));
    let foreign = world.path("foreign");
    std::fs::write(&foreign, "foreign").unwrap();
    let names =
        ["llm/request.json.new", "llm/profile.yaml.new", "llm/receipt.json.new", "llm/server.json.new"];
    let downloads = [format!("downloads/{}.partial.json.new", world.asset)];
    for name in names.map(str::to_owned).into_iter().chain(downloads) {
        let link = world.home().join(name);
        std::fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(&foreign, link).unwrap();
    }
    world.install(&LIGHT).receipt();
    assert_eq!(std::fs::read(&foreign).unwrap(), b"foreign");
    // A link in place of a file that is continued is an error.
    world.run(&["stop"]);
    let log = world.home().join("logs/server.log");
    std::fs::remove_file(&log).unwrap();
    symlink(&foreign, &log).unwrap();
    let said = world.run(&["start"]);
    assert_eq!(said.status.code(), Some(1), "{}", stderr(&said));
    assert_eq!(std::fs::read(&foreign).unwrap(), b"foreign");
}

/// A file that the user names is created new: a link in its place is replaced, and its target is not written.
#[test]
fn a_report_is_written_into_no_file_that_is_there() {
    use std::io::Read as _;
    let world = World::new(&json!({}));
    let [foreign, link, second, theirs, missing] =
        ["foreign", "link.json", "second.json", "theirs.json", "missing"].map(|name| world.path(name));
    std::fs::write(&foreign, "foreign").unwrap();
    std::fs::write(&theirs, "theirs").unwrap();
    if is_root() {
        chown(&theirs, Some(STRANGER), Some(STRANGER)).unwrap();
    }
    make(&theirs, 0o666);
    let mut before = std::fs::File::open(&theirs).unwrap();
    symlink(&foreign, &link).unwrap();
    std::fs::hard_link(&foreign, &second).unwrap();
    symlink(&missing, world.path("dangling.json")).unwrap();
    let us = std::fs::metadata("/proc/self").unwrap().uid();
    for file in [&link, &second, &theirs, &world.path("dangling.json")] {
        let said = world.run(&["doctor", "--yes", "--output", file.to_str().unwrap()]);
        assert!(said.status.success(), "{}", stderr(&said));
        let found = std::fs::symlink_metadata(file).unwrap();
        assert!(found.is_file(), "{}", file.display());
        assert_eq!((found.mode() & 0o777, found.uid()), (0o600, us), "{}", file.display());
        let _report: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    }
    assert_eq!(std::fs::read(&foreign).unwrap(), b"foreign");
    assert!(!missing.exists());
    let mut still = String::new();
    before.read_to_string(&mut still).unwrap();
    assert_eq!(still, "theirs", "the other user's file");

    let pipe = world.path("pipe.json");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let device = world.path("device.json");
    symlink("/dev/null", &device).unwrap();
    for file in [&pipe, &device] {
        let said = world.run(&["doctor", "--yes", "--output", file.to_str().unwrap()]);
        let words = stderr(&said);
        assert_eq!(said.status.code(), Some(1), "{words}");
        assert!(words.contains("not a regular file") && words.contains(file.to_str().unwrap()), "{words}");
    }
    assert!(device.is_symlink() && !std::fs::metadata(&pipe).unwrap().is_file());
}

/// The tools of the system are looked for on the path as well as Ollama is.
#[test]
fn no_tool_is_run_that_others_could_have_put_into_the_path() {
    let world = World::new(&json!({}));
    let ran = world.path("ran");
    for (folder, mode) in [("sticky", 0o1777), ("shared", 0o777)] {
        let folder = world.path(folder);
        std::fs::create_dir(&folder).unwrap();
        for name in ["systemctl", "ollama", "xdg-open", "sh", "env"] {
            let program = folder.join(name);
            std::fs::write(&program, format!("#!/bin/sh\necho {name} >> {}\n", ran.display())).unwrap();
            make(&program, 0o755);
        }
        make(&folder, mode);
    }
    let usual = std::env::var("PATH").unwrap();
    let path = format!("{}:{}:{usual}", world.path("sticky").display(), world.path("shared").display());
    let with_path = |mut command: Command| {
        command.env("PATH", &path);
        command
    };
    let install = world.install_command(&["--profile", "light_6gb", "--accept-degraded"]);
    Said::of(with_path(install)).receipt();
    for entry in [&["status"][..], &["doctor"], &["stop"], &["start"], &["uninstall", "--yes"]] {
        let said = output(with_path(world.acolyte(entry)));
        assert!(said.status.success(), "{entry:?}: {}", stderr(&said));
    }
    assert!(!ran.exists(), "ran: {}", std::fs::read_to_string(&ran).unwrap());
}

/// Whatever the user's umask: a login entry that others can write would run their program as this user.
#[test]
fn a_umask_of_000_leaves_nothing_that_others_can_change() {
    let world = World::new(&json!({}));
    let install = world.install_command(&["--profile", "light_6gb", "--accept-degraded"]);
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "umask 000; exec \"$@\"", "sh"]).current_dir(world.folder.path());
    Said::of(launched_by(shell, &install)).receipt();
    let entry = world.path("home/.config/autostart/acolyte-ollama.desktop");
    assert!(entry.exists(), "{:?}", listing(&world.path("home/.config")));
    let open: Vec<PathBuf> = listing(&world.path("home"))
        .into_iter()
        .filter(|path| !path.is_symlink())
        .filter(|path| std::fs::metadata(path).unwrap().permissions().mode() & 0o022 != 0)
        .collect();
    assert_eq!(open, Vec::<PathBuf>::new());
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let program = world.home().join("bin/acolyte-at-login");
    assert_eq!((mode(&entry), mode(&program)), (0o600, 0o700));
    assert_eq!(std::fs::metadata(&program).unwrap().nlink(), 1, "a copy, not a second name");
    for file in listing(&world.home().join("logs")) {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

/// No entry is created where other users could replace it; the server runs anyway.
#[test]
fn no_login_entry_is_written_where_others_can_exchange_it() {
    let world = World::new(&json!({}));
    let folder = world.path("home/.config/autostart");
    std::fs::create_dir_all(&folder).unwrap();
    make(&folder, 0o777);
    let said = world.install(&["--profile", "light_6gb", "--accept-degraded"]);
    said.receipt();
    let login = said.events.iter().rfind(|event| event["step"] == "start_at_login").unwrap();
    assert_eq!(login["state"], "skipped", "{login}");
    assert!(login["message"].as_str().unwrap().contains(folder.to_str().unwrap()), "{login}");
    assert_eq!(listing(&folder), Vec::<PathBuf>::new());
    assert!(!world.read("llm/profile.yaml").contains("autostart: true"));
}

/// The user moved our folders to another drive and linked them: an uninstall removes our files there, and the links.
#[test]
fn an_uninstall_removes_links_and_never_what_they_lead_to() {
    let world = World::new(&json!({}));
    world.install(&LIGHT).receipt();
    world.run(&["stop"]);
    for name in ["models", "logs", "downloads", "ollama"] {
        let (folder, other) = (world.home().join(name), world.path("other-drive").join(name));
        std::fs::create_dir_all(other.parent().unwrap()).unwrap();
        std::fs::rename(&folder, &other).unwrap();
        std::fs::create_dir_all(other.join("blobs")).unwrap();
        for foreign in ["blobs/sha256-of-others-partial", "server.log.backup", "notes.txt"] {
            std::fs::write(other.join(foreign), "foreign").unwrap();
        }
        symlink(&other, &folder).unwrap();
    }
    let said = world.run(&["uninstall", "--yes"]);
    assert!(said.status.success(), "{}", stderr(&said));
    assert!(!world.home().exists(), "{:?}", listing(&world.home()));
    for name in ["models", "logs", "downloads", "ollama"] {
        let other = world.path("other-drive").join(name);
        for foreign in ["blobs/sha256-of-others-partial", "server.log.backup", "notes.txt"] {
            assert_eq!(std::fs::read(other.join(foreign)).unwrap(), b"foreign", "{name}/{foreign}");
        }
    }
    assert!(!world.path("other-drive/models/manifests").exists(), "our models are gone");
    assert!(!world.path("other-drive/ollama/0.32.15").exists(), "our engine is gone");
}

/// Links in place of all our folders, to a drive with other content, from before the installation.
#[test]
fn links_to_another_drive_are_used_and_go_without_what_they_lead_to() {
    let world = World::new(&json!({}));
    let other = world.path("other-drive");
    let names = ["models", "logs", "downloads", "ollama", "bin"];
    let foreign = |name: &str| {
        ["notes.txt", "blobs/sha256-1234-partial", "0.1.0/bin/ollama"].map(|file| other.join(name).join(file))
    };
    std::fs::create_dir_all(world.home()).unwrap();
    make(&world.home(), 0o700);
    for name in names {
        for file in foreign(name) {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, "another's").unwrap();
        }
        symlink(other.join(name), world.home().join(name)).unwrap();
    }
    let said = world.install(&["--profile", "light_6gb", "--accept-degraded"]);
    said.receipt();
    assert!(other.join("ollama/0.32.15/bin/ollama").exists() && other.join("models/manifests").exists());
    assert_eq!(world.status()["server"]["answers"], true);

    let dry = world.run(&["uninstall", "--dry-run", "--json"]);
    let dry: Value = serde_json::from_slice(&dry.stdout).unwrap();
    for name in names {
        let listed = dry["removal"]["folders"].as_array().unwrap();
        assert!(listed.contains(&json!(world.home().join(name))), "{name}: {dry:#}");
    }
    let said = world.run(&["uninstall", "--yes"]);
    assert!(said.status.success(), "{}", stderr(&said));
    for name in names {
        assert!(!world.home().join(name).is_symlink(), "{name}: {}", stderr(&said));
        for file in foreign(name) {
            assert_eq!(std::fs::read(&file).unwrap(), b"another's", "{}", file.display());
        }
    }
    assert!(!other.join("models/manifests").exists() && !other.join("ollama/0.32.15").exists());
    assert_eq!(listing(&other).into_iter().filter(|path| path.is_file()).count(), 3 * names.len());
}

/// Folders further down: only the layers, or only the engine's own folder, are on the other drive.
#[test]
fn links_in_place_of_inner_folders_are_used_and_go() {
    let world = World::new(&json!({}));
    let other = world.path("other-drive");
    for name in ["models/blobs", "models/manifests", "ollama/home"] {
        let target = other.join(name);
        std::fs::create_dir_all(&target).unwrap();
        std::fs::write(target.join("notes.txt"), "mine").unwrap();
        let link = world.home().join(name);
        std::fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(&target, &link).unwrap();
    }
    for folder in [world.home(), world.home().join("ollama"), world.home().join("models")] {
        make(&folder, 0o700);
    }
    world.install(&LIGHT).receipt();
    let said = world.run(&["uninstall", "--yes"]);
    assert!(said.status.success(), "{}", stderr(&said));
    let left: Vec<PathBuf> = listing(&other).into_iter().filter(|path| path.is_file()).collect();
    assert_eq!(left.len(), 3, "{left:?}");
    assert_eq!(listing(&world.home()), Vec::<PathBuf>::new(), "{}", stderr(&said));
}

/// The home itself is elsewhere.
#[test]
fn a_link_in_place_of_the_home_is_used_and_goes() {
    let world = World::new(&json!({}));
    let other = world.path("other-drive");
    std::fs::create_dir_all(&other).unwrap();
    make(&other, 0o700);
    std::fs::create_dir_all(world.path("home")).unwrap();
    symlink(&other, world.home()).unwrap();
    world.install(&LIGHT).receipt();
    assert!(other.join("llm/journal").exists());
    std::fs::write(other.join("notes.txt"), "mine").unwrap();
    let output = world.run(&["uninstall", "--yes", "--json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["removed"]["left"], json!([std::fs::canonicalize(&other).unwrap().join("notes.txt")]));
    assert!(!world.home().is_symlink());
    assert_eq!(listing(&other), [other.join("notes.txt")]);
}

/// The drive is not there: nothing is installed beside it, and what may be left on it is said.
#[test]
fn links_to_a_drive_that_is_not_there_are_named() {
    let world = World::new(&json!({}));
    std::fs::create_dir_all(world.path("home")).unwrap();
    symlink("/nonexistent/drive", world.home()).unwrap();
    for entry in [ENTRIES[0], &["status"], &["uninstall", "--yes"], &["start"]] {
        let said = world.run(entry);
        let words = stderr(&said);
        assert_eq!(said.status.code(), Some(1), "{entry:?}: {words}");
        assert!(
            words.contains("is a link to /nonexistent/drive, which does not exist"),
            "{entry:?}: {words}"
        );
    }
    std::fs::remove_file(world.home()).unwrap();

    std::fs::create_dir(world.home()).unwrap();
    make(&world.home(), 0o700);
    for name in ["models", "logs", "downloads", "ollama"] {
        let link = world.home().join(name);
        // What the installation before made.
        if link.exists() {
            std::fs::remove_dir_all(&link).unwrap();
        }
        symlink("/nonexistent/drive", &link).unwrap();
        let said = world.install(&LIGHT);
        assert_eq!(said.code, Some(1), "{name}: {said:#?}");
        let last = said.events.last().map(ToString::to_string).unwrap_or(said.errors.clone());
        assert!(last.contains("is a link to /nonexistent/drive"), "{name}: {last}");
        std::fs::remove_file(link).unwrap();
    }
    world.install(&LIGHT).receipt();
    world.run(&["stop"]);
    let models = world.home().join("models");
    std::fs::rename(&models, world.path("unplugged")).unwrap();
    symlink("/nonexistent/drive", &models).unwrap();
    let output = world.run(&["uninstall", "--yes", "--json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["removed"]["left"], json!(["/nonexistent/drive"]));
    assert_eq!(listing(&world.home()), Vec::<PathBuf>::new());
}

/// A home with a name of its own may have been there for something else: its links stay, except in place of what we made.
#[test]
fn links_of_another_folder_that_is_used_as_home_stay() {
    let world = World::new(&json!({}));
    let (above, other) = (world.path("home/above"), world.path("other-drive"));
    for folder in [&above, &other] {
        std::fs::create_dir_all(folder).unwrap();
        make(folder, 0o700);
    }
    std::fs::write(other.join("notes.txt"), "mine").unwrap();
    symlink(&other, above.join("models")).unwrap();
    let mut install = LIGHT.to_vec();
    install.extend(["--home", above.to_str().unwrap()]);
    world.install(&install).receipt();
    let said = world.run(&["uninstall", "--yes", "--home", above.to_str().unwrap()]);
    assert!(said.status.success(), "{}", stderr(&said));
    assert_eq!(listing(&other), [other.join("notes.txt")]);
    assert!(above.join("models").is_symlink() && stderr(&said).contains("models"), "{}", stderr(&said));
}

/// `--home` above another server's folder of models: its unfinished pulls are its own.
#[test]
fn unfinished_pulls_of_another_server_below_the_home_stay() {
    let world = World::new(&json!({}));
    let above = world.path("home/above");
    for models in [above.join("models"), above.join(".ollama/models")] {
        let pull = models.join("blobs/sha256-1234-partial");
        std::fs::create_dir_all(pull.parent().unwrap()).unwrap();
        std::fs::write(&pull, "half a model").unwrap();
        let (above, models) = (above.to_str().unwrap(), models.to_str().unwrap());
        let mut install = LIGHT.to_vec();
        install.extend(["--home", above, "--models-dir", models]);
        world.install(&install).receipt();
        let said = world.run(&["uninstall", "--yes", "--home", above]);
        assert!(said.status.success(), "{}", stderr(&said));
        assert_eq!(std::fs::read(&pull).unwrap(), b"half a model");
    }
}

/// What goes is what was listed: nothing else, and all of it.
#[test]
fn the_preview_of_an_uninstall_lists_everything_that_goes() {
    let world = World::new(&json!({}));
    world.install(&["--profile", "light_6gb", "--accept-degraded"]).receipt();
    std::fs::write(world.home().join("notes.txt"), "mine").unwrap();
    std::fs::write(world.home().join("logs/acolyte-crash-1-2.txt"), "crash").unwrap();
    std::fs::write(world.home().join("llm/window.json"), "{}").unwrap();
    let before = listing(&world.path("home"));
    let dry = world.run(&["uninstall", "--dry-run", "--json"]);
    let said: Value = serde_json::from_slice(&dry.stdout).unwrap();
    assert_eq!(said["removed"], Value::Null);
    assert_eq!(listing(&world.path("home")), before, "a dry run removes nothing");

    let words = stderr(&world.run(&["uninstall", "--dry-run"]));
    let paths = |key: &str| -> Vec<PathBuf> {
        let list = said["removal"][key].as_array().unwrap();
        list.iter().map(|path| path.as_str().unwrap().into()).collect()
    };
    let (files, folders, entries) = (paths("paths"), paths("folders"), paths("login_entries"));
    for path in files.iter().chain(&folders).chain(&entries) {
        assert!(words.contains(path.to_str().unwrap()), "the terminal does not say {}", path.display());
    }
    let models: Vec<&str> =
        said["removal"]["models"].as_array().unwrap().iter().map(|m| m["tag"].as_str().unwrap()).collect();
    assert_eq!(models, ["qwen2.5-coder:3b", "acolyte:latest"], "{said:#}");
    assert_eq!(said["removal"]["server_runs"], true);

    let output = world.run(&["uninstall", "--yes", "--json"]);
    let removed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(removed["removal"]["paths"], said["removal"]["paths"]);
    let after = listing(&world.path("home"));
    let models = world.home().join("models");
    let gone: Vec<&PathBuf> = before.iter().filter(|path| !after.contains(path)).collect();
    for path in gone {
        let is_listed = files.iter().any(|listed| path.starts_with(listed))
            || folders.contains(path)
            || entries.contains(path)
            // The models are listed by their tags, and the folders of an entry belong to it.
            || path.starts_with(&models)
            || entries.iter().any(|entry| entry.starts_with(path));
        assert!(is_listed, "{} went and was not listed", path.display());
    }
    for path in files.iter().chain(&entries) {
        assert!(!path.exists(), "{} was listed and is there", path.display());
    }
    assert_eq!(removed["removed"]["left"], json!([world.home().join("notes.txt")]));
}
