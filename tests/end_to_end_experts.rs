//! Installations with the experts of some blocks in main memory: what the engine is told, what is read back of it, and
//! what is tried when memory runs out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![cfg(target_os = "linux")]

mod common;

use common::gguf::Shape;
use common::mirror::{Fault, Mirror, sha256_hex};
use common::process::below;
use common::world::{Said, Signal, World, eight_gb, quick_double};
use serde_json::{Value, json};

const MODEL: &str = "qwen3-coder:30b";
/// Blocks of the model.
const BLOCKS: u64 = 48;
const VARIABLES: [&str; 4] =
    ["LLAMA_ARG_CACHE_RAM", "LLAMA_ARG_CPU_MOE", "LLAMA_ARG_N_CPU_MOE", "GGML_CUDA_NO_PINNED"];

/// A machine with 32 GB and an 8 GB card, and a mixture in the registry.
///
/// The placement that the engine chooses itself writes slowly, unless `double` says otherwise.
fn world(double: &Value) -> World {
    let mut told = quick_double(&json!({"automatic_decode_tokens_per_s": 100}));
    for (key, value) in double.as_object().unwrap() {
        told[key] = value.clone();
    }
    let world = World::new(&told);
    let mut hardware = eight_gb();
    hardware["memory"]["total_bytes"] = json!(32_u64 << 30);
    hardware["memory"]["available_bytes"] = json!(28_u64 << 30);
    world.write("hardware.json", &hardware);
    world.put_model("library/qwen3-coder:30b", &Shape::qwen_30b_a3b());
    world
}

/// An installation of the mixture that was killed while the model was pulled, with the experts of so many blocks in main
/// memory.
fn interrupted(world: &World, n_cpu_moe: u64, more: &[&str]) {
    let path = Mirror::blob_path(&sha256_hex(&Shape::qwen_30b_a3b().file()));
    world.mirror.fault(&path, Fault::Stall(1_000_000), 1);
    let running = world.begin_install(&[&["--model", MODEL, "--accept-degraded"], more].concat());
    running
        .wait_for(|event| event["step"] == "pull_model" && event["bytes_done"].as_u64() >= Some(1_000_000));
    running.signal(Signal::Kill);
    running.end();
    let mut request = world.json("llm/request.json");
    assert_eq!((&request["n_cpu_moe"], &request["num_batch"]), (&json!(0), &json!(512)));
    request["gpu_layers"] = json!(BLOCKS + 1);
    request["n_cpu_moe"] = json!(n_cpu_moe);
    request["num_batch"] = json!(1024);
    std::fs::write(world.home().join("llm/request.json"), request.to_string()).unwrap();
}

/// Resumes it, in an environment with settings of the runner that are not ours.
fn resume(world: &World, arguments: &[&str]) -> Said {
    let mut command = world.acolyte(&["install", "--continue", "--json", "--yes", "--no-autostart"]);
    command.arg("--hardware").arg(world.path("hardware.json")).args(arguments);
    for name in VARIABLES {
        command.env(name, "7");
    }
    Said::of(command)
}

fn installed(world: &World, n_cpu_moe: u64) -> Said {
    interrupted(world, n_cpu_moe, &[]);
    resume(world, &["--accept-degraded"])
}

/// What the processes of the home have of the variables: the server and its runner, which has the server's.
fn environments(world: &World) -> Vec<String> {
    let of_process = |process: u32| {
        let environment = std::fs::read(format!("/proc/{process}/environ")).unwrap();
        let text = String::from_utf8_lossy(&environment).into_owned();
        let ours = |entry: &&str| VARIABLES.iter().any(|name| entry.starts_with(&format!("{name}=")));
        let mut entries: Vec<&str> = text.split('\0').filter(ours).collect();
        entries.sort_unstable();
        entries.join(" ")
    };
    let mut found: Vec<String> = below(&world.home()).into_iter().map(of_process).collect();
    found.dedup();
    found
}

fn experts_tried(receipt: &Value) -> Vec<(u64, String)> {
    let tried = receipt["tried"].as_array().unwrap().iter();
    tried
        .map(|one| (one["n_cpu_moe"].as_u64().unwrap(), one["outcome"].as_str().unwrap().to_owned()))
        .collect()
}

fn kinds(receipt: &Value) -> Vec<&str> {
    receipt["misses"].as_array().unwrap().iter().map(|miss| miss["kind"].as_str().unwrap()).collect()
}

#[test]
fn experts_stay_in_main_memory_as_planned_wherever_the_server_is_started() {
    let world = world(&json!({}));
    interrupted(&world, 40, &[]);
    let said = resume(&world, &[]);
    assert_eq!(said.code, Some(10), "more experts in main memory than agreed to: {said:#?}");
    let said = resume(&world, &["--accept-degraded"]);
    let receipt = said.receipt();
    let (predicted, measured) = (&receipt["predicted"], &receipt["measured"]);
    assert_eq!((&predicted["n_cpu_moe"], &predicted["num_batch"]), (&json!(40), &json!(1024)));
    assert_eq!((&measured["n_cpu_moe"], &measured["num_batch"]), (&json!(40), &json!(1024)));
    assert_eq!(measured["gpu_layers"], json!(BLOCKS + 1));
    assert_eq!(measured["prompt_cache_mib"], predicted["prompt_cache_mib"]);
    for kind in ["experts", "experts_unknown", "weights_in_ram", "prompt_cache", "layers"] {
        assert!(!kinds(receipt).contains(&kind), "{receipt:#}");
    }
    let shown = world.ask("POST", "/api/show", Some(&json!({"model": "acolyte:latest"})));
    let parameters = shown["parameters"].as_str().unwrap();
    assert!(parameters.lines().any(|line| line.split_whitespace().eq(["num_batch", "1024"])), "{parameters}");

    let cache = predicted["prompt_cache_mib"].as_u64().filter(|mib| *mib > 0).unwrap();
    let expected = vec![format!("LLAMA_ARG_CACHE_RAM={cache} LLAMA_ARG_N_CPU_MOE=40")];
    assert_eq!(environments(&world), expected);
    let status = world.status();
    assert_eq!((&status["profile"]["n_cpu_moe"], &status["receipt"]), (&json!(40), receipt));
    let words = String::from_utf8(world.run(&["status"]).stdout).unwrap();
    assert!(words.contains("Experts of 40 of 48 blocks"), "{words}");

    assert!(world.run(&["stop"]).status.success());
    let mut start = world.acolyte(&["start"]);
    start.env("LLAMA_ARG_CPU_MOE", "1");
    assert!(common::process::output(start).status.success());
    assert_eq!(environments(&world), expected);

    // Another profile: the variables are absent, whatever the user's environment has.
    let mut command =
        world.install_command(&["--profile", "light_6gb", "--accept-degraded", "--no-autostart"]);
    command.env("LLAMA_ARG_N_CPU_MOE", "7");
    let said = Said::of(command);
    let cache = said.receipt()["predicted"]["prompt_cache_mib"].as_u64().unwrap();
    assert_eq!(environments(&world), [format!("LLAMA_ARG_CACHE_RAM={cache}")]);
    assert_eq!(said.receipt()["measured"]["n_cpu_moe"], Value::Null, "a model without experts");
}

#[test]
fn a_server_at_login_has_the_plans_environment() {
    let world = world(&json!({}));
    interrupted(&world, BLOCKS, &[]);
    let mut command = world.acolyte(&["install", "--continue", "--json", "--yes", "--accept-degraded"]);
    command.arg("--hardware").arg(world.path("hardware.json"));
    let said = Said::of(command);
    let cache = said.receipt()["predicted"]["prompt_cache_mib"].as_u64().unwrap();
    let expected = [format!("LLAMA_ARG_CACHE_RAM={cache} LLAMA_ARG_CPU_MOE=1")];
    assert_eq!(said.receipt()["measured"]["n_cpu_moe"], json!(BLOCKS));
    assert!(world.run(&["stop"]).status.success());
    // What the entry calls, with what a session may have.
    let mut at_login = world.program(world.home().join("bin/acolyte-at-login").to_str().unwrap());
    at_login.arg("start-server").arg(world.home()).env("LLAMA_ARG_N_CPU_MOE", "7");
    assert!(common::process::output(at_login).status.success());
    assert_eq!(environments(&world), expected);
}

#[test]
fn the_engines_own_placement_is_kept_where_it_is_faster_and_starts_without_ours() {
    let world = world(&json!({"decode_tokens_per_s": 200, "automatic_decode_tokens_per_s": 4000}));
    interrupted(&world, 40, &["--tune"]);
    let said = resume(&world, &["--accept-degraded"]);
    let receipt = said.receipt();
    assert_eq!(receipt["placements"]["automatic_kept"], true, "{receipt:#}");
    let chosen = receipt["measured"]["n_cpu_moe"].as_u64().unwrap();
    assert!(chosen > 0 && chosen < BLOCKS, "{receipt:#}");
    assert_eq!(receipt["predicted"]["n_cpu_moe"], json!(chosen), "promised for what is kept");
    let environments = environments(&world);
    assert!(environments.iter().all(|one| !one.contains("MOE")), "{environments:?}");
    assert_eq!(world.status()["profile"]["automatic_layers"], true);
    assert!(world.run(&["stop"]).status.success() && world.run(&["start"]).status.success());
    assert_eq!(self::environments(&world), environments);
}

#[test]
fn more_experts_go_to_main_memory_when_the_cards_runs_out() {
    // Another program took 3 GB of the card since detection.
    let world = world(&json!({"faults": {"vram_taken_mib": 3000}}));
    let said = installed(&world, 40);
    let receipt = said.receipt();
    let tried = experts_tried(receipt);
    assert_eq!(tried[0], (40, "out of memory".to_owned()), "{tried:?}");
    let kept = receipt["predicted"]["n_cpu_moe"].as_u64().unwrap();
    assert!(kept > 40, "{tried:?}");
    let until = tried.iter().position(|(_, outcome)| outcome == "ok").unwrap();
    assert!(tried[..=until].windows(2).all(|pair| pair[0].0 < pair[1].0), "{tried:?}");
    assert_eq!(receipt["measured"]["n_cpu_moe"], json!(kept));
    assert_eq!(receipt["measured"]["gpu_layers"], json!(BLOCKS + 1), "layers stay on the card");
    assert_eq!(receipt["first_choice"]["n_cpu_moe"], json!(40));
    assert_eq!((&receipt["verdict"], kinds(receipt).contains(&"experts")), (&json!("degraded"), true));
    let says = |event: &Value| {
        event["message"].as_str().is_some_and(|words| words.contains("of 48 blocks in main memory"))
    };
    assert!(said.events.iter().any(says), "{:#?}", said.events);
    let expected =
        if kept == BLOCKS { "LLAMA_ARG_CPU_MOE=1".to_owned() } else { format!("LLAMA_ARG_N_CPU_MOE={kept}") };
    assert!(environments(&world).iter().all(|one| one.contains(&expected)), "{:?}", environments(&world));
}

#[test]
fn a_runner_that_the_system_killed_ran_out_of_main_memory() {
    // The experts of 40 blocks take 15 GB.
    let world = world(&json!({"faults": {"main_memory_mib": 14_000}}));
    let said = installed(&world, 40);
    let receipt = said.receipt();
    let tried = experts_tried(receipt);
    assert_eq!(tried[0], (40, "out of main memory".to_owned()), "{tried:?}");
    let kept = receipt["predicted"]["n_cpu_moe"].as_u64().unwrap();
    assert!((1..40).contains(&kept), "{tried:?}");
    assert_eq!(receipt["measured"]["n_cpu_moe"], json!(kept));
    let log = world.read("logs/server.log");
    assert!(log.contains("llama-server process has terminated: signal: killed"), "as the real one says it");
}

#[test]
fn a_runner_that_is_killed_while_it_answers_steps_down() {
    // Main memory holds the experts of 40 blocks, but not the buffers of a long prompt besides.
    for arguments in [&["--tune"][..], &[]] {
        let world = world(&json!({"faults": {"answers": [
            {"n_cpu_moe": 40, "above_tokens": 1000, "happens": "killed"},
        ]}}));
        interrupted(&world, 40, arguments);
        let said = resume(&world, &["--accept-degraded"]);
        let receipt = said.receipt();
        let first = &receipt["tuning"]["tries"][0];
        assert_eq!(
            (&first["changes"], &first["setting"]["n_cpu_moe"]),
            (&json!("start"), &json!(40)),
            "{receipt:#}"
        );
        assert_eq!(first["outcome"]["reason"], "runner_ended", "{receipt:#}");
        let kept = receipt["predicted"]["n_cpu_moe"].as_u64().unwrap();
        assert!((1..40).contains(&kept), "{receipt:#}");
        assert_eq!(receipt["measured"]["n_cpu_moe"], json!(kept));
        assert!(receipt["measured"]["decode_tokens_per_s"].is_f64(), "{receipt:#}");
        assert_eq!(receipt["first_choice"]["n_cpu_moe"], json!(40));
    }
}

#[test]
fn experts_of_fewer_blocks_stay_in_main_memory_as_long_as_that_is_faster_and_fits() {
    let world = world(&json!({"speeds": {"block_on_card": 1.05}}));
    interrupted(&world, 46, &["--tune"]);
    let said = resume(&world, &["--accept-degraded"]);
    let receipt = said.receipt();
    let tuning = &receipt["tuning"];
    let tries = tuning["tries"].as_array().unwrap();
    let experts: Vec<u64> = tries
        .iter()
        .filter(|tried| tried["changes"] == "experts")
        .map(|tried| tried["setting"]["n_cpu_moe"].as_u64().unwrap())
        .collect();
    assert!(experts.len() > 1 && experts.windows(2).all(|pair| pair[1] < pair[0]), "{experts:?}");
    let kept = *experts.last().unwrap();
    assert_eq!(
        (&receipt["predicted"]["n_cpu_moe"], &receipt["measured"]["n_cpu_moe"]),
        (&json!(kept), &json!(kept))
    );
    assert!(
        kinds(receipt).iter().all(|kind| !kind.starts_with("experts")),
        "faster is no shortfall: {receipt:#}"
    );
    assert!(environments(&world).iter().all(|one| one.contains(&format!("LLAMA_ARG_N_CPU_MOE={kept}"))));
    assert_eq!(world.json("llm/request.json")["n_cpu_moe"], json!(kept));
    assert_eq!(world.status()["profile"]["n_cpu_moe"], json!(kept));
}

#[test]
fn memory_that_the_driver_cannot_page_lock_is_used_unlocked() {
    let world = world(&json!({"faults": {"maps_no_weights": true, "pinnable_mib": 4000}}));
    let said = installed(&world, 40);
    let receipt = said.receipt();
    let tried = receipt["tried"].as_array().unwrap();
    assert_eq!((&tried[0]["outcome"], &tried[0]["pinned_memory"]), (&json!("out of memory"), &Value::Null));
    assert_eq!((&tried[1]["outcome"], &tried[1]["pinned_memory"]), (&json!("ok"), &json!(false)));
    assert_eq!((&tried[1]["n_cpu_moe"], &receipt["measured"]["n_cpu_moe"]), (&json!(40), &json!(40)));
    let is_said = |event: &Value| event["message"].as_str().is_some_and(|words| words.contains("page-lock"));
    assert!(said.events.iter().any(is_said), "{:#?}", said.events);
    assert!(environments(&world).iter().all(|one| one.contains("GGML_CUDA_NO_PINNED=1")));
    assert!(world.run(&["stop"]).status.success() && world.run(&["start"]).status.success());
    assert!(environments(&world).iter().all(|one| one.contains("GGML_CUDA_NO_PINNED=1")), "also later");
    let words = String::from_utf8(world.run(&["status"]).stdout).unwrap();
    assert!(words.contains("not page-locked"), "{words}");
}
