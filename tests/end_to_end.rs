//! The whole of `acolyte install`, `status` and `uninstall`, with real processes: our program, a release mirror and a
//! model registry on loopback, and a stand-in for Ollama that is downloaded, unpacked and run like the real one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![cfg(unix)]

mod common;

use common::archive::Format;
use common::gguf::Shape;
use common::mirror::{ALWAYS, Fault, Mirror, NEWER_ENGINE, sha256_hex};
use common::process::{below, launched_by};
use common::world::{Said, Signal, World, ask, free_port, listing, quick_double, signal};
use serde_json::{Value, json};

/// Consents to a degraded profile and does not set up start at login.
const PLAIN: [&str; 2] = ["--accept-degraded", "--no-autostart"];

fn plain<'a>(more: &[&'a str]) -> Vec<&'a str> {
    PLAIN.iter().chain(more).copied().collect()
}

/// Id of the private server.
fn server_of(world: &World) -> u32 {
    let all = below(&world.home());
    let server = all.into_iter().find(|process| {
        std::fs::read(format!("/proc/{process}/cmdline")).is_ok_and(|line| line.ends_with(b"serve\0"))
    });
    server.expect("our server runs")
}

#[test]
fn installs_verifies_and_removes_everything() {
    let world = World::new(&json!({}));
    let said = world.install(&["--profile", "hybrid_8gb", "--accept-degraded"]);
    let receipt = said.receipt();
    let steps: Vec<String> = said.steps().into_iter().map(|(step, _)| step).collect();
    let expected = [
        "check",
        "fetch_engine",
        "unpack_engine",
        "start_server",
        "pull_model",
        "create_model",
        "load_model",
        "measure",
        "start_at_login",
        "write_receipt",
    ];
    assert_eq!(steps, expected);
    assert!(said.steps().iter().all(|(_, state)| state == "done"), "{:#?}", said.steps());
    assert!(said.events.iter().any(|e| e["step"] == "fetch_engine" && e["bytes_total"].is_u64()));

    assert_eq!(receipt, &world.json("llm/receipt.json"), "the last event holds the receipt as written");
    assert_eq!(receipt["profile"], "hybrid_8gb");
    assert_eq!(receipt["model"], "qwen2.5-coder:7b");
    assert_eq!(receipt["engine_version"], "0.32.15");
    let measured = &receipt["measured"];
    assert_eq!(measured["context_tokens"], 32_768);
    assert_eq!(measured["kv_cache_type"], "q8_0");
    assert_eq!(measured["gpu_layers"], receipt["predicted"]["gpu_layers"]);
    let speed = measured["decode_tokens_per_s"].as_f64().unwrap();
    assert!((50.0..=220.0).contains(&speed), "the stand-in writes 200 tokens a second: {speed}");
    assert!(measured["first_token_s"].as_f64().unwrap() > 0.0);
    assert!(measured["ram_bytes"].as_u64().unwrap() > 1 << 20);
    assert_eq!(receipt["tried"].as_array().unwrap().len(), 1);

    let consent = world.json("llm/consent.json");
    assert_eq!(consent["profile"], "hybrid_8gb");
    assert!(consent["text"].as_str().unwrap().len() > 40, "the exact text: {consent}");
    let profile = world.read("llm/profile.yaml");
    for line in [
        "profile: hybrid_8gb",
        "model: acolyte:latest",
        "base_model: qwen2.5-coder:7b",
        "kv_cache_type: q8_0",
        "context_tokens: 32768",
    ] {
        assert!(profile.replace('"', "").lines().any(|l| l == line), "{line} in {profile}");
    }
    let shown = world.ask("POST", "/api/show", Some(&json!({"model": "acolyte:latest"})));
    let parameters = shown["parameters"].as_str().unwrap();
    let layers = receipt["predicted"]["gpu_layers"].to_string();
    for (name, value) in [("num_ctx", "32768"), ("num_gpu", layers.as_str()), ("num_batch", "512")] {
        let line = format!("{name:<30} {value}");
        assert!(parameters.lines().any(|l| l == line), "{line:?} in {parameters}");
    }
    let ps = world.ask("GET", "/api/ps", None);
    assert_eq!(ps["models"][0]["name"], "acolyte:latest", "it is loaded and ready");

    let status = world.run(&["status", "--json"]);
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(
        (&status["installed"], &status["server"]["running"]),
        (&json!(true), &json!(true)),
        "{status}"
    );
    assert!(!listing(&world.path("home/.config")).is_empty(), "the server starts at login");

    let output = world.run(&["uninstall", "--yes"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(below(world.folder.path()), Vec::<u32>::new(), "no process is left");
    let left: Vec<_> = listing(&world.path("home")).into_iter().filter(|path| path.is_file()).collect();
    assert_eq!(left, Vec::<std::path::PathBuf>::new(), "no file is left");
    assert!(!world.home().exists());
    assert!(!world.path("home/.config").exists(), "the folders of the login entry were ours");
    let status = world.run(&["status", "--json"]);
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["installed"], false);

    // What a package's own uninstaller runs: nothing to remove is no failure there.
    assert_eq!(world.run(&["uninstall", "--yes"]).status.code(), Some(1));
    let output = world.run(&["uninstall", "--yes", "--if-installed", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let output: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output["removed"], Value::Null);
}

#[test]
fn installs_from_every_archive_format() {
    for format in [Format::Tgz, Format::Zip] {
        let world = World::with_format(format, &json!({}));
        let said = world.install(&plain(&["--profile", "light_6gb"]));
        assert_eq!(said.receipt()["model"], "qwen2.5-coder:3b", "{format:?}");
        assert!(world.home().join("ollama/0.32.15/lib/ollama/libggml-base.so.0").is_symlink(), "{format:?}");
    }
}

#[test]
fn an_interrupted_download_resumes() {
    let world = World::new(&json!({}));
    let path = format!("/{}", world.asset);
    world.mirror.fault(&path, Fault::Disconnect(300_000), 1);
    let said = world.install(&plain(&["--profile", "light_6gb"]));
    said.receipt();
    let ranges: Vec<_> = world.mirror.requests().into_iter().filter(|r| r.path == path).collect();
    assert!(ranges.iter().any(|asked| asked.status == 206), "{ranges:?}");
}

#[test]
fn an_engine_that_is_not_the_pinned_one_is_never_run() {
    let world = World::new(&json!({}));
    world.mirror.fault(&format!("/{}", world.asset), Fault::Flip(100_000), ALWAYS);
    let said = world.install(&plain(&["--profile", "light_6gb"]));
    assert_eq!(said.code, Some(1), "{said:#?}");
    assert_eq!(said.steps().last().unwrap(), &("fetch_engine".to_owned(), "failed".to_owned()));
    assert!(!world.home().join("ollama/0.32.15").exists());
    assert_eq!(below(world.folder.path()), Vec::<u32>::new());
    world.mirror.heal();
    world.install(&plain(&["--profile", "light_6gb"])).receipt();
}

#[test]
fn a_model_whose_bytes_are_wrong_is_pulled_again() {
    let world = World::new(&json!({}));
    let digest = sha256_hex(&Shape::qwen_3b().file());
    world.mirror.fault(&Mirror::blob_path(&digest), Fault::Flip(1_000_000), 1);
    let said = world.install(&plain(&["--profile", "light_6gb"]));
    said.receipt();
    assert!(said.events.iter().any(|e| e["step"] == "pull_model" && e["state"] == "waiting"), "it says so");
}

#[test]
fn a_taken_port_is_skipped() {
    let world = World::new(&json!({}));
    // Another program uses the first free port of the range.
    let taken = (42_434..42_453)
        .find_map(|port| std::net::TcpListener::bind(("127.0.0.1", port)).ok())
        .expect("a free port in the range");
    let said = world.install(&plain(&["--profile", "light_6gb", "--any-port"]));
    let port = said.receipt()["port"].as_u64().unwrap() as u16;
    assert!(port > taken.local_addr().unwrap().port() && port <= 42_453, "{port}");
    assert_eq!(ask(port, "GET", "/api/version", None)["version"], "0.32.15");
}

#[test]
fn a_context_that_is_clamped_is_a_failure() {
    let world = World::new(&json!({}));
    let short = Shape { trained_context: 16_384, ..Shape::qwen_3b() };
    world.put_model("library/qwen2.5-coder:3b", &short);
    let said = world.install(&plain(&["--profile", "light_6gb"]));
    assert_eq!(said.code, Some(1), "{said:#?}");
    assert!(said.errors.contains("16,384") || said.errors.contains("16384"), "{}", said.errors);
    assert!(!world.home().join("llm/profile.yaml").exists(), "no profile is installed");
    assert_eq!(
        below(world.folder.path()),
        Vec::<u32>::new(),
        "nothing runs for an installation that is none"
    );
}

#[test]
fn a_cache_type_that_the_engine_ignores_is_a_failure() {
    let world = World::new(&json!({"faults": {"kv_type_ignored": true}}));
    let said = world.install(&plain(&["--profile", "light_6gb"]));
    assert_eq!(said.code, Some(1), "{said:#?}");
    assert_eq!(said.steps().last().unwrap(), &("load_model".to_owned(), "failed".to_owned()));
}

/// The engine finds no card although the system has one: the other interface is tried once, and that is said and kept.
#[test]
fn a_card_that_the_engine_finds_through_vulkan_only_is_used_through_vulkan() {
    let world = World::new(&json!({"faults": {"card_only_through_vulkan": true}}));
    let said = world.install(&plain(&["--profile", "hybrid_8gb"]));
    let receipt = said.receipt();
    let tried = receipt["tried"].as_array().unwrap();
    assert!(!tried[0]["outcome"].as_str().unwrap().starts_with("ok"), "{tried:#?}");
    assert_eq!(receipt["measured"]["gpu_layers"], 29);
    let is_said = |event: &Value| event["message"].as_str().is_some_and(|words| words.contains("Vulkan"));
    assert!(said.events.iter().any(is_said), "{:#?}", said.events);
    let environment = |world: &World| {
        let environment = std::fs::read(format!("/proc/{}/environ", server_of(world))).unwrap();
        String::from_utf8_lossy(&environment).contains("OLLAMA_LLM_LIBRARY=vulkan")
    };
    assert!(environment(&world));
    assert!(world.run(&["stop"]).status.success() && world.run(&["start"]).status.success());
    assert!(environment(&world), "also later");
    let words = String::from_utf8(world.run(&["status"]).stdout).unwrap();
    assert!(words.contains("through Vulkan"), "{words}");
}

#[test]
fn a_card_that_the_engine_does_not_find_at_all_is_a_failure() {
    let world = World::new(&json!({"faults": {"card_not_found": true}}));
    let said = world.install(&plain(&["--profile", "hybrid_8gb"]));
    assert_eq!(said.code, Some(1), "{said:#?}");
    assert_eq!(said.steps().last().unwrap(), &("load_model".to_owned(), "failed".to_owned()));
}

#[test]
fn layers_step_down_when_memory_runs_out_and_context_never_does() {
    // Another program took 3 GB since detection.
    let world = World::new(&json!({"faults": {"vram_taken_mib": 3000}}));
    let said = world.install(&plain(&["--profile", "hybrid_8gb"]));
    let receipt = said.receipt();
    let tried = receipt["tried"].as_array().unwrap();
    let fits = |one: &Value| one["outcome"].as_str().is_some_and(|outcome| outcome.starts_with("ok"));
    // Attempts after the first that fits compare it with the engine's own choice.
    let first = tried.iter().position(fits).unwrap_or_else(|| panic!("{tried:#?}"));
    assert!(first > 0, "{tried:#?}");
    let (last, down) = (tried.last().unwrap(), &tried[..=first]);
    assert!(fits(last), "{tried:#?}");
    assert!(
        down[..first].iter().all(|one| one["outcome"].as_str().unwrap().contains("out of memory")),
        "{tried:#?}"
    );
    assert!(down.windows(2).all(|pair| pair[0]["gpu_layers"].as_u64() > pair[1]["gpu_layers"].as_u64()));
    assert_eq!(receipt["measured"]["gpu_layers"], last["gpu_layers"]);
    assert_eq!(receipt["measured"]["context_tokens"], 32_768);
    assert_eq!(receipt["verdict"], "degraded");
    assert!(!receipt["misses"].as_array().unwrap().is_empty(), "a miss is said plainly");
}

#[test]
fn ctrl_c_keeps_downloads_and_a_second_run_finishes() {
    let world = World::new(&json!({}));
    world.mirror.limit_rate(1 << 20);
    let running = world.begin_install(&plain(&["--profile", "light_6gb"]));
    running.wait_for(|e| e["step"] == "fetch_engine" && e["bytes_done"].as_u64() > Some(300_000));
    running.signal(Signal::Interrupt);
    running.wait_for(|e| e["state"] == "cancelled");
    assert_eq!(running.end(), Some(130), "what shells expect after Ctrl-C");
    assert_eq!(below(world.folder.path()), Vec::<u32>::new());

    world.mirror.heal();
    // Stall the model's download, so that the second run can be stopped there.
    world.mirror.fault(&Mirror::blob_path(&sha256_hex(&Shape::qwen_3b().file())), Fault::Stall(1_000_000), 1);
    let running = world.begin_install(&plain(&["--profile", "light_6gb"]));
    running.wait_for(|e| e["step"] == "pull_model" && e["bytes_done"].as_u64() >= Some(1_000_000));
    running.signal(Signal::Interrupt);
    assert_eq!(running.end(), Some(130));
    assert_eq!(
        below(world.folder.path()),
        Vec::<u32>::new(),
        "no server is left for an installation that is none"
    );

    let said = world.install(&plain(&["--profile", "light_6gb"]));
    said.receipt();
    let resumed = world.mirror.requests();
    let from = |path: &str| {
        resumed.iter().any(|asked| {
            asked.path.starts_with(path)
                && asked.status == 206
                && asked.range.as_deref().is_some_and(|range| !range.starts_with("bytes=0-"))
        })
    };
    assert!(from(&format!("/{}", world.asset)), "the archive went on where it was: {resumed:#?}");
    assert!(from("/cdn/"), "the model went on where it was: {resumed:#?}");
}

/// One of them is the default home, the other was named.
#[test]
fn two_homes_have_login_entries_beside_each_other() {
    let world = World::new(&json!({}));
    let other = world.path("other home");
    let other = other.to_str().unwrap();
    let port = free_port().to_string();
    let profile = ["--profile", "light_6gb", "--accept-degraded"];
    world.install(&profile).receipt();
    let folder = world.path("home/.config/autostart");
    let entries = || {
        let mut entries = listing(&folder);
        entries.sort();
        entries.into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect::<Vec<_>>()
    };
    let first = entries();
    assert_eq!(first.len(), 1, "{first:?}");
    let options = ["--any-port", "--port", &port, "--home", other];
    world.install(&[&profile[..], &options[..]].concat()).receipt();
    let both = entries();
    assert_eq!(both.len(), 2, "{both:?}");
    assert!(both.contains(&first[0]), "the first one is as it was");

    assert!(world.run(&["uninstall", "--yes", "--home", other]).status.success());
    assert_eq!(entries(), first);
    assert!(world.run(&["uninstall", "--yes"]).status.success());
    assert!(!folder.exists());
}

/// The server would otherwise hold it as long as it runs: whoever reads a pipe would wait, and a lock would stay.
#[test]
fn the_server_inherits_nothing_that_the_caller_left_open() {
    let world = World::new(&json!({}));
    let mut launcher = std::process::Command::new("/bin/sh");
    launcher.args(["-c", "exec \"$0\" \"$@\" 3>>left-open"]);
    let command = world.install_command(&plain(&["--profile", "light_6gb"]));
    let mut launcher = launched_by(launcher, &command);
    launcher.current_dir(world.folder.path());
    assert_eq!(Said::of(launcher).receipt()["profile"], "light_6gb");
    let open = std::fs::read_dir(format!("/proc/{}/fd", server_of(&world))).unwrap();
    let open: Vec<_> =
        open.map(|entry| std::fs::read_link(entry.unwrap().path()).unwrap_or_default()).collect();
    assert!(open.contains(&world.home().join("logs/server.log")), "{open:?}");
    assert!(!open.contains(&world.path("left-open")), "{open:?}");
}

#[test]
fn killed_at_any_step_it_is_repaired_by_running_it_again() {
    for step in ["fetch_engine", "start_server", "pull_model", "load_model", "measure"] {
        let world = World::new(&json!({"start_ms": 300, "load_ms": 300, "prefill_tokens_per_s": 20_000}));
        world.mirror.limit_rate(20 << 20);
        let running = world.begin_install(&plain(&["--profile", "light_6gb"]));
        running.wait_for(|event| event["step"] == step);
        running.signal(Signal::Kill);
        running.end();
        let said = world.install(&plain(&["--profile", "light_6gb"]));
        said.receipt();
        assert_eq!(below(&world.home()).len(), 2, "one server with one runner after a kill in {step}");
        let output = world.run(&["uninstall", "--yes"]);
        assert!(output.status.success(), "{step}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(below(world.folder.path()), Vec::<u32>::new(), "{step}");
        assert!(!world.home().exists(), "{step}: {:#?}", listing(&world.home()));
    }
}

#[test]
fn a_change_of_profile_restarts_the_server_only_when_necessary() {
    let world = World::new(&json!({}));
    world.install(&plain(&["--profile", "hybrid_8gb"])).receipt();
    let first = server_of(&world);
    let asked = world.mirror.requests().len();
    world.install(&plain(&["--profile", "hybrid_8gb"])).receipt();
    assert_eq!(server_of(&world), first, "the same settings keep the server");
    let said = world.install(&plain(&["--profile", "light_6gb"]));
    assert_eq!(said.receipt()["model"], "qwen2.5-coder:3b");
    let second = server_of(&world);
    assert_ne!(second, first, "a full prompt of the other model takes another share of main memory");
    let since = &world.mirror.requests()[asked..];
    assert!(
        since.iter().all(|r| !r.path.contains("ollama-test")),
        "the engine is not fetched again: {since:#?}"
    );
    let models = world.ask("GET", "/api/tags", None);
    let names: Vec<_> = models["models"].as_array().unwrap().iter().map(|m| m["name"].clone()).collect();
    assert!(
        names.contains(&json!("acolyte:latest")) && !names.contains(&json!("acolyte:previous")),
        "{names:?}"
    );

    let profiles = world.path("profiles.yaml");
    let exact =
        include_str!("../assets/profiles.yaml").replacen("kv_cache_type: q8_0", "kv_cache_type: f16", 1);
    std::fs::write(&profiles, exact).unwrap();
    let said = world.install(&plain(&["--profile", "light_6gb", "--profiles", profiles.to_str().unwrap()]));
    assert_eq!(said.receipt()["measured"]["kv_cache_type"], "f16");
    assert_ne!(server_of(&world), second, "another cache type restarts the server");
    assert_eq!(below(&world.home()).len(), 2, "the old one is gone");
}

#[test]
fn a_failed_change_keeps_the_profile_in_force() {
    let world = World::new(&json!({}));
    world.install(&plain(&["--profile", "light_6gb"])).receipt();
    let before = (world.read("llm/profile.yaml"), world.read("llm/receipt.json"));
    let short = Shape { trained_context: 16_384, ..Shape::qwen_7b() };
    world.put_model("library/qwen2.5-coder:7b", &short);
    let said = world.install(&plain(&["--profile", "hybrid_8gb"]));
    assert_eq!(said.code, Some(1), "{said:#?}");
    assert_eq!((world.read("llm/profile.yaml"), world.read("llm/receipt.json")), before);
    let shown = world.ask("POST", "/api/show", Some(&json!({"model": "acolyte:latest"})));
    assert_eq!(shown["model_info"]["qwen2.block_count"], 36, "ACOLYTE is served the 3B model as before");
}

#[test]
fn a_killed_server_and_its_orphan_are_cleaned_up() {
    let world = World::new(&json!({}));
    world.install(&plain(&["--profile", "light_6gb"])).receipt();
    let server = server_of(&world);
    let identity = acolyte::platform::process::identify(server).expect("the server runs");
    assert!(signal(server, Signal::Kill));
    assert!(
        acolyte::platform::process::wait_until_gone(&[identity], std::time::Duration::from_secs(10)),
        "a killed process ends"
    );
    let orphans = below(&world.home());
    assert_eq!(orphans.len(), 1, "the runner stays, as the real one does");
    // It is named with what it holds, until it is ended.
    let status = world.status();
    assert_eq!(status["model"]["loaded"], false, "{status:#}");
    let orphan = &status["server"]["orphans"][0];
    assert_eq!(orphan["pid"], orphans[0], "{status:#}");
    assert!(orphan["ram_bytes"].as_u64().is_some_and(|bytes| bytes > 100_000), "{status:#}");
    let said = String::from_utf8_lossy(&world.run(&["status"]).stdout).into_owned();
    let named = format!("llama-server (process {}) has lost its server and still holds", orphans[0]);
    assert!(said.contains(&named), "{said}");
    world.install(&plain(&["--profile", "light_6gb"])).receipt();
    let now = below(&world.home());
    assert_eq!(now.len(), 2);
    assert!(!now.contains(&orphans[0]), "its memory is free again");
}

#[test]
fn an_orphan_is_ended_by_stop_and_by_start() {
    for entry in ["stop", "start"] {
        let world = World::new(&json!({}));
        world.install(&plain(&["--profile", "light_6gb"])).receipt();
        let server = server_of(&world);
        let identity = acolyte::platform::process::identify(server).expect("the server runs");
        assert!(signal(server, Signal::Kill));
        let gone =
            acolyte::platform::process::wait_until_gone(&[identity], std::time::Duration::from_secs(10));
        assert!(gone, "a killed process ends");
        let orphans = below(&world.home());
        assert_eq!(orphans.len(), 1);
        let said = world.run(&[entry]);
        assert!(said.status.success(), "{entry}: {}", String::from_utf8_lossy(&said.stderr));
        let now = below(&world.home());
        assert!(!now.contains(&orphans[0]), "{entry}: its memory is free again");
        assert_eq!(world.status()["server"]["orphans"], json!([]));
    }
}

/// Nothing is in its log.
#[cfg(unix)]
#[test]
fn an_engine_that_dies_of_a_signal_says_which_and_what_it_means() {
    for (number, parts) in
        [(4, ["SIGILL", "AVX"]), (9, ["SIGKILL", "OOM killer"]), (11, ["SIGSEGV", "driver"])]
    {
        let world = World::new(&json!({"faults": {"serve_dies_of": number}}));
        let said = world.install(&plain(&["--profile", "light_6gb"]));
        assert_eq!(said.code, Some(1), "{said:#?}");
        let last = said.events.last().expect("events")["message"].as_str().unwrap_or_default().to_owned();
        assert!(parts.iter().all(|part| last.contains(part)), "{last}");
    }
}

/// The engine says that the model is in memory until it is asked the next question.
#[test]
fn a_model_whose_runner_was_killed_is_not_called_loaded() {
    let world = World::new(&json!({}));
    world.install(&plain(&["--profile", "light_6gb"])).receipt();
    assert_eq!(world.status()["model"]["loaded"], true);
    let server = server_of(&world);
    let runner = below(&world.home()).into_iter().find(|process| *process != server).expect("a runner");
    let identity = acolyte::platform::process::identify(runner).expect("it runs");
    assert!(signal(runner, Signal::Kill));
    let gone = acolyte::platform::process::wait_until_gone(&[identity], std::time::Duration::from_secs(10));
    assert!(gone, "a killed process ends");
    assert!(world.ask("GET", "/api/ps", None)["models"][0]["name"].is_string(), "as the real engine says");
    let status = world.status();
    assert_eq!(
        (&status["model"]["loaded"], &status["server"]["orphans"]),
        (&json!(false), &json!([])),
        "{status:#}"
    );
}

/// Without tuning too: the figures may be far below the promise for it.
#[test]
fn other_work_while_measuring_is_named_in_the_receipt_and_by_status() {
    use std::sync::atomic::{AtomicBool, Ordering};
    // Slow enough for the system to tell who uses the processor.
    let world = World::new(&json!({"decode_tokens_per_s": 100.0}));
    let ended = std::sync::Arc::new(AtomicBool::new(false));
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let busy: Vec<_> = (0..cores)
        .map(|_| {
            let ended = std::sync::Arc::clone(&ended);
            std::thread::spawn(move || {
                while !ended.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            })
        })
        .collect();
    let said = world.install(&plain(&["--profile", "light_6gb"]));
    ended.store(true, Ordering::Relaxed);
    for thread in busy {
        thread.join().unwrap();
    }
    let other_work = said.receipt()["tuning"]["other_work"].as_array().unwrap().clone();
    let processor = other_work.iter().find(|work| work["kind"] == "processor");
    assert!(processor.is_some_and(|work| work["share"].as_f64().unwrap() > 0.15), "{other_work:?}");
    let status = String::from_utf8_lossy(&world.run(&["status"]).stdout).into_owned();
    assert!(status.contains("processor"), "{status}");
}

#[test]
fn degraded_and_refused_stop_before_anything_changes() {
    let world = World::new(&json!({}));
    let said = world.install(&["--profile", "hybrid_8gb", "--no-autostart"]);
    assert_eq!(said.code, Some(10), "{said:#?}");
    let mut none = common::world::eight_gb();
    none["gpus"] = json!([]);
    world.write("hardware.json", &none);
    let said = world.install(&plain(&[]));
    assert_eq!(said.code, Some(20), "{said:#?}");
    assert!(!world.home().exists(), "{:#?}", listing(&world.home()));
    assert_eq!(world.mirror.requests(), Vec::new(), "not a byte was fetched");
}

#[test]
fn emergency_mode_with_a_model_of_a_companys_registry() {
    let world = World::new(&json!({"gpu": null}));
    let mut none = common::world::eight_gb();
    none["gpus"] = json!([]);
    world.write("hardware.json", &none);
    world.put_model("acolyte/tiny:1b", &Shape::tiny());
    let reference = format!("{}/acolyte/tiny:1b", world.mirror.host());
    let said = world.install(&plain(&["--emergency-cpu", "--model", &reference, "--insecure-registry"]));
    let receipt = said.receipt();
    assert_eq!(receipt["model"], json!(reference));
    assert_eq!(receipt["measured"]["gpu_layers"], 0);
    assert_eq!(receipt["measured"]["vram_bytes"], 0);
    assert_eq!(receipt["measured"]["context_tokens"], 32_768);
    assert!(!said.errors.is_empty(), "it says what it costs first");
    assert_eq!(world.json("llm/consent.json")["model"], json!(reference));
}

#[test]
fn an_engine_that_does_not_start_is_explained() {
    let world = World::new(&json!({"faults": {"serve_fails":
        "ollama: error while loading shared libraries: libstdc++.so.6: cannot open shared object file"}}));
    let said = world.install(&plain(&["--profile", "light_6gb"]));
    assert_eq!(said.code, Some(1), "{said:#?}");
    assert_eq!(said.steps().last().unwrap(), &("start_server".to_owned(), "failed".to_owned()));
    assert!(said.errors.contains("libstdc++.so.6"), "{}", said.errors);
}

#[test]
fn a_pull_that_ends_without_success_is_a_failure() {
    let world = World::new(&json!({"faults": {"pull_without_success": true}}));
    let said = world.install(&plain(&["--profile", "light_6gb"]));
    assert_eq!(said.code, Some(1), "{said:#?}");
    assert_eq!(said.steps().last().unwrap(), &("pull_model".to_owned(), "failed".to_owned()));
}

/// Windows refuses the engine a file that a virus scanner has open, and the engine does not retry.
#[test]
fn files_of_the_engine_that_are_in_use_are_waited_for() {
    let world = World::new(&quick_double(&json!({"faults": {"files_in_use": 4}})));
    world.install(&plain(&["--profile", "light_6gb"])).receipt();
    let said = world.install(&plain(&["--profile", "hybrid_8gb"]));
    assert_eq!(said.receipt()["profile"], "hybrid_8gb");
}

#[test]
fn a_model_that_needs_a_newer_engine_says_which_and_what_to_do() {
    let versions = [
        (NEWER_ENGINE, "a newer version of Ollama than 0.32.15"),
        ("\n\nThe model requires a newer version of Ollama (0.41.2 or later).\n", "Ollama 0.41.2 or newer"),
    ];
    for (answer, needed) in versions {
        let world = World::new(&json!({}));
        let manifest = "/v2/library/qwen2.5-coder/manifests/3b";
        world.mirror.fault(manifest, Fault::NewerEngine(answer), ALWAYS);
        let said = world.install(&plain(&["--profile", "light_6gb"]));
        assert_eq!(said.code, Some(1), "{said:#?}");
        assert_eq!(said.steps().last().unwrap(), &("pull_model".to_owned(), "failed".to_owned()));
        for part in ["qwen2.5-coder:3b", needed, "--ollama newest"] {
            assert!(said.errors.contains(part), "{part}: {}", said.errors);
        }
        let asked = world.mirror.requests().iter().filter(|request| request.path == manifest).count();
        assert_eq!(asked, 1, "a retry cannot help");
    }
}

#[test]
fn keeping_models_keeps_models_only() {
    let world = World::new(&json!({}));
    // Of a registry that can be asked whether the kept models are its own.
    world.put_model("acme/tiny:q4", &Shape::tiny());
    let model = format!("{}/acme/tiny:q4", world.mirror.host());
    let install = || world.install(&plain(&["--model", &model, "--insecure-registry"]));
    install().receipt();
    assert!(world.run(&["uninstall", "--yes", "--keep-models"]).status.success());
    let left: Vec<_> = listing(&world.home()).into_iter().filter(|path| path.is_file()).collect();
    assert!(left.iter().all(|path| path.starts_with(world.home().join("models"))), "{left:#?}");
    let digest = sha256_hex(&Shape::tiny().file());
    assert!(left.iter().any(|path| path.ends_with(format!("sha256-{digest}"))), "{left:#?}");
    // Both times the header of the weights is read, to estimate.
    let asked = || world.mirror.requests().iter().filter(|r| r.path.contains(&digest)).count();
    let first = asked();
    install().receipt();
    assert!(asked() - first < first, "kept models are not fetched again: {:#?}", world.mirror.requests());
}
