//! `acolyte check-requirements` and `acolyte estimate` as used by scripts: exit codes, JSON, errors.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "common/process.rs"]
mod process;

use std::path::Path;
use std::process::{Command, Output};

use process::{end_of, output};
use serde_json::{Value, json};

const GIB: u64 = 1 << 30;
const MIB: u64 = 1 << 20;

fn acolyte(args: &[&str]) -> Output {
    let home = tempfile::tempdir().unwrap();
    output(
        Command::new(env!("CARGO_BIN_EXE_acolyte"))
            .args(args)
            .args(["--lang", "en"])
            .env("ACOLYTE_HOME", home.path())
            .env_remove("ACOLYTE_LOG"),
    )
}

fn exit_code(output: &Output) -> i32 {
    output.status.code().expect("it ended by itself")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Runs `check-requirements --hardware` on a document.
fn check(document: &str, more: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("machine.json");
    std::fs::write(&path, document).unwrap();
    let mut args = vec!["check-requirements", "--hardware", path.to_str().unwrap()];
    args.extend(more);
    acolyte(&args)
}

/// Runs `check-requirements --json` on a document: exit code and output.
fn check_json(document: &Value, more: &[&str]) -> (i32, Value) {
    let output = check(&document.to_string(), &[&["--json"], more].concat());
    assert_eq!(stderr(&output), "");
    (exit_code(&output), serde_json::from_str(&stdout(&output)).unwrap())
}

fn machine(gpus: Value, ram_bytes: u64) -> Value {
    json!({ "schema": 1, "memory": { "total_bytes": ram_bytes }, "gpus": gpus })
}

fn card(name: &str, vram_bytes: u64) -> Value {
    json!({ "name": name, "kind": "discrete", "vram_total_bytes": vram_bytes })
}

/// Parameters in billions, from a tag such as `qwen2.5-coder:7b-instruct-q8_0`.
fn billions(tag: &str) -> f64 {
    tag.split([':', '-'])
        .filter_map(|part| part.strip_suffix(['b', 'B'])?.parse().ok())
        .next_back()
        .unwrap_or_else(|| panic!("{tag} names no size"))
}

/// A row of the reference table: VRAM and RAM in GB, parameters in billions, share of layers on the card, context.
const ROWS: [(u64, u64, f64, f64, u64); 6] = [
    (6, 8, 3.0, 20.0 / 32.0, 32_768),
    (8, 8, 3.0, 1.0, 32_768),
    (8, 16, 7.0, 20.0 / 32.0, 32_768),
    (8, 32, 7.0, 20.0 / 32.0, 32_768),
    (16, 16, 7.0, 1.0, 32_768),
    (24, 16, 7.0, 1.0, 65_536),
];

fn card_name(vram_gb: u64) -> &'static str {
    match vram_gb {
        6 => "NVIDIA GeForce RTX 2060",
        8 => "NVIDIA GeForce RTX 3060",
        16 => "NVIDIA GeForce RTX 4060 Ti",
        _ => "NVIDIA GeForce RTX 3090",
    }
}

fn assert_meets_the_expectation(document: &Value, row: (u64, u64, f64, f64, u64)) {
    let (vram_gb, ram_gb, size, share, context) = row;
    let (code, report) = check_json(document, &[]);
    let verdict = report["verdict"].as_str().unwrap();
    assert!(
        matches!((code, verdict), (0, "compatible") | (10, "degraded")),
        "{vram_gb}+{ram_gb}: {code} {verdict}"
    );
    let recommended = report["recommended"].as_str().unwrap();
    let profiles = report["profiles"].as_array().unwrap();
    let best = profiles.iter().find(|profile| profile["id"] == recommended).unwrap();
    assert_eq!(best["verdict"], report["verdict"]);
    let on_card = best["gpu_layers"].as_f64().unwrap() / best["total_layers"].as_f64().unwrap();
    let tag = best["model"].as_str().unwrap();
    assert!(billions(tag) >= size, "{vram_gb}+{ram_gb}: {tag}");
    assert!(on_card >= share, "{vram_gb}+{ram_gb}: {on_card} of the layers on the card");
    assert!(best["context_tokens"].as_u64().unwrap() >= context, "{vram_gb}+{ram_gb}");
}

#[test]
fn the_reference_computers_run_what_was_expected() {
    for row in ROWS {
        let (vram_gb, ram_gb, ..) = row;
        let name = card_name(vram_gb);
        assert_meets_the_expectation(&machine(json!([card(name, vram_gb * GIB)]), ram_gb * GIB), row);
        // Memory as reported by cards and firmware.
        let vram_mib = match vram_gb {
            6 => 6_144,
            8 => 8_188,
            16 => 16_380,
            _ => 24_564,
        };
        let ram = (ram_gb as f64 * 0.95 * GIB as f64) as u64;
        let mut document = machine(json!([card(name, vram_mib * MIB)]), ram);
        assert_meets_the_expectation(&document, row);
        // With all figures known, and a desktop running.
        document["memory"]["available_bytes"] = json!(ram * 6 / 10);
        document["memory"]["bandwidth_gb_s"] = json!(35.0);
        let gpu = &mut document["gpus"][0];
        gpu["vendor"] = json!("nvidia");
        gpu["backend"] = json!("cuda");
        gpu["vram_free_bytes"] = json!(vram_mib * MIB - 500 * MIB);
        gpu["memory_bandwidth_gb_s"] = json!(300.0);
        assert_meets_the_expectation(&document, row);
    }
}

#[test]
fn the_reference_table_is_shown_next_to_the_estimates() {
    let here = machine(json!([card("NVIDIA GeForce RTX 3060", 8_188 * MIB)]), 15_900 * MIB);
    let (code, table) = check_json(&here, &["--reference"]);
    assert_eq!((code, &table["schema"]), (0, &json!(1)));
    let rows = table["rows"].as_array().unwrap();
    assert_eq!(rows.len(), ROWS.len());
    for (row, (vram_gb, ram_gb, size, share, context)) in rows.iter().zip(ROWS) {
        assert_eq!((row["vram_gb"].as_u64(), row["ram_gb"].as_u64()), (Some(vram_gb), Some(ram_gb)));
        let expected = &row["expected"];
        let model = expected["model"].as_str().unwrap();
        assert!(model.starts_with(&format!("{size}B ")), "{model}");
        let layers = |key: &str| expected[key].as_f64().unwrap();
        assert_eq!(layers("gpu_layers") / (layers("gpu_layers") + layers("cpu_layers")), share);
        assert_eq!(expected["context_tokens"], context);
        assert_eq!(row["like_this_computer"], json!((vram_gb, ram_gb) == (8, 16)));
        assert_profile_shape(&row["recommended"]);
    }
    let said = stdout(&check(&here.to_string(), &["--reference"]));
    assert!(said.contains("→  8 + 16 GB") && said.contains("5–10 tokens/s"), "{said}");
    let both = acolyte(&["check-requirements", "--reference", "--profile", "light_6gb"]);
    assert_eq!(exit_code(&both), 2, "the table does not evaluate a profile");
}

#[test]
fn the_document_has_every_documented_key() {
    let (_, report) =
        check_json(&machine(json!([card("NVIDIA GeForce RTX 3060", 8_188 * MIB)]), 16 * GIB), &[]);
    assert_eq!(report["schema"], 1);
    assert_eq!(report["hardware"]["memory"]["total_bytes"], 16 * GIB);
    for reason in report["reasons"].as_array().unwrap() {
        assert!(!reason["code"].as_str().unwrap().is_empty() && !reason["text"].as_str().unwrap().is_empty());
    }
    let profiles = report["profiles"].as_array().unwrap();
    for id in ["light_6gb", "hybrid_8gb", "basic_12gb", "standard_16gb", "premium_24gb"] {
        assert!(profiles.iter().any(|profile| profile["id"] == id), "{id}");
    }
    for profile in profiles {
        assert_profile_shape(profile);
    }
    let choices = report["choices"].as_array().unwrap();
    let roles: Vec<&str> = choices.iter().map(|choice| choice["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["recommended", "smartest", "fastest"]);
    for choice in choices {
        let mut profile = choice.clone();
        assert_eq!(profile.as_object_mut().unwrap().remove("role").unwrap(), choice["id"]);
        assert_profile_shape(&profile);
        assert!(choice["why"].as_str().is_some_and(|why| why.ends_with('.')), "{choice}");
    }
    // A profile of 2024 runs, and a choice is better in every respect.
    let surpassed = |profile: &Value| profile["why"].as_str().is_some_and(|why| why.starts_with("Runs, but"));
    assert!(profiles.iter().any(surpassed), "{profiles:?}");
    assert_profile_shape(&report["emergency_cpu"]);
}

#[test]
fn one_choice_is_found_by_its_name() {
    let document = machine(json!([card("NVIDIA GeForce RTX 3060", 12 * GIB)]), 32 * GIB);
    let (_, all) = check_json(&document, &[]);
    for role in ["recommended", "smartest", "fastest"] {
        let (code, one) = check_json(&document, &["--profile", role]);
        let choice = all["choices"].as_array().unwrap().iter().find(|choice| choice["role"] == role).unwrap();
        assert_eq!(one["choices"], json!([choice]));
        assert_eq!(one["verdict"], choice["verdict"]);
        assert!(matches!(code, 0 | 10));
    }
}

#[test]
fn a_rule_of_the_choices_can_be_changed_and_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let (profiles, hardware) = (folder.path().join("profiles.yaml"), folder.path().join("machine.json"));
    let document = machine(json!([card("NVIDIA GeForce RTX 3060", 12 * GIB)]), 32 * GIB);
    std::fs::write(&hardware, document.to_string()).unwrap();
    let built_in = include_str!("../assets/profiles.yaml");
    let recommended = |yaml: &str| {
        std::fs::write(&profiles, yaml).unwrap();
        let (profiles, hardware) = (profiles.to_str().unwrap(), hardware.to_str().unwrap());
        acolyte(&["check-requirements", "--json", "--profiles", profiles, "--hardware", hardware])
    };
    let model = |output: &Output| {
        let report: Value = serde_json::from_str(&stdout(output)).unwrap();
        report["choices"][0]["model"].as_str().unwrap().to_owned()
    };
    let usual = model(&recommended(built_in));
    let without_quality = built_in.replace("weights: {star: 1,", "weights: {star: 0,");
    assert_ne!(model(&recommended(&without_quality)), usual);
    // A file from before the rule existed means the built-in rule.
    let before = built_in.split("\n# How the recommended,").next().unwrap();
    assert_eq!(model(&recommended(before)), usual);
    let mistaken = recommended(&built_in.replace("contexts: [32768, 65536, 131072]", "contexts: [4096]"));
    assert_eq!(exit_code(&mistaken), 2);
    assert!(stderr(&mistaken).contains("choices.contexts"), "{}", stderr(&mistaken));
}

fn assert_profile_shape(profile: &Value) {
    let mut keys: Vec<&str> = profile.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        [
            "context_tokens",
            "gpu_layers",
            "id",
            "kv_cache_type",
            "memory",
            "model",
            "model_file",
            "n_cpu_moe",
            "num_batch",
            "quality",
            "reasons",
            "speed",
            "total_layers",
            "verdict",
            "why"
        ]
    );
    // Neither command asks a registry about a known model.
    let file = &profile["model_file"];
    assert_eq!((&file["source"], &file["digest"]), (&json!("catalogue"), &Value::Null), "{profile}");
    assert_eq!(file["differs_from_catalogue"], Value::Null);
    assert!(file["size_bytes"].as_u64().unwrap() > 0);
    let bytes = |key: &str| profile["memory"][key].as_u64().unwrap_or_else(|| panic!("{key}: {profile}"));
    let parts =
        ["weights_gpu_bytes", "kv_gpu_bytes", "compute_gpu_bytes", "draft_gpu_bytes", "overhead_gpu_bytes"];
    let parts: u64 = parts.map(bytes).iter().sum();
    assert_eq!(parts, bytes("vram_required_bytes"));
    // Drivers take 450 to 750 MiB, or another range; nothing without layers on the card.
    let range = bytes("vram_required_bytes") - bytes("vram_low_bytes");
    assert!(range < bytes("overhead_gpu_bytes") || range == 0, "{range}");
    assert_eq!(range == 0, bytes("overhead_gpu_bytes") == 0);
    assert!(bytes("ram_required_bytes") > 0);
    for key in ["decode_tokens_per_s", "decode_at_full_context_tokens_per_s", "first_token_full_prompt_s"] {
        let range = &profile["speed"][key];
        let (low, mid, high) =
            (range["low"].as_f64().unwrap(), range["mid"].as_f64().unwrap(), range["high"].as_f64().unwrap());
        assert!(0.0 < low && low <= mid && mid <= high, "{key}: {range}");
    }
}

#[test]
fn a_machine_without_a_usable_card_is_refused_with_advice() {
    let refused = [
        ("no_usable_gpu", json!([])),
        (
            "no_usable_gpu",
            json!([{ "name": "Intel UHD Graphics 620", "kind": "integrated", "vram_total_bytes": 8 * GIB }]),
        ),
        ("no_usable_gpu", json!([{ "name": "llvmpipe", "kind": "software", "vram_total_bytes": null }])),
        (
            "no_usable_gpu",
            json!([{ "name": "VMware SVGA 3D", "kind": "virtual", "vram_total_bytes": 8 * GIB }]),
        ),
        ("vram_too_small", json!([card("NVIDIA GeForce GTX 1650", 4 * GIB)])),
        ("vram_unknown", json!([{ "name": "Acme Painter", "kind": "discrete", "vram_total_bytes": null }])),
    ];
    for (code, gpus) in refused {
        let document = machine(gpus, 32 * GIB);
        let (exit, report) = check_json(&document, &[]);
        assert_eq!((exit, &report["verdict"]), (20, &json!("refused")), "{document}");
        assert_eq!(report["recommended"], Value::Null);
        assert_eq!(report["reasons"][0]["code"], code);
        for profile in report["profiles"].as_array().unwrap() {
            assert_eq!(profile["verdict"], "refused");
            assert_profile_shape(profile);
        }
        let said = stdout(&check(&document.to_string(), &[]));
        assert!(said.contains("✗ Refused"), "{said}");
        if code != "vram_unknown" {
            assert!(said.contains("--emergency-cpu"), "{said}");
        }
    }
}

#[test]
fn the_discrete_card_is_chosen_and_of_two_the_larger() {
    let integrated =
        json!({ "name": "AMD Radeon 780M", "kind": "integrated", "vram_total_bytes": 512 * MIB });
    let laptop = card("NVIDIA GeForce RTX 4060 Laptop GPU", 8_188 * MIB);
    for gpus in [json!([integrated, laptop]), json!([laptop, integrated])] {
        let (code, report) = check_json(&machine(gpus, 16 * GIB), &[]);
        assert_eq!((code, &report["recommended"]), (10, &json!("hybrid_8gb")));
    }
    let small = card("NVIDIA GeForce RTX 2060", 6 * GIB);
    let large = card("NVIDIA GeForce RTX 4060 Ti", 16_380 * MIB);
    for gpus in [json!([small, large]), json!([large, small])] {
        let (code, report) = check_json(&machine(gpus, 32 * GIB), &[]);
        assert_eq!((code, &report["recommended"]), (0, &json!("standard_16gb")));
    }
}

#[test]
fn shared_memory_counts_once() {
    let mac = |ram: u64, share: f64| {
        let vram = (ram as f64 * share) as u64;
        let gpu = json!({ "name": "Apple M2", "kind": "unified", "vram_total_bytes": vram });
        check_json(&machine(json!([gpu]), ram), &[])
    };
    let (code, report) = mac(8 * GIB, 0.66);
    assert_eq!((code, &report["reasons"][0]["code"]), (20, &json!("vram_too_small")));
    let (code, report) = mac(16 * GIB, 0.66);
    assert_eq!(code, 10, "{report}");
    let best = report["recommended"].as_str().unwrap();
    let profile = report["profiles"].as_array().unwrap().iter().find(|p| p["id"] == best).unwrap();
    let bytes = |key: &str| profile["memory"][key].as_u64().unwrap();
    assert!(bytes("vram_required_bytes") + bytes("ram_required_bytes") <= 16 * GIB * 6 / 10 + 1);
    // A large share of shared memory is assigned to the GPU, but almost no memory is available: it must not fit.
    let gpu = json!({ "name": "Apple M2", "kind": "unified", "vram_total_bytes": 10 * GIB });
    let mut full = machine(json!([gpu]), 16 * GIB);
    full["memory"]["available_bytes"] = json!(GIB);
    assert_eq!(check_json(&full, &[]).0, 20);
}

#[test]
fn one_profile_can_be_checked_alone() {
    let document = machine(json!([card("NVIDIA GeForce RTX 3060", 8_188 * MIB)]), 16 * GIB);
    let (code, report) = check_json(&document, &["--profile", "premium_24gb"]);
    assert_eq!((code, report["profiles"].as_array().unwrap().len()), (20, 1));
    assert_eq!(report["reasons"][0]["code"], "profile_needs_vram");
    let (code, report) = check_json(&document, &["--profile", "hybrid_8gb"]);
    assert_eq!((code, &report["recommended"]), (10, &json!("hybrid_8gb")));

    let unknown = check(&document.to_string(), &["--profile", "hybrid"]);
    assert_eq!(exit_code(&unknown), 2);
    let said = stderr(&unknown);
    assert!(said.contains("hybrid_8gb") && said.contains("premium_24gb"), "{said}");
    assert_eq!(stdout(&unknown), "");
}

#[test]
fn a_malformed_hardware_file_is_refused_by_name() {
    let good = machine(json!([card("RTX 3060", 8 * GIB)]), 16 * GIB).to_string();
    let cases: [(String, &str); 9] = [
        (good.replace("\"kind\"", "\"knd\""), "knd"),
        (good.replace("\"total_bytes\"", "\"totl_bytes\""), "totl_bytes"),
        (good.replace("\"memory\"", "\"memori\""), "memori"),
        (good.replace("\"schema\":1", "\"schema\":7"), "schema"),
        (good.replace("discrete", "enormous"), "enormous"),
        (good.replace("\"total_bytes\":17179869184", "\"total_bytes\":0"), "memory.total_bytes"),
        (good.replace("\"total_bytes\":17179869184", "\"total_bytes\":-5"), "line 1"),
        (good.replace("\"vram_total_bytes\":8589934592", "\"vram_free_bytes\":1"), "vram_total_bytes"),
        ("not json".to_owned(), "line 1"),
    ];
    for (document, name) in cases {
        let output = check(&document, &["--json"]);
        assert_eq!(exit_code(&output), 2, "{document}");
        assert!(stderr(&output).contains(name), "{document}: {}", stderr(&output));
        assert!(stderr(&output).contains("machine.json"));
        assert_eq!(stdout(&output), "", "no data on errors");
    }
    let missing = acolyte(&["check-requirements", "--hardware", "/nowhere/machine.json"]);
    assert_eq!(exit_code(&missing), 2);
    assert!(stderr(&missing).contains("/nowhere/machine.json"));
}

#[test]
fn other_profiles_can_be_used_and_their_errors_are_reported() {
    let built_in = include_str!("../assets/profiles.yaml");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my-profiles.yaml");
    let document = machine(json!([card("RTX 3060", 8 * GIB)]), 16 * GIB).to_string();
    let with = |text: &str| {
        std::fs::write(&path, text).unwrap();
        check(&document, &["--profiles", path.to_str().unwrap()])
    };
    assert_eq!(exit_code(&with(built_in)), 10);
    // Another policy results in another verdict.
    assert_eq!(
        exit_code(&with(&built_in.replace("degraded_below_vram_gb: 12", "degraded_below_vram_gb: 8"))),
        0
    );
    let wrong = with(&built_in.replacen("context: 32768", "context: 16384", 1));
    assert_eq!(exit_code(&wrong), 2);
    let line = built_in.lines().position(|line| line.contains("    context: 32768")).unwrap() + 1;
    for part in ["my-profiles.yaml", &format!("line {line}"), "light_6gb.context"] {
        assert!(stderr(&wrong).contains(part), "{}", stderr(&wrong));
    }
}

#[test]
fn the_output_of_detect_can_be_parsed_again() {
    let printed = acolyte(&["detect", "--json"]);
    assert_eq!(exit_code(&printed), 0, "{}", stderr(&printed));
    let output = check(&stdout(&printed), &["--json"]);
    assert!(matches!(exit_code(&output), 0 | 10 | 20), "{}", stderr(&output));
    let report: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let detected: Value = serde_json::from_str(&stdout(&printed)).unwrap();
    assert_eq!(report["hardware"], detected);
}

#[test]
fn the_report_is_plain_text_in_both_languages() {
    let document = machine(json!([card("NVIDIA GeForce RTX 3060", 8_188 * MIB)]), 16 * GIB).to_string();
    let english = stdout(&check(&document, &[]));
    assert!(!english.contains('\u{1b}'), "no colour without a terminal");
    for words in [
        "RTX 3060",
        "! Degraded",
        "hybrid_8gb",
        "29 of 29",
        "32,768",
        "acolyte install --profile recommended --accept-degraded",
        "The best choices for this computer, among all models",
    ] {
        assert!(english.contains(words), "{words}: {english}");
    }
    let spanish = output(Command::new(env!("CARGO_BIN_EXE_acolyte")).args([
        "check-requirements",
        "--lang",
        "es",
        "--hardware",
        "-",
    ]));
    // Not a file: reported in the requested language.
    assert_eq!(spanish.status.code(), Some(2));
    assert!(stderr(&spanish).contains("No se ha podido leer"), "{}", stderr(&spanish));
}

#[test]
fn a_closed_pipe_ends_the_command_quietly() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("machine.json");
    std::fs::write(&path, machine(json!([card("RTX 3060", 8 * GIB)]), 16 * GIB).to_string()).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_acolyte"))
        .args(["check-requirements", "--json", "--hardware", path.to_str().unwrap()])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(stderr(&end_of(child)), "");
}

#[test]
fn any_card_can_be_estimated_by_name() {
    let estimate = |args: &[&str]| {
        let output = acolyte(&[&["estimate", "--json", "--model", "qwen2.5-coder:7b"], args].concat());
        assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
        let answer: Value = serde_json::from_str(&stdout(&output)).unwrap();
        assert_profile_shape(&answer);
        answer
    };
    let speed = |answer: &Value| answer["speed"]["decode_tokens_per_s"]["mid"].as_f64().unwrap();

    let named = estimate(&["--gpu", "RTX 4060", "--kv", "q8_0"]);
    assert_eq!((&named["gpu_layers"], &named["total_layers"]), (&json!(29), &json!(29)));
    assert_eq!(named["verdict"], "degraded");
    // A given figure overrides the table.
    let halved = speed(&estimate(&["--gpu", "RTX 4060", "--gpu-bandwidth-gb-s", "136", "--kv", "q8_0"]));
    assert!((0.4..0.6).contains(&(halved / speed(&named))), "{halved}");
    let cramped = estimate(&["--gpu", "RTX 4060", "--vram-gib", "5"]);
    assert!(cramped["gpu_layers"].as_u64().unwrap() < 29);
    let fixed = estimate(&["--gpu", "RTX 4060", "--gpu-layers", "20"]);
    assert_eq!(fixed["gpu_layers"], 20);
    assert!(speed(&fixed) < speed(&named));
    let processor = estimate(&[]);
    assert_eq!(
        (&processor["gpu_layers"], &processor["memory"]["vram_required_bytes"]),
        (&json!(0), &json!(0))
    );
    let unnamed = estimate(&["--vram-gib", "12", "--gpu-bandwidth-gb-s", "360"]);
    assert_eq!((&unnamed["gpu_layers"], &unnamed["kv_cache_type"]), (&json!(29), &json!("f16")));
    // A short context can be estimated, but is refused.
    let short = estimate(&["--gpu", "RTX 4090", "--context", "4096"]);
    assert_eq!(
        (&short["verdict"], &short["reasons"][0]["code"]),
        (&json!("refused"), &json!("context_below_minimum"))
    );
    let long = estimate(&["--gpu", "RTX 4090", "--context", "65536"]);
    assert_eq!(long["reasons"][0]["code"], "context_not_carried");
}

/// Runs `estimate --json` for a card with qwen2.5-coder:7b.
fn estimate_of_card(args: &[&str]) -> Value {
    let output = acolyte(&[&["estimate", "--json", "--model", "qwen2.5-coder:7b", "--gpu"], args].concat());
    assert_eq!(exit_code(&output), 0, "{args:?}: {}", stderr(&output));
    serde_json::from_str(&stdout(&output)).unwrap()
}

fn reason_text<'a>(answer: &'a Value, code: &str) -> Option<&'a str> {
    let reasons = answer["reasons"].as_array().unwrap();
    reasons.iter().find(|reason| reason["code"] == code)?["text"].as_str()
}

/// The plan is for the smaller card, and both sizes are named.
#[test]
fn a_card_sold_with_two_sizes_is_planned_as_the_smaller_one() {
    for (name, small, sizes) in [
        ("RTX 4060 Ti", "8", "8, 16"),
        ("GeForce RTX 5060 Ti", "8", "8, 16"),
        ("RTX 3060", "8", "8, 12"),
        ("GTX 1060", "3", "3, 5, 6"),
        ("RTX 3050", "4", "4, 6, 8"),
        ("RX 480", "4", "4, 8"),
        ("RX 9060 XT", "8", "8, 16"),
        ("Arc A770", "8", "8, 16"),
    ] {
        let by_name = estimate_of_card(&[name, "--kv", "q8_0"]);
        let said = reason_text(&by_name, "several_sizes").unwrap_or_else(|| panic!("{name}: {by_name}"));
        assert!(
            said.contains(&format!("with {sizes} GB")) && said.contains(&format!("for {small} GB")),
            "{said}"
        );
        let given = estimate_of_card(&[name, "--kv", "q8_0", "--vram-gib", small]);
        assert_eq!(by_name["memory"], given["memory"], "{name}");
        assert_eq!(reason_text(&given, "several_sizes"), None, "{name}");
    }
    for name in ["RTX 4060 Ti 16GB", "RTX 4060", "GTX 1080", "Apple M3 Max"] {
        assert_eq!(reason_text(&estimate_of_card(&[name]), "several_sizes"), None, "{name}");
    }
    let larger = estimate_of_card(&["RTX 4060 Ti 16GB"]);
    assert!(reason_text(&larger, "fits").is_some(), "{larger}");
}

/// A hardware file with a name and no size is planned the same way.
#[test]
fn a_hardware_file_without_the_size_is_planned_for_the_smaller_card() {
    let card = json!({ "name": "NVIDIA GeForce RTX 4060 Ti", "kind": "discrete", "vram_total_bytes": null });
    let (_, report) = check_json(&machine(json!([card]), 32 * GIB), &[]);
    let profiles = report["profiles"].as_array().unwrap();
    let some = profiles.iter().find(|profile| profile["verdict"] != "refused").unwrap();
    assert!(reason_text(some, "several_sizes").is_some_and(|said| said.contains("8, 16")), "{some}");
    assert_eq!(reason_text(some, "fits"), None, "{some}");
}

/// The arithmetic of cards for mining is cut: less speed than the data sheet says, and a wide range.
#[test]
fn a_card_for_mining_is_as_slow_as_it_was_measured() {
    let speed = |answer: &Value, end: &str| answer["speed"]["decode_tokens_per_s"][end].as_f64().unwrap();
    for name in ["CMP 30HX", "CMP 40HX", "NVIDIA CMP 50HX", "CMP 90HX", "CMP 170HX"] {
        let cut = estimate_of_card(&[name]);
        let said = reason_text(&cut, "arithmetic_cut").unwrap_or_else(|| panic!("{name}: {cut}"));
        assert!(said.contains(name) && said.contains("41"), "{said}");
    }
    let cut = estimate_of_card(&["CMP 50HX", "--kv", "q8_0"]);
    // The same chip and bus, uncut, in a card of eleven gigabytes.
    let whole =
        estimate_of_card(&["RTX 2080 Ti", "--vram-gib", "10", "--gpu-bandwidth-gb-s", "560", "--kv", "q8_0"]);
    let share = speed(&cut, "mid") / speed(&whole, "mid");
    assert!((0.38..0.44).contains(&share), "{share}");
    assert!(speed(&cut, "high") / speed(&cut, "low") > 2.0, "{cut}");
    assert_eq!(reason_text(&whole, "arithmetic_cut"), None);
    assert_eq!(reason_text(&estimate_of_card(&["P106-100"]), "arithmetic_cut"), None);
}

/// Memory that is shared with the processor is planned by the policy where Ollama uses it; where it leaves it out, that is
/// the reason.
#[test]
fn a_chip_that_shares_main_memory_is_planned_by_main_memory() {
    for name in ["Radeon 8060S", "AMD Radeon 8050S Graphics", "Radeon 8040S", "Apple M4 Max", "GB10"] {
        let answer = estimate_of_card(&[name, "--ram-gib", "128"]);
        assert_ne!(answer["verdict"], "refused", "{name}: {answer}");
        assert_eq!(answer["gpu_layers"], answer["total_layers"], "{name}");
    }
    for name in [
        "Radeon 780M",
        "Radeon 890M",
        "Radeon 740M",
        "Radeon Vega 8 Graphics",
        "Arc 140V",
        "Arc 140T",
        "Intel(R) UHD Graphics 630",
        "Iris Xe",
    ] {
        let answer = estimate_of_card(&[name, "--ram-gib", "64"]);
        assert_eq!(answer["verdict"], "refused", "{name}");
        let said = reason_text(&answer, "no_usable_gpu").unwrap_or_else(|| panic!("{name}: {answer}"));
        assert!(said.contains(name) && said.contains("leaves out"), "{said}");
    }
}

/// Old cards share their numbers with new ones.
#[test]
fn a_card_that_is_too_old_is_refused_by_its_name() {
    for (name, capability) in
        [("Quadro 6000", "2.0"), ("Quadro 4000", "2.0"), ("GeForce GTX 480", "2.0"), ("Tesla K80", "3.7")]
    {
        let answer = estimate_of_card(&[name]);
        assert_eq!(answer["verdict"], "refused", "{name}");
        let said = reason_text(&answer, "engine_refuses").unwrap_or_else(|| panic!("{name}: {answer}"));
        assert!(said.contains(capability), "{name}: {said}");
        let (_, report) = check_json(&machine(json!([card(name, 24 * GIB)]), 32 * GIB), &[]);
        assert_eq!(report["verdict"], "refused", "{name}");
    }
    let desktop = estimate_of_card(&["GRID T4-4B"]);
    assert!(reason_text(&desktop, "engine_refuses").is_some_and(|said| said.contains("vGPU")), "{desktop}");
    let share = estimate_of_card(&["GRID RTX6000-8Q", "--kv", "q8_0"]);
    assert_eq!(share["verdict"], "degraded", "8 GB, not the 24 of the whole card: {share}");
    let output = acolyte(&["estimate", "--model", "qwen2.5-coder:7b", "--gpu", "Radeon HD 7970"]);
    assert_eq!(exit_code(&output), 2);
}

#[test]
fn experts_are_estimated_in_main_memory() {
    let estimate = |args: &[&str]| {
        let card = ["estimate", "--model", "qwen3-coder:30b", "--gpu", "RTX 3060", "--ram-gib", "32"];
        let output = acolyte(&[&card, args].concat());
        assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let json = |args: &[&str]| -> Value {
        serde_json::from_str(&estimate(&[&["--json", "--kv", "q8_0"], args].concat())).unwrap()
    };
    let layers = json(&[]);
    assert_eq!((&layers["n_cpu_moe"], &layers["num_batch"]), (&json!(0), &json!(512)));
    let all = json(&["--n-cpu-moe", "all"]);
    assert_eq!((&all["n_cpu_moe"], &all["gpu_layers"]), (&json!(48), &json!(49)));
    let speed = |estimate: &Value| estimate["speed"]["decode_tokens_per_s"]["mid"].as_f64().unwrap();
    let need = |estimate: &Value, key: &str| estimate["memory"][key].as_u64().unwrap();
    assert!(need(&all, "vram_required_bytes") < need(&layers, "vram_required_bytes"));
    let some = json(&["--n-cpu-moe", "30", "--num-batch", "2048"]);
    assert_eq!((&some["n_cpu_moe"], &some["num_batch"]), (&json!(30), &json!(2048)));
    assert!(need(&some, "weights_gpu_bytes") > need(&all, "weights_gpu_bytes"));
    assert!(speed(&some) > speed(&all), "{} and {}", speed(&some), speed(&all));
    let codes: Vec<&str> =
        all["reasons"].as_array().unwrap().iter().map(|reason| reason["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"experts_in_ram") && !codes.contains(&"fits"), "{codes:?}");
    let said = estimate(&["--n-cpu-moe", "40", "--num-batch", "1024"]);
    for line in ["40 of 48 blocks in main memory", "1,024 tokens of a prompt at once"] {
        assert!(said.contains(line), "{said}");
    }
}

#[test]
fn n_cpu_moe_is_refused_without_a_mixture_or_card() {
    for (args, said) in [
        (
            vec!["--model", "qwen2.5-coder:7b", "--gpu", "RTX 4060", "--n-cpu-moe", "4"],
            "not a mixture of experts",
        ),
        (vec!["--model", "qwen3-coder:30b", "--gpu", "RTX 4060", "--n-cpu-moe", "49"], "has 48 blocks"),
        (vec!["--model", "qwen3-coder:30b", "--n-cpu-moe", "all"], "Describe a card"),
        (
            vec![
                "--model",
                "qwen3-coder:30b",
                "--gpu",
                "RTX 4060",
                "--n-cpu-moe",
                "all",
                "--gpu-layers",
                "20",
            ],
            "all 49 layers",
        ),
        (vec!["--model", "qwen3-coder:30b", "--gpu", "RTX 4060", "--n-cpu-moe", "most"], "or all"),
    ] {
        let output = acolyte(&[vec!["estimate"], args.clone()].concat());
        assert_eq!(exit_code(&output), 2, "{args:?}");
        assert!(stderr(&output).contains(said), "{args:?}: {}", stderr(&output));
    }
}

#[test]
fn an_incomplete_estimate_names_the_missing_options() {
    for (args, words) in [
        (vec!["--model", "qwen2.5-coder:7b", "--gpu", "Acme Painter 3000"], "--gpu-bandwidth-gb-s"),
        (vec!["--model", "qwen2.5-coder:7b", "--vram-gib", "8"], "--gpu-bandwidth-gb-s"),
        (vec!["--model", "acme-unheard-of:7b", "--gpu", "RTX 4090"], "qwen2.5-coder:7b"),
        (vec!["--model", "qwen2.5-coder:7b", "--kv", "q5_1"], "q4_0"),
        (vec!["--model", "qwen2.5-coder:7b", "--vram-gib", "-1"], "--vram-gib"),
        (vec!["--model", "qwen2.5-coder:7b", "--vram-gib", "NaN", "--gpu-bandwidth-gb-s", "1"], "--vram-gib"),
        (vec!["--gpu", "RTX 4090"], "--model"),
    ] {
        let output = acolyte(&[vec!["estimate"], args].concat());
        assert_eq!(exit_code(&output), 2);
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
        assert_eq!(stdout(&output), "");
    }
}

#[test]
fn help_is_in_the_requested_language() {
    for (line, usage) in [
        (&["--lang", "es"][..], "Uso: acolyte [OPCIONES] [COMANDO]"),
        (&["--lang=es", "install", "--help"], "Uso: acolyte install [OPCIONES]"),
        (&["estimate", "-h", "--lang", "es"], "Uso: acolyte estimate [OPCIONES] --model <TAG>"),
    ] {
        let help = output(Command::new(env!("CARGO_BIN_EXE_acolyte")).args(line));
        assert_eq!(exit_code(&help), 0);
        let said = stdout(&help);
        assert!(said.contains(usage), "{said}");
        for english in ["Usage", "Options", "Commands", "Print", "possible values"] {
            assert!(!said.contains(english), "{english}: {said}");
        }
    }
    assert!(stdout(&acolyte(&["install", "--help"])).contains("Usage: acolyte install [OPTIONS]"));
}

#[test]
fn wrong_usage_ends_with_2_and_help_with_0() {
    assert_eq!(exit_code(&acolyte(&["check-requirements", "--jsno"])), 2);
    assert_eq!(exit_code(&acolyte(&["chekc"])), 2);
    assert_eq!(exit_code(&acolyte(&["--help"])), 0);
    let nothing = output(Command::new(env!("CARGO_BIN_EXE_acolyte")));
    assert_eq!(nothing.status.code(), Some(0));
    assert!(stdout(&nothing).contains("check-requirements"));
    assert!(Path::new(env!("CARGO_BIN_EXE_acolyte")).exists());
}

#[test]
#[cfg(target_os = "linux")]
fn without_display_and_terminal_the_installer_exits_after_one_line() {
    let home = tempfile::tempdir().unwrap();
    let output = output(
        Command::new(env!("CARGO_BIN_EXE_acolyte-installer"))
            .args(["--lang", "en", "--home", home.path().to_str().unwrap()])
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("WAYLAND_SOCKET"),
    );
    assert_eq!(exit_code(&output), 1);
    let said = stderr(&output);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 2, "{said}");
    assert!(lines[0].starts_with("There is no display"), "{said}");
    assert!(lines[1].contains("acolyte install --profile"), "{said}");
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0, "nothing was changed");
}

#[test]
fn a_given_bandwidth_overrides_the_table() {
    let speed = |gb_s: &str| {
        let output = acolyte(&[
            "estimate",
            "--model",
            "qwen2.5-coder:7b",
            "--gpu",
            "RTX 4060",
            "--gpu-bandwidth-gb-s",
            gb_s,
            "--json",
        ]);
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        json["speed"]["decode_tokens_per_s"]["mid"].as_f64().expect("a speed")
    };
    // The table's 272 GB/s, and twice that: the time for the weights halves.
    let ratio = speed("544") / speed("272");
    assert!((1.5..2.0).contains(&ratio), "{ratio}");
}

#[test]
fn colours_are_printed_on_terminals_or_when_forced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("machine.json");
    std::fs::write(&path, machine(json!([card("RTX 3060", 8 * GIB)]), 16 * GIB).to_string()).unwrap();
    let printed = |variable: Option<(&str, &str)>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_acolyte"));
        command.args(["check-requirements", "--lang", "en", "--hardware"]).arg(&path);
        for name in ["NO_COLOR", "CLICOLOR_FORCE", "CLICOLOR", "TERM"] {
            command.env_remove(name);
        }
        stdout(&output(command.envs(variable)))
    };
    let plain = printed(None);
    let forced = printed(Some(("CLICOLOR_FORCE", "1")));
    assert!(!plain.contains('\u{1b}') && forced.contains('\u{1b}'), "{forced}");
    assert_eq!(forced.lines().count(), plain.lines().count(), "only colours differ");
    assert_eq!(printed(Some(("NO_COLOR", "1"))), plain);
    assert!(plain.lines().all(|line| line.trim_end() == line), "{plain}");
}

#[test]
fn a_refusal_does_not_ask_for_consent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("machine.json");
    let install = |ram_bytes: u64| {
        std::fs::write(&path, machine(json!([]), ram_bytes).to_string()).unwrap();
        let hardware = path.to_str().unwrap();
        acolyte(&["install", "--emergency-cpu", "--hardware", hardware])
    };
    // With enough memory the limits are displayed and consent is requested.
    let degraded = install(32 * GIB);
    assert_eq!(exit_code(&degraded), 10, "{}", stderr(&degraded));
    let first_line = stderr(&degraded).lines().next().unwrap().to_owned();
    let refused = install(GIB);
    assert_eq!(exit_code(&refused), 20, "{}", stderr(&refused));
    assert!(!stderr(&refused).contains(&first_line), "{}", stderr(&refused));
}

#[test]
fn every_profile_has_a_quality_with_its_scores() {
    let document = machine(json!([card("NVIDIA GeForce RTX 3090", 24 * GIB)]), 32 * GIB);
    let (_, report) = check_json(&document, &[]);
    let of = |id: &str| {
        let profiles = report["profiles"].as_array().unwrap();
        profiles.iter().find(|profile| profile["id"] == id).unwrap_or_else(|| panic!("{id}")).clone()
    };
    let dense = of("premium_24gb_dense");
    assert_eq!((&dense["quality"]["stars"], &dense["quality"]["word"]), (&json!(5), &json!("excellent")));
    let basis = dense["quality"]["basis"].as_array().unwrap();
    assert_eq!((&basis[0]["evaluator"], &basis[0]["of"]), (&json!("independent"), &json!(100.0)));
    for score in basis {
        for key in ["benchmark", "setting", "date", "source"] {
            assert!(!score[key].as_str().unwrap().is_empty(), "{key}: {score}");
        }
    }
    assert_eq!(of("hybrid_8gb")["quality"]["stars"], 2);
    // The engine does not recognise all tool calls of this model, which is reported.
    let codes = |profile: &Value| -> Vec<String> {
        let reasons = profile["reasons"].as_array().unwrap();
        reasons.iter().map(|reason| reason["code"].as_str().unwrap().to_owned()).collect()
    };
    assert!(codes(&of("premium_24gb")).contains(&"tool_calls_unreliable".to_owned()));
    assert!(!codes(&dense).contains(&"tool_calls_unreliable".to_owned()));

    let output = check(&document.to_string(), &[]);
    let printed = stdout(&output);
    let facts = printed.lines().find(|line| line.trim_start().starts_with("Quality")).unwrap();
    assert!(facts.contains("★ (") || facts.contains("☆ ("), "{facts}");
    for (id, stars) in [
        ("light_6gb", "★☆☆☆☆"),
        ("hybrid_8gb", "★★☆☆☆"),
        ("hybrid_8gb_quality", "★★☆☆☆"),
        ("basic_12gb", "★★☆☆☆"),
        ("modern_12gb", "★★★☆☆"),
        ("standard_16gb", "★★☆☆☆"),
        ("modern_16gb", "★★★☆☆"),
        ("premium_24gb", "★★☆☆☆"),
        ("premium_24gb_f16", "★★☆☆☆"),
        ("premium_24gb_dense", "★★★★★"),
    ] {
        let start = format!("{id} ");
        let row = printed.lines().find(|line| line.trim_start().starts_with(&start));
        assert!(row.unwrap_or_else(|| panic!("{id}: {printed}")).contains(stars), "{id}: {printed}");
    }
    // A model without a published score is not rated.
    let estimate = ["estimate", "--model", "granite4.2:8b", "--gpu", "RTX 3060", "--json"];
    let output = acolyte(&estimate);
    let one: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(one["quality"], Value::Null);
}

#[test]
fn profiles_are_listed_with_quality_and_expected_speed_for_this_computer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("machine.json");
    let document = machine(json!([card("NVIDIA GeForce RTX 3060", 12 * GIB)]), 32 * GIB);
    std::fs::write(&path, document.to_string()).unwrap();
    let file = path.to_str().unwrap();
    let output = acolyte(&["profiles", "--json", "--hardware", file]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let profiles = document["profiles"].as_array().unwrap();
    assert_eq!(profiles.len(), acolyte::plan::Profiles::built_in().profiles.len());
    for profile in profiles {
        let runs = profile["verdict"] != "refused";
        assert_eq!(profile["expected_speed"].is_string(), runs, "{profile}");
        assert!(profile["quality"]["stars"].is_u64(), "{profile}");
    }
    let words = String::from_utf8(acolyte(&["profiles", "--hardware", file]).stdout).unwrap();
    for profile in profiles {
        assert!(words.contains(profile["id"].as_str().unwrap()), "{words}");
    }
    let speed = profiles.iter().find_map(|profile| profile["expected_speed"].as_str()).unwrap();
    assert!(words.contains(speed), "{speed} in {words}");
}

#[test]
fn profiles_of_the_user_are_offered_and_checked_as_strictly() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("profiles.d");
    std::fs::create_dir(&folder).unwrap();
    let machine_file = home.path().join("machine.json");
    let document = machine(json!([card("NVIDIA GeForce RTX 3060", 12 * GIB)]), 32 * GIB);
    std::fs::write(&machine_file, document.to_string()).unwrap();
    let write = |name: &str, id: &str, context: u32| {
        let profile = format!(
            "schema: 1\nprofiles:\n  - id: {id}\n    model: qwen2.5-coder:3b\n    kv_cache_type: q8_0\n    context: {context}\n    \
             min_vram_gb: 6\n    min_ram_gb: 8\n"
        );
        std::fs::write(folder.join(name), profile).unwrap();
    };
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_acolyte"));
        command.args(arguments).args(["--lang", "en", "--hardware"]).arg(&machine_file);
        output(command.env("ACOLYTE_HOME", home.path()).env_remove("ACOLYTE_LOG"))
    };
    write("mine.yaml", "my_own", 32_768);
    write("ignored.txt", "not_read", 1);
    let listed = run(&["check-requirements", "--json"]);
    let report: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let ids: Vec<&str> =
        report["profiles"].as_array().unwrap().iter().filter_map(|one| one["id"].as_str()).collect();
    assert!(ids.contains(&"my_own") && ids.contains(&"hybrid_8gb") && !ids.contains(&"not_read"), "{ids:?}");
    let alone = run(&["check-requirements", "--json", "--profile", "my_own"]);
    assert_eq!(alone.status.code(), Some(0), "{}", stderr(&alone));

    for (id, context, expected) in
        [("hybrid_8gb", 32_768, "mine.yaml"), ("my_own", 16_384, "32,768"), ("Mine!", 32_768, "a-z 0-9")]
    {
        write("mine.yaml", id, context);
        let refused = run(&["check-requirements"]);
        assert_eq!(refused.status.code(), Some(2), "{id}");
        let said = stderr(&refused);
        assert!(said.contains("mine.yaml") && said.contains(expected), "{said}");
    }
    std::fs::write(folder.join("mine.yaml"), "schema: 1\npolicy: {}\nprofiles: []\n").unwrap();
    assert!(
        stderr(&run(&["check-requirements"])).contains("policy"),
        "the policy is not the user's to change here"
    );
}

/// A laptop on which much is wrong at once.
fn laptop_with_trouble() -> Value {
    let gpu = "NVIDIA GeForce RTX 4060 Laptop GPU";
    json!({
        "schema": 1,
        "cpu": { "name": "AMD Ryzen 7 5800H", "physical_cores": 8 },
        "memory": { "total_bytes": 16 * GIB, "available_bytes": 12 * GIB, "bandwidth_gb_s": 21.0 },
        "ram_modules": [{
            "size_bytes": 16 * GIB, "technology": "DDR4", "in_slot": true, "data_width_bits": 64,
            "mt_s": 3200, "rated_mt_s": 3200
        }],
        "gpus": [{
            "name": gpu, "kind": "discrete", "backend": "cuda",
            "vram_total_bytes": 8188 * MIB, "vram_free_bytes": 5500 * MIB, "driver_version": "570.86.10",
            "compute_capability": "8.9",
            "state": { "power_limit_w": 60.0, "power_default_w": 80.0, "power_max_w": 115.0 }
        }],
        "disks": [{ "path": "/data", "kind": "hdd", "free_bytes": 200 * GIB, "used_for": ["engine", "models"] }],
        "notes": [
            { "code": "vram_held", "details": { "gpu": gpu, "program": "blender", "bytes": 1800 * MIB } },
            { "code": "on_battery" }
        ]
    })
}

#[test]
fn tips_follow_the_expected_performance() {
    let text = stdout(&check(&laptop_with_trouble().to_string(), &["--profile", "hybrid_8gb_quality"]));
    let at = |heading: &str| text.find(heading).unwrap_or_else(|| panic!("{heading} in {text}"));
    let (tips, why) = (at("\nOptimization tips\n"), at("\nWhy\n"));
    assert!(at("  First token ") < tips && tips < why, "{text}");
    // Quality with what it rests on, and the need of memory against what is there.
    for fact in [
        "BASIC ★★☆☆☆ (Aider code editing 57.9\u{a0}%, independent)",
        "of 5.4\u{a0}GB free",
        "of 12\u{a0}GB available",
    ] {
        assert!(text[..tips].contains(fact), "{fact} in {text}");
    }
    let lines: Vec<&str> = text[tips..why].lines().filter(|line| line.starts_with("  - ")).collect();
    let starts = [
        "  - Close blender (1.8\u{a0}GB): that frees 1.8\u{a0}GB of graphics memory on NVIDIA GeForce RTX 4060 Laptop GPU. Then 21 \
         instead of 14 of 29 layers fit on the card: ",
        "  - Plug in the charger: on its battery, this computer slows down processor and graphics card.",
        "  - NVIDIA GeForce RTX 4060 Laptop GPU may draw 60 W at present, but up to 115 W: plug in the charger and choose the \
         laptop's performance mode.",
        "  - Use a batch of ",
        "  - Update the NVIDIA driver of NVIDIA GeForce RTX 4060 Laptop GPU from 570.86.10 to 580 or later: the engine then uses \
         its newer CUDA library.",
        "  - The models are on a hard disk: the first load takes 40–90\u{a0}s instead of 3.2–20.2\u{a0}s from a solid-state disk.",
        "  - Main memory reads 21.0 GB/s with a single module (16\u{a0}GB). A second one of the same kind doubles that. That gives ",
    ];
    assert_eq!(lines.len(), starts.len(), "{lines:#?}");
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start), "{line}\n{start}");
    }
    // What a tip says with names is not said again without them.
    assert!(!text.contains("Close programs"), "{text}");
}

#[test]
fn tips_are_figures_with_words_for_programs() {
    let (_, report) = check_json(&laptop_with_trouble(), &["--profile", "hybrid_8gb_quality"]);
    let tips = report["tips"].as_array().unwrap();
    let kinds: Vec<&str> = tips.iter().map(|tip| tip["kind"].as_str().unwrap()).collect();
    let expected = [
        "close_gpu_programs",
        "plug_in",
        "raise_power_limit",
        "other_batch",
        "update_driver",
        "models_on_hard_disk",
        "add_ram_module",
    ];
    assert_eq!(kinds, expected);
    let close = &tips[0];
    assert_eq!(close["programs"], json!([{ "name": "blender", "bytes": 1800 * MIB }]));
    assert_eq!(
        (&close["gain"]["before"]["gpu_layers"], &close["gain"]["after"]["gpu_layers"]),
        (&json!(14), &json!(21))
    );
    assert!(close["text"].as_str().unwrap().starts_with("Close blender"), "{close}");
    assert_eq!(
        (&tips[2]["limit_w"], &tips[2]["usual_w"], &tips[2]["laptop"]),
        (&json!(60.0), &json!(115.0), &json!(true))
    );
}

#[test]
fn a_better_model_that_only_a_program_keeps_out_is_named() {
    let (_, report) = check_json(&laptop_with_trouble(), &[]);
    let tip = &report["tips"][0];
    assert_eq!(tip["kind"], "close_for_better_model", "{tip}");
    assert_eq!((&tip["now"]["stars"], &tip["then"]["stars"]), (&json!(3), &json!(4)));
    // What it promises is what is recommended once the program is closed.
    let mut closed = laptop_with_trouble();
    closed["notes"] = json!([]);
    closed["gpus"][0]["vram_free_bytes"] = json!(7300 * MIB);
    let (_, closed) = check_json(&closed, &[]);
    let recommended = &closed["choices"][0];
    assert_eq!(tip["then"]["decode_tokens_per_s"], recommended["speed"]["decode_tokens_per_s"]);
    assert_eq!(tip["then"]["stars"], recommended["quality"]["stars"]);
}
