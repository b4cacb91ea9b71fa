//! Every file that is read, replaced by something else: a named pipe, which blocks a reader that opens it; a link to an endless
//! device; a folder; and a sparse file of ten gigabytes. Each command ends soon, within little memory, and names the file
//! where it cannot do without it.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod common;

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use common::process::{launched_by, output};
use common::world::{World, listing};
use serde_json::json;

const INSTALL: [&str; 4] = ["--profile", "light_6gb", "--accept-degraded", "--no-autostart"];

/// Far more than a command takes here, far less than reading ten gigabytes into memory that there is not.
const SOON: Duration = Duration::from_secs(60);
/// Address space of each command, in KiB: less than the sparse file.
const MEMORY_KIB: u32 = 4 << 20;
const HUGE_BYTES: u64 = 10_000_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strange {
    Pipe,
    Endless,
    Folder,
    Huge,
}

impl Strange {
    const ALL: [Self; 4] = [Self::Pipe, Self::Endless, Self::Folder, Self::Huge];

    fn plant(self, path: &Path) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        match self {
            Self::Pipe => {
                use rustix::fs::{CWD, FileType, mknodat};
                mknodat(CWD, path, FileType::Fifo, 0o600.into(), 0).unwrap();
            }
            Self::Endless => symlink("/dev/zero", path).unwrap(),
            Self::Folder => std::fs::create_dir(path).unwrap(),
            Self::Huge => {
                let file = std::fs::File::create_new(path).unwrap();
                file.set_len(HUGE_BYTES).unwrap();
                file.set_permissions(std::fs::Permissions::from_mode(0o600)).unwrap();
            }
        }
    }
}

fn remove(path: &Path) {
    if path.is_dir() && !path.is_symlink() {
        std::fs::remove_dir_all(path).unwrap();
    } else if path.symlink_metadata().is_ok() {
        std::fs::remove_file(path).unwrap();
    }
}

/// Runs a command with little memory. It ends by itself, and soon.
#[track_caller]
fn soon(command: &Command, world: &World) -> Output {
    let mut shell = Command::new("/bin/sh");
    let limited = format!("ulimit -v {MEMORY_KIB}; exec \"$@\"");
    shell.args(["-c", &limited, "sh"]).current_dir(world.folder.path());
    let began = Instant::now();
    let said = output(launched_by(shell, command));
    assert!(said.status.code().is_some(), "{command:?} was killed: {said:?}");
    assert!(began.elapsed() < SOON, "{command:?} took {:?}", began.elapsed());
    said
}

/// Runs it, and expects a refusal that names the file.
#[track_caller]
fn refused(command: &Command, file: &Path, kind: Strange, world: &World) {
    let said = soon(command, world);
    let words = String::from_utf8_lossy(&said.stderr).into_owned() + &String::from_utf8_lossy(&said.stdout);
    assert!(matches!(said.status.code(), Some(1 | 2)), "{kind:?} {command:?}: {words}");
    assert!(words.contains(file.to_str().unwrap()), "{kind:?} {command:?} does not name it: {words}");
    if kind == Strange::Huge {
        assert!(words.contains("larger than"), "{command:?}: {words}");
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    std::fs::set_permissions(to, std::fs::Permissions::from_mode(0o700)).unwrap();
    for path in listing(from).iter().filter(|path| path.is_file() && path.parent() == Some(from)) {
        std::fs::copy(path, to.join(path.file_name().unwrap())).unwrap();
    }
}

/// Journal, lock and documents.
#[test]
fn what_decides_over_a_home() {
    let world = World::new(&json!({}));
    world.install(&INSTALL).receipt();
    world.run(&["stop"]);
    let install = || world.install_command(&INSTALL);
    let status = || world.acolyte(&["status"]);
    let others = [&["uninstall", "--dry-run"][..], &["undo", "--yes"], &["start"], &["doctor"]];
    // Which of the two reads it, and so refuses a huge one.
    let files = [
        ("journal", true, true),
        ("lock", false, false),
        ("profile.yaml", true, true),
        ("receipt.json", true, true),
        ("request.json", false, true),
        ("consent.json", false, true),
        ("server.json", false, true),
        ("window.json", false, false),
    ];
    for (name, by_status, by_install) in files {
        let (file, aside) = (world.home().join("llm").join(name), world.path("aside"));
        let was_there = file.exists();
        if was_there {
            std::fs::rename(&file, &aside).unwrap();
        }
        for kind in Strange::ALL {
            kind.plant(&file);
            if kind != Strange::Huge {
                refused(&status(), &file, kind, &world);
                refused(&install(), &file, kind, &world);
                others.iter().for_each(|other| refused(&world.acolyte(other), &file, kind, &world));
            } else {
                if by_status {
                    refused(&status(), &file, kind, &world);
                } else {
                    soon(&status(), &world);
                }
                soon(&world.acolyte(others[0]), &world);
                if by_install {
                    refused(&install(), &file, kind, &world);
                }
            }
            remove(&file);
        }
        if was_there {
            std::fs::rename(&aside, &file).unwrap();
        }
    }
    assert!(status_is_good(&world));
}

fn status_is_good(world: &World) -> bool {
    world.run(&["status"]).status.success()
}

/// The copies that an interrupted installation is rolled back to.
#[test]
fn what_was_in_force_before_an_installation() {
    let world = World::new(&json!({}));
    world.install(&INSTALL).receipt();
    world.run(&["stop"]);
    let (llm, kept) = (world.home().join("llm"), world.path("kept"));
    copy_folder(&llm, &kept);
    for name in ["state.json", "profile.yaml", "receipt.json", "request.json", "server.json", "consent.json"]
    {
        for kind in Strange::ALL {
            remove(&llm);
            copy_folder(&kept, &llm);
            let before = llm.join("before");
            copy_folder(&kept, &before);
            std::fs::write(before.join("state.json"), r#"{"schema":1,"server_ran":false}"#).unwrap();
            let journal = std::fs::read_to_string(kept.join("journal")).unwrap();
            let begun = "{\"at\":\"2026-11-23T10:00:00Z\",\"phase\":\"begin\"}\n";
            std::fs::write(llm.join("journal"), journal + begun).unwrap();
            let file = before.join(name);
            remove(&file);
            kind.plant(&file);
            soon(&world.acolyte(&["status"]), &world);
            refused(&world.acolyte(&["undo", "--yes"]), &file, kind, &world);
        }
    }
}

/// Files that something else than the documents needs.
#[test]
fn what_else_lies_in_a_home() {
    let world = World::new(&json!({}));
    world.install(&["--profile", "light_6gb", "--accept-degraded"]).receipt();
    world.run(&["stop"]);
    let entry = world.path("home/.config/autostart/acolyte-ollama.desktop");
    assert!(entry.exists());
    let blob = listing(&world.home().join("models/blobs")).into_iter().min_by_key(|path| size(path)).unwrap();
    let manifests = world.home().join("models/manifests/registry.ollama.ai/library");
    let (looks, starts, report) = (&["status"][..], &["start"][..], &["doctor"][..]);
    let removal = &["uninstall", "--dry-run"][..];
    // What reads it. Only a start cannot do without its log.
    let log = world.home().join("logs/server.log");
    let files: [(PathBuf, &[&[&str]]); 6] = [
        (log.clone(), &[looks, report, starts]),
        (world.home().join("logs/acolyte.log"), &[looks, report]),
        (world.home().join("ollama/0.32.15/acolyte-engine.json"), &[removal, starts]),
        (manifests.join("acolyte/latest"), &[looks, removal]),
        (blob, &[looks]),
        (entry.clone(), &[looks, removal]),
    ];
    for (file, commands) in files {
        let aside = world.path("aside");
        std::fs::rename(&file, &aside).unwrap();
        for kind in Strange::ALL {
            kind.plant(&file);
            for command in commands {
                if file == log && *command == starts && kind != Strange::Huge {
                    refused(&world.acolyte(command), &file, kind, &world);
                    continue;
                }
                let said = soon(&world.acolyte(command), &world);
                // We write no such entry, so it is somebody else's.
                let words = String::from_utf8_lossy(&said.stderr).into_owned();
                let is_listed = *command == removal && words.contains("acolyte-ollama.desktop");
                assert!(!is_listed || file != entry, "{kind:?}: {words}");
            }
            world.run(&["stop"]);
            remove(&file);
        }
        std::fs::rename(&aside, &file).unwrap();
    }
    assert!(status_is_good(&world));
}

fn size(path: &Path) -> u64 {
    path.metadata().unwrap().len()
}

/// A download that an earlier run left, as it seems.
#[test]
fn an_unfinished_download() {
    let world = World::new(&json!({}));
    let partial = world.home().join("downloads").join(format!("{}.partial", world.asset));
    for kind in [Strange::Pipe, Strange::Endless, Strange::Folder] {
        kind.plant(&partial);
        refused(&world.install_command(&INSTALL), &partial, kind, &world);
        remove(&partial);
    }
    for kind in [Strange::Huge, Strange::Pipe] {
        let file =
            if kind == Strange::Pipe { partial.with_extension("partial.json") } else { partial.clone() };
        kind.plant(&file);
        let said = soon(&world.install_command(&INSTALL), &world);
        assert!(said.status.success(), "{kind:?}: {said:?}");
        assert!(world.run(&["uninstall", "--yes"]).status.success());
    }
}

/// Another server's store, and a program on the path.
#[test]
fn what_detection_finds() {
    let world = World::new(&json!({}));
    let store = world.path("home/.ollama/models");
    let manifests = store.join("manifests/registry.ollama.ai/library");
    let path = world.path("path");
    for (n, kind) in Strange::ALL.into_iter().enumerate() {
        kind.plant(&manifests.join(format!("model{n}/latest")));
        kind.plant(&manifests.join(format!("name{n}")));
        kind.plant(&store.join(format!("blobs/sha256-{}", n.to_string().repeat(64))));
        kind.plant(&path.join(format!("{n}/ollama")));
        kind.plant(&world.path("home/.ollama/logs").join(format!("{n}.log")));
    }
    Strange::Pipe.plant(&world.path("home/.ollama/logs/server.log"));
    let folders: Vec<PathBuf> = (0..Strange::ALL.len()).map(|n| path.join(n.to_string())).collect();
    let usual = std::env::var_os("PATH").unwrap();
    let folders = std::env::join_paths(folders.into_iter().chain(std::env::split_paths(&usual))).unwrap();
    for command in [&["detect", "--json"][..], &["doctor"]] {
        // Drivers of graphics cards reserve more address space than the limit.
        let began = Instant::now();
        let said = output(world.acolyte(command).env("PATH", &folders));
        assert!(said.status.success() && began.elapsed() < SOON, "{command:?}: {said:?}");
    }
    let said = soon(&world.install_command(&INSTALL), &world);
    assert!(said.status.success(), "{said:?}");
}

/// Files that the user names. Those that are no files at all: `security.rs`.
#[test]
fn what_the_user_names() {
    let world = World::new(&json!({}));
    let huge = world.path("huge.gguf");
    Strange::Huge.plant(&huge);
    let file = huge.to_str().unwrap();
    let hardware = world.path("hardware.json");
    let hardware = hardware.to_str().unwrap();
    for arguments in [
        &["check-requirements", "--hardware", file][..],
        &["check-requirements", "--hardware", hardware, "--profiles", file],
        &["install", "--yes", "--accept-degraded", "--hardware", hardware, "--release", file],
        &["estimate", "--model", "127.0.0.1:1/a/b:c", "--ca", file],
    ] {
        refused(&world.acolyte(arguments), &huge, Strange::Huge, &world);
    }
    let said = soon(&world.acolyte(&["estimate", "--model", file]), &world);
    assert!(matches!(said.status.code(), Some(1 | 2)), "{said:?}");
}
