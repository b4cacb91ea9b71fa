#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod experts;
mod properties;

use crate::say;
use crate::sentences::{banner, consent_record, consent_text, json};

use crate::machine::{Gpu, GpuBackend, GpuKind, Hardware, MainMemory, Os};
use crate::models::{Catalogue, KvCacheType};
use crate::plan::*;
use crate::text::{Language, Text};
use crate::{GIB, MIB, MIN_CONTEXT_TOKENS};

fn policy() -> &'static Policy {
    &Profiles::built_in().policy
}

fn candidate(id: &str) -> Candidate {
    candidates(Profiles::built_in(), Catalogue::built_in())
        .into_iter()
        .find(|candidate| candidate.id == id)
        .expect("a built-in profile")
}

fn gpu(name: &str, kind: GpuKind, vram: u64, free: Option<u64>) -> Gpu {
    Gpu { vram_free_bytes: free, ..Gpu::named(name, kind, Some(vram)) }
}

fn machine_with(gpus: Vec<Gpu>, ram: u64, available: Option<u64>) -> Hardware {
    Hardware::with(MainMemory { total_bytes: ram, available_bytes: available, bandwidth_gb_s: None }, gpus)
}

fn card(vram: u64, free: Option<u64>) -> Vec<Gpu> {
    vec![gpu("NVIDIA GeForce RTX 3060", GpuKind::Discrete, vram, free)]
}

fn has(plan: &Plan, wanted: impl Fn(&Reason) -> bool) -> bool {
    plan.reasons.iter().any(wanted)
}

#[test]
fn a_model_that_does_not_fit_one_card_is_planned_on_all_cards() {
    let tag = "qwen2.5-coder:32b";
    let model = Catalogue::built_in().find(tag).expect("a model of the catalogue");
    let candidate = custom_candidate(model, KvCacheType::Q8_0, MIN_CONTEXT_TOKENS, Layers::Fit, policy());
    let card = |name: &str| gpu(name, GpuKind::Discrete, 16 * GIB, Some(15 * GIB + 512 * MIB));
    let assessed =
        |gpus: Vec<Gpu>| make_plan(&candidate, &machine_with(gpus, 64 * GIB, Some(56 * GIB)), policy());

    let one = assessed(vec![card("NVIDIA GeForce RTX 4080")]);
    assert!(one.gpu_layers() < one.total_layers);
    let two = assessed(vec![card("NVIDIA GeForce RTX 4080"), card("NVIDIA GeForce RTX 4080")]);
    assert_eq!(two.gpu_layers(), two.total_layers, "{:?}", two.reasons);
    assert_eq!(two.vram_total_bytes(), 32 * GIB);
    assert!(two.speed.decode_tokens_per_s.mid > one.speed.decode_tokens_per_s.mid);
    assert!(has(&two, |r| matches!(r, Reason::SeveralCards { count: 2, .. })), "{:?}", two.reasons);

    // Cards of another backend and shared memory are not included.
    let radeon = gpu("AMD Radeon RX 6600", GpuKind::Discrete, 8 * GIB, Some(7 * GIB));
    let mixed = assessed(vec![card("NVIDIA GeForce RTX 4080"), radeon]);
    assert_eq!(mixed.gpu_layers(), one.gpu_layers());
    // A model that fits one card is planned on one.
    let small = self::candidate("standard_16gb");
    let hardware =
        machine_with(vec![card("NVIDIA GeForce RTX 4080"), card("NVIDIA GeForce RTX 4080")], 64 * GIB, None);
    assert_eq!(machine_for(&small, &hardware, policy()).gpus.len(), 1);
}

#[test]
fn cards_are_named_by_their_advertised_size() {
    for (mib, gb) in [
        (2_048, 2),
        (4_096, 4),
        (5_939, 6),
        (6_144, 6),
        (8_188, 8),
        (8_192, 8),
        (10_240, 10),
        (11_264, 11),
        (12_282, 12),
        (15_360, 16),
        (16_380, 16),
        (20_470, 20),
        (23_028, 24),
        (24_564, 24),
        (32_607, 32),
        (49_140, 48),
        (81_559, 80),
        (97_887, 96),
    ] {
        assert_eq!(policy().nominal_vram_gb(mib * MIB), gb, "{mib} MiB");
    }
    for (gib, gb) in
        [(7.6, 8), (15.4, 16), (15.9, 16), (31.2, 32), (11.7, 12), (62.7, 64), (8.0, 8), (5.8, 6)]
    {
        assert_eq!(policy().nominal_ram_gb((gib * GIB as f64) as u64), gb, "{gib} GiB");
    }
}

#[test]
fn degraded_plans_need_consent() {
    let small =
        make_plan(&candidate("hybrid_8gb"), &machine_with(card(8 * GIB, None), 16 * GIB, None), policy());
    assert_eq!(small.verdict, Verdict::Degraded);
    assert!(has(&small, |r| *r == Reason::SmallCard { have_gib: 8, comfortable_gib: 12 }));
    assert!(small.improvements.contains(&Improvement::LargerCard { need_gib: 12 }));

    let comfortable = machine_with(card(12 * GIB, None), 16 * GIB, None);
    let good = make_plan(&candidate("hybrid_8gb"), &comfortable, policy());
    assert_eq!((good.verdict, good.grade), (Verdict::Compatible, Some(Grade::Good)));
    // How much is free is not known here, so nothing is promised.
    assert!(matches!(good.reasons[0], Reason::FitsIfFree { .. }), "{:?}", good.reasons);
    let known = machine_with(card(12 * GIB, Some(11 * GIB)), 16 * GIB, None);
    let known = make_plan(&candidate("hybrid_8gb"), &known, policy());
    assert!(matches!(known.reasons[0], Reason::Fits { .. }), "{:?}", known.reasons);

    let q4 = Candidate { kv_cache_type: KvCacheType::Q4_0, ..candidate("hybrid_8gb") };
    let q4 = make_plan(&q4, &comfortable, policy());
    assert_eq!((q4.verdict, q4.limits().collect::<Vec<_>>()), (Verdict::Degraded, vec![&Reason::KvQ4]));
    // For this family a q4_0 cache leaves nothing useful.
    let lost = Reason::KvQualityLost { kv_cache_type: KvCacheType::Q4_0, similarity: 0.083 };
    assert!(q4.reasons.contains(&lost), "{:?}", q4.reasons);

    let busy = machine_with(card(12 * GIB, Some(5 * GIB)), 16 * GIB, None);
    let partial = make_plan(&candidate("hybrid_8gb"), &busy, policy());
    assert!(has(&partial, |r| matches!(r, Reason::LayersOnCpu { .. })), "{:?}", partial.reasons);
    let more = partial.improvements.first().expect("programs could be closed");
    assert!(
        matches!(more, Improvement::CloseGpuPrograms { gpu_layers: 29, total_layers: 29, .. }),
        "{more:?}"
    );

    let mut slow = card(12 * GIB, None);
    slow[0].memory_bandwidth_gb_s = Some(25.0);
    let slow = make_plan(&candidate("hybrid_8gb"), &machine_with(slow, 16 * GIB, None), policy());
    assert!(has(&slow, |r| matches!(r, Reason::SlowDecode { tokens_per_s, .. } if *tokens_per_s < 10.0)));
}

#[test]
fn a_full_card_is_refused_until_programs_are_closed() {
    let full = machine_with(card(8 * GIB, Some(200 * MIB)), 16 * GIB, None);
    let refused = make_plan(&candidate("hybrid_8gb"), &full, policy());
    assert_eq!((refused.verdict, refused.gpu_layers()), (Verdict::Refused, 0));
    assert!(has(&refused, |r| matches!(r, Reason::VramShort { fits_when_closed: true, .. })));
    assert!(matches!(refused.improvements[0], Improvement::CloseGpuPrograms { gpu_layers: 29, .. }));
}

#[test]
fn main_memory_counts() {
    // Two thirds of the model on the processor, and hardly any memory for them.
    let low = machine_with(card(8 * GIB, Some(2 * GIB)), 16 * GIB, Some(GIB));
    let short = make_plan(&candidate("hybrid_8gb_quality"), &low, policy());
    assert_eq!(short.verdict, Verdict::Degraded);
    assert!(has(&short, |r| matches!(r, Reason::RamShort { fits_when_closed: true, .. })));
    assert!(short.improvements.iter().any(|i| matches!(i, Improvement::CloseRamPrograms { .. })));
    let tiny = machine_with(card(8 * GIB, Some(2 * GIB)), 4 * GIB, None);
    let refused = make_plan(&candidate("hybrid_8gb_quality"), &tiny, policy());
    assert_eq!(refused.verdict, Verdict::Refused);
    assert!(has(&refused, |r| matches!(r, Reason::ProfileNeedsRam { have_gib: 4, need_gib: 16 })));
}

#[test]
fn old_cards_cannot_use_a_quantised_cache() {
    let mut old = card(12 * GIB, None);
    old[0].compute_capability = "5.2".parse().ok();
    old[0].backend = Some(GpuBackend::Cuda);
    let old = machine_with(old, 16 * GIB, None);
    let refused = make_plan(&candidate("hybrid_8gb"), &old, policy());
    assert!(has(&refused, |r| matches!(r, Reason::KvNeedsFlashAttention { .. })));
    assert!(
        refused.improvements.contains(&Improvement::OtherKvCacheType { kv_cache_type: KvCacheType::F16 })
    );
    let f16 = Candidate { kv_cache_type: KvCacheType::F16, ..candidate("hybrid_8gb") };
    assert_ne!(make_plan(&f16, &old, policy()).verdict, Verdict::Refused);
}

#[test]
fn the_emergency_mode_runs_without_a_card_and_has_its_reason() {
    let emergency = emergency_candidate(Profiles::built_in(), Catalogue::built_in()).unwrap();
    assert!(emergency.context_tokens >= MIN_CONTEXT_TOKENS);
    for gpus in [Vec::new(), card(8 * GIB, None)] {
        let one = make_plan(&emergency, &machine_with(gpus, 16 * GIB, None), policy());
        assert_eq!(
            (one.verdict, one.gpu_layers(), one.memory.vram_required_bytes),
            (Verdict::Degraded, 0, 0)
        );
        assert_eq!(one.reasons[0], Reason::CpuOnly);
    }
    let no_memory = make_plan(&emergency, &machine_with(Vec::new(), GIB, None), policy());
    assert_eq!(no_memory.verdict, Verdict::Refused);
}

#[test]
fn licences_and_disk_space_do_not_change_the_verdict() {
    let mut hardware = machine_with(card(12 * GIB, None), 16 * GIB, None);
    hardware.disks.push(crate::machine::Disk {
        path: "/".into(),
        free_bytes: Some(GIB),
        ..Default::default()
    });
    let one = make_plan(&candidate("light_6gb"), &hardware, policy());
    assert_eq!(one.verdict, Verdict::Compatible);
    assert!(has(&one, |r| matches!(r, Reason::NonCommercial { .. })));
    assert!(has(&one, |r| matches!(r, Reason::DiskShort { .. })));
    assert!(one.improvements.iter().any(|i| matches!(i, Improvement::FreeDisk { .. })));
}

#[test]
fn the_backend_is_known_from_the_name() {
    for (name, backend) in [
        ("NVIDIA GeForce RTX 3060", GpuBackend::Cuda),
        ("Quadro P5000", GpuBackend::Cuda),
        ("AMD Radeon RX 7800 XT", GpuBackend::Rocm),
        ("Intel Arc B580", GpuBackend::Vulkan),
        ("Apple M3 Pro", GpuBackend::Metal),
        ("Acme Painter", GpuBackend::Vulkan),
    ] {
        let hardware = machine_with(vec![gpu(name, GpuKind::Discrete, 12 * GIB, None)], 16 * GIB, None);
        assert_eq!(machine(&hardware, policy()).gpus[0].backend, backend, "{name}");
    }
}

#[test]
fn every_reason_has_words_in_both_languages() {
    let hardware = machine_with(card(8 * GIB, Some(3 * GIB)), 16 * GIB, Some(2 * GIB));
    for language in Language::ALL {
        let text = Text::new(language);
        for candidate in candidates(Profiles::built_in(), Catalogue::built_in()) {
            let one = make_plan(&candidate, &hardware, policy());
            for reason in &one.reasons {
                for words in [reason.title(text), reason.text(text)] {
                    assert!(!words.is_empty() && !words.contains("plan-") && !words.contains('{'), "{words}");
                }
            }
            let consent = consent_text(&one, text);
            assert!(consent.contains(&candidate.id) && consent.contains(candidate.model.title.as_str()));
            let agreed = say!(text, "plan-consent-agree");
            assert!(!consent.contains(&agreed), "nobody has agreed yet: {consent}");
            assert!(consent_record(&one, text).ends_with(&agreed));
            if one.verdict == Verdict::Degraded {
                let banner = banner(&one, text).expect("degraded mode has a banner");
                let lower = banner.to_lowercase();
                for limit in one.limits() {
                    let title = limit.title(text).to_lowercase();
                    assert!(!banner.contains('\n') && lower.contains(&title), "{banner}: {title}");
                }
                assert!(!banner.contains(": Tarjeta") && !banner.contains("; Capas"), "{banner}");
            } else {
                assert_eq!(banner(&one, text), None);
            }
        }
    }
}

#[test]
fn the_hardware_document_round_trips() {
    let mut hardware = machine_with(card(8 * GIB, Some(3 * GIB)), 16 * GIB, None);
    hardware.gpus[0].sources.insert("vram_total_bytes".to_owned(), "nvml".into());
    let json = serde_json::to_string(&hardware).unwrap();
    assert_eq!(Hardware::from_json(&json, std::path::Path::new("x")).unwrap(), hardware);
}

/// Ollama would compute on the processor, so the verdict must not be compatible.
#[test]
fn a_card_that_the_engine_does_not_use_is_not_planned_with() {
    let mut card = gpu("NVIDIA GeForce RTX 4090", GpuKind::Discrete, 24 * GIB, Some(23 * GIB));
    card.driver_version = Some("535.129".into());
    let mut hardware = machine_with(vec![card.clone()], 64 * GIB, Some(48 * GIB));
    let plan_of = |hardware: &Hardware| make_plan(&candidate("hybrid_8gb"), hardware, policy());
    assert_ne!(plan_of(&hardware).verdict, Verdict::Refused);

    hardware.gpus[0].blocked = Some(crate::machine::Blocked::NvidiaDriverTooOld);
    let refused = plan_of(&hardware);
    assert_eq!(refused.verdict, Verdict::Refused);
    let text = Text::new(Language::English);
    let why = refused.reasons[0].text(text);
    assert!(matches!(refused.reasons[0], Reason::EngineRefuses { .. }), "{why}");
    assert!(why.contains("535.129") && why.contains("550"), "{why}");
    assert!(!refused.improvements.iter().any(|i| matches!(i, Improvement::LargerCard { .. })), "{why}");

    // With another working card it has no effect.
    hardware.gpus.push(gpu("Other", GpuKind::Discrete, 12 * GIB, Some(11 * GIB)));
    assert_ne!(plan_of(&hardware).verdict, Verdict::Refused);
}

#[test]
fn a_system_that_the_engine_does_not_run_on_refuses_everything() {
    let card = gpu("Apple M1", GpuKind::Unified, 11 * GIB, Some(9 * GIB));
    let mut hardware = machine_with(vec![card], 16 * GIB, Some(12 * GIB));
    hardware.os =
        Os { name: Some("macos".into()), version: Some("13.6".into()), arch: Some("aarch64".into()) };
    for one in plan_all(&hardware, Catalogue::built_in(), Profiles::built_in()).plans {
        assert_eq!(one.verdict, Verdict::Refused, "{}", one.candidate.id);
        assert!(one.reasons.iter().any(|reason| reason.code() == "engine_refuses"), "{}", one.candidate.id);
    }
    hardware.os.version = Some("14.0".into());
    let report = plan_all(&hardware, Catalogue::built_in(), Profiles::built_in());
    assert_ne!(report.verdict, Verdict::Refused);
}

#[test]
fn a_kept_placement_has_its_own_figures() {
    let hardware = machine_with(card(12 * GIB, Some(11 * GIB)), 32 * GIB, Some(24 * GIB));
    let planned = make_plan(&candidate("basic_12gb"), &hardware, policy());
    assert_eq!((planned.verdict, planned.gpu_layers()), (Verdict::Compatible, planned.total_layers));
    assert!(planned.consent.is_none());

    let kept = planned.with_placement(planned.total_layers - 8, 0, KvCacheType::Q4_0);
    assert_eq!(
        (kept.verdict, kept.grade, kept.setting.kv_cache_type),
        (Verdict::Degraded, None, KvCacheType::Q4_0)
    );
    assert_eq!(kept.gpu_layers(), planned.total_layers - 8);
    assert!(kept.memory.vram_required_bytes < planned.memory.vram_required_bytes);
    assert!(kept.speed.decode_tokens_per_s.mid < planned.speed.decode_tokens_per_s.mid);
    assert!(has(&kept, |reason| *reason == Reason::KvQ4));
    assert!(has(&kept, |reason| matches!(reason, Reason::LayersOnCpu { cpu_layers: 8, .. })));
    assert_eq!(kept.consent.as_ref().unwrap().limits.len(), kept.limits().count());
    assert_eq!(kept.disk_needs, planned.disk_needs);

    // With the planned placement nothing changes.
    let same = planned.with_placement(planned.gpu_layers(), 0, planned.setting.kv_cache_type);
    assert_eq!((same.verdict, same.memory, same.speed), (planned.verdict, planned.memory, planned.speed));
}

#[test]
fn the_drives_change_only_remarks() {
    let mut hardware = machine_with(card(12 * GIB, None), 16 * GIB, None);
    let drive = |free_bytes| crate::machine::Disk {
        path: "/models".into(),
        free_bytes: Some(free_bytes),
        used_for: vec![crate::machine::DiskUse::Engine, crate::machine::DiskUse::Models],
        ..Default::default()
    };
    hardware.disks.push(drive(GIB));
    let full = plan_all(&hardware, Catalogue::built_in(), Profiles::built_in());
    let best = full.recommended().unwrap();
    assert!(has(best, |reason| matches!(reason, Reason::DiskShort { .. })));
    let roomy = Inventory { drives: vec![drive(500 * GIB)], ..Inventory::default() };
    let after = full.clone().with_inventory(&roomy);
    assert_eq!((&after.recommended, after.verdict), (&full.recommended, full.verdict));
    let best = after.recommended().unwrap();
    assert!(!has(best, |reason| matches!(reason, Reason::DiskShort { .. })));
    assert_eq!(after.reasons, best.reasons);
}
