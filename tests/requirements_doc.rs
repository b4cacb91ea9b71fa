//! docs/requirements.md: what runs on which class of computer, from the policy and the catalogue. `UPDATE_REQUIREMENTS=1` writes
//! it anew; otherwise this test fails where it is stale.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::fmt::Write as _;

use acolyte::machine::Hardware;
use acolyte::models::Catalogue;
use acolyte::plan::{Plan, Profiles, Report, Verdict, plan_all};
use acolyte::sentences::wait;
use acolyte::text::{Language, Text};
use acolyte::{GIB, MIN_CONTEXT_TOKENS};
use serde_json::{Value, json};

/// A usual card of each size.
const CARDS: [(u64, &str); 8] = [
    (4, "NVIDIA GeForce GTX 1650"),
    (6, "NVIDIA GeForce RTX 2060"),
    (8, "NVIDIA GeForce RTX 4060"),
    (10, "NVIDIA GeForce RTX 3080"),
    (12, "NVIDIA GeForce RTX 3060"),
    (16, "NVIDIA GeForce RTX 5060 Ti"),
    (24, "NVIDIA GeForce RTX 3090"),
    (32, "NVIDIA GeForce RTX 5090"),
];
/// Sizes of main memory in GB.
const RAM_GB: [u64; 4] = [8, 16, 32, 64];
/// Computers whose GPU shares main memory, which the GPU may use a part of.
const UNIFIED: [(u64, &str, &str, &str, f64, f64); 5] = [
    (16, "Apple M3", "apple", "metal", 100.0, 0.67),
    (32, "Apple M4", "apple", "metal", 120.0, 0.67),
    (48, "Apple M4 Pro", "apple", "metal", 273.0, 0.75),
    (128, "Apple M5 Max", "apple", "metal", 614.0, 0.75),
    (128, "AMD Radeon 8060S Graphics", "amd", "rocm", 256.0, 0.75),
];
/// Computers that people ask about and that do not run it.
const NOT_USABLE: [(&str, &str, &str, f64); 4] = [
    ("Intel UHD Graphics 630", "intel", "integrated", 0.0),
    ("AMD Radeon Vega 8 Graphics", "amd", "integrated", 2.0),
    ("Quadro 6000", "nvidia", "discrete", 6.0),
    ("NVIDIA GeForce GTX 1650", "nvidia", "discrete", 4.0),
];

/// The words of one language.
struct Words {
    language: Language,
    title: &'static str,
    about: &'static str,
    not_title: &'static str,
    not_about: &'static str,
    card_title: &'static str,
    card_about: &'static str,
    head: &'static str,
    unified_title: &'static str,
    unified_head: &'static str,
    none_title: &'static str,
    none_head: &'static str,
    buy_title: &'static str,
    buy_about: &'static str,
    buy_ram: &'static str,
    buy_card: &'static str,
    whole: &'static str,
    on_processor: &'static str,
    emergency: &'static str,
    nothing: &'static str,
}

const ENGLISH: Words = Words {
    language: Language::English,
    title: "# Requirements",
    about: "What runs on which computer, without embellishment. Every figure is an estimate of this program for a usual computer of \
            that size with the desktop running; `acolyte check-requirements` computes yours. The context has {context} tokens \
            at least, always: with less the assistant does not work, so nothing here saves memory by shortening it.",
    not_title: "## What does not work",
    not_about: "Below {refused} GB of graphics memory nothing is offered but the emergency mode on the processor. So too for:",
    card_title: "## With a graphics card",
    card_about: "Below {degraded} GB the card is degraded: it works, and little else fits beside it. Below {slow} tokens/s, or \
                 with more than {wait} s to the first token of a full prompt, you have to agree to it first. Speeds are ranges \
                 that hold 8 times out of 10: with an empty context, and with a full one.",
    head: "| graphics memory | main memory | verdict | best choice | tokens/s, empty | full | first token, full prompt | limits |\n|---|---|---|---|---|---|---|---|",
    unified_title: "## With memory that processor and GPU share",
    unified_head: "| computer | memory | verdict | best choice | tokens/s, empty | full | first token, full prompt | limits |\n|---|---|---|---|---|---|---|---|",
    none_title: "## Without a usable card: emergency mode",
    none_head: "| main memory | best choice | tokens/s, empty | full | first token, full prompt |\n|---|---|---|---|---|",
    buy_title: "## What to buy",
    buy_about: "Steps that bring a better model, by its stars ([quality.md](quality.md)), or the first verdict without limits:",
    buy_ram: "- {vram} GB card: {from} → {to} GB of main memory brings {better} instead of {before}.",
    buy_card: "- {ram} GB of main memory: a card of {to} GB instead of {from} GB brings {better} instead of {before}.",
    whole: "–",
    on_processor: "emergency mode: ",
    emergency: "emergency mode",
    nothing: "nothing runs",
};

const SPANISH: Words = Words {
    language: Language::Spanish,
    title: "# Requisitos",
    about: "Qué funciona en cada equipo, sin adornos. Cada cifra es una estimación de este programa para un equipo habitual de ese \
            tamaño con el escritorio en marcha; `acolyte check-requirements` calcula las tuyas. El contexto es siempre de {context} \
            tokens como mínimo: con menos el asistente no funciona, así que aquí nada ahorra memoria acortándolo.",
    not_title: "## Qué no funciona",
    not_about: "Con menos de {refused} GB de memoria gráfica solo se ofrece el modo de emergencia en el procesador. Tampoco sirven:",
    card_title: "## Con tarjeta gráfica",
    card_about: "Con menos de {degraded} GB la tarjeta queda degradada: funciona, pero casi nada más cabe a su lado. Por debajo de \
                 {slow} tokens/s, o con más de {wait} s hasta el primer token de un prompt completo, hay que aceptarlo antes. Las \
                 velocidades son intervalos que aciertan 8 de cada 10 veces: con el contexto vacío y con el contexto lleno.",
    head: "| memoria gráfica | memoria | veredicto | mejor opción | tokens/s, vacío | lleno | primer token, prompt completo | límites |\n|---|---|---|---|---|---|---|---|",
    unified_title: "## Con memoria compartida entre procesador y GPU",
    unified_head: "| equipo | memoria | veredicto | mejor opción | tokens/s, vacío | lleno | primer token, prompt completo | límites |\n|---|---|---|---|---|---|---|---|",
    none_title: "## Sin tarjeta utilizable: modo de emergencia",
    none_head: "| memoria | mejor opción | tokens/s, vacío | lleno | primer token, prompt completo |\n|---|---|---|---|---|",
    buy_title: "## Qué comprar",
    buy_about: "Pasos que traen un modelo mejor, por sus estrellas ([quality.md](quality.md)), o el primer veredicto sin límites:",
    buy_ram: "- Tarjeta de {vram} GB: pasar de {from} a {to} GB de memoria trae {better} en lugar de {before}.",
    buy_card: "- {ram} GB de memoria: una tarjeta de {to} GB en lugar de {from} GB trae {better} en lugar de {before}.",
    whole: "–",
    on_processor: "modo de emergencia: ",
    emergency: "modo de emergencia",
    nothing: "no funciona nada",
};

fn machine(ram_gb: u64, ram_gb_s: f64, gpus: &[Value]) -> Hardware {
    // What a desktop leaves: 2 GB less, and a tenth.
    let available = (ram_gb * GIB) as f64 * 0.9 - (2 * GIB) as f64;
    let document = json!({
        "schema": 1,
        "cpu": { "physical_cores": 8, "features": ["avx2"] },
        "memory": { "total_bytes": ram_gb * GIB, "available_bytes": available as u64, "bandwidth_gb_s": ram_gb_s },
        "gpus": gpus,
    });
    Hardware::from_json(&document.to_string(), "machine.json".as_ref()).unwrap()
}

fn report(hardware: &Hardware) -> Report {
    plan_all(hardware, Catalogue::built_in(), Profiles::built_in())
}

fn with_card(vram_gb: u64, name: &str, ram_gb: u64) -> Report {
    let total = vram_gb * GIB;
    let card = json!({ "name": name, "vendor": "nvidia", "kind": "discrete", "backend": "cuda", "vram_total_bytes": total,
                       "vram_free_bytes": total - 600 * (1 << 20), "bus_gb_s": 15.8 });
    report(&machine(ram_gb, 50.0, &[card]))
}

fn verdict_of(report: &Report) -> (Verdict, Option<&Plan>) {
    let plan = report.plan_to_continue_with();
    (
        if report.choices.choices.is_empty() {
            Verdict::Refused
        } else {
            plan.map_or(Verdict::Refused, |plan| plan.verdict)
        },
        plan,
    )
}

fn stars(plan: &Plan) -> u8 {
    plan.quality.as_ref().map_or(0, |quality| quality.stars)
}

fn model(plan: &Plan) -> String {
    format!("{} ({} ★), {}K", plan.candidate.model.title, stars(plan), plan.candidate.context_tokens / 1024)
}

/// The cells from the verdict on.
fn cells(report: &Report, words: &Words, text: Text) -> String {
    let (verdict, plan) = verdict_of(report);
    let Some(plan) = plan else {
        return format!("{} | {} | – | – | – | –", verdict.title(text), words.nothing);
    };
    let before = if plan.candidate.is_cpu_only() { words.on_processor } else { "" };
    let limits: Vec<String> = plan.limits().map(|reason| reason.title(text)).collect();
    format!(
        "{} | {before}{} | {} | {} | {} | {}",
        verdict.title(text),
        model(plan),
        text.range(plan.speed.decode_tokens_per_s),
        text.range(plan.speed.decode_at_full_context_tokens_per_s),
        wait(plan.speed.first_token_full_prompt_s, text),
        if limits.is_empty() { words.whole.to_owned() } else { limits.join("; ") },
    )
}

fn filled(sentence: &str, values: &[(&str, String)]) -> String {
    values.iter().fold(sentence.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

fn page(words: &Words) -> String {
    let text = Text::new(words.language);
    let policy = &Profiles::built_in().policy;
    let values = [
        ("context", text.count(u64::from(MIN_CONTEXT_TOKENS))),
        ("refused", policy.refused_below_vram_gb.to_string()),
        ("degraded", policy.degraded_below_vram_gb.to_string()),
        ("slow", format!("{:.0}", policy.slow_below_tokens_per_s)),
        ("wait", format!("{:.0}", policy.slow_above_first_token_s)),
    ];
    let say = |sentence: &str| filled(sentence, &values);
    let mut out = format!("{}\n\n{}\n\n", words.title, say(words.about));
    write!(out, "{}\n\n{}\n\n", words.not_title, say(words.not_about)).unwrap();
    for (name, vendor, kind, vram_gib) in NOT_USABLE {
        let gpu = json!({ "name": name, "vendor": vendor, "kind": kind, "vram_total_bytes": (vram_gib * GIB as f64) as u64 });
        let report = report(&machine(16, 40.0, &[gpu]));
        assert_eq!(report.verdict, Verdict::Refused, "{name}");
        let why = report.reasons.first().expect("a reason").text(text);
        writeln!(out, "- {name}: {why}").unwrap();
    }
    write!(out, "\n{}\n\n{}\n\n{}\n", words.card_title, say(words.card_about), words.head).unwrap();
    for (vram_gb, name) in CARDS {
        for ram_gb in RAM_GB {
            let report = with_card(vram_gb, name, ram_gb);
            let short = name.trim_start_matches("NVIDIA GeForce ");
            writeln!(out, "| {vram_gb} GB ({short}) | {ram_gb} GB | {} |", cells(&report, words, text))
                .unwrap();
        }
    }
    write!(out, "\n{}\n\n{}\n", words.unified_title, words.unified_head).unwrap();
    for (ram_gb, name, vendor, backend, ram_gb_s, share) in UNIFIED {
        let total = ((ram_gb * GIB) as f64 * share) as u64;
        let gpu = json!({ "name": name, "vendor": vendor, "kind": "unified", "backend": backend, "vram_total_bytes": total });
        let report = report(&machine(ram_gb, ram_gb_s, &[gpu]));
        writeln!(out, "| {name} | {ram_gb} GB | {} |", cells(&report, words, text)).unwrap();
    }
    write!(out, "\n{}\n\n{}\n", words.none_title, words.none_head).unwrap();
    for ram_gb in RAM_GB {
        let report = report(&machine(ram_gb, 40.0, &[]));
        match &report.choices.emergency_cpu {
            Some(plan) => writeln!(
                out,
                "| {ram_gb} GB | {} | {} | {} | {} |",
                model(plan),
                text.range(plan.speed.decode_tokens_per_s),
                text.range(plan.speed.decode_at_full_context_tokens_per_s),
                wait(plan.speed.first_token_full_prompt_s, text)
            ),
            None => writeln!(out, "| {ram_gb} GB | {} | – | – | – |", words.nothing),
        }
        .unwrap();
    }
    write!(out, "\n{}\n\n{}\n\n", words.buy_title, words.buy_about).unwrap();
    for step in steps(words, text) {
        writeln!(out, "{step}").unwrap();
    }
    out
}

/// More main memory for a card, then a larger card, where that brings more stars or the first verdict without limits.
fn steps(words: &Words, text: Text) -> Vec<String> {
    let reports: Vec<Vec<Report>> = CARDS
        .iter()
        .map(|(vram, name)| RAM_GB.map(|ram| with_card(*vram, name, ram)).into_iter().collect())
        .collect();
    let described = |report: &Report| {
        let (verdict, plan) = verdict_of(report);
        plan.map_or(words.nothing.to_owned(), |plan| {
            let state = verdict.title(text).to_lowercase();
            let state = if plan.candidate.is_cpu_only() { words.emergency } else { state.as_str() };
            format!("{} ({state})", model(plan))
        })
    };
    let is_better = |after: &Report, before: &Report| {
        let rank = |report| match verdict_of(report) {
            (_, None) => (0, false),
            (verdict, Some(plan)) => (stars(plan), verdict == Verdict::Compatible),
        };
        let ((stars_after, good_after), (stars_before, good_before)) = (rank(after), rank(before));
        stars_after > stars_before || (good_after && !good_before && stars_after >= stars_before)
    };
    let mut said = Vec::new();
    for (by_ram, (vram, _)) in reports.iter().zip(CARDS) {
        for (pair, sizes) in by_ram.windows(2).zip(RAM_GB.windows(2)) {
            if is_better(&pair[1], &pair[0]) {
                let values = [
                    ("vram", vram.to_string()),
                    ("from", sizes[0].to_string()),
                    ("to", sizes[1].to_string()),
                    ("better", described(&pair[1])),
                    ("before", described(&pair[0])),
                ];
                said.push(filled(words.buy_ram, &values));
            }
        }
    }
    for (index, ram) in RAM_GB.iter().enumerate() {
        for (pair, cards) in reports.windows(2).zip(CARDS.windows(2)) {
            if is_better(&pair[1][index], &pair[0][index]) {
                let values = [
                    ("ram", ram.to_string()),
                    ("from", cards[0].0.to_string()),
                    ("to", cards[1].0.to_string()),
                    ("better", described(&pair[1][index])),
                    ("before", described(&pair[0][index])),
                ];
                said.push(filled(words.buy_card, &values));
            }
        }
    }
    assert!(!said.is_empty());
    said
}

#[test]
fn the_page_of_requirements_is_what_policy_and_catalogue_give() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/requirements.md");
    let note = "<!-- Written by tests/requirements_doc.rs (UPDATE_REQUIREMENTS=1 cargo test --test requirements_doc). -->";
    let computed =
        format!("{note}\n\nEnglish · [Español](#requisitos)\n\n{}\n{}", page(&ENGLISH), page(&SPANISH));
    if std::env::var_os("UPDATE_REQUIREMENTS").is_some() {
        std::fs::write(path, &computed).unwrap();
        return;
    }
    let written = std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
    assert_eq!(
        written, computed,
        "docs/requirements.md is stale: UPDATE_REQUIREMENTS=1 cargo test --test requirements_doc"
    );
}
