//! Folders and drives that do not allow everything: what can be done in another way is, and the rest is said before anything
//! is downloaded.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![cfg(target_os = "linux")]

mod common;

use std::process::Command;

use common::process::{launched_by, output};
use common::world::{Said, World, quick_double};
use serde_json::json;

const PLAIN: [&str; 4] = ["--accept-degraded", "--no-autostart", "--profile", "hybrid_8gb"];

fn world() -> World {
    World::new(&quick_double(&json!({})))
}

/// Whether a byte of the engine's archive was requested.
fn downloads(world: &World) -> bool {
    world.mirror.requests().iter().any(|request| request.path.contains("ollama-test"))
}

/// Fails with these words before anything is downloaded, and leaves nothing.
fn refused_at_first(world: &World, said: &Said, words: &str) {
    assert_ne!(said.code, Some(0), "{said:#?}");
    let last = said.events.last().unwrap_or_else(|| panic!("{said:#?}")).to_string();
    assert!(last.contains(words), "{last}");
    assert!(!downloads(world), "{:#?}", world.mirror.requests());
}

/// NFS without its lock service, and SMB or exFAT without links.
#[test]
fn without_locks_and_links_it_is_installed_and_removed() {
    let world = world();
    let foreign = |mut command: Command| {
        command.env("LD_PRELOAD", common::stand_in_file_system());
        command.env("STAND_IN_FAILS", "symlink=1,link=95,flock=37,fsync=22");
        command
    };
    let said = Said::of(foreign(world.install_command(&PLAIN)));
    assert_eq!(said.code, Some(0), "{said:#?}");
    let library = world.home().join("ollama/0.32.15/lib/ollama/libggml-base.so");
    assert!(library.is_file() && !library.is_symlink(), "copied instead of linked");
    assert_eq!(world.status()["server"]["answers"], true);
    let removed = output(foreign(world.acolyte(&["uninstall", "--yes"])));
    assert!(removed.status.success(), "{}", String::from_utf8_lossy(&removed.stderr));
    assert!(!world.home().exists(), "nothing is left");
}

#[test]
fn a_second_installer_is_refused_without_locks_too() {
    let world = world();
    let holder = world.home().join("llm/lock.holder");
    std::fs::create_dir_all(holder.parent().unwrap()).unwrap();
    use std::os::unix::fs::PermissionsExt as _;
    for folder in [world.home(), world.home().join("llm")] {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).unwrap();
    }
    let us = acolyte::platform::process::identify(std::process::id()).unwrap();
    std::fs::write(&holder, serde_json::to_vec(&us).unwrap()).unwrap();
    let mut command = world.install_command(&PLAIN);
    command.env("LD_PRELOAD", common::stand_in_file_system()).env("STAND_IN_FAILS", "flock=37");
    let said = Said::of(command);
    refused_at_first(&world, &said, "nother installer");
    assert!(holder.exists(), "the lock of a running process is kept");
}

/// A session folder that is a link to a drive which is not there.
#[test]
fn a_login_folder_that_cannot_be_written_is_said_and_the_server_runs() {
    let world = world();
    let folder = world.path("home/.config/autostart");
    std::fs::create_dir_all(folder.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink("/nonexistent/drive", &folder).unwrap();
    let said = world.install(&["--accept-degraded", "--profile", "hybrid_8gb"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    let events = said.events.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(events.contains("is a link to /nonexistent/drive, which does not exist"), "{events}");
    assert_eq!(world.status()["server"]["answers"], true);
    assert!(world.run(&["uninstall", "--yes"]).status.success());
    assert!(folder.is_symlink(), "it is the user's");
}

#[test]
fn a_drive_that_runs_no_programs_is_refused_before_the_download() {
    let unshare = ["--user", "--map-root-user", "--mount"];
    if !Command::new("unshare").args(unshare).arg("true").output().is_ok_and(|it| it.status.success()) {
        eprintln!("skipped: this system lets no test mount anything");
        return;
    }
    let world = world();
    std::fs::create_dir_all(world.home()).unwrap();
    let mut launcher = Command::new("unshare");
    let script = "mount -t tmpfs -o mode=700,noexec none \"$0\" && exec \"$@\"";
    launcher.args(unshare).args(["sh", "-c", script]).arg(world.home());
    let said = Said::of(launched_by(launcher, &world.install_command(&PLAIN)));
    refused_at_first(&world, &said, "noexec");
}

#[test]
fn a_limit_on_the_size_of_files_is_said_before_the_download() {
    let world = world();
    let mut launcher = Command::new("sh");
    launcher.args(["-c", "ulimit -f 1000000 && exec \"$@\"", "sh"]);
    let said = Said::of(launched_by(launcher, &world.install_command(&PLAIN)));
    refused_at_first(&world, &said, "ulimit -f");
}

/// Names as people have them: with spaces, accents and other writing, and as long as a name may be.
#[test]
fn a_home_with_a_long_and_non_ascii_name_is_used() {
    let world = world();
    let long = "carpeta-".repeat(30);
    let home = world.path(&format!("home/Ñandú Peña 日本語 ὀδύσσεια/{long}/.acolyte"));
    let home_text = home.to_str().unwrap();
    let mut arguments = PLAIN.to_vec();
    arguments.extend(["--home", home_text]);
    let said = world.install(&arguments);
    assert_eq!(said.code, Some(0), "{said:#?}");
    let status = world.run(&["status", "--json", "--home", home_text]);
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["server"]["answers"], true, "{status:#}");
    let removed = world.run(&["uninstall", "--yes", "--home", home_text]);
    assert!(removed.status.success(), "{}", String::from_utf8_lossy(&removed.stderr));
    assert!(!home.exists());
}

/// The home itself can be made, and the longest of a model's files cannot.
#[test]
fn a_path_that_is_too_long_is_said_before_the_download() {
    const MAX_PATH: usize = 4_095;
    let world = world();
    let mut home = world.path("home");
    while home.as_os_str().len() < MAX_PATH - 320 {
        home = home.join("d".repeat(200));
    }
    let rest = MAX_PATH - 60 - home.as_os_str().len();
    home = home.join("e".repeat(rest));
    let mut arguments = PLAIN.to_vec();
    arguments.extend(["--home", home.to_str().unwrap()]);
    let said = world.install(&arguments);
    refused_at_first(&world, &said, "The path is too long");
}
