use super::*;
use proptest::prelude::*;

fn any_candidate() -> impl Strategy<Value = Candidate> {
    let all = candidates(Profiles::built_in(), Catalogue::built_in());
    (proptest::sample::select(all), proptest::sample::select(KvCacheType::ALL.to_vec()))
        .prop_map(|(candidate, kv_cache_type)| Candidate { kv_cache_type, ..candidate })
}

fn any_kind() -> impl Strategy<Value = GpuKind> {
    proptest::sample::select(vec![
        GpuKind::Discrete,
        GpuKind::Integrated,
        GpuKind::Unified,
        GpuKind::Software,
        GpuKind::Virtual,
    ])
}

proptest! {
    #[test]
    fn more_free_vram_never_worsens_anything(
        candidate in any_candidate(),
        vram_mib in 1_u64..40_000,
        free in 0.0_f64..1.0,
        more in 0.0_f64..1.0,
        ram_gib in 1_u64..128,
    ) {
        let total = vram_mib * MIB;
        let (free, more) = ((total as f64 * free.min(more)) as u64, (total as f64 * free.max(more)) as u64);
        let at = |free| make_plan(&candidate, &machine_with(card(total, Some(free)), ram_gib * GIB, None), policy());
        let (less, more) = (at(free), at(more));
        prop_assert!(more.gpu_layers() >= less.gpu_layers());
        prop_assert!(more.verdict <= less.verdict, "{:?} became {:?}", less.reasons, more.reasons);
        prop_assert!(more.speed.decode_tokens_per_s.mid >= less.speed.decode_tokens_per_s.mid * 0.999_999);
    }

    #[test]
    fn more_main_memory_never_worsens_the_verdict(
        candidate in any_candidate(),
        vram_gib in 1_u64..32,
        ram_gib in 1_u64..128,
        more_gib in 0_u64..128,
    ) {
        let at = |ram| make_plan(&candidate, &machine_with(card(vram_gib * GIB, None), ram * GIB, None), policy());
        prop_assert!(at(ram_gib + more_gib).verdict <= at(ram_gib).verdict);
    }

    #[test]
    fn the_plan_fits_and_no_machine_panics(
        kind in any_kind(),
        vram in 0_u64..(1 << 50),
        free in proptest::option::of(0_u64..(1 << 50)),
        ram in 1_u64..(1 << 50),
        available in proptest::option::of(0_u64..(1 << 50)),
        bandwidth in proptest::option::of(1e-9_f64..1e5),
        name in "[a-zA-Z0-9 ]{0,20}",
    ) {
        let mut only = gpu(&name, kind, vram, free.map(|free| free.min(vram)));
        only.memory_bandwidth_gb_s = bandwidth;
        let hardware = machine_with(vec![only], ram, available.map(|available| available.min(ram)));
        let report = plan_all(&hardware, Catalogue::built_in(), Profiles::built_in());
        for one in &report.plans {
            prop_assert!(one.gpu_layers() <= one.total_layers);
            if one.verdict != Verdict::Refused {
                prop_assert!(one.memory.vram_required_bytes <= one.vram_free_bytes());
                prop_assert!(one.candidate.context_tokens >= MIN_CONTEXT_TOKENS);
                prop_assert!(!one.reasons.is_empty());
            }
        }
        prop_assert_eq!(report.recommended.is_some(), report.verdict != Verdict::Refused);
        let text = Text::new(Language::English);
        let json = serde_json::to_string(&json::ReportJson::new(&report, &hardware, text)).unwrap();
        prop_assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
        prop_assert!(!crate::sentences::report::requirements(&report, &hardware, text, None).is_empty());
    }
}
