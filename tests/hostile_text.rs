//! Untrusted text cannot control the terminal: escape sequences, control and direction characters in a model's header,
//! a hardware file, a server's responses, a log and file names are displayed as their numbers. JSON contains them
//! escaped.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![cfg(unix)]

mod common;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Output;

use common::gguf::Shape;
use common::world::World;
use serde_json::{Value, json};

/// Clears the screen, sets the clipboard, both also with one-character codes, reverses direction, hides text, and
/// starts a line like one of ours.
const HOSTILE: &str = "RTX\u{1b}[2J\u{1b}]52;c;ZXZpbA==\u{7}\u{9b}2J\u{202e}\u{2066}\u{200b}\u{2028}\u{7f}\u{8}\racolyte: all is well";

/// Whether a text contains control characters other than our styles (`ESC [ … m`).
fn acts(text: &str) -> bool {
    let plain = text.split("\u{1b}[").enumerate().map(|(i, piece)| match i {
        0 => piece,
        _ => piece
            .trim_start_matches(|c: char| c.is_ascii_digit() || c == ';')
            .strip_prefix('m')
            .unwrap_or("\u{1b}"),
    });
    plain.flat_map(str::chars).any(|c| {
        c.is_control() && c != '\n'
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
    })
}

/// The output, after checking all of it.
#[track_caller]
fn harmless(output: &Output) -> String {
    let said = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (out, errors) = (said(&output.stdout), said(&output.stderr));
    for text in [&out, &errors] {
        assert!(!acts(text), "{text:?}");
        // No line starts like one of our messages.
        assert!(!text.lines().any(|line| line.starts_with("acolyte: all is well")), "{text:?}");
    }
    out + &errors
}

#[test]
fn a_hardware_file_cannot_control_the_terminal() {
    let world = World::new(&json!({}));
    let hardware = json!({
        "schema": 1,
        "os": {"name": HOSTILE, "version": HOSTILE, "arch": HOSTILE},
        "cpu": {"name": HOSTILE, "physical_cores": 8, "features": [HOSTILE]},
        "memory": {"total_bytes": 17_179_869_184_u64},
        "gpus": [{"name": HOSTILE, "vendor": "nvidia", "kind": "discrete", "vram_total_bytes": 8_585_740_288_u64,
                  "driver_version": HOSTILE, "sources": {"name": HOSTILE}}],
        "engines": [{"kind": "server", "version": HOSTILE, "port": 11434, "path": HOSTILE,
                     "models": [{"name": HOSTILE}], "loaded": [{"name": HOSTILE}]}],
        "model_folders": [{"path": HOSTILE, "total_bytes": 1, "models": [{"name": HOSTILE}]}],
        "notes": [HOSTILE, {"code": HOSTILE, "text": ""}, {"code": "vram_held",
                  "details": {"gpu": HOSTILE, "program": HOSTILE, "bytes": 3_221_225_472_u64}}],
    });
    world.write("hostile.json", &hardware);
    let file = world.path("hostile.json");
    let file = file.to_str().unwrap();
    let shown = harmless(&world.run(&["check-requirements", "--hardware", file]));
    assert!(shown.contains(r"RTX\u{1b}[2J") && shown.contains(r"\u{202e}"), "{shown}");
    harmless(&world.run(&["install", "--hardware", file, "--profile", "light_6gb"]));
    // JSON contains only visible characters, and the original can be parsed from it.
    let json = harmless(&world.run(&["check-requirements", "--json", "--hardware", file]));
    let document: Value = serde_json::from_str(&json).unwrap();
    assert!(document["hardware"]["gpus"][0]["name"].as_str().unwrap().contains(r"\u{202e}"), "{json}");
    assert_eq!(document["hardware"]["os"]["name"], HOSTILE);
}

#[test]
fn a_model_file_cannot_control_the_terminal() {
    let world = World::new(&json!({}));
    let hostile = world.path("hostile.gguf");
    let file = hostile.to_str().unwrap();
    std::fs::write(&hostile, Shape { name: HOSTILE, ..Shape::tiny() }.file()).unwrap();
    let shown = harmless(&world.run(&["estimate", "--gpu", "RTX 4060", "--model", file]));
    assert!(shown.contains(r"RTX\u{1b}[2J"), "the title is shown: {shown}");
    harmless(&world.run(&["estimate", "--gpu", "RTX 4060", "--model", file, "--json"]));
    // An unknown architecture, an invalid file, a hostile file name.
    let odd = Shape { architecture: HOSTILE, ..Shape::tiny() }.file();
    std::fs::write(&hostile, odd).unwrap();
    let shown = harmless(&world.run(&["estimate", "--gpu", "RTX 4060", "--model", file]));
    assert!(shown.contains(r"\u{202e}"), "{shown}");
    let named = world.path("name\u{1b}[2J\u{202e}\nacolyte: all is well.gguf");
    std::fs::write(&named, HOSTILE).unwrap();
    let shown = harmless(&world.run(&["estimate", "--gpu", "RTX 4060", "--model", named.to_str().unwrap()]));
    assert!(shown.contains(r"name\u{1b}[2J\u{202e}\n"), "{shown}");
}

/// Version and model names of another running server.
#[test]
fn a_server_cannot_control_the_terminal() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let host = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut head = [0; 1024];
            let length = stream.read(&mut head).unwrap_or(0);
            let models = json!([{"name": HOSTILE, "model": HOSTILE, "size": 5, "size_vram": 5, "context_length": 4096}]);
            let body = match String::from_utf8_lossy(&head[..length]).split(' ').nth(1) {
                Some("/api/version") => json!({"version": HOSTILE}),
                _ => json!({"models": models}),
            }
            .to_string();
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            // A client that disconnects has its response.
            let _gone = stream.write_all(answer.as_bytes());
        }
    });
    let world = World::new(&json!({}));
    let asked =
        |arguments: &[&str]| common::process::output(world.acolyte(arguments).env("OLLAMA_HOST", &host));
    let shown = harmless(&asked(&["detect"]));
    assert!(shown.contains(r"RTX\u{1b}[2J"), "the version is shown: {shown}");
    let json = harmless(&asked(&["detect", "--json"]));
    let document: Value = serde_json::from_str(&json).unwrap();
    let engines = document["engines"].as_array().unwrap();
    assert!(
        engines.iter().any(|one| one["version"].as_str().is_some_and(|v| v.contains(r"\u{202e}"))),
        "{json}"
    );
}

/// The last lines of the server's log are quoted if it does not start.
#[test]
fn a_log_cannot_control_the_terminal() {
    let world = World::new(&json!({"faults": {"serve_fails": format!("cannot load {HOSTILE}")}}));
    let mut command =
        world.install_command(&["--profile", "light_6gb", "--accept-degraded", "--no-autostart"]);
    let shown = harmless(&common::process::output(&mut command));
    assert!(shown.contains(r"cannot load RTX\u{1b}[2J"), "{shown}");
    // As text instead of JSON.
    let mut command = world.acolyte(&["install", "--yes", "--mirror", &world.mirror.url()]);
    command
        .arg("--release")
        .arg(world.path("release.json"))
        .arg("--hardware")
        .arg(world.path("hardware.json"));
    command.args([
        "--port",
        &world.port.to_string(),
        "--profile",
        "light_6gb",
        "--accept-degraded",
        "--no-autostart",
    ]);
    let shown = harmless(&common::process::output(&mut command));
    assert!(shown.contains(r"cannot load RTX\u{1b}[2J"), "{shown}");
}

/// Names of folders and files, wherever a path is said: a home, a document, a report, an archive, a folder of models.
#[test]
fn paths_cannot_act_on_the_terminal() {
    use std::os::unix::fs::PermissionsExt as _;
    const NAME: &str = "a\u{1b}[2J\u{202e}\nacolyte: all is well";
    let shown_name = r"a\u{1b}[2J\u{202e}\nacolyte: all is well";
    let world = World::new(&json!({}));
    let folder = world.path(NAME);
    let at = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    std::fs::create_dir(&folder).unwrap();
    let said = |arguments: &[&str]| {
        let shown = harmless(&world.run(arguments));
        assert!(shown.contains(shown_name), "{arguments:?}: {shown}");
    };
    let home = at("home");
    let of_home = |entry: &[&'static str]| -> Vec<String> {
        entry.iter().map(|word| (*word).to_owned()).chain(["--home".to_owned(), home.clone()]).collect()
    };
    let entries = [&["status"][..], &["uninstall", "--dry-run"], &["undo", "--yes"], &["start"], &["stop"]];
    let at_home = || {
        for entry in entries {
            let arguments = of_home(entry);
            said(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        }
    };
    at_home();
    // A home that others can change, a document that is none, a journal that names what is not ours.
    let llm = folder.join("home/llm");
    std::fs::create_dir_all(&llm).unwrap();
    std::fs::write(llm.join("journal"), "").unwrap();
    let mode =
        |mode| std::fs::set_permissions(folder.join("home"), std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o777);
    at_home();
    mode(0o700);
    std::fs::set_permissions(&llm, std::fs::Permissions::from_mode(0o700)).unwrap();
    std::fs::remove_file(llm.join("journal")).unwrap();
    std::fs::create_dir(llm.join("journal")).unwrap();
    at_home();
    std::fs::remove_dir(llm.join("journal")).unwrap();
    let planted = json!({"at": HOSTILE, "phase": "intent", "change": "write_file", "path": at("key")});
    std::fs::write(llm.join("journal"), planted.to_string() + "\n").unwrap();
    std::fs::set_permissions(llm.join("journal"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let journal = of_home(&["uninstall", "--yes"]);
    said(&journal.iter().map(String::as_str).collect::<Vec<_>>());

    // What the user names.
    let (report, archive, nothing) = (at("report.json"), at("engine.zip"), at("nothing.json"));
    std::fs::write(&archive, "PK\u{3}\u{4}").unwrap();
    let (hardware, release) = (world.path("hardware.json"), world.path("release.json"));
    let [hardware, release] = [&hardware, &release].map(|path| path.to_str().unwrap());
    said(&["doctor", "--yes", "--output", &report]);
    said(&["doctor", "--yes", "--output", folder.to_str().unwrap()]);
    said(&["check-requirements", "--hardware", &nothing]);
    said(&["check-requirements", "--hardware", hardware, "--profiles", &nothing]);
    let install = ["install", "--yes", "--accept-degraded", "--no-autostart", "--hardware", hardware];
    said(&[&install[..], &["--release", &nothing]].concat());
    said(&[&install[..], &["--release", release, "--archive", &archive]].concat());

    // A folder of models, to the end: the list before an uninstall names it.
    let (models, port, mirror) = (at("models"), world.port.to_string(), world.mirror.url());
    let more = ["--release", release, "--mirror", &mirror, "--port", &port, "--profile", "light_6gb"];
    harmless(&world.run(&[&install[..], &more, &["--models-dir", &models]].concat()));
    said(&["uninstall", "--dry-run"]);
    harmless(&world.run(&["uninstall", "--yes"]));
}
