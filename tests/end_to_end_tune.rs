//! Tuning by measuring, with a stand-in whose speed depends on what its runner is told.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![cfg(target_os = "linux")]

mod common;

use common::gguf::Shape;
use common::world::{Running, Said, Signal, World, quick_double};
use serde_json::{Value, json};

const PROFILE: &[&str] = &["--profile", "hybrid_8gb", "--accept-degraded", "--no-autostart", "--tune"];

/// A world whose engine's own defaults and plan are equally fast; `double` adds what differs.
fn world(double: &Value) -> World {
    World::new(&quick_double(double))
}

/// A machine whose 8 GB card has only 4 GB free, so that some layers are on the processor.
fn partial(double: &Value) -> World {
    let mut told = json!({"gpu": {"name": "NVIDIA GeForce RTX 4060", "total_mib": 8188, "free_mib": 4000}});
    for (key, value) in double.as_object().unwrap() {
        told[key] = value.clone();
    }
    let world = world(&told);
    let mut hardware = common::world::eight_gb();
    hardware["gpus"][0]["vram_free_bytes"] = json!(4000_u64 << 20);
    world.write("hardware.json", &hardware);
    world
}

fn tries(receipt: &Value) -> Vec<&Value> {
    receipt["tuning"]["tries"].as_array().unwrap_or_else(|| panic!("{receipt:#}")).iter().collect()
}

fn kept(receipt: &Value) -> &Value {
    let kept = receipt["tuning"]["kept"].as_u64().unwrap_or_else(|| panic!("{receipt:#}"));
    tries(receipt)[usize::try_from(kept).unwrap()]
}

/// What each try changed, and how it ended.
fn outcomes(receipt: &Value) -> Vec<(&str, &str)> {
    tries(receipt)
        .into_iter()
        .map(|tried| {
            let outcome = &tried["outcome"];
            let ended = outcome["reason"].as_str().or(outcome["kind"].as_str()).unwrap();
            (tried["changes"].as_str().unwrap(), ended)
        })
        .collect()
}

/// The parameters of the served model.
fn parameters(world: &World) -> Vec<String> {
    let shown = world.ask("POST", "/api/show", Some(&json!({"model": "acolyte:latest"})));
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    shown["parameters"].as_str().unwrap().lines().map(words).collect()
}

#[test]
fn the_fastest_settings_are_combined_kept_and_read_back() {
    let world = partial(&json!({
        "automatic_decode_tokens_per_s": 1_000.0, "prefill_tokens_per_s": 20_000.0,
        "speeds": {"batch": {"512": 1.0, "1024": 1.5, "2048": 0.9}, "threads": {"8": 1.0, "16": 1.6}, "mapped": 0.5},
    }));
    let said = world.install(PROFILE);
    let receipt = said.receipt();
    let best = kept(receipt);
    assert_eq!(receipt["tuning"]["end"], "complete", "{receipt:#}");
    let (setting, in_force, measured) = (&best["setting"], &best["in_force"], &receipt["measured"]);
    for (name, value) in [("num_batch", json!(1024)), ("num_thread", json!(16)), ("use_mmap", json!(false))] {
        assert_eq!(
            (&setting[name], &in_force[name], &measured[name]),
            (&value, &value, &value),
            "{name}: {receipt:#}"
        );
    }
    assert_eq!(receipt["predicted"]["num_batch"], 1024, "promised for what is kept");
    let shown = parameters(&world);
    for line in ["num_batch 1024", "num_thread 16", "use_mmap false"] {
        assert!(shown.iter().any(|shown| shown == line), "{line} in {shown:#?}");
    }
    let status = world.status();
    assert_eq!(
        (&status["profile"]["num_thread"], &status["profile"]["use_mmap"]),
        (&json!(16), &json!(false))
    );
    assert_eq!(status["model"]["state"], "as_measured", "{status:#}");
    // Each try has both fillings of the context.
    for tried in tries(receipt) {
        let speed = &tried["outcome"];
        assert_eq!(speed["kind"], "measured", "{tried:#}");
        assert!(speed["filled_tokens"].as_f64().unwrap() > 6_000.0, "{tried:#}");
    }
    let times = receipt["tuning"]["times_engine_defaults"].as_f64().unwrap();
    assert!(times > 1.5, "{times}");
}

#[test]
fn what_is_no_faster_than_noise_changes_nothing() {
    let world = world(&json!({"speeds": {"batch": {"1024": 1.02, "2048": 1.01}}}));
    let said = world.install(PROFILE);
    let receipt = said.receipt();
    assert_eq!(kept(receipt)["changes"], "start", "{receipt:#}");
    let changes: Vec<_> = outcomes(receipt).into_iter().map(|(changes, _)| changes).collect();
    assert_eq!(
        changes,
        ["start", "engine_defaults", "batch", "batch"],
        "all on the card: nothing else can matter"
    );
    assert_eq!(receipt["first_choice"], Value::Null);
}

#[test]
fn it_is_never_slower_than_the_engines_own_defaults() {
    // 64K of context: by itself the engine reads in batches of 1,024 and keeps an f16 cache.
    let world = world(&json!({"automatic_decode_tokens_per_s": 20_000.0}));
    let said = world.install(&["--profile", "light_6gb", "--accept-degraded", "--no-autostart", "--tune"]);
    let receipt = said.receipt();
    let best = kept(receipt);
    assert_eq!(
        (&best["changes"], &best["setting"]["automatic_layers"]),
        (&json!("engine_defaults"), &json!(true))
    );
    assert_eq!(receipt["measured"]["kv_cache_type"], "f16");
    let kinds: Vec<_> = receipt["misses"].as_array().unwrap().iter().map(|miss| &miss["kind"]).collect();
    assert!(!kinds.contains(&&json!("kv_cache_type")), "what is faster is no shortfall: {receipt:#}");
    assert_eq!(receipt["tuning"]["times_engine_defaults"], 1.0);
    assert_eq!(world.status()["model"]["state"], "as_measured");
}

#[test]
fn failing_tries_are_recorded_and_do_not_fail_the_installation() {
    let world = partial(&json!({"faults": {"answers": [
        {"batch": 1024, "happens": "killed"},
        {"batch": 2048, "happens": "out_of_memory"},
        {"threads": 16, "happens": "no_last_line"},
    ]}}));
    let said = world.install(PROFILE);
    let receipt = said.receipt();
    let ended = outcomes(receipt);
    for expected in [("batch", "runner_ended"), ("batch", "out_of_memory"), ("threads", "answer_cut_short")] {
        assert!(ended.contains(&expected), "{expected:?} in {ended:?}");
    }
    assert_eq!(receipt["measured"]["num_batch"], 512);
    assert!(receipt["measured"]["decode_tokens_per_s"].is_f64());
    let said_why = |part: &str| {
        said.events
            .iter()
            .any(|event| event["message"].as_str().is_some_and(|message| message.contains(part)))
    };
    assert!(said_why("ended too early") && said_why("the card's memory ran out"), "{:#?}", said.events);
    assert_eq!(common::process::below(&world.home()).len(), 2, "one server and its runner");
}

#[test]
fn a_try_that_hangs_is_ended_and_its_server_restarted() {
    let world = world(&json!({"faults": {"answers": [{"batch": 2048, "happens": "hang"}]}}));
    let said = world.install(PROFILE);
    let receipt = said.receipt();
    assert!(outcomes(receipt).contains(&("batch", "time_limit")), "{receipt:#}");
    assert_eq!(receipt["measured"]["num_batch"], 512);
    let answer = world.ask(
        "POST",
        "/api/generate",
        Some(&json!({"model": "acolyte:latest", "prompt": "Say hello.", "stream": false, "options": {"num_predict": 3}})),
    );
    assert_eq!(answer["done"], true, "the kept setting answers: {answer}");
}

#[test]
fn tokens_are_drafted_where_the_file_has_heads_and_that_is_faster() {
    let world = world(&json!({"speeds": {"draft": {"2": 1.6, "4": 1.2}}}));
    world.put_model("library/qwen2.5-coder:3b", &Shape { prediction_head: true, ..Shape::tiny() });
    let tag = format!("{}/library/qwen2.5-coder:3b", world.mirror.host());
    let own = ["--model", &tag, "--insecure-registry", "--accept-degraded", "--no-autostart", "--tune"];
    let said = world.install(&own);
    let receipt = said.receipt();
    let best = kept(receipt);
    assert_eq!(
        (&best["changes"], &best["setting"]["draft_num_predict"]),
        (&json!("draft"), &json!(2)),
        "{receipt:#}"
    );
    assert_eq!(
        (&best["in_force"]["draft_num_predict"], &receipt["measured"]["draft_num_predict"]),
        (&json!(2), &json!(2))
    );
    assert!(parameters(&world).contains(&"draft_num_predict 2".to_owned()), "{:?}", parameters(&world));
    assert_eq!(world.status()["model"]["state"], "as_measured");
}

#[test]
fn another_program_on_the_card_is_named() {
    let world = world(&json!({}));
    let mut command = world.install_command(PROFILE);
    // NVML lists a program on the first card.
    command.env("ACOLYTE_NVML_PATH", common::stand_in_nvml()).env("STAND_IN_NVML", "two");
    let said = Said::of(command);
    let other = &said.receipt()["tuning"]["other_work"];
    let program = json!({"kind": "gpu_program", "program": "blender", "bytes": 4000_u64 << 20});
    assert!(other.as_array().unwrap().contains(&program), "{other:#}");
}

#[test]
fn a_stream_without_its_end_leaves_the_speed_unknown() {
    let world = world(&json!({"faults": {"answers": [{"happens": "no_last_line"}]}}));
    for tune in [true, false] {
        let arguments = if tune { PROFILE } else { &PROFILE[..PROFILE.len() - 1] };
        let said = world.install(arguments);
        let receipt = said.receipt();
        assert_eq!(receipt["measured"]["decode_tokens_per_s"], Value::Null, "{receipt:#}");
        let kinds: Vec<_> = receipt["misses"].as_array().unwrap().iter().map(|miss| &miss["kind"]).collect();
        assert!(kinds.contains(&&json!("speed_unknown")), "{receipt:#}");
        assert!(outcomes(receipt).iter().all(|(_, ended)| *ended == "answer_cut_short"), "{receipt:#}");
        assert_eq!(receipt["tuning"]["kept"], Value::Null);
    }
}

#[test]
fn tuning_can_be_cancelled_like_every_step() {
    let world = world(&json!({"faults": {"answers": [{"batch": 2048, "happens": "hang"}]}}));
    let running = world.begin_install(PROFILE);
    running
        .wait_for(|event| event["message"].as_str().is_some_and(|message| message.contains("2,048 tokens")));
    running.signal(Signal::Interrupt);
    assert_eq!(running.end(), Some(130));
    assert!(!world.home().join("llm/receipt.json").exists());
    assert_eq!(common::process::below(&world.home()), Vec::<u32>::new());
}

#[test]
fn without_tuning_only_the_plan_is_measured() {
    let world = world(&json!({"speeds": {"batch": {"2048": 5.0}}}));
    let said = world.install(&PROFILE[..PROFILE.len() - 1]);
    let receipt = said.receipt();
    assert_eq!((&receipt["tuning"]["end"], tries(receipt).len()), (&json!("off"), 0));
    assert_eq!(receipt["measured"]["num_batch"], 512);
}

/// `acolyte tune` on the world's machine.
fn tune(world: &World) -> std::process::Command {
    let mut command = world.acolyte(&["tune", "--json"]);
    command.arg("--hardware").arg(world.path("hardware.json"));
    command
}

/// A world with an untuned installation, in which batches of 1,024 tokens are read faster.
fn untuned() -> World {
    let world =
        world(&json!({"prefill_tokens_per_s": 20_000.0, "speeds": {"batch": {"1024": 3.0, "2048": 2.0}}}));
    let said = world.install(&PROFILE[..PROFILE.len() - 1]);
    assert_eq!(said.receipt()["measured"]["num_batch"], 512);
    world
}

#[test]
fn an_installation_is_tuned_later_and_the_result_is_applied() {
    let world = untuned();
    let consent = world.read("llm/consent.json");
    let said = Said::of(tune(&world));
    let receipt = said.receipt();
    assert_eq!(kept(receipt)["setting"]["num_batch"], 1024, "{receipt:#}");
    let before: Vec<_> = said.steps().into_iter().map(|(step, _)| step).collect();
    assert_eq!(before, ["check", "start_server", "load_model", "measure", "start_at_login", "write_receipt"]);
    assert!(parameters(&world).contains(&"num_batch 1024".to_owned()), "{:?}", parameters(&world));
    let status = world.status();
    assert_eq!((&status["profile"]["num_batch"], &status["receipt"]), (&json!(1024), receipt));
    assert_eq!(status["model"]["state"], "as_measured", "{status:#}");
    assert_eq!(world.json("llm/request.json")["num_batch"], 1024);
    assert_eq!(world.read("llm/consent.json"), consent, "what was agreed to stays");
    assert_eq!(receipt["engine"]["origin"], "listed", "as installed");
    assert_eq!(common::process::below(&world.home()).len(), 2, "one server and its runner");
    // A later start has the same setting.
    assert!(world.run(&["stop"]).status.success() && world.run(&["start"]).status.success());
    assert_eq!(world.status()["model"]["state"], "as_measured");
    // Everything can be removed as before.
    assert!(world.run(&["uninstall", "--yes"]).status.success());
    assert!(!world.home().exists());
}

#[test]
fn a_cancelled_or_killed_tuning_leaves_the_setting_before() {
    for signal in [Signal::Interrupt, Signal::Kill] {
        let world = untuned();
        let (profile, receipt) = (world.read("llm/profile.yaml"), world.read("llm/receipt.json"));
        let running = Running::start(tune(&world));
        running
            .wait_for(|event| event["message"].as_str().is_some_and(|words| words.contains("1,024 tokens")));
        running.signal(signal);
        running.end();
        if signal == Signal::Kill {
            assert!(world.status()["unfinished"] == true);
            let refused = common::process::output(tune(&world));
            assert!(String::from_utf8_lossy(&refused.stderr).contains("acolyte undo"), "{refused:?}");
            assert!(world.run(&["undo", "--yes"]).status.success());
        }
        assert_eq!(world.read("llm/receipt.json"), receipt);
        assert_eq!(world.read("llm/profile.yaml"), profile);
        assert!(parameters(&world).contains(&"num_batch 512".to_owned()), "{:?}", parameters(&world));
        assert!(!common::process::below(&world.home()).is_empty(), "the server runs, as before");
    }
}

#[test]
fn without_an_installation_there_is_nothing_to_tune() {
    let world = world(&json!({}));
    let output = world.run(&["tune"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(!world.home().exists());
}
