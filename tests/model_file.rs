//! Model files on this computer: estimated, installed and removed again, with real processes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![cfg(unix)]

mod common;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use acolyte::checksum::Sha256;
use common::gguf::{Experts, Shape};
use common::world::{Said, Signal, World, listing, quick_double};
use serde_json::{Value, json};

fn quick(more: &Value) -> World {
    World::new(&quick_double(more))
}

/// A small model with all its weights and a chat template.
fn tiny() -> Shape {
    Shape { chat_template: Some("{% for message in messages %}…{% endfor %}"), ..Shape::tiny() }
}

/// Writes a model file into the world's folder.
fn put(world: &World, name: &str, shape: &Shape) -> PathBuf {
    let path = world.path(name);
    std::fs::write(&path, shape.file()).unwrap();
    path
}

/// Writes a model in parts and returns their paths.
fn put_parts(world: &World, parts: &[Vec<u8>]) -> Vec<PathBuf> {
    let count = parts.len();
    let write = |(index, part): (usize, &Vec<u8>)| {
        let path = world.path(&format!("Tiny-{:05}-of-{count:05}.gguf", index + 1));
        std::fs::write(&path, part).unwrap();
        path
    };
    parts.iter().enumerate().map(write).collect()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn install(world: &World, file: &Path, more: &[&str]) -> Said {
    let given = ["--model-file", text(file), "--accept-degraded", "--no-autostart"];
    world.install(&[&given, more].concat())
}

/// What a file is.
fn state(path: &Path) -> (Sha256, SystemTime) {
    let modified = path.metadata().unwrap().modified().unwrap();
    (Sha256::of(&std::fs::read(path).unwrap()), modified)
}

/// The last state of the step that gets the model.
fn pull(said: &Said) -> String {
    let steps = said.steps();
    steps.into_iter().find(|(step, _)| step == "pull_model").expect("the step").1
}

/// Requests for models, not for the engine.
fn model_requests(world: &World) -> usize {
    world.mirror.requests().iter().filter(|request| request.path.starts_with("/v2/")).count()
}

#[test]
fn an_estimate_says_that_an_architecture_is_unknown() {
    let world = quick(&json!({}));
    let estimate = |architecture: &'static str, more: &[&str]| {
        let experts = Some(Experts { count: 4, used: 2, width: 256 });
        let file = put(&world, "model.gguf", &Shape { architecture, experts, ..tiny() });
        let given = ["estimate", "--gpu", "RTX 4060", "--model", text(&file)];
        let output = world.run(&[&given, more].concat());
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let said = estimate("laguna9", &[]);
    assert!(said.contains("architecture \"laguna9\""), "{said}");
    let codes = |json: &str| -> Vec<String> {
        let plan: Value = serde_json::from_str(json).unwrap();
        let reasons = plan["reasons"].as_array().unwrap();
        reasons.iter().map(|reason| reason["code"].as_str().unwrap().to_owned()).collect()
    };
    let unknown = "architecture_unknown".to_owned();
    assert!(codes(&estimate("laguna9", &["--json"])).contains(&unknown));
    assert!(!estimate("laguna", &[]).contains("does not know how"));
    assert!(!codes(&estimate("laguna", &["--json"])).contains(&unknown));
}

#[test]
fn a_model_is_installed_from_a_file_which_stays_as_it_is() {
    let world = quick(&json!({}));
    let file = put(&world, "Tiny Coder.Q4_K_M.gguf", &tiny());
    let before = state(&file);
    let said = install(&world, &file, &[]);
    let receipt = said.receipt();
    let record = &receipt["model_file"];
    assert_eq!(
        (&record["source"], &record["digest"]),
        (&json!("file"), &json!(format!("sha256:{}", before.0)))
    );
    let size = file.metadata().unwrap().len();
    let expected = json!([{"path": text(&file), "size_bytes": size, "sha256": before.0.to_string()}]);
    assert_eq!(record["files"], expected);
    assert_eq!(receipt["predicted"]["total_layers"], 5, "the plan is that of the file's header");
    assert!(said.errors.contains(text(&file)), "the summary names the file: {}", said.errors);
    assert!(said.errors.contains("are copied from the file"), "{}", said.errors);
    assert_eq!((pull(&said), model_requests(&world)), ("done".to_owned(), 0), "nothing is downloaded");
    assert!(said.events.iter().any(|event| {
        event["step"] == "pull_model" && event["message"].as_str().unwrap_or_default().contains(text(&file))
    }));
    let blob = world.home().join(format!("models/blobs/sha256-{}", before.0));
    assert_eq!(std::fs::read(&blob).unwrap(), std::fs::read(&file).unwrap());
    let answer = world.ask(
        "POST",
        "/api/generate",
        Some(&json!({"model": "acolyte:latest", "prompt": "Hello", "stream": false})),
    );
    assert!(answer["response"].as_str().is_some_and(|response| !response.is_empty()), "{answer}");
    let status = String::from_utf8(world.run(&["status"]).stdout).unwrap();
    assert!(status.contains("Tiny-Coder.Q4_K_M") && !status.contains("file.invalid"), "{status}");

    // Tuning reads the copy.
    let hardware = world.path("hardware.json");
    let tuned = world.run(&["tune", "--json", "--hardware", text(&hardware)]);
    assert!(tuned.status.success(), "{tuned:?}");
    assert_eq!(world.json("llm/receipt.json")["model_file"]["files"], expected);
    assert_eq!(world.json("llm/request.json")["model_file"], text(&file));

    // Again, to another model, and back: it is in the store.
    assert_eq!(pull(&install(&world, &file, &[])), "skipped");
    let other = world.install(&["--profile", "light_6gb", "--accept-degraded", "--no-autostart"]);
    assert_ne!(other.receipt()["model"], receipt["model"]);
    let back = install(&world, &file, &[]);
    assert_eq!(pull(&back), "skipped");
    assert_eq!(back.receipt()["model_file"]["files"], expected);

    assert!(world.run(&["uninstall", "--yes"]).status.success());
    assert!(!world.home().exists(), "{:#?}", listing(&world.home()));
    assert_eq!(state(&file), before, "the user's file is only read");
}

#[test]
fn parts_are_merged_into_the_file_that_they_were_made_of() {
    let world = quick(&json!({}));
    let shape = tiny();
    let parts = put_parts(&world, &shape.parts(3));
    let before: Vec<_> = parts.iter().map(|part| state(part)).collect();
    // Any part stands for all.
    let said = install(&world, &parts[1], &[]);
    let record = &said.receipt()["model_file"];
    assert_eq!(record["digest"], json!(format!("sha256:{}", Sha256::of(&shape.file()))));
    let recorded: Vec<_> =
        record["files"].as_array().unwrap().iter().map(|file| file["sha256"].clone()).collect();
    assert_eq!(recorded, before.iter().map(|(sha256, _)| json!(sha256.to_string())).collect::<Vec<_>>());
    assert!(world.run(&["uninstall", "--yes"]).status.success());
    assert_eq!(parts.iter().map(|part| state(part)).collect::<Vec<_>>(), before);

    // The estimate reads all parts, too.
    let estimate = |file: &Path| -> Value {
        let output = world.run(&["estimate", "--json", "--gpu", "RTX 4060", "--model", text(file)]);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
    };
    let whole = put(&world, "whole.gguf", &shape);
    assert_eq!(estimate(&parts[2])["memory"], estimate(&whole)["memory"]);
}

/// What is no model that can be installed is refused before anything is changed or downloaded.
#[test]
fn what_is_no_complete_model_is_refused_with_a_reason() {
    let world = quick(&json!({}));
    let file = world.path("model.gguf");
    let whole = tiny().file();
    let refused = |content: &[u8], why: &str| {
        std::fs::write(&file, content).unwrap();
        let said = install(&world, &file, &[]);
        assert_eq!(said.code, Some(1), "{why}: {said:#?}");
        assert!(said.errors.contains(why) && said.errors.contains(text(&file)), "{why}: {}", said.errors);
        assert!(!world.home().exists() && world.mirror.requests().is_empty(), "{why}");
    };
    refused(b"PK\x03\x04 a zip", "not a GGUF file");
    refused(&whole[..whole.len() - 1], "1 bytes are missing");
    refused(&whole[..1000], "ends too early");
    let mut big_endian = whole.clone();
    big_endian[4..8].reverse();
    refused(&big_endian, "big-endian");
    let of_type = |name: &str| {
        let at = whole.windows(12).position(|bytes| bytes == b"general.type").unwrap() + 12;
        let mut file = whole[..at + 4].to_vec();
        file.extend((name.len() as u64).to_le_bytes());
        file.extend(name.as_bytes());
        file.extend(&whole[at + 4 + 8 + 5..]);
        file
    };
    refused(&of_type("adapter"), "LoRA");
    refused(&of_type("mmproj"), "mmproj");
    refused(&of_type("imatrix"), "importance matrix");
    std::fs::remove_file(&file).unwrap();
    let missing = install(&world, &file, &[]);
    assert!(missing.errors.contains("There is no file") && missing.errors.contains("drive"), "{missing:#?}");
    let folder = install(&world, world.folder.path(), &[]);
    assert!(folder.errors.contains("not a regular file"), "{folder:#?}");

    let parts = put_parts(&world, &tiny().parts(3));
    std::fs::rename(&parts[1], world.path("moved")).unwrap();
    let incomplete = install(&world, &parts[0], &[]);
    assert!(incomplete.errors.contains(&format!("{} is missing", text(&parts[1]))), "{incomplete:#?}");
    std::fs::copy(&parts[2], &parts[1]).unwrap();
    let twice = install(&world, &parts[0], &[]);
    assert!(twice.errors.contains("file 2 of 3 does not say that it is part 2 of 3"), "{twice:#?}");
    let renamed = world.path("renamed.gguf");
    std::fs::copy(&parts[0], &renamed).unwrap();
    let renamed = install(&world, &renamed, &[]);
    assert!(renamed.errors.contains("-00001-of-00003.gguf"), "{renamed:#?}");
    assert!(!world.home().exists() && world.mirror.requests().is_empty());
}

#[test]
fn a_file_that_changes_or_disappears_after_the_summary_is_not_installed() {
    type Happens = fn(&Path);
    let cases: [(Happens, &str); 2] = [
        (|file| std::fs::write(file, Shape { blocks: 5, ..tiny() }.file()).unwrap(), "was changed after"),
        (|file| std::fs::remove_file(file).unwrap(), "no longer there"),
    ];
    for (happens, why) in cases {
        let world = quick(&json!({}));
        let file = put(&world, "model.gguf", &tiny());
        world.mirror.limit_rate(4 << 20);
        let running =
            world.begin_install(&["--model-file", text(&file), "--accept-degraded", "--no-autostart"]);
        running.wait_for(|event| event["step"] == "fetch_engine");
        happens(&file);
        world.mirror.heal();
        let (code, events) = running.end_with_events();
        let last = events.last().unwrap();
        assert_eq!((code, &last["step"]), (Some(1), &json!("pull_model")), "{events:#?}");
        assert!(last["message"].as_str().unwrap().contains(why), "{last}");
        let models = listing(&world.home().join("models"));
        assert!(models.iter().all(|path| !path.is_file()), "nothing is left of it: {models:#?}");
    }
}

#[test]
fn an_interrupted_installation_goes_on_with_its_file_or_says_that_it_is_gone() {
    let world = quick(&json!({"load_ms": 300}));
    let file = put(&world, "model.gguf", &tiny());
    let away = world.path("away.gguf");

    // Interrupted before the file was copied.
    world.mirror.limit_rate(4 << 20);
    let running = world.begin_install(&["--model-file", text(&file), "--accept-degraded", "--no-autostart"]);
    running.wait_for(|event| event["step"] == "fetch_engine");
    running.signal(Signal::Kill);
    running.end();
    world.mirror.heal();
    std::fs::rename(&file, &away).unwrap();
    let gone = world.install(&["--continue"]);
    assert_eq!(gone.code, Some(1));
    assert!(gone.errors.contains("There is no file") && gone.errors.contains(text(&file)), "{gone:#?}");
    std::fs::rename(&away, &file).unwrap();

    // Interrupted afterwards: the copy is used.
    let running = world.begin_install(&["--continue"]);
    running.wait_for(|event| event["step"] == "load_model");
    running.signal(Signal::Kill);
    running.end();
    std::fs::rename(&file, &away).unwrap();
    let resumed = world.install(&["--continue"]);
    assert_eq!(resumed.receipt()["model_file"]["files"][0]["path"], text(&file));
    assert_eq!(pull(&resumed), "skipped", "it was copied before");
    assert_eq!(world.json("llm/request.json")["model_file"], text(&file), "for a repair");
    std::fs::rename(&away, &file).unwrap();
    assert!(world.run(&["uninstall", "--yes"]).status.success());
    assert!(file.exists() && !world.home().exists());
}

#[test]
fn an_undone_installation_leaves_nothing_but_the_file() {
    let world = quick(&json!({"load_ms": 300}));
    let file = put(&world, "model.gguf", &tiny());
    let before = state(&file);
    let running = world.begin_install(&["--model-file", text(&file), "--accept-degraded", "--no-autostart"]);
    running.wait_for(|event| event["step"] == "load_model");
    running.signal(Signal::Kill);
    running.end();
    assert!(world.run(&["undo", "--yes"]).status.success());
    assert!(!world.home().exists(), "{:#?}", listing(&world.home()));
    assert_eq!(state(&file), before);
}

#[test]
fn a_name_that_is_not_unicode_and_a_read_only_file_are_no_obstacles() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = quick(&json!({}));
    let folder = world.path("models of others");
    std::fs::create_dir(&folder).unwrap();
    let file = folder.join(OsStr::from_bytes(b"mod\xffel.gguf"));
    std::fs::write(&file, Shape { chat_template: None, ..tiny() }.file()).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o444)).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o555)).unwrap();
    let mut command = world.install_command(&["--accept-degraded", "--no-autostart", "--model-file"]);
    command.arg(&file);
    let said = Said::of(command);
    said.receipt();
    let request = world.json("llm/request.json");
    assert!(
        request["model_file"]["bytes"].as_str().unwrap().ends_with("6d6f64ff656c2e67677566"),
        "{request}"
    );
    // Through a link with another name.
    let link = world.path("link.gguf");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let estimate = world.run(&["estimate", "--gpu", "RTX 4060", "--json", "--model", text(&link)]);
    let estimate: Value = serde_json::from_slice(&estimate.stdout).unwrap();
    let codes = estimate["reasons"].as_array().unwrap();
    assert!(codes.iter().any(|reason| reason["code"] == "no_chat_template"), "{estimate:#}");
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
}
