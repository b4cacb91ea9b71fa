//! `acolyte monitor`, `acolyte logs` and the split in `acolyte status`.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use serde_json::{Value, json};

use crate::card::Card;
use crate::common::process::{Guarded, Signal, output, signal};
use crate::common::world::{Running, World};

#[test]
fn each_look_is_a_line_and_the_driver_is_loaded_once() {
    let (card, world) = (Card::new("8000"), World::new(&json!({})));
    let running = Running::start(card.beside(world.acolyte(&["monitor", "--json", "--interval", "1"])));
    let first = running.wait_for(|_| true);
    let gpu = &first["gpus"][0];
    assert_eq!((&gpu["used_bytes"], &gpu["total_bytes"]), (&json!(188_u64 << 20), &json!(8188_u64 << 20)));
    assert_eq!((&first["model"], &first["alerts"]), (&Value::Null, &json!([])));
    card.is("100");
    let alerts = |sample: &Value| sample["alerts"].as_array().unwrap().len();
    let full = running.wait_for(|sample| alerts(sample) > 0);
    assert!(full["alerts"][0].as_str().unwrap().contains("99"), "{full}");
    card.is("4000");
    let recovered = running.wait_for(|sample| alerts(sample) > 0);
    assert!(recovered["alerts"][0].as_str().unwrap().contains("is down to"), "{recovered}");
    assert_eq!(card.starts(), 2, "once for detection, once to watch");
    running.signal(Signal::Interrupt);
    assert_eq!(running.end(), Some(130));
}

#[test]
fn in_a_pipe_it_prints_lines() {
    let (card, world) = (Card::new("100"), World::new(&json!({})));
    let said = output(card.beside(world.acolyte(&["monitor", "--once"])));
    assert_eq!(said.status.code(), Some(10), "nearly full: {said:?}");
    let lines = String::from_utf8(said.stdout).unwrap();
    assert!(lines.starts_with("NVIDIA GeForce RTX 4060 Laptop GPU: 7.9 of 8"), "{lines}");
    assert!(!lines.contains('\u{1b}') && lines.lines().count() == 1, "{lines:?}");
}

#[test]
fn on_a_terminal_it_redraws_in_place_and_changes_nothing_else() {
    let (card, world) = (Card::new("4000"), World::new(&json!({})));
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    // Narrower than the name of the card.
    tcsetwinsize(&master, Winsize { ws_row: 30, ws_col: 30, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let end = || File::options().read(true).write(true).open(OsStr::from_bytes(name.to_bytes())).unwrap();
    let mut command = card.beside(world.acolyte(&["monitor", "--interval", "1"]));
    command.env("TERM", "xterm").stdin(end()).stdout(end()).stderr(end());
    let child = Guarded(command.spawn().unwrap());
    drop(command);
    let (mut master, mut shown, mut bytes) = (File::from(master), String::new(), [0; 4096]);
    let mut asked = false;
    while let Ok(count @ 1..) = master.read(&mut bytes) {
        shown.push_str(&String::from_utf8_lossy(&bytes[..count]));
        if shown.matches("Ctrl-C ends").count() >= 2 && !asked {
            asked = signal(child.0.id(), Signal::Interrupt);
        }
    }
    let mut child = child;
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let (first, second) = shown.split_once("Ctrl-C ends").unwrap();
    assert!(
        first.contains("51\u{a0}%") && first.contains('▒') && first.contains("Model: not in memory"),
        "{shown}"
    );
    let height = first.lines().count() + 1;
    assert!(second.contains(&format!("\u{1b}[{height}A\r\u{1b}[J")), "{height}: {shown:?}");
    let widest = shown.lines().map(|line| line.replace("\u{1b}[J", "").chars().count()).max();
    assert!(widest <= Some(31 + "\u{1b}[99A\r".len()), "{shown:?}");
    // Nothing that would have to be restored: no hidden cursor, no other screen, no raw mode.
    assert!(!shown.contains("\u{1b}[?"), "{shown:?}");
}

#[test]
fn the_log_is_shown_without_keys_and_followed_across_rotations() {
    let world = World::new(&json!({}));
    let nothing = world.run(&["logs"]);
    assert_eq!(nothing.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&nothing.stderr).contains("no log of the server"), "{nothing:?}");

    let log = world.home().join("logs/server.log");
    std::fs::create_dir_all(log.parent().unwrap()).unwrap();
    let write = |text: &str| {
        let mut file = OpenOptions::new().create(true).append(true).open(&log).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    };
    std::fs::write(log.with_extension("log.1"), "oldest\nolder\n").unwrap();
    write("old\nAuthorization: Bearer abcdefghijklmnop0123456789\nlast without an end");
    let lines = |arguments: &[&str]| {
        let said = world.run(arguments);
        assert!(said.status.success(), "{said:?}");
        String::from_utf8(said.stdout).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let all = lines(&["logs"]);
    assert_eq!((all.len(), all[0].as_str(), all[4].as_str()), (5, "oldest", "last without an end"));
    assert!(!all[3].contains("abcdefgh"), "{all:?}");
    assert_eq!(lines(&["logs", "-n", "3"])[0], "older");
    let first: Value = serde_json::from_str(&lines(&["logs", "--json", "-n", "1"])[0]).unwrap();
    assert_eq!(first["schema"], 1);

    write("\n");
    let following = Running::start(world.acolyte(&["logs", "--follow", "--json", "-n", "1"]));
    following.wait_for(|line| line["line"] == "last without an end");
    write("new\n");
    following.wait_for(|line| line["line"] == "new");
    write("before\n");
    std::fs::rename(&log, log.with_extension("log.1")).unwrap();
    write("after\n");
    following.wait_for(|line| line["line"] == "before");
    following.wait_for(|line| line["line"] == "after");
    following.signal(Signal::Interrupt);
    assert_eq!(following.end(), Some(130));
}

#[test]
fn status_shows_where_the_model_is() {
    let world = World::new(&json!({}));
    world.install(&["--profile", "hybrid_8gb", "--accept-degraded", "--no-autostart"]).receipt();
    let model = &world.status()["model"];
    let share = model["size_vram_bytes"].as_f64().unwrap() / model["size_bytes"].as_f64().unwrap();
    assert!((model["gpu_share"].as_f64().unwrap() - share).abs() < 1e-9, "{model:#}");
    let processor = model["processor"].as_str().unwrap();
    assert!(processor.ends_with("% GPU/CPU") || processor == "100% GPU", "{processor}");
    assert!(model["expires_at"].as_str().unwrap().contains('T'), "{model:#}");
    let said = String::from_utf8(world.run(&["status"]).stdout).unwrap();
    assert!(said.contains(&format!("In memory: {processor}, ")) && said.contains("32,768"), "{said}");
    // On the processor alone.
    let slow = json!({"model": "acolyte", "prompt": "", "options": {"num_gpu": 0}});
    world.ask("POST", "/api/generate", Some(&slow));
    assert_eq!(world.status()["model"]["processor"], "100% CPU");
}
