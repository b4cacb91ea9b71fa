//! Untrusted text cannot control the terminal: escape sequences, control and direction characters in a model's header,
//! a hardware file, a server's responses, a log and file names are displayed as their numbers. JSON contains them
//! escaped.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![cfg(unix)]

mod common;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Command, Output};

use common::gguf::Shape;
use common::world::World;
use serde_json::{Value, json};

/// Clears the screen, fills the clipboard (ended both ways), does the same with the one-character codes, reverses what
/// follows, hides, marks with tags, ends the line with one of ours.
const HOSTILE: &str = "RTX\u{1b}[2J\u{1b}]52;c;ZXZpbA==\u{7}\u{1b}]52;c;ZXZpbA==\u{1b}\\\u{9b}2J\u{9d}0;x\u{9c}\u{202e}\u{2066}\u{2069}\
                       \u{200b}\u{200e}\u{200f}\u{61c}\u{feff}\u{ad}\u{2028}\u{e0041}\u{7f}\u{8}\racolyte: all is well\nacolyte: all is well";

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
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
    })
}

/// The output, after checking all of it.
#[track_caller]
fn harmless(output: &Output) -> String {
    let said = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("valid UTF-8");
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
    assert!(document["hardware"]["os"]["name"].as_str().unwrap().starts_with(r"RTX\u{1b}[2J"), "{json}");
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
    assert!(shown.contains(r"\u{1b}[2J"), "{shown}");
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
fn paths_cannot_control_the_terminal() {
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

/// A command with these arguments, in this language.
fn command(world: &World, language: &str, arguments: &[&str]) -> Command {
    let mut command = world.program(env!("CARGO_BIN_EXE_acolyte"));
    command.args(arguments).args(["--lang", language]);
    command
}

/// What is printed with these arguments, in every language and as JSON.
#[track_caller]
fn all_harmless(world: &World, door: &str, arguments: &[&str], change: impl Fn(&mut Command)) -> String {
    let mut all = String::new();
    for (language, more) in [("en", &[][..]), ("es", &[]), ("en", &["--json"])] {
        let mut command = command(world, language, &[arguments, more].concat());
        change(&mut command);
        let said = common::process::output(&mut command);
        assert_ne!(said.status.code(), Some(101), "{door}: it crashed: {said:?}");
        println!("{door} {language} {more:?}");
        all += &harmless(&said);
    }
    all
}

/// Names of models, profiles and files, and everything else that is typed or copied from a page.
#[test]
fn what_is_typed_cannot_control_the_terminal() {
    let world = World::new(&json!({}));
    let (hardware, release) = (world.path("hardware.json"), world.path("release.json"));
    let install = [
        "install",
        "--yes",
        "--hardware",
        hardware.to_str().unwrap(),
        "--release",
        release.to_str().unwrap(),
        "--archive",
        "nowhere.tar.zst",
    ];
    let unknown = format!("--{HOSTILE}");
    for arguments in [
        &[HOSTILE][..],
        &["status", &unknown],
        &["status", HOSTILE],
        &["status", "--home", HOSTILE],
        &["check-requirements", "--hardware", HOSTILE],
        &["check-requirements", "--profiles", HOSTILE],
        &["check-requirements", "--model", HOSTILE],
        &["estimate", "--model", HOSTILE],
        &["estimate", "--model", "qwen2.5-coder:7b", "--gpu", HOSTILE],
        &["estimate", "--model", "qwen2.5-coder:7b", "--gpu", HOSTILE, "--vram-gib", "8"],
        &["estimate", "--model", "qwen2.5-coder:7b", "--kv", HOSTILE],
        &["estimate", "--model", "qwen2.5-coder:7b", "--context", HOSTILE],
        &["monitor", "--once", "--interval", HOSTILE],
        &["doctor", "--output", "nowhere/at/all", HOSTILE],
        &["uninstall", "--dry-run", "--home", HOSTILE],
        &["undo", "--yes", "--home", HOSTILE],
    ] {
        all_harmless(&world, &format!("{arguments:?}"), arguments, |_| ());
    }
    for option in [
        "--profile",
        "--model",
        "--archive",
        "--proxy",
        "--ca",
        "--mirror",
        "--limit-rate",
        "--ollama",
        "--port",
        "--models-dir",
    ] {
        let mut arguments: Vec<&str> = install.to_vec();
        if ["--mirror", "--archive"].contains(&option) {
            arguments.truncate(6);
        }
        arguments.extend([option, HOSTILE]);
        all_harmless(&world, option, &arguments, |_| ());
    }
    let output = format!("{HOSTILE}/report.json");
    let said = common::process::output(command(&world, "en", &["doctor", "--output", &output]));
    assert!(harmless(&said).contains(r"RTX\u{1b}[2J"), "the path is named: {said:?}");
}

/// Files of the user's: their values, their keys, what is no value at all, and what is no text.
#[test]
fn a_file_cannot_control_the_terminal() {
    let world = World::new(&json!({}));
    let file = world.path("hostile");
    let path = file.to_str().unwrap();
    let built_in = include_str!("../assets/profiles.yaml");
    // YAML takes no raw controls, so they are written as a generator would.
    let quoted = serde_json::to_string(HOSTILE).unwrap();
    let quoted_key = format!("{quoted}: 1\n");
    let long = "\u{202e}x".repeat(1 << 20);
    let hardware: Vec<Vec<u8>> = vec![
        json!({"schema": 1, HOSTILE: 1}).to_string().into(),
        json!({"schema": HOSTILE}).to_string().into(),
        json!({"schema": 1, "memory": HOSTILE}).to_string().into(),
        json!({"schema": 1, "memory": {"total_bytes": 1, HOSTILE: 2}}).to_string().into(),
        json!({"schema": 1, "memory": {"total_bytes": 8_589_934_592_u64}, "gpus": [
            {"name": HOSTILE, "kind": HOSTILE, "vram_total_bytes": 1}]})
        .to_string()
        .into(),
        json!({"schema": 1, "memory": {"total_bytes": 8_589_934_592_u64}, "cpu": {"name": long},
               "os": {"name": "a\u{0}b"}, "gpus": [{"name": long, "kind": "discrete", "vendor": HOSTILE,
               "vram_total_bytes": null, "compute_capability": HOSTILE}]})
        .to_string()
        .into(),
        json!({"schema": 1, "memory": {"total_bytes": 8_589_934_592_u64}, "gpus": [{"name": HOSTILE,
               "kind": "discrete", "vram_total_bytes": null, "blocked": "gpu_unreachable", "vendor": HOSTILE}]})
        .to_string()
        .into(),
        HOSTILE.into(),
        b"\xff\xfe\x1b[2J\x00".to_vec(),
    ];
    let profiles: Vec<Vec<u8>> = vec![
        format!("{built_in}\n{quoted_key}").into(),
        built_in.replace("light_6gb", &quoted).into(),
        built_in.replace("qwen2.5-coder:3b", &quoted).into(),
        built_in.replace("f16", &quoted).into(),
        built_in.replacen("schema: 1", &format!("schema: {quoted}"), 1).into(),
        built_in.replacen("min_vram_gb: 6", &format!("min_vram_gb: {quoted}"), 1).into(),
        HOSTILE.into(),
        b"\xff\xfe\x1b[2J\x00".to_vec(),
    ];
    let release: Value =
        serde_json::from_str(&std::fs::read_to_string(world.path("release.json")).unwrap()).unwrap();
    let mut releases: Vec<Vec<u8>> = vec![json!({HOSTILE: 1}).to_string().into(), HOSTILE.into()];
    for key in ["version", "schema", "base_url"] {
        let mut changed = release.clone();
        changed[key] = json!(HOSTILE);
        releases.push(changed.to_string().into());
    }
    for key in ["name", "os", "arch", "sha256", "bytes"] {
        let mut changed = release.clone();
        changed["assets"][0][key] = json!(HOSTILE);
        releases.push(changed.to_string().into());
    }
    let hardware_file = world.path("hardware.json");
    let install = ["install", "--yes", "--accept-degraded", "--hardware", hardware_file.to_str().unwrap()];
    let install = [&install[..], &["--archive", "nowhere.tar.zst", "--release", path]].concat();
    for (arguments, contents) in [
        (&["check-requirements", "--hardware", path][..], hardware),
        (&["check-requirements", "--profiles", path], profiles),
        (&install, releases),
    ] {
        for (index, content) in contents.iter().enumerate() {
            std::fs::write(&file, content).unwrap();
            all_harmless(&world, &format!("{arguments:?} {index}"), arguments, |_| ());
        }
    }
}

/// Variables that a page or a file of settings may have set, and models that somebody has put on the disk.
#[test]
fn the_environment_and_names_of_files_cannot_control_the_terminal() {
    let world = World::new(&json!({}));
    for name in
        ["ACOLYTE_HOME", "OLLAMA_HOST", "OLLAMA_MODELS", "LANG", "LC_ALL", "HTTPS_PROXY", "ACOLYTE_LOG"]
    {
        for arguments in [&["status"][..], &["detect"]] {
            all_harmless(&world, name, arguments, |command| {
                command.env(name, HOSTILE);
            });
        }
    }
    let named = HOSTILE.replace('/', "");
    let manifest = world.path("models/manifests/registry.ollama.ai/library").join(&named).join("latest");
    std::fs::create_dir_all(manifest.parent().unwrap()).unwrap();
    std::fs::write(&manifest, r#"{"layers":[{"size":5,"mediaType":"application/vnd.ollama.image.model"}]}"#)
        .unwrap();
    let shown = all_harmless(&world, "a model's name", &["detect"], |command| {
        command.env("OLLAMA_MODELS", world.path("models"));
    });
    assert!(shown.contains("models"), "{shown}");
}

/// Documents of an installation, which are shown by every later command.
#[test]
fn documents_cannot_control_the_terminal() {
    let world = World::new(&json!({}));
    world.install(&["--profile", "light_6gb", "--accept-degraded", "--no-autostart"]).receipt();
    assert!(world.run(&["stop"]).status.success());
    for name in ["llm/receipt.json", "llm/request.json", "llm/consent.json", "llm/server.json"] {
        let whole = world.json(name);
        let mut changed = vec![json!({HOSTILE: 1}), json!(HOSTILE)];
        for place in strings(&whole, String::new()) {
            let mut document = whole.clone();
            *document.pointer_mut(&place).unwrap() = json!(HOSTILE);
            changed.push(document);
        }
        assert!(changed.len() > 3, "{whole}");
        for document in &changed {
            std::fs::write(world.home().join(name), document.to_string()).unwrap();
            for arguments in [&["status"][..], &["uninstall", "--dry-run"]] {
                let said = common::process::output(command(&world, "en", arguments));
                assert_ne!(said.status.code(), Some(101), "{document}: {said:?}");
                println!("{name} {document}");
                harmless(&said);
            }
            harmless(&world.run(&["status", "--json"]));
        }
        std::fs::write(world.home().join(name), whole.to_string()).unwrap();
    }
    let profile = world.read("llm/profile.yaml");
    let quoted = serde_json::to_string(HOSTILE).unwrap();
    let keys = profile.lines().filter_map(|line| Some(line.split_once(": ")?.0));
    for line in keys.filter(|key| !key.starts_with(' ')) {
        let changed: Vec<String> = profile
            .lines()
            .map(|one| {
                if one.starts_with(&format!("{line}: ")) {
                    format!("{line}: {quoted}")
                } else {
                    one.to_owned()
                }
            })
            .collect();
        std::fs::write(world.home().join("llm/profile.yaml"), changed.join("\n")).unwrap();
        for arguments in [&["status"][..], &["status", "--json"], &["uninstall", "--dry-run"], &["start"]] {
            println!("profile.yaml {line} {arguments:?}");
            harmless(&common::process::output(command(&world, "en", arguments)));
        }
    }
    std::fs::write(world.home().join("llm/profile.yaml"), profile).unwrap();
    let journal = world.read("llm/journal");
    for entry in [json!({HOSTILE: 1}).to_string(), HOSTILE.to_owned(), format!("{{\"at\":{quoted}}}")] {
        std::fs::write(world.home().join("llm/journal"), format!("{entry}\n{journal}")).unwrap();
        for arguments in [&["status"][..], &["uninstall", "--dry-run"], &["undo", "--yes"]] {
            println!("journal {entry} {arguments:?}");
            harmless(&common::process::output(command(&world, "en", arguments)));
        }
    }
    std::fs::write(world.home().join("llm/journal"), journal).unwrap();
}

/// JSON pointers of all texts in a document.
fn strings(value: &Value, place: String) -> Vec<String> {
    match value {
        Value::String(_) => vec![place],
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(at, item)| strings(item, format!("{place}/{at}"))).collect()
        }
        Value::Object(fields) => {
            fields.iter().flat_map(|(name, item)| strings(item, format!("{place}/{name}"))).collect()
        }
        _ => Vec::new(),
    }
}

/// Whoever takes the port chooses its own name.
#[cfg(target_os = "linux")]
#[test]
fn the_name_of_a_stranger_cannot_control_the_terminal() {
    let world = World::new(&json!({}));
    world.install(&["--profile", "light_6gb", "--accept-degraded", "--no-autostart"]).receipt();
    assert!(world.run(&["stop"]).status.success());
    let program = world.path(&HOSTILE.replace('/', ""));
    std::fs::copy(common::archive::fake_ollama(), &program).unwrap();
    let mut stranger = Command::new(&program);
    stranger.arg("serve").env("OLLAMA_HOST", format!("127.0.0.1:{}", world.port));
    stranger.env("OLLAMA_MODELS", world.path("strangers-models"));
    let _stranger = common::stranger::listening(stranger);
    let shown = all_harmless(&world, "a stranger's name", &["status"], |_| ());
    assert!(shown.contains(r"\u{202e}\u{2066}"), "the stranger is named: {shown}");
    harmless(&world.run(&["start"]));
}
