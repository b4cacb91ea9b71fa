//! The watcher that starts at login with the server.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::card::Card;
use crate::common::process::below;
use crate::common::world::{PATIENCE, Said, World};
use crate::desktop::Desktop;

const PROFILE: [&str; 3] = ["--profile", "hybrid_8gb", "--accept-degraded"];

/// Processes of the watcher of a world.
fn watchers(world: &World) -> Vec<u32> {
    let command_line = |pid: &u32| std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let watches = |pid: &u32| command_line(pid).split(|byte| *byte == 0).nth(1) == Some(b"watch");
    below(&world.home()).into_iter().filter(watches).collect()
}

/// Main memory that a process takes, from proc_pid_status(5).
fn resident_bytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap() * 1024
}

fn entry(world: &World) -> PathBuf {
    world.path("home/.config/autostart/acolyte-watch.desktop")
}

#[test]
fn it_comes_with_the_server_notifies_and_goes_with_it() {
    let world = World::new(&json!({}));
    let Some(desktop) = Desktop::start(&world) else { return };
    let card = Card::new("4000");
    let mut command = card.beside(world.install_command(&[&PROFILE[..], &["--watch"]].concat()));
    command.env("DBUS_SESSION_BUS_ADDRESS", &desktop.address);
    Said::of(command).receipt();
    let started = std::fs::read_to_string(entry(&world)).unwrap();
    let copy = world.home().join("bin/acolyte-at-login");
    let starts = format!("Exec={} watch {}\n", copy.display(), world.home().display());
    assert!(started.contains(&starts), "{started}");
    assert_eq!(world.json("llm/request.json")["options"]["watch"], true);
    assert_eq!(world.status()["profile"]["watch"], true);
    let [first] = watchers(&world)[..] else { panic!("{:?}", watchers(&world)) };

    card.is("100");
    let alert = desktop.next();
    assert_eq!(alert.title, "Graphics memory is nearly full");

    // A login starts it again: there is one, not two.
    let mut second = card.beside(world.program(copy.to_str().unwrap()));
    second.arg("watch").arg(world.home()).env("DBUS_SESSION_BUS_ADDRESS", &desktop.address);
    let second = crate::common::process::Guarded(second.spawn().unwrap());
    until("the first one ended", || watchers(&world) == [second.0.id()] && first != second.0.id());

    let removed = world.run(&["uninstall", "--yes"]);
    assert!(removed.status.success(), "{removed:?}");
    assert!(!entry(&world).exists() && !world.home().exists());
    drop(second);
    assert_eq!(watchers(&world), [] as [u32; 0]);
}

#[test]
fn without_the_option_it_is_removed_again() {
    let world = World::new(&json!({}));
    world.install(&[&PROFILE[..], &["--watch"]].concat()).receipt();
    assert!(entry(&world).exists());
    let [pid] = watchers(&world)[..] else { panic!("{:?}", watchers(&world)) };
    // A release build is a third of the size of this one, and takes less than 15 MB.
    until("what its start needed has left memory", || resident_bytes(pid) < 25_000_000);
    // The same server, started at login, not watched.
    world.install(&PROFILE).receipt();
    assert!(!entry(&world).exists());
    assert_eq!(watchers(&world), [] as [u32; 0]);
    assert!(world.path("home/.config/autostart/acolyte-ollama.desktop").exists());
    assert_eq!(world.status()["profile"].get("watch"), None);
    let refused = world.run(&["install", "--watch", "--no-autostart"]);
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn a_failed_installation_restores_what_was_watched_before() {
    let world = World::new(&json!({}));
    world.install(&[&PROFILE[..], &["--watch"]].concat()).receipt();
    // The next installation is not watched; it ends after its login entry was changed, where the receipt is written.
    let receipt = world.home().join("llm/receipt.json.new");
    std::fs::create_dir_all(receipt.join("occupied")).unwrap();
    let failed = world.install(&["--profile", "light_6gb", "--accept-degraded"]);
    assert_eq!(failed.code, Some(1), "{failed:#?}");
    assert!(entry(&world).exists(), "{:?}", failed.steps());
    assert_eq!(watchers(&world).len(), 1);
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
