//! The models on the drive: listed with what uses them, removed where nothing does.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![cfg(target_os = "linux")]

mod common;

use common::world::{World, quick_double};
use serde_json::{Value, json};

/// An installation of the 3B model that replaced one of the 7B model.
fn replaced() -> World {
    let world = World::new(&quick_double(&json!({})));
    for profile in ["hybrid_8gb", "light_6gb"] {
        world.install(&["--profile", profile, "--accept-degraded", "--no-autostart"]).receipt();
    }
    world
}

fn models(world: &World, arguments: &[&str]) -> Value {
    let output = world.run(&[&["models", "--json"], arguments].concat());
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn uses(listed: &Value) -> Vec<(String, String)> {
    let models = listed["models"].as_array().unwrap().iter();
    let part = |model: &Value, key: &str| model[key].as_str().unwrap().to_owned();
    models.map(|model| (part(model, "tag"), part(model, "used_by"))).collect()
}

fn use_of(tag: &str, used_by: &str) -> (String, String) {
    (tag.to_owned(), used_by.to_owned())
}

#[test]
fn what_nothing_uses_is_removed_and_the_rest_stays() {
    let world = replaced();
    let listed = models(&world, &[]);
    let expected = [
        use_of("acolyte:latest", "served"),
        use_of("qwen2.5-coder:3b", "base"),
        use_of("qwen2.5-coder:7b", "nothing"),
    ];
    let shown: Vec<_> = uses(&listed)
        .into_iter()
        .map(|(tag, used_by)| (tag.rsplit('/').next().unwrap().to_owned(), used_by))
        .collect();
    assert_eq!(shown, expected, "{listed:#}");
    let bytes = |at: usize| listed["models"][at]["bytes"].as_u64().unwrap();
    assert!(bytes(0) < 10_000 && bytes(1) > 0 && bytes(2) > 0, "{listed:#}");
    for (model, part) in
        [("qwen2.5-coder:3b", "in use"), ("acolyte:latest", "in use"), ("llama3:8b", "not among")]
    {
        let refused = world.run(&["models", "--remove", model, "--yes"]);
        assert_eq!(refused.status.code(), Some(1));
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(said.contains(part), "{model}: {said}");
    }
    let asked = world.run(&["models", "--remove", "qwen2.5-coder:7b"]);
    assert_eq!(asked.status.code(), Some(2), "no terminal for the question");
    let left = models(&world, &["--remove", "qwen2.5-coder:7b", "--yes"]);
    assert_eq!(uses(&left), uses(&listed)[..2]);
    // The template is a layer of the other model too.
    let template = "{{ .Prompt }}".len() as u64;
    assert_eq!(left["freed_bytes"], json!(bytes(2) - template));
    let status = world.status();
    assert_eq!((&status["model"]["state"], &status["unused_models"]), (&json!("as_measured"), &json!([])));
    assert!(world.run(&["uninstall", "--yes"]).status.success());
    assert!(!world.home().exists());
}

#[test]
fn in_a_folder_that_another_ollama_uses_everything_stays() {
    let world = replaced();
    let manifests = world.home().join("models/manifests/registry.ollama.ai/library");
    std::fs::create_dir_all(manifests.join("mine")).unwrap();
    std::fs::copy(manifests.join("qwen2.5-coder/7b"), manifests.join("mine/latest")).unwrap();
    let listed = models(&world, &[]);
    assert_eq!(
        uses(&listed)[2..].iter().map(|(_, used_by)| used_by.as_str()).collect::<Vec<_>>(),
        ["others", "others"]
    );
    let refused = world.run(&["models", "--remove", "qwen2.5-coder:7b", "--yes"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("another Ollama"), "{refused:?}");
    assert_eq!(models(&world, &[]), listed);
}
