//! The three choices on typical machines. docs/planning.md shows them in a table, which this test keeps true.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use acolyte::machine::Hardware;
use acolyte::models::Catalogue;
use acolyte::plan::{Choice, Plan, Profiles, Report, Role, Verdict, plan_all};
use acolyte::text::{Language, Text};
use acolyte::{GIB, MIN_CONTEXT_TOKENS};
use serde_json::{Value, json};

/// A card as its driver describes it, with a desktop running.
fn card(name: &str, vendor: &str, backend: &str, vram_gib: f64, bus_gb_s: f64) -> Value {
    let total = (vram_gib * GIB as f64) as u64;
    json!({ "name": name, "vendor": vendor, "kind": "discrete", "backend": backend, "vram_total_bytes": total,
            "vram_free_bytes": total - 600 * (1 << 20), "bus_gb_s": bus_gb_s })
}

/// Memory shared by processor and GPU, of which the GPU may use `share`.
fn unified(name: &str, vendor: &str, backend: &str, ram_gib: u64, share: f64) -> Value {
    let total = ((ram_gib * GIB) as f64 * share) as u64;
    json!({ "name": name, "vendor": vendor, "kind": "unified", "backend": backend, "vram_total_bytes": total })
}

fn machine(ram_gib: u64, ram_gb_s: f64, cores: u32, gpus: &[Value]) -> Hardware {
    let available = (ram_gib * GIB) as f64 * 0.85;
    let document = json!({
        "schema": 1,
        "cpu": { "physical_cores": cores, "features": ["avx2"] },
        "memory": { "total_bytes": ram_gib * GIB, "available_bytes": available as u64, "bandwidth_gb_s": ram_gb_s },
        "gpus": gpus,
    });
    Hardware::from_json(&document.to_string(), "machine.json".as_ref()).unwrap()
}

fn machines() -> Vec<(&'static str, Hardware)> {
    let nvidia = |name: &str, vram: f64| card(name, "nvidia", "cuda", vram, 31.5);
    let amd = |name: &str, vram: f64| card(name, "amd", "rocm", vram, 31.5);
    vec![
        ("RTX 2060 6 GB, 16 GB DDR4", machine(16, 40.0, 6, &[nvidia("NVIDIA GeForce RTX 2060", 6.0)])),
        ("RTX 2060 6 GB, 32 GB DDR4", machine(32, 40.0, 6, &[nvidia("NVIDIA GeForce RTX 2060", 6.0)])),
        ("RTX 4060 8 GB, 16 GB DDR5", machine(16, 60.0, 8, &[nvidia("NVIDIA GeForce RTX 4060", 8.0)])),
        ("RTX 4060 8 GB, 32 GB DDR5", machine(32, 60.0, 8, &[nvidia("NVIDIA GeForce RTX 4060", 8.0)])),
        ("RTX 3060 12 GB, 32 GB DDR4", machine(32, 40.0, 8, &[nvidia("NVIDIA GeForce RTX 3060", 12.0)])),
        (
            "RTX 5060 Ti 16 GB, 32 GB DDR5",
            machine(32, 60.0, 8, &[nvidia("NVIDIA GeForce RTX 5060 Ti", 16.0)]),
        ),
        ("RX 7800 XT 16 GB, 64 GB DDR5", machine(64, 60.0, 8, &[amd("AMD Radeon RX 7800 XT", 16.0)])),
        ("RTX 3090 24 GB, 64 GB DDR4", machine(64, 40.0, 8, &[nvidia("NVIDIA GeForce RTX 3090", 24.0)])),
        ("RTX 4090 24 GB, 128 GB DDR5", machine(128, 70.0, 16, &[nvidia("NVIDIA GeForce RTX 4090", 24.0)])),
        ("RTX 5090 32 GB, 64 GB DDR5", machine(64, 70.0, 16, &[nvidia("NVIDIA GeForce RTX 5090", 32.0)])),
        (
            "2 × RTX 3060 12 GB, 64 GB DDR4",
            machine(
                64,
                40.0,
                8,
                &[nvidia("NVIDIA GeForce RTX 3060", 12.0), nvidia("NVIDIA GeForce RTX 3060", 12.0)],
            ),
        ),
        ("Apple M3 16 GB", machine(16, 100.0, 8, &[unified("Apple M3", "apple", "metal", 16, 0.67)])),
        (
            "Apple M4 Pro 48 GB",
            machine(48, 273.0, 14, &[unified("Apple M4 Pro", "apple", "metal", 48, 0.75)]),
        ),
        (
            "Apple M5 Max 128 GB",
            machine(128, 614.0, 18, &[unified("Apple M5 Max", "apple", "metal", 128, 0.75)]),
        ),
        (
            "Ryzen AI Max+ 395, 128 GB (96 GB for the GPU)",
            machine(128, 256.0, 16, &[unified("AMD Radeon 8060S Graphics", "amd", "rocm", 128, 0.75)]),
        ),
        (
            "DGX Spark, 128 GB",
            machine(128, 273.0, 20, &[unified("NVIDIA GB10", "nvidia", "cuda", 128, 0.94)]),
        ),
        ("no card, 16 GB DDR4", machine(16, 40.0, 6, &[])),
        ("no card, 32 GB DDR4", machine(32, 40.0, 8, &[])),
    ]
}

fn report(hardware: &Hardware) -> Report {
    plan_all(hardware, Catalogue::built_in(), Profiles::built_in())
}

fn words(plan: &Plan) -> String {
    let text = Text::new(Language::English);
    let stars = plan
        .quality
        .as_ref()
        .map_or_else(|| "not rated".to_owned(), |quality| format!("{} ★", quality.stars));
    format!(
        "{} ({stars}), {}K {}, {}: {:.0}/{:.0} tokens/s, {:.0} s",
        plan.candidate.model.title.as_str(),
        plan.candidate.context_tokens / 1024,
        plan.setting.kv_cache_type.name(),
        plan.placement(text),
        plan.speed.decode_tokens_per_s.mid,
        plan.speed.decode_at_full_context_tokens_per_s.mid,
        plan.speed.first_token_full_prompt_s.mid,
    )
}

fn table() -> String {
    let mut lines =
        vec!["| machine | recommended | smartest | fastest |".to_owned(), "|---|---|---|---|".to_owned()];
    for (name, hardware) in machines() {
        let report = report(&hardware);
        let of_role = |role| match (report.choice(role), &report.choices.emergency_cpu) {
            (Some(Choice { why: acolyte::plan::Why::SameAs(other), .. }), _) => format!("as {}", other.id()),
            (Some(choice), _) => words(&choice.plan),
            (None, Some(emergency)) if role == Role::Recommended => {
                format!("emergency mode: {}", words(emergency))
            }
            (None, _) => "–".to_owned(),
        };
        let [recommended, smartest, fastest] = Role::ALL.map(of_role);
        lines.push(format!("| {name} | {recommended} | {smartest} | {fastest} |"));
    }
    lines.join("\n")
}

#[test]
fn the_table_in_the_documentation_is_what_the_rule_gives() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/planning.md");
    let page = std::fs::read_to_string(path).unwrap();
    let page = page.replace("\r\n", "\n");
    let start = page.find("| machine | recommended |").expect("a table of choices in docs/planning.md");
    let written = page.get(start..).unwrap().split("\n\n").next().unwrap().trim_end();
    let computed = table();
    assert_eq!(written, computed, "docs/planning.md shows other choices; the table is now:\n{computed}\n");
}

#[test]
fn every_choice_runs_by_what_is_free_now() {
    for (name, hardware) in machines() {
        let report = report(&hardware);
        let emergency = report.choices.emergency_cpu.iter();
        for plan in report.choices.choices.iter().map(|choice| &choice.plan).chain(emergency) {
            assert_ne!(plan.verdict, Verdict::Refused, "{name}: {:?}", plan.reasons);
            assert!(plan.candidate.context_tokens >= MIN_CONTEXT_TOKENS, "{name}");
            assert!(plan.memory.vram_required_bytes <= plan.vram_free_bytes(), "{name}: {}", words(plan));
            assert!(plan.memory.ram_required_bytes <= plan.ram_available_bytes(), "{name}: {}", words(plan));
            assert!(plan.quality.is_some(), "{name}: an unrated model where rated ones run: {}", words(plan));
        }
    }
}

#[test]
fn a_card_gives_three_choices_and_no_card_the_emergency_mode() {
    for (name, hardware) in machines() {
        let report = report(&hardware);
        let roles: Vec<Role> = report.choices.choices.iter().map(|choice| choice.role).collect();
        if hardware.gpus.is_empty() {
            assert_eq!((roles.len(), report.verdict), (0, Verdict::Refused), "{name}");
            assert!(report.choices.emergency_cpu.is_some(), "{name}");
        } else {
            assert_eq!(roles, Role::ALL, "{name}");
        }
        assert_eq!(report.choices.models.len(), Catalogue::built_in().models.len(), "{name}");
    }
}

#[test]
fn the_roles_keep_their_order() {
    for (name, hardware) in machines() {
        let report = report(&hardware);
        let Some(recommended) = report.choice(Role::Recommended) else { continue };
        let (smartest, fastest) =
            (report.choice(Role::Smartest).unwrap(), report.choice(Role::Fastest).unwrap());
        let stars = |choice: &Choice| choice.plan.quality.as_ref().map_or(0, |quality| quality.stars);
        let speed = |choice: &Choice| {
            let speed = choice.plan.speed;
            // Of settings as fast as each other the better one is chosen.
            (speed.decode_tokens_per_s.mid * 1.06, speed.decode_tokens_per_s.mid)
        };
        assert!(stars(smartest) >= stars(recommended), "{name}");
        assert!(speed(fastest).0 >= speed(recommended).1, "{name}");
        assert!(stars(recommended) >= stars(fastest), "{name}");
    }
}

#[test]
fn eight_and_thirty_two_gigabytes_get_what_an_expert_would_advise() {
    let (_, hardware) =
        machines().into_iter().find(|(name, _)| name.starts_with("RTX 4060 8 GB, 32")).unwrap();
    let report = report(&hardware);
    let plan = &report.choice(Role::Recommended).unwrap().plan;
    assert!(plan.setting.n_cpu_moe > 0, "{}", words(plan));
    assert!(plan.quality.as_ref().unwrap().stars >= 4, "{}", words(plan));
    assert!(plan.speed.decode_tokens_per_s.mid >= 20.0, "{}", words(plan));
    assert!(plan.speed.decode_at_full_context_tokens_per_s.mid >= 12.0, "{}", words(plan));
}

#[test]
fn less_free_memory_never_makes_a_choice_better() {
    for (name, hardware) in machines() {
        let full = report(&hardware);
        let mut busy = hardware.clone();
        for gpu in &mut busy.gpus {
            gpu.vram_free_bytes = gpu.vram_free_bytes.map(|free| free * 3 / 4);
        }
        busy.memory.available_bytes = busy.memory.available_bytes.map(|free| free * 3 / 4);
        let busy = report(&busy);
        let stars = |report: &Report| {
            report
                .choice(Role::Smartest)
                .and_then(|choice| choice.plan.quality.as_ref())
                .map_or(0, |quality| quality.stars)
        };
        assert!(stars(&busy) <= stars(&full), "{name}");
    }
}
