//! Rollback, with real processes: an incomplete rollback is reported and finished later; the login entry follows the
//! journal; an interrupted installation is resumed as requested.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![cfg(target_os = "linux")]

mod common;

use std::io::Write as _;
use std::path::PathBuf;

use common::mirror::{ALWAYS, Fault};
use common::world::{Said, Signal, World, quick_double};
use serde_json::{Value, json};

fn quick() -> World {
    World::new(&quick_double(&json!({})))
}

fn blocks_of_the_served_model(world: &World) -> Value {
    let shown = world.ask("POST", "/api/show", Some(&json!({"model": "acolyte:latest"})));
    shown["model_info"]["qwen2.block_count"].clone()
}

#[test]
fn an_incomplete_rollback_is_reported_and_undo_finishes_it() {
    let world = quick();
    world.install(&["--accept-degraded", "--no-autostart", "--profile", "light_6gb"]).receipt();
    world.tell_installed(|double| double["faults"] = json!({"load_hangs": true}));
    let running = world.begin_install(&["--accept-degraded", "--no-autostart", "--profile", "hybrid_8gb"]);
    // Reported every two seconds while the engine loads, when the manifest is no longer written.
    running.wait_for(|event| event["step"] == "load_model" && event["state"] == "running");
    // A folder that is not empty in place of the model's manifest: not even root can rename a file onto it.
    let manifest = world.home().join("models/manifests/registry.ollama.ai/library/acolyte/latest");
    std::fs::remove_file(&manifest).unwrap();
    std::fs::create_dir_all(manifest.join("occupied")).unwrap();
    running.signal(Signal::Interrupt);
    let (code, events) = running.end_with_events();
    assert_eq!(code, Some(1), "not merely stopped: {events:#?}");
    let last = events.last().unwrap();
    assert_eq!(last["state"], "failed", "{last:#}");
    let rollback = &last["rollback"];
    let failed = rollback["failed"].as_array().unwrap_or_else(|| panic!("{last:#}"));
    assert_eq!(failed.len(), 1, "{last:#}");
    assert_eq!(
        (&failed[0]["change"], &failed[0]["name"]),
        (&json!("create_model"), &json!("acolyte:previous")),
        "{last:#}"
    );
    assert!(failed[0]["cause"].as_str().is_some_and(|cause| cause.contains("acolyte")), "{last:#}");
    assert!(rollback["reverted"].as_array().is_some_and(|reverted| !reverted.is_empty()), "{last:#}");
    assert_eq!(rollback["finished_by"], "undo", "{last:#}");
    let message = last["message"].as_str().unwrap();
    for part in ["Not every change could be reverted", "acolyte:previous", "acolyte undo"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert_eq!(world.status()["unfinished"], true);

    // Undo reports the same as long as the cause exists.
    let undone = world.run(&["undo", "--yes"]);
    let said = String::from_utf8_lossy(&undone.stderr).into_owned();
    assert_eq!(undone.status.code(), Some(1), "{said}");
    assert!(said.contains("Not every change could be reverted") && said.contains("acolyte undo"), "{said}");

    std::fs::remove_dir_all(&manifest).unwrap();
    let undone = world.run(&["undo", "--yes"]);
    assert!(undone.status.success(), "{}", String::from_utf8_lossy(&undone.stderr));
    assert_eq!(world.status()["unfinished"], false);
    assert_eq!(blocks_of_the_served_model(&world), 36, "ACOLYTE is served the 3B model as before");
}

#[test]
fn the_login_entry_follows_the_journal_not_the_step_that_failed() {
    let world = quick();
    world.install(&["--accept-degraded", "--profile", "light_6gb"]).receipt();
    let entry = world.path("home/.config/autostart/acolyte-ollama.desktop");
    assert!(entry.exists());
    // The state of a run killed after it removed the entry.
    let llm = world.home().join("llm");
    std::fs::create_dir(llm.join("before")).unwrap();
    for document in ["profile.yaml", "receipt.json", "consent.json", "server.json", "request.json"] {
        std::fs::copy(llm.join(document), llm.join("before").join(document)).unwrap();
    }
    std::fs::write(llm.join("before/state.json"), r#"{"schema":1,"server_ran":true}"#).unwrap();
    let mut journal = std::fs::File::options().append(true).open(llm.join("journal")).unwrap();
    for line in [
        json!({"at": "2026-11-27T00:00:00Z", "phase": "begin"}),
        json!({"at": "2026-11-27T00:00:01Z", "phase": "intent", "change": "start_at_login"}),
    ] {
        writeln!(journal, "{line}").unwrap();
    }
    std::fs::remove_file(&entry).unwrap();

    // The next run fails long before the step of the login entry.
    world.put_release("0.32.16", &json!({}));
    world.mirror.fault("/ollama-other-0.32.16.tar.zst", Fault::Status(404), ALWAYS);
    let said = world.install(&["--accept-degraded", "--profile", "light_6gb"]);
    assert_eq!(said.code, Some(1), "{said:#?}");
    assert_eq!(said.steps().last().unwrap(), &("fetch_engine".to_owned(), "failed".to_owned()));
    assert!(entry.exists(), "the active profile is started at login");
    assert_eq!(world.status()["server"]["answers"], true);
}

#[test]
fn an_installation_is_resumed_with_the_setting_that_was_requested() {
    let world = quick();
    let profiles: PathBuf = world.path("profiles.yaml");
    let exact =
        include_str!("../assets/profiles.yaml").replacen("kv_cache_type: q8_0", "kv_cache_type: f16", 1);
    std::fs::write(&profiles, exact).unwrap();
    let requested = ["--accept-degraded", "--no-autostart", "--model", "qwen2.5-coder:3b"];
    let setting = ["--profile", "light_6gb", "--profiles", profiles.to_str().unwrap()];
    let running = world.begin_install(&[&requested[..], &setting[..]].concat());
    running.wait_for(|event| event["step"] == "pull_model");
    running.signal(Signal::Kill);
    running.end();
    let saved = world.json("llm/request.json");
    assert_eq!(saved["kv_cache_type"], "f16", "{saved:#}");
    let mut command = world.acolyte(&["install", "--continue", "--json", "--yes"]);
    command.arg("--hardware").arg(world.path("hardware.json"));
    let said = Said::of(command);
    let measured = &said.receipt()["measured"];
    assert_eq!(measured["kv_cache_type"], "f16", "{measured:#}");
    assert_eq!(measured["context_tokens"], saved["context_tokens"], "{measured:#}");
}

#[test]
fn nothing_to_continue_is_reported() {
    let world = quick();
    let said = world.run(&["install", "--continue", "--yes"]);
    let errors = String::from_utf8_lossy(&said.stderr).into_owned();
    assert_eq!(said.status.code(), Some(1), "{errors}");
    assert!(errors.contains("nothing to continue") && !errors.contains("undo"), "{errors}");
}
