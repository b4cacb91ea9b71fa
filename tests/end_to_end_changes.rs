//! Changes of an installation, with real processes: what is tried when memory runs out or is free, which placement is
//! kept, how a failed or interrupted change keeps the active profile, how an engine is updated in place.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![cfg(target_os = "linux")]

mod common;

use common::gguf::Shape;
use common::process::{Guarded, below};
use common::world::{Said, Signal, World, eight_gb, listing, quick_double};
use serde_json::{Value, json};

fn plain<'a>(profile: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    ["--accept-degraded", "--no-autostart", "--profile", profile].iter().chain(more).copied().collect()
}

/// A world with a quick engine.
fn quick(more: &Value) -> World {
    World::new(&quick_double(more))
}

/// Sets the free graphics memory at detection, in MiB.
fn free_when_planned(world: &World, mib: u64) {
    let mut machine = eight_gb();
    machine["gpus"][0]["vram_free_bytes"] = json!(mib << 20);
    world.write("hardware.json", &machine);
}

fn profile(world: &World) -> String {
    world.read("llm/profile.yaml").replace('"', "")
}

fn parameters(world: &World) -> String {
    let shown = world.ask("POST", "/api/show", Some(&json!({"model": "acolyte:latest"})));
    shown["parameters"].as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Another build of the engine on the mirror, as a release of this version.
fn release(world: &World, version: &str, double: &Value) {
    world.put_release(version, &quick_double(double));
}

#[test]
fn layers_go_to_the_processor_when_memory_runs_out_and_neither_context_nor_a_cache_that_must_not_shrinks() {
    let world = quick(&json!({"faults": {"vram_taken_mib": 4300}}));
    let said = world.install(&plain("hybrid_8gb", &[]));
    let receipt = said.receipt();
    let tried: Vec<(u64, &str, &str)> = receipt["tried"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let text = |key: &str| one[key].as_str().unwrap();
            (one["gpu_layers"].as_u64().unwrap(), text("kv_cache_type"), text("outcome"))
        })
        .collect();
    // A q4_0 cache leaves nothing of what Qwen2.5 writes, so it is not tried, however little memory is free.
    assert!(tried.len() > 5 && tried.iter().all(|(_, kv, _)| *kv == "q8_0"), "{tried:#?}");
    assert!(tried.iter().any(|(_, _, outcome)| outcome.starts_with("ok")), "{tried:#?}");
    assert!(tried.len() <= 14, "{tried:#?}");
    assert_eq!(receipt["measured"]["kv_cache_type"], "q8_0");
    assert_eq!(receipt["measured"]["context_tokens"], 32_768);
    assert_eq!(receipt["first_choice"]["gpu_layers"], 29, "the first choice stays what it was");
    let of = |prediction: &str, key: &str| receipt[prediction][key].clone();
    assert_eq!(of("predicted", "gpu_layers"), receipt["measured"]["gpu_layers"]);
    for key in ["vram_bytes", "decode_tokens_per_s"] {
        assert_ne!(
            of("predicted", key),
            of("first_choice", key),
            "{key} of what is kept, and of the first choice"
        );
    }
    assert_eq!(receipt["verdict"], "degraded");
    let layers = receipt["measured"]["gpu_layers"].as_u64().unwrap();
    let banner = profile(&world).lines().find(|line| line.starts_with("banner:")).unwrap().to_owned();
    assert!(banner.contains(&(29 - layers).to_string()), "{layers} of 29 layers: {banner}");
    assert!(profile(&world).contains("kv_cache_type: q8_0"), "{}", profile(&world));

    // The kept placement is used after a restart of the server too.
    assert!(world.run(&["stop"]).status.success());
    assert_eq!(below(world.folder.path()), Vec::<u32>::new());
    assert!(world.run(&["start"]).status.success());
    assert_eq!(world.status()["server"]["answers"], true);
}

#[test]
fn with_free_memory_more_layers_are_tried() {
    let world = quick(&json!({}));
    free_when_planned(&world, 4000);
    let said = world.install(&plain("hybrid_8gb", &[]));
    let receipt = said.receipt();
    let promised = receipt["first_choice"]["gpu_layers"].as_u64().unwrap();
    let tried = receipt["tried"].as_array().unwrap();
    assert!(promised < 29, "{receipt:#}");
    assert_eq!(tried[0]["gpu_layers"], promised);
    assert_eq!(receipt["measured"]["gpu_layers"], 29, "{tried:#?}");
    assert!(parameters(&world).contains("num_gpu 29"), "{}", parameters(&world));
}

#[test]
fn the_faster_placement_is_kept_and_reported() {
    for (ours, automatic, kept) in [(100.0, 300.0, true), (300.0, 100.0, false)] {
        let world = quick(&json!({
            "gpu": {"name": "NVIDIA GeForce RTX 4060", "total_mib": 8188, "free_mib": 4000},
            "decode_tokens_per_s": ours, "automatic_decode_tokens_per_s": automatic,
        }));
        free_when_planned(&world, 4000);
        let said = world.install(&plain("hybrid_8gb", &["--tune"]));
        let receipt = said.receipt();
        let placements = &receipt["placements"];
        assert_eq!(placements["automatic_kept"], kept, "{receipt:#}");
        assert!(
            placements["explicit_tokens_per_s"].is_f64() && placements["automatic_tokens_per_s"].is_f64()
        );
        assert_eq!(parameters(&world).contains("num_gpu -1"), kept, "{}", parameters(&world));
        assert!(profile(&world).contains(&format!("automatic_layers: {kept}")), "{}", profile(&world));
        let speed = receipt["measured"]["decode_tokens_per_s"].as_f64().unwrap();
        assert!(speed > 150.0, "the faster one was measured last: {speed}");
        let is_told = |event: &Value| {
            let message = event["message"].as_str().unwrap_or_default();
            message.contains("own placement: ") && message.contains("the fastest so far")
        };
        assert_eq!(said.events.iter().any(is_told), kept);
    }
}

#[test]
fn a_killed_change_can_be_undone_or_resumed() {
    for undo in [true, false] {
        let world = quick(&json!({}));
        world.install(&plain("light_6gb", &[])).receipt();
        let before = (world.read("llm/profile.yaml"), world.read("llm/receipt.json"), listing(&world.home()));
        release(&world, "0.32.16", &json!({"load_ms": 300}));
        let running = world.begin_install(&plain("hybrid_8gb", &[]));
        running.wait_for(|e| e["step"] == "load_model");
        running.signal(Signal::Kill);
        running.end();
        let status_now = world.status();
        assert_eq!(
            (&status_now["unfinished"], &status_now["profile"]["profile"]),
            (&json!(true), &json!("light_6gb"))
        );
        if undo {
            let said = world.run(&["undo", "--yes"]);
            assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
            assert_eq!(
                (world.read("llm/profile.yaml"), world.read("llm/receipt.json")),
                (before.0, before.1)
            );
            let left: Vec<_> =
                listing(&world.home()).into_iter().filter(|path| !before.2.contains(path)).collect();
            assert!(left.iter().all(|path| path.starts_with(world.home().join("logs"))), "{left:#?}");
            let shown = world.ask("POST", "/api/show", Some(&json!({"model": "acolyte:latest"})));
            assert_eq!(
                shown["model_info"]["qwen2.block_count"], 36,
                "ACOLYTE is served the 3B model as before"
            );
            assert_eq!(
                world.ask("GET", "/api/version", None)["version"],
                "0.32.15",
                "by the engine of before"
            );
            assert_eq!(world.run(&["undo", "--yes"]).status.code(), Some(1), "there is nothing more to undo");
        } else {
            // Without options: the request was saved.
            let mut command = world.acolyte(&["install", "--continue", "--json", "--yes"]);
            command.arg("--hardware").arg(world.path("hardware.json"));
            let said = Said::of(command);
            assert_eq!(said.receipt()["profile"], "hybrid_8gb");
            assert_eq!(said.receipt()["engine_version"], "0.32.16");
            assert!(
                !world.home().join("ollama/0.32.15").exists(),
                "the old engine is removed once the new one has responded"
            );
        }
        assert_eq!(world.status()["unfinished"], false);
    }
}

#[test]
fn an_engine_that_does_not_answer_is_rolled_back() {
    for version in ["0.32.15", "0.32.16"] {
        let world = quick(&json!({}));
        world.install(&plain("light_6gb", &[])).receipt();
        let before = world.read("llm/profile.yaml");
        // The same version in another build, or a newer one: neither starts.
        release(&world, version, &json!({"faults": {"serve_fails": "Illegal instruction"}}));
        let said = world.install(&plain("light_6gb", &[]));
        assert_eq!(said.code, Some(1), "{said:#?}");
        assert!(said.errors.contains("Illegal instruction"), "{}", said.errors);
        assert_eq!(world.read("llm/profile.yaml"), before);
        assert_eq!(
            world.ask("GET", "/api/version", None)["version"],
            "0.32.15",
            "{version}: the old one answers"
        );
        // A working build replaces it.
        release(&world, version, &json!({"load_ms": 21}));
        world.install(&plain("light_6gb", &[])).receipt();
        assert_eq!(world.ask("GET", "/api/version", None)["version"], version);
        let engines: Vec<_> = std::fs::read_dir(world.home().join("ollama"))
            .unwrap()
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| name != "home")
            .collect();
        assert_eq!(engines, [version], "one engine is left");
        assert!(world.run(&["uninstall", "--yes"]).status.success());
        assert!(!world.home().exists(), "{:#?}", listing(&world.home()));
    }
}

#[test]
fn a_profile_whose_model_cannot_be_loaded_leaves_the_old_one_answering() {
    let world = quick(&json!({}));
    world.install(&plain("light_6gb", &[])).receipt();
    let before = (world.read("llm/profile.yaml"), world.read("llm/receipt.json"));
    world.tell_installed(|double| double["faults"] = json!({"never_enough_memory": true}));
    let said = world.install(&plain("hybrid_8gb", &[]));
    assert_eq!(said.code, Some(1), "{said:#?}");
    assert_eq!(said.steps().last().unwrap(), &("load_model".to_owned(), "failed".to_owned()));
    assert_eq!((world.read("llm/profile.yaml"), world.read("llm/receipt.json")), before);
    world.tell_installed(|double| double["faults"] = json!({}));
    let answer = world.ask(
        "POST",
        "/api/generate",
        Some(&json!({"model": "acolyte:latest", "prompt": "fn main", "stream": false})),
    );
    assert_eq!(answer["done"], true, "the old profile answers: {answer}");
    let shown = world.ask("POST", "/api/show", Some(&json!({"model": "acolyte:latest"})));
    assert_eq!(shown["model_info"]["qwen2.block_count"], 36);
}

#[test]
fn a_second_installer_reports_the_first() {
    let world = quick(&json!({}));
    world.mirror.limit_rate(1 << 20);
    let first = world.begin_install(&plain("light_6gb", &[]));
    first.wait_for(|e| e["step"] == "fetch_engine" && e["bytes_done"].as_u64() > Some(100_000));
    for arguments in [&["undo", "--yes"][..], &["uninstall", "--yes"]] {
        let said = world.run(arguments);
        assert_eq!(said.status.code(), Some(1));
        let errors = String::from_utf8_lossy(&said.stderr);
        assert!(errors.contains("Another installer is working"), "{arguments:?}: {errors}");
    }
    let second = world.install(&plain("light_6gb", &[]));
    assert_eq!(second.code, Some(1), "{second:#?}");
    assert!(second.errors.contains("Another installer is working"), "{}", second.errors);
    world.mirror.heal();
    first.signal(Signal::Kill);
    first.end();
    world.install(&plain("light_6gb", &[])).receipt();
}

#[test]
fn a_users_own_files_stay() {
    let world = quick(&json!({}));
    world.install(&plain("light_6gb", &[])).receipt();
    let own = [world.home().join("notes.txt"), world.home().join("ollama/0.32.15/bin/mine.txt")];
    for path in &own {
        std::fs::write(path, "mine").unwrap();
    }
    let said = world.run(&["uninstall", "--yes"]);
    assert!(said.status.success());
    let left: Vec<_> = listing(&world.home()).into_iter().filter(|path| path.is_file()).collect();
    assert_eq!(left, own);
    assert!(String::from_utf8_lossy(&said.stderr).contains("notes.txt"), "they are named");
}

/// Damages a file as a power cut, a virus scanner or a bad disk does.
type Tear = fn(&std::path::Path);
const TEARS: [(&str, Tear); 4] = [
    ("gone", |path| std::fs::remove_file(path).unwrap()),
    ("empty", |path| std::fs::write(path, b"").unwrap()),
    ("cut", |path| {
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_len(path.metadata().unwrap().len() / 2).unwrap();
    }),
    ("zeroes", |path| {
        let bytes = path.metadata().unwrap().len();
        std::fs::write(path, vec![0; usize::try_from(bytes).unwrap()]).unwrap();
    }),
];

fn step(said: &Said, wanted: &str) -> Vec<String> {
    let steps = said.steps().into_iter();
    steps.filter(|(step, _)| step == wanted).map(|(_, state)| state).collect()
}

#[test]
fn a_torn_engine_is_detected_at_start_and_repaired_by_installing_again() {
    let world = quick(&json!({}));
    world.install(&plain("light_6gb", &[])).receipt();
    for (n, (how, tear)) in TEARS.into_iter().enumerate() {
        // Stop the server: a running program cannot be written to, and after a power cut it does not run.
        assert!(world.run(&["stop"]).status.success());
        let file = ["lib/ollama/llama-server", "bin/ollama"][n % 2];
        let torn = world.home().join("ollama/0.32.15").join(file);
        let whole = std::fs::read(&torn).unwrap();
        tear(&torn);
        let said = world.run(&["start"]);
        assert_eq!(said.status.code(), Some(1), "{how}");
        let words = String::from_utf8_lossy(&said.stderr);
        assert!(words.contains(file) && words.contains("acolyte install"), "{how}: {words}");
        let said = world.install(&plain("light_6gb", &[]));
        said.receipt();
        assert!(std::fs::read(&torn).unwrap() == whole, "{how}");
        assert_eq!(step(&said, "unpack_engine"), ["done"], "{how}");
        assert_eq!(step(&said, "pull_model"), ["skipped"], "{how}: the model was intact and is kept");
    }
    assert_eq!(step(&world.install(&plain("light_6gb", &[])), "unpack_engine"), ["skipped"]);
}

#[test]
fn a_torn_model_is_detected_and_only_damaged_layers_are_downloaded_again() {
    let world = quick(&json!({}));
    let weights = common::mirror::sha256_hex(&Shape::qwen_3b().file());
    world.install(&plain("light_6gb", &[])).receipt();
    let torn = world.home().join(format!("models/blobs/sha256-{weights}"));
    let whole = std::fs::read(&torn).unwrap();
    for (how, tear) in TEARS {
        assert!(world.run(&["stop"]).status.success());
        tear(&torn);
        let said = world.install(&plain("light_6gb", &[]));
        said.receipt();
        assert!(std::fs::read(&torn).unwrap() == whole, "{how}");
        assert_eq!(step(&said, "pull_model").last().unwrap(), "done", "{how}");
        assert_eq!(step(&said, "unpack_engine"), ["skipped"], "{how}: the engine is whole");
    }
    // As after a power cut between the renaming of a layer and the writing of the manifest.
    let status = world.run(&["uninstall", "--yes"]);
    assert!(status.status.success());
    std::fs::create_dir_all(torn.parent().unwrap()).unwrap();
    std::fs::write(&torn, vec![0; whole.len()]).unwrap();
    world.install(&plain("light_6gb", &[])).receipt();
    assert!(std::fs::read(&torn).unwrap() == whole, "the engine would have taken it on trust");
}

#[test]
fn a_crash_loop_of_the_server_does_not_fill_the_disk_with_its_log() {
    let world = quick(&json!({}));
    let logs = world.home().join("logs");
    std::fs::create_dir_all(&logs).unwrap();
    // As called by a systemd unit before each start, and by a launch agent, which becomes the server. Either program
    // may have installed, so both must support it.
    for program in [env!("CARGO_BIN_EXE_acolyte"), env!("CARGO_BIN_EXE_acolyte-installer")] {
        for becomes in [&[][..], &["sh", "-c", "echo started >&2; exit 7"]] {
            std::fs::write(logs.join("server.log"), vec![b'x'; 5 << 20]).unwrap();
            let log = std::fs::File::options().append(true).open(logs.join("server.log")).unwrap();
            let mut command = world.program(program);
            command.arg("keep-log").arg(world.home()).args(becomes).stderr(log);
            let code = Guarded(command.spawn().unwrap()).wait().expect("it ends").code();
            assert_eq!(code, Some(if becomes.is_empty() { 0 } else { 7 }), "{program}");
            let left = std::fs::read_to_string(logs.join("server.log")).unwrap();
            assert_eq!(left, if becomes.is_empty() { "" } else { "started\n" });
        }
    }
    let mut kept: Vec<u64> = listing(&logs).iter().map(|path| path.metadata().unwrap().len()).collect();
    kept.sort_unstable();
    assert_eq!(kept, [8, 5 << 20, 5 << 20, 5 << 20], "three old ones at most");
}

#[test]
fn a_taken_port_that_was_requested_names_its_owner() {
    let world = quick(&json!({}));
    let taken = std::net::TcpListener::bind(("127.0.0.1", world.port)).unwrap();
    let said = world.install(&plain("light_6gb", &[]));
    assert_eq!(said.code, Some(1), "{said:#?}");
    assert!(said.errors.contains(&format!("(process {})", std::process::id())), "{}", said.errors);
    drop(taken);
    world.install(&plain("light_6gb", &[])).receipt();
}
