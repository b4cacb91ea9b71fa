//! Tags move: the registry serves another file than the catalogue describes, or does not answer. What is planned, said and
//! agreed to follows the file that will be downloaded.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![cfg(unix)]

mod common;

use common::gguf::Shape;
use common::mirror::Fault;
use common::world::{Said, World};
use serde_json::{Value, json};

/// The file of a model in this world's registry, and the options to install it.
fn named(world: &World, model: &str) -> Vec<String> {
    let tag = format!("{}/library/{model}", world.mirror.host());
    ["--model", &tag, "--insecure-registry", "--no-autostart"].map(str::to_owned).to_vec()
}

fn install(world: &World, options: &[String], more: &[&str]) -> Said {
    let options: Vec<&str> = options.iter().map(String::as_str).chain(more.iter().copied()).collect();
    world.install(&options)
}

/// Nothing was installed, and of a model nothing but its header was read.
fn assert_untouched(world: &World, headers: usize) {
    assert!(!world.home().exists());
    let weights = world.mirror.requests().into_iter().filter(|request| request.path.starts_with("/cdn/"));
    assert_eq!(weights.count(), headers, "{:#?}", world.mirror.requests());
}

fn seventy_billion() -> Shape {
    Shape {
        blocks: 80,
        embedding: 8192,
        feed_forward: 28_672,
        heads: 64,
        kv_heads: 8,
        padding: Some(0),
        ..Shape::qwen_7b()
    }
}

#[test]
fn the_plan_follows_the_file_that_is_downloaded_and_says_that_it_has_changed() {
    let world = World::new(&json!({}));
    let digest = world.put_model("library/qwen2.5-coder:3b", &Shape::tiny());
    let said = install(&world, &named(&world, "qwen2.5-coder:3b"), &["--accept-degraded"]);
    let receipt = said.receipt();
    let file = &receipt["model_file"];
    assert_eq!(file["digest"], json!(format!("sha256:{digest}")));
    assert_eq!((&file["source"], &file["differs_from_catalogue"]), (&json!("registry"), &json!(true)));
    assert!(file["size_bytes"].as_u64().unwrap() < 10_000_000, "{file}");
    assert_eq!(receipt["predicted"]["total_layers"], 5, "the layers of the file, not of the catalogue's 37");
    let changed = said.errors.lines().find(|line| line.contains("has changed")).expect(&said.errors);
    assert!(changed.contains("5 layers") && changed.contains("37 layers"), "{changed}");
    assert!(changed.contains("GB") && changed.contains("MB"), "both sizes: {changed}");

    // Now the file is in our own store, and no registry is asked for it.
    let asked = || world.mirror.requests().iter().filter(|r| r.path.contains("/manifests/")).count();
    let before = asked();
    let said = install(&world, &named(&world, "qwen2.5-coder:3b"), &["--accept-degraded"]);
    assert_eq!(said.receipt()["model_file"]["source"], "store");
    assert_eq!(asked(), before);
}

#[test]
fn a_file_that_no_longer_fits_is_refused_before_anything_changes() {
    let world = World::new(&json!({}));
    world.put_header("library/qwen2.5-coder:3b", &seventy_billion());
    let said = install(&world, &named(&world, "qwen2.5-coder:3b"), &["--accept-degraded"]);
    assert_eq!(said.code, Some(20), "{said:#?}");
    assert!(said.errors.contains("has changed") && said.errors.contains("81 layers"), "{}", said.errors);
    assert!(said.errors.contains("main memory"), "why: {}", said.errors);
    assert_untouched(&world, 1);
}

#[test]
fn a_file_with_more_limits_needs_consent_to_these() {
    let world = || {
        let gpu = json!({"name": "NVIDIA GeForce RTX 4090", "total_mib": 24_564, "free_mib": 23_552});
        let world = World::new(&json!({"gpu": gpu}));
        let mut hardware = common::world::eight_gb();
        let card = &mut hardware["gpus"][0];
        card["name"] = json!("NVIDIA GeForce RTX 4090");
        card["vram_total_bytes"] = json!(25_757_220_864_u64);
        card["vram_free_bytes"] = json!(24_696_061_952_u64);
        card["memory_bandwidth_gb_s"] = json!(1008.0);
        world.write("hardware.json", &hardware);
        world
    };
    let unchanged = world();
    unchanged.put_model("library/qwen2.5-coder:3b", &Shape::tiny());
    install(&unchanged, &named(&unchanged, "qwen2.5-coder:3b"), &[]).receipt();

    let world = world();
    let thirty_two_billion =
        Shape { blocks: 64, embedding: 5120, feed_forward: 27_648, heads: 40, ..seventy_billion() };
    world.put_header("library/qwen2.5-coder:3b", &thirty_two_billion);
    let said = install(&world, &named(&world, "qwen2.5-coder:3b"), &[]);
    assert_eq!(said.code, Some(10), "{said:#?}");
    assert!(said.errors.contains("of 65 layers"), "{}", said.errors);
    assert_untouched(&world, 1);
}

#[test]
fn without_the_registry_the_catalogues_figures_are_marked_and_the_installation_goes_on() {
    let world = World::new(&json!({}));
    // The engine's stand-in reaches its registry; this program's way to it is a proxy that does not exist.
    let said = world.install(&["--profile", "light_6gb", "--accept-degraded", "--no-autostart"]);
    let file = &said.receipt()["model_file"];
    assert_eq!((&file["source"], &file["digest"]), (&json!("catalogue"), &Value::Null));
    assert_eq!(file["differs_from_catalogue"], Value::Null);
    assert!(said.errors.contains("the figures are the catalogue's"), "{}", said.errors);
    assert!(said.errors.contains("registry.ollama.ai does not respond"), "{}", said.errors);
}

#[test]
fn a_registry_that_is_slower_than_the_limit_is_not_waited_for() {
    let world = World::new(&json!({}));
    world.mirror.fault("/v2/library/qwen2.5-coder/manifests/7b", Fault::Stall(10), 1);
    let began = std::time::Instant::now();
    // Without consent it ends after the summary.
    let said = install(&world, &named(&world, "qwen2.5-coder:7b"), &[]);
    assert_eq!(said.code, Some(10), "{said:#?}");
    assert!(said.errors.contains("not complete after 5\u{a0}s"), "{}", said.errors);
    assert!(said.errors.contains("the figures are the catalogue's"), "{}", said.errors);
    assert!(began.elapsed() < std::time::Duration::from_secs(60), "{:?}", began.elapsed());
    assert_untouched(&world, 0);
}

#[test]
fn a_hostile_header_changes_no_figure() {
    let hostile = [
        b"GGUF".to_vec(),
        [b"GGUF\x03\0\0\0".as_slice(), &[0xff; 64]].concat(),
        Shape { trained_context: 0, ..Shape::tiny() }.file(),
        b"\x1b[2J not a model".to_vec(),
    ];
    for gguf in hostile {
        let world = World::new(&json!({}));
        world.mirror.put_model("library/qwen2.5-coder:7b", &World::model_files(gguf.clone()));
        let said = install(&world, &named(&world, "qwen2.5-coder:7b"), &[]);
        assert_eq!(said.code, Some(10), "the limits of the catalogue's file: {said:#?}");
        assert!(said.errors.contains("cannot be used"), "{}", said.errors);
        assert!(said.errors.contains("the figures are the catalogue's"), "{}", said.errors);
        assert!(!said.errors.contains('\u{1b}'), "{:?}", said.errors);
        assert_untouched(&world, 1);
    }
}

#[test]
fn a_model_that_the_registry_no_longer_has_is_not_installed() {
    let world = World::new(&json!({}));
    let said = install(&world, &named(&world, "qwen2.5-coder:1.5b"), &["--accept-degraded"]);
    assert_eq!(said.code, Some(1), "{said:#?}");
    assert!(said.errors.contains("has no model"), "{}", said.errors);
    assert_untouched(&world, 0);
}

#[test]
fn an_estimate_reads_the_file_when_asked_to() {
    let world = World::new(&json!({}));
    let digest = world.put_model("library/qwen2.5-coder:3b", &Shape::tiny());
    let tag = format!("{}/library/qwen2.5-coder:3b", world.mirror.host());
    let estimate = |more: &[&str]| {
        let arguments =
            [&["estimate", "--model", &tag, "--gpu", "RTX 4060", "--insecure-registry"], more].concat();
        world.run(&arguments)
    };
    let of_catalogue: Value = serde_json::from_slice(&estimate(&["--json"]).stdout).unwrap();
    assert_eq!(of_catalogue["model_file"]["source"], "catalogue");
    assert_eq!(world.mirror.requests(), Vec::new());
    let of_file: Value = serde_json::from_slice(&estimate(&["--json", "--from-registry"]).stdout).unwrap();
    let file = &of_file["model_file"];
    assert_eq!((&file["source"], &file["differs_from_catalogue"]), (&json!("registry"), &json!(true)));
    assert_eq!((&file["digest"], &of_file["total_layers"]), (&json!(format!("sha256:{digest}")), &json!(5)));
    let said = estimate(&["--from-registry"]);
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("has changed since the catalogue was made"), "{said}");
    world.mirror.fault("/v2/library/qwen2.5-coder/manifests/3b", Fault::Status(500), 1);
    assert_eq!(estimate(&["--from-registry"]).status.code(), Some(1), "there is nothing else to estimate");
}

#[test]
fn a_file_that_is_replaced_after_the_summary_is_not_installed_unseen() {
    let world = World::new(&json!({}));
    world.put_model("library/qwen2.5-coder:3b", &Shape::tiny());
    // The engine's download is slow, so that the file is replaced before the model is pulled.
    world.mirror.limit_rate(4 << 20);
    let options = named(&world, "qwen2.5-coder:3b");
    let options: Vec<&str> = options.iter().map(String::as_str).chain(["--accept-degraded"]).collect();
    let running = world.begin_install(&options);
    running.wait_for(|event| event["step"] == "fetch_engine");
    let replaced = world.put_model("library/qwen2.5-coder:3b", &Shape { blocks: 6, ..Shape::tiny() });
    world.mirror.heal();
    let (code, events) = running.end_with_events();
    assert_eq!(code, Some(1), "{events:#?}");
    let last = events.last().unwrap();
    assert_eq!((&last["step"], &last["state"]), (&json!("pull_model"), &json!("failed")));
    assert!(last["message"].as_str().unwrap().contains("was replaced in its registry"), "{last}");
    assert!(!world.home().join("llm/profile.yaml").exists());

    let said = world.install(&options);
    let receipt = said.receipt();
    assert_eq!(receipt["model_file"]["digest"], json!(format!("sha256:{replaced}")));
    assert_eq!(receipt["predicted"]["total_layers"], 7);
}
