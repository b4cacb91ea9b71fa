//! Single settings of an installation, changed by `acolyte set`: planned, consented, applied, read back, measured, restored.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![cfg(target_os = "linux")]

mod common;

use common::gguf::Shape;
use common::process::{below, output};
use common::world::{Running, Said, Signal, World, eight_gb, quick_double};
use serde_json::{Value, json};

/// All 29 layers of the profile's model are on the card, with a KV cache of q8_0.
const PROFILE: &[&str] = &["--profile", "hybrid_8gb", "--accept-degraded", "--no-autostart"];
const LAYERS: u64 = 29;

fn installed(double: &Value) -> World {
    let world = World::new(&quick_double(double));
    let said = world.install(PROFILE);
    assert_eq!(said.receipt()["measured"]["gpu_layers"], json!(LAYERS), "{:#}", said.receipt());
    world
}

/// `acolyte set` on the world's machine, without questions.
fn set_command(world: &World, arguments: &[&str]) -> std::process::Command {
    let mut command = world.acolyte(&["set", "--json", "--yes"]);
    command.arg("--hardware").arg(world.path("hardware.json")).args(arguments);
    command
}

fn set(world: &World, arguments: &[&str]) -> Said {
    Said::of(set_command(world, arguments))
}

/// The parameters of the served model.
fn parameters(world: &World) -> Vec<String> {
    let shown = world.ask("POST", "/api/show", Some(&json!({"model": "acolyte:latest"})));
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    shown["parameters"].as_str().unwrap().lines().map(words).collect()
}

/// The documents of an installation.
fn documents(world: &World) -> Vec<Option<String>> {
    let names = ["request.json", "consent.json", "profile.yaml", "receipt.json"];
    names.map(|name| std::fs::read_to_string(world.home().join("llm").join(name)).ok()).into()
}

/// That everything is as it was, and another command can be run.
fn assert_restored(world: &World, before: &[Option<String>], parameters_before: &[String]) {
    assert_eq!(documents(world), before);
    assert_eq!(parameters(world), parameters_before);
    let status = world.status();
    assert_eq!((&status["unfinished"], &status["model"]["state"]), (&json!(false), &json!("as_measured")));
    assert_eq!(status["server"]["answers"], true, "{status:#}");
}

#[test]
fn layers_cache_and_batch_are_applied_read_back_measured_and_return_to_the_plan() {
    let world = installed(&json!({}));
    let planned = documents(&world);
    let said =
        set(&world, &["--gpu-layers", "20", "--kv", "f16", "--num-batch", "1024", "--accept-degraded"]);
    let receipt = said.receipt();
    let steps: Vec<_> = said.steps().into_iter().map(|(step, _)| step).collect();
    assert_eq!(steps, ["check", "start_server", "load_model", "measure", "start_at_login", "write_receipt"]);
    for (name, value) in
        [("gpu_layers", json!(20)), ("kv_cache_type", json!("f16")), ("num_batch", json!(1024))]
    {
        let found = (&receipt["predicted"][name], &receipt["measured"][name]);
        assert_eq!(found, (&value, &value), "{name}: {receipt:#}");
    }
    assert!(receipt["measured"]["decode_tokens_per_s"].is_f64(), "{receipt:#}");
    assert_eq!(receipt["verdict"], "degraded");
    let shown = parameters(&world);
    for line in ["num_gpu 20", "num_batch 1024", "num_ctx 32768"] {
        assert!(shown.iter().any(|shown| shown == line), "{line} in {shown:#?}");
    }
    let status = world.status();
    let by_hand = json!({"gpu_layers": 20, "kv_cache_type": "f16", "num_batch": 1024});
    assert_eq!(status["profile"]["set_by_hand"], by_hand, "{status:#}");
    assert_eq!((&status["receipt"], &status["model"]["state"]), (receipt, &json!("as_measured")));
    assert!(status["profile"]["banner"].as_str().is_some_and(|banner| banner.contains('9')), "{status:#}");
    let words = String::from_utf8(world.run(&["status"]).stdout).unwrap();
    assert!(words.contains("Set by hand: layers on the GPU: 20, KV cache f16"), "{words}");
    let request = world.json("llm/request.json");
    assert_eq!((&request["gpu_layers"], &request["num_batch"]), (&json!(20), &json!(1024)));
    // A later start has the same setting.
    assert!(world.run(&["stop"]).status.success() && world.run(&["start"]).status.success());
    assert_eq!(world.status()["model"]["state"], "as_measured");
    assert_eq!(below(&world.home()).len(), 1, "one server");

    // Back.
    let said = set(&world, &["--plan", "--accept-degraded"]);
    let measured = &said.receipt()["measured"];
    assert_eq!(
        (&measured["gpu_layers"], &measured["kv_cache_type"], &measured["num_batch"]),
        (&json!(LAYERS), &json!("q8_0"), &json!(512))
    );
    let status = world.status();
    assert_eq!(status["profile"]["set_by_hand"], Value::Null, "{status:#}");
    let mut request: Value = serde_json::from_str(planned[0].as_ref().unwrap()).unwrap();
    let mut now = world.json("llm/request.json");
    for request in [&mut request, &mut now] {
        request.as_object_mut().unwrap().remove("consent");
    }
    assert_eq!(now, request, "as it was requested");

    // Everything can be removed as before.
    assert!(world.run(&["uninstall", "--yes"]).status.success());
    assert!(!world.home().exists());
}

#[test]
fn the_context_grows_and_never_goes_below_32k() {
    let world = World::new(&quick_double(&json!({})));
    // The 3B model, whose cache for 32K more tokens fits.
    world.put_model("library/qwen2.5-coder:3b", &Shape::qwen_3b());
    world.install(&["--model", "qwen2.5-coder:3b", "--accept-degraded", "--no-autostart"]).receipt();
    let before = (documents(&world), parameters(&world));
    let refused = set(&world, &["--context", "16384", "--accept-degraded"]);
    assert_eq!(refused.code, Some(20), "{refused:#?}");
    assert!(refused.errors.contains("32,768"), "{}", refused.errors);
    assert_restored(&world, &before.0, &before.1);
    let longest = world.json("llm/receipt.json")["predicted"]["context_tokens"].as_u64().unwrap();
    assert_eq!(longest, 32_768);
    let too_long = set(&world, &["--context", "1000000", "--accept-degraded"]);
    assert_eq!(too_long.code, Some(20), "more than the model supports: {too_long:#?}");
    let wrong = set(&world, &["--context", "lots"]);
    assert_eq!(wrong.code, Some(2), "{wrong:#?}");
}

#[test]
fn everything_goes_to_the_processor_only_with_consent_and_returns() {
    let world = installed(&json!({}));
    let before = (documents(&world), parameters(&world));
    let asked = set(&world, &["--cpu-only"]);
    assert_eq!(asked.code, Some(10), "{asked:#?}");
    assert!(asked.errors.contains("--accept-degraded"), "{}", asked.errors);
    assert_restored(&world, &before.0, &before.1);

    let said = set(&world, &["--cpu-only", "--accept-degraded"]);
    let receipt = said.receipt();
    assert_eq!((&receipt["measured"]["gpu_layers"], &receipt["verdict"]), (&json!(0), &json!("degraded")));
    let status = world.status();
    assert_eq!(status["profile"]["set_by_hand"], json!({"gpu_layers": 0}));
    let kinds: Vec<_> =
        status["profile"]["limits"].as_array().unwrap().iter().map(|one| &one["limit"]).collect();
    assert!(kinds.contains(&&json!("cpu_only")), "{status:#}");
    assert!(world.read("llm/consent.json").contains("Emergency mode"), "{}", world.read("llm/consent.json"));

    let said = set(&world, &["--gpu-layers", "auto", "--accept-degraded"]);
    assert_eq!(said.receipt()["measured"]["gpu_layers"], json!(LAYERS));
    assert_eq!(world.status()["profile"]["set_by_hand"], Value::Null);
}

#[test]
fn what_does_not_fit_is_said_tried_and_reverted() {
    // 4 GB of the card are free.
    let gpu = json!({"name": "NVIDIA GeForce RTX 4060", "total_mib": 8188, "free_mib": 4000});
    let world = World::new(&quick_double(&json!({"gpu": gpu})));
    let mut hardware = eight_gb();
    hardware["gpus"][0]["vram_free_bytes"] = json!(4000_u64 << 20);
    world.write("hardware.json", &hardware);
    let said = world.install(PROFILE);
    let layers = said.receipt()["measured"]["gpu_layers"].as_u64().unwrap();
    assert!(layers > 0 && layers < LAYERS);
    let before = (documents(&world), parameters(&world));
    let failed = set(&world, &["--gpu-layers", "all", "--accept-degraded"]);
    assert_eq!(failed.code, Some(1), "{failed:#?}");
    assert!(
        failed.errors.contains("It is tried") && failed.errors.contains("in force again"),
        "{}",
        failed.errors
    );
    let attempts = failed.events.iter().filter(|event| event["step"] == "load_model").count();
    assert!(attempts >= 2, "it was loaded: {:#?}", failed.events);
    assert_restored(&world, &before.0, &before.1);
    // A smaller one works afterwards.
    let fewer = (layers - 1).to_string();
    let said = set(&world, &["--gpu-layers", &fewer, "--accept-degraded"]);
    assert_eq!(said.receipt()["measured"]["gpu_layers"], json!(layers - 1));
}

#[test]
fn a_setting_that_the_engine_does_not_take_is_reverted() {
    for (fault, arguments) in [
        (json!({"card_not_found": true}), ["--num-batch", "1024"]),
        (json!({"kv_type_ignored": true}), ["--kv", "q4_0"]),
        (json!({"never_enough_memory": true}), ["--num-batch", "256"]),
        (json!({"context_clamped_to": 8192}), ["--num-batch", "256"]),
        (json!({"breaks": {"create": "error"}}), ["--num-batch", "256"]),
    ] {
        let world = installed(&json!({}));
        let before = (documents(&world), parameters(&world));
        world.tell_installed(|told| told["faults"] = fault.clone());
        // So that the server is one that was told.
        assert!(world.run(&["restart"]).status.success());
        let failed = set(&world, &[&arguments[..], &["--accept-degraded"]].concat());
        assert_eq!(failed.code, Some(1), "{fault}: {failed:#?}");
        assert!(failed.errors.contains("in force again"), "{fault}: {}", failed.errors);
        assert_restored(&world, &before.0, &before.1);
    }
}

#[test]
fn an_interrupted_change_is_reverted_and_a_killed_one_by_the_next() {
    for signal in [Signal::Interrupt, Signal::Kill] {
        let world = installed(&json!({}));
        let before = (documents(&world), parameters(&world));
        world.tell_installed(|told| told["faults"] = json!({"load_hangs": true}));
        assert!(world.run(&["restart"]).status.success());
        let running = Running::start(set_command(&world, &["--num-batch", "1024", "--accept-degraded"]));
        running.wait_for(|event| event["step"] == "load_model" && event["state"] == "running");
        running.signal(signal);
        let code = running.end();
        std::fs::remove_file(world.path("told-now.json")).unwrap();
        if signal == Signal::Interrupt {
            assert_eq!(code, Some(130));
            assert_restored(&world, &before.0, &before.1);
        } else {
            let status = world.status();
            assert_eq!(status["unfinished"], true, "{status:#}");
            assert_eq!(documents(&world), before.0, "they are replaced at the end");
        }
        let said = set(&world, &["--num-batch", "256", "--accept-degraded"]);
        assert_eq!(said.receipt()["measured"]["num_batch"], 256);
        let status = world.status();
        assert_eq!(
            (&status["unfinished"], &status["model"]["state"]),
            (&json!(false), &json!("as_measured"))
        );
        assert_eq!(status["profile"]["set_by_hand"], json!({"num_batch": 256}));
        assert!(world.run(&["uninstall", "--yes"]).status.success());
        assert!(!world.home().exists());
    }
}

#[test]
fn a_killed_change_can_be_undone() {
    let world = installed(&json!({}));
    let before = (documents(&world), parameters(&world));
    world.tell_installed(|told| told["faults"] = json!({"load_hangs": true}));
    assert!(world.run(&["restart"]).status.success());
    let running = Running::start(set_command(&world, &["--kv", "f16", "--accept-degraded"]));
    running.wait_for(|event| event["step"] == "load_model" && event["state"] == "running");
    running.signal(Signal::Kill);
    running.end();
    std::fs::remove_file(world.path("told-now.json")).unwrap();
    assert!(world.run(&["undo", "--yes"]).status.success());
    assert_restored(&world, &before.0, &before.1);
}

#[test]
fn experts_move_to_main_memory_and_back() {
    let world = World::new(&quick_double(&json!({})));
    let mut hardware = eight_gb();
    hardware["memory"]["total_bytes"] = json!(32_u64 << 30);
    hardware["memory"]["available_bytes"] = json!(28_u64 << 30);
    world.write("hardware.json", &hardware);
    world.put_model("library/qwen3-coder:30b", &Shape::qwen_30b_a3b());
    world.install(&["--model", "qwen3-coder:30b", "--accept-degraded", "--no-autostart"]).receipt();
    let said = set(&world, &["--n-cpu-moe", "all", "--accept-degraded"]);
    let measured = &said.receipt()["measured"];
    assert_eq!((&measured["n_cpu_moe"], &measured["gpu_layers"]), (&json!(48), &json!(49)), "{measured:#}");
    let said = set(&world, &["--n-cpu-moe", "auto", "--accept-degraded"]);
    let (predicted, measured) = (&said.receipt()["predicted"], &said.receipt()["measured"]);
    let fitting = measured["n_cpu_moe"].as_u64().unwrap();
    assert!(fitting > 0 && fitting < 48, "{measured:#}");
    assert_eq!(predicted["n_cpu_moe"], measured["n_cpu_moe"]);
    assert_eq!(world.status()["profile"]["set_by_hand"], json!({"n_cpu_moe": "auto"}));
    let both = set(&world, &["--n-cpu-moe", "40", "--gpu-layers", "20"]);
    assert_eq!(both.code, Some(2), "{both:#?}");
    assert!(both.errors.contains("49"), "{}", both.errors);
    // Fewer layers take the experts along.
    let said = set(&world, &["--gpu-layers", "10", "--accept-degraded"]);
    assert_eq!(said.receipt()["measured"]["gpu_layers"], json!(10));
    assert_eq!(world.status()["profile"]["n_cpu_moe"], 0);
}

#[test]
fn tuning_leaves_what_was_set_by_hand() {
    let world = installed(
        &json!({"prefill_tokens_per_s": 20_000.0, "speeds": {"batch": {"1024": 3.0, "2048": 2.0}}}),
    );
    set(&world, &["--num-batch", "256", "--accept-degraded"]).receipt();
    let mut tune = world.acolyte(&["tune", "--json"]);
    tune.arg("--hardware").arg(world.path("hardware.json"));
    let said = Said::of(tune);
    let receipt = said.receipt();
    assert_eq!(receipt["measured"]["num_batch"], 256, "{receipt:#}");
    let tries = receipt["tuning"]["tries"].as_array().unwrap();
    assert!(tries.iter().all(|tried| tried["changes"] != "batch"), "{receipt:#}");
    assert_eq!(world.status()["profile"]["set_by_hand"], json!({"num_batch": 256}));
    set(&world, &["--plan", "--accept-degraded"]).receipt();
    assert_eq!(world.status()["profile"]["num_batch"], 512);
}

#[test]
fn a_server_at_login_has_what_was_set() {
    let world = World::new(&quick_double(&json!({})));
    world.install(&["--profile", "hybrid_8gb", "--accept-degraded"]).receipt();
    let said = set(&world, &["--kv", "f16", "--accept-degraded"]);
    assert_eq!(said.receipt()["measured"]["kv_cache_type"], "f16");
    assert_eq!(world.status()["profile"]["autostart"], true);
    assert!(world.run(&["stop"]).status.success());
    let mut at_login = world.program(world.home().join("bin/acolyte-at-login").to_str().unwrap());
    at_login.arg("start-server").arg(world.home());
    assert!(output(at_login).status.success());
    let server = below(&world.home());
    let environment = std::fs::read(format!("/proc/{}/environ", server[0])).unwrap();
    assert!(String::from_utf8_lossy(&environment).contains("OLLAMA_KV_CACHE_TYPE=f16"));
}

#[test]
fn a_dry_run_shows_both_plans_and_changes_nothing() {
    let world = installed(&json!({}));
    let before = (documents(&world), parameters(&world));
    let mut command = world.acolyte(&["set", "--dry-run", "--json", "--gpu-layers", "10"]);
    command.arg("--hardware").arg(world.path("hardware.json"));
    let json: Value = serde_json::from_slice(&output(command).stdout).unwrap();
    assert_eq!((&json["before"]["gpu_layers"], &json["after"]["gpu_layers"]), (&json!(LAYERS), &json!(10)));
    assert_eq!((&json["changes"], &json["needs_consent"]), (&json!(true), &json!(true)), "{json:#}");
    let speed = |plan: &Value| plan["speed"]["decode_tokens_per_s"]["mid"].as_f64().unwrap();
    assert!(speed(&json["before"]) > speed(&json["after"]));
    let mut command = world.acolyte(&["set", "--dry-run", "--gpu-layers", "10"]);
    command.arg("--hardware").arg(world.path("hardware.json"));
    let words = String::from_utf8(output(command).stdout).unwrap();
    for part in ["10 of 29", "29 of 29", "█", "Set by hand: layers on the GPU: 10"] {
        assert!(words.contains(part), "{part} in {words}");
    }
    assert_restored(&world, &before.0, &before.1);
    assert_eq!(world.run(&["set"]).status.code(), Some(2), "names nothing");
    let unchanged = set(&world, &["--kv", "q8_0", "--num-batch", "512"]);
    assert_eq!(unchanged.code, Some(0), "{unchanged:#?}");
}
