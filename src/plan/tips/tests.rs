#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::machine::{
    Cpu, Disk, DiskKind, DiskUse, Finding, Gpu, GpuKind, GpuState, Hardware, MainMemory, RamModule,
    RamProgram, Slowdown,
};
use crate::models::{Catalogue, KvCacheType};
use crate::plan::{Layers, Plan, Policy, Profiles, Verdict, candidates, custom_candidate, make_plan};
use crate::{GIB, MIB, MIN_CONTEXT_TOKENS};

const CARD: &str = "NVIDIA GeForce RTX 3060 Ti";

fn policy() -> &'static Policy {
    &Profiles::built_in().policy
}

/// A desktop with an 8 GB card, of which so much is free, and 32 GB of main memory that reads 40 GB/s.
fn desktop(free_mib: u64) -> Hardware {
    let card =
        Gpu { vram_free_bytes: Some(free_mib * MIB), ..Gpu::named(CARD, GpuKind::Discrete, Some(8 * GIB)) };
    let memory =
        MainMemory { total_bytes: 32 * GIB, available_bytes: Some(28 * GIB), bandwidth_gb_s: Some(40.0) };
    let cpu = Cpu { physical_cores: Some(6), ..Cpu::default() };
    Hardware { cpu, ..Hardware::with(memory, vec![card]) }
}

fn held(program: &str, mib: u64) -> Finding {
    Finding::VramHeld { gpu: CARD.into(), program: program.into(), bytes: mib * MIB }
}

fn plan_of(profile: &str, hardware: &Hardware) -> Plan {
    let all = candidates(Profiles::built_in(), Catalogue::built_in());
    make_plan(all.iter().find(|candidate| candidate.id == profile).unwrap(), hardware, policy())
}

fn tips_of(profile: &str, hardware: &Hardware) -> Vec<Tip> {
    tips(&plan_of(profile, hardware), hardware)
}

/// The tips without those on the batch, which this profile gets everywhere.
fn other_tips(hardware: &Hardware) -> Vec<Tip> {
    let mut tips = tips_of("hybrid_8gb_quality", hardware);
    tips.retain(|tip| !matches!(tip, Tip::OtherBatch { .. } | Tip::OtherKvCache { .. }));
    tips
}

#[test]
fn closing_a_program_moves_as_many_layers_to_the_card_as_its_memory_holds() {
    let mut hardware = desktop(5_500);
    hardware.notes = vec![held("blender", 1_622), held("firefox", 600)];
    let [Tip::CloseGpuPrograms { gpu, programs, frees_bytes, gain }] = &other_tips(&hardware)[..] else {
        panic!("{:?}", other_tips(&hardware))
    };
    assert_eq!((gpu.as_str(), *frees_bytes), (CARD, 1_622 * MIB));
    assert_eq!(programs, &[ProgramMemory { name: "blender".into(), bytes: 1_622 * MIB }]);
    // A block has 233 million weights of 8.5 bits, 236 MiB, and a cache of 32,768 tokens × 2 × 512 values of 8.5 bits,
    // 34 MiB: 1,622 MiB hold six of them.
    assert_eq!(gain.after.gpu_layers - gain.before.gpu_layers, 6);
    assert_eq!(gain.before.gpu_layers, plan_of("hybrid_8gb_quality", &hardware).gpu_layers());
    let freed = plan_of("hybrid_8gb_quality", &desktop(7_122));
    assert_eq!(gain.after, TipFigures::of(&freed));
    assert!(gain.after.decode_tokens_per_s.mid > gain.before.decode_tokens_per_s.mid);
}

#[test]
fn programs_are_only_closed_where_that_changes_the_plan() {
    // The 3B model fits the card whole whatever the browser holds.
    let mut hardware = desktop(6_900);
    hardware.notes = vec![held("firefox", 600)];
    assert!(plan_of("light_6gb", &hardware).gpu_layers() == plan_of("light_6gb", &hardware).total_layers);
    assert!(!tips_of("light_6gb", &hardware).iter().any(|tip| matches!(tip, Tip::CloseGpuPrograms { .. })));
    // Where no single program is enough, the fewest of the largest.
    let with = |free: u64, notes: &[Finding]| {
        let mut hardware = desktop(free);
        hardware.notes = notes.to_vec();
        other_tips(&hardware)
    };
    let all = [held("a", 130), held("b", 200), held("c", 160)];
    // A layer takes 270 MiB, so 200 MiB are enough for one only where 70 are left over.
    let free = (0..10).map(|step| 5_500 + 30 * step).find(|free| with(*free, &all[1..2]).is_empty()).unwrap();
    let tips = with(free, &all);
    let [Tip::CloseGpuPrograms { programs, frees_bytes, .. }] = &tips[..] else { panic!("{tips:?}") };
    let names: Vec<&str> = programs.iter().map(|program| program.name.as_str()).collect();
    assert_eq!((names, *frees_bytes), (vec!["b", "c"], 360 * MIB));
}

#[test]
fn without_names_everything_above_an_idle_desktop_counts() {
    // 8,192 − 5,500 − 200 MiB.
    let tips = other_tips(&desktop(5_500));
    let [Tip::CloseGpuPrograms { programs, frees_bytes, .. }] = &tips[..] else { panic!("{tips:?}") };
    assert!(programs.is_empty());
    assert_eq!(*frees_bytes, 2_492 * MIB);
    // A driver that does not tell what is free says nothing about programs.
    let mut unknown = desktop(5_500);
    unknown.gpus[0].vram_free_bytes = None;
    assert_eq!(other_tips(&unknown), []);
}

#[test]
fn experts_move_to_the_card_block_by_block() {
    let mut hardware = desktop(6_000);
    hardware.notes = vec![held("blender", 1_050)];
    let model = Catalogue::built_in().find("qwen3-coder:30b").unwrap();
    let mut candidate =
        custom_candidate(model, KvCacheType::Q8_0, MIN_CONTEXT_TOKENS, Layers::Exactly(49), policy());
    candidate.n_cpu_moe = 48;
    let least = super::advisor::Advisor::new(&make_plan(&candidate, &hardware, policy()), &hardware).before();
    candidate.n_cpu_moe = least.n_cpu_moe;
    let plan = make_plan(&candidate, &hardware, policy());
    let found = tips(&plan, &hardware);
    let Some(Tip::CloseGpuPrograms { gain, .. }) = found.first() else { panic!("{found:?}") };
    // The experts of a block are 3 × 2,048 × 768 × 128 weights, at 4.85 bits on average 349 MiB: 1,050 MiB hold three.
    assert_eq!(gain.before.n_cpu_moe - gain.after.n_cpu_moe, 3, "{gain:?}");
}

#[test]
fn a_model_of_another_server_is_unloaded_and_its_program_not_named() {
    let mut hardware = desktop(5_500);
    hardware.notes = vec![
        held("ollama", 1_622),
        Finding::ModelLoaded { model: "qwen3:4b".into(), port: 11_434, bytes: 1_622 * MIB },
    ];
    let found = other_tips(&hardware);
    let [Tip::UnloadModel { model, port: 11_434, frees_bytes, gain }] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!((model.as_str(), *frees_bytes), ("qwen3:4b", 1_622 * MIB));
    assert_eq!(gain.after.gpu_layers - gain.before.gpu_layers, 6);
}

#[test]
fn main_memory_is_freed_only_where_more_changes_the_plan() {
    let programs = |hardware: &mut Hardware| {
        hardware.ram_programs = vec![
            RamProgram { name: "java".into(), bytes: 5 * GIB },
            RamProgram { name: "firefox".into(), bytes: 2 * GIB },
        ];
    };
    let is_ram = |tip: &Tip| matches!(tip, Tip::CloseRamPrograms { .. });
    let mut plenty = desktop(8_000);
    programs(&mut plenty);
    assert!(!other_tips(&plenty).iter().any(is_ram));
    // With 2 GB available the rest of the 7B model does not fit.
    let mut short = desktop(5_500);
    programs(&mut short);
    short.memory.available_bytes = Some(2 * GIB);
    let found = other_tips(&short);
    let Some(Tip::CloseRamPrograms { programs, frees_bytes, gain }) = found.iter().find(|tip| is_ram(tip))
    else {
        panic!("{found:?}")
    };
    assert_eq!((programs.len(), programs[0].name.as_str(), *frees_bytes), (1, "java", 5 * GIB));
    let after = plan_of("hybrid_8gb_quality", &{
        let mut freed = short.clone();
        freed.memory.available_bytes = Some(7 * GIB);
        freed
    });
    assert_eq!(gain.after, TipFigures::of(&after));
    assert!(gain.is_worth_it());
}

#[test]
fn battery_and_power_saving_are_told() {
    let mut hardware = desktop(8_000);
    hardware.notes = vec![Finding::OnBattery, Finding::PowerSaving];
    assert_eq!(other_tips(&hardware), [Tip::PlugIn, Tip::EndPowerSaving]);
}

#[test]
fn a_low_power_limit_is_told_of_a_desktop_by_its_default_and_of_a_laptop_by_its_highest() {
    let with = |name: &str, limit: f64, default: f64, max: f64| {
        let mut hardware = desktop(8_000);
        hardware.gpus[0].name = name.into();
        hardware.gpus[0].state = Some(GpuState {
            power_limit_w: Some(limit),
            power_default_w: Some(default),
            power_max_w: Some(max),
            ..GpuState::default()
        });
        other_tips(&hardware)
    };
    let laptop = "NVIDIA GeForce RTX 4060 Laptop GPU";
    assert_eq!(with(CARD, 200.0, 200.0, 240.0), []);
    assert_eq!(
        with(CARD, 150.0, 200.0, 240.0),
        [Tip::RaisePowerLimit { gpu: CARD.into(), limit_w: 150.0, usual_w: 200.0, laptop: false }]
    );
    assert_eq!(with(laptop, 115.0, 80.0, 140.0), []);
    assert_eq!(
        with(laptop, 55.0, 80.0, 140.0),
        [Tip::RaisePowerLimit { gpu: laptop.into(), limit_w: 55.0, usual_w: 140.0, laptop: true }]
    );
}

#[test]
fn heat_and_the_power_supply_slow_a_card_and_its_usual_limit_does_not() {
    let mut hardware = desktop(8_000);
    let slowed_by = vec![Slowdown::Temperature, Slowdown::PowerLimit, Slowdown::PowerSupply];
    hardware.gpus[0].state = Some(GpuState { temperature_c: Some(91), slowed_by, ..GpuState::default() });
    let told = |by| Tip::CardSlowed { gpu: CARD.into(), by, temperature_c: Some(91) };
    assert_eq!(other_tips(&hardware), [told(Slowdown::Temperature), told(Slowdown::PowerSupply)]);
}

#[test]
fn the_display_is_moved_only_if_there_is_another_adapter_and_it_gains_layers() {
    let with = |free: u64, others: &[Gpu], display: bool| {
        let mut hardware = desktop(free);
        hardware.gpus[0].state = Some(GpuState { display: Some(display), ..GpuState::default() });
        hardware.gpus.extend(others.iter().cloned());
        let mut found = other_tips(&hardware);
        found.retain(|tip| matches!(tip, Tip::MoveDisplay { .. }));
        found
    };
    let chip = [Gpu::named("Intel(R) UHD Graphics 730", GpuKind::Integrated, None)];
    // 200 MiB are less than a layer, so whether they gain one depends on what is left over.
    let gains: Vec<u64> =
        (0..10).map(|step| 5_500 + 30 * step).filter(|free| !with(*free, &chip, true).is_empty()).collect();
    assert!(!gains.is_empty() && gains.len() < 10, "{gains:?}");
    let [Tip::MoveDisplay { to, gain, .. }] = &with(gains[0], &chip, true)[..] else { panic!() };
    assert_eq!(to.as_str(), "Intel(R) UHD Graphics 730");
    assert_eq!(gain.after.gpu_layers - gain.before.gpu_layers, 1);
    assert_eq!(with(gains[0], &[], true), []);
    assert_eq!(with(gains[0], &chip, false), []);
    assert_eq!(with(8_000, &chip, true), [], "an idle desktop holds 192 MiB at most");
}

#[test]
fn a_card_that_the_plan_does_not_use_is_idle() {
    let mut hardware = desktop(8_000);
    hardware.gpus.push(Gpu { vram_free_bytes: Some(8 * GIB), ..hardware.gpus[0].clone() });
    let found = tips_of("light_6gb", &hardware);
    let fits_one = Tip::IdleCard { gpu: CARD.into(), vram_bytes: Some(8 * GIB), why: IdleReason::FitsOne };
    assert!(found.contains(&fits_one), "{found:?}");
    // Both are used where the model does not fit one.
    let found = tips_of("hybrid_8gb_quality", &hardware);
    assert!(!found.iter().any(|tip| matches!(tip, Tip::IdleCard { .. })), "{found:?}");
    let mut mixed = desktop(8_000);
    mixed.gpus.push(Gpu::named("AMD Radeon RX 6600", GpuKind::Discrete, Some(8 * GIB)));
    let found = tips_of("hybrid_8gb_quality", &mixed);
    let is_other = |tip: &Tip| matches!(tip, Tip::IdleCard { why: IdleReason::OtherBackend, .. });
    assert!(found.iter().any(is_other), "{found:?}");
}

#[test]
fn a_quantised_cache_is_told_where_it_brings_layers_to_the_card() {
    let hardware = desktop(6_000);
    let model = Catalogue::built_in().find("qwen2.5-coder:7b").unwrap();
    let of = |kv| custom_candidate(model.clone(), kv, MIN_CONTEXT_TOKENS, Layers::Fit, policy());
    let plan = make_plan(&of(KvCacheType::F16), &hardware, policy());
    let q8 = make_plan(&of(KvCacheType::Q8_0), &hardware, policy());
    assert!(plan.gpu_layers() < q8.gpu_layers());
    let expected = TipGain { before: TipFigures::of(&plan), after: TipFigures::of(&q8) };
    let found = tips(&plan, &hardware);
    let is_it = |tip: &Tip| *tip == Tip::OtherKvCache { kv_cache_type: KvCacheType::Q8_0, gain: expected };
    assert!(found.iter().any(is_it), "{found:?}");
    // Four bits are the user's own choice: the more exact cache is told with its price.
    let plan = make_plan(&of(KvCacheType::Q4_0), &desktop(8_000), policy());
    let found = tips(&plan, &desktop(8_000));
    let exact = found.iter().find_map(|tip| match tip {
        Tip::OtherKvCache { kv_cache_type, gain } => Some((*kv_cache_type, *gain)),
        _ => None,
    });
    let (kv, gain) = exact.unwrap();
    assert!(kv != KvCacheType::Q4_0 && gain.after.vram_required_bytes > gain.before.vram_required_bytes);
}

#[test]
fn a_larger_batch_is_told_where_it_shortens_the_wait() {
    // Half of the weights cross the bus once for each batch of a prompt.
    let hardware = desktop(5_000);
    let plan = plan_of("hybrid_8gb_quality", &hardware);
    assert_eq!(plan.setting.num_batch, 512);
    let found = tips(&plan, &hardware);
    let batch = found.iter().find_map(|tip| match tip {
        Tip::OtherBatch { num_batch, gain } => Some((*num_batch, *gain)),
        _ => None,
    });
    let (num_batch, gain) = batch.unwrap();
    assert!(num_batch > 512);
    assert!(gain.after.first_token_full_prompt_s.mid < 0.9 * gain.before.first_token_full_prompt_s.mid);
    // Nothing crosses the bus where everything is on the card.
    assert!(!tips_of("light_6gb", &desktop(8_000)).iter().any(|tip| matches!(tip, Tip::OtherBatch { .. })));
}

#[test]
fn models_on_a_hard_disk_load_by_its_rate() {
    let disk = |path: &str, kind, used_for: &[DiskUse]| Disk {
        path: path.into(),
        kind: Some(kind),
        free_bytes: Some(100_000_000_000),
        used_for: used_for.to_vec(),
        ..Disk::default()
    };
    let mut hardware = desktop(8_000);
    hardware.disks = vec![
        disk("/home", DiskKind::Ssd, &[DiskUse::Engine]),
        disk("/data", DiskKind::Hdd, &[DiskUse::Models]),
    ];
    let bytes = plan_of("hybrid_8gb_quality", &hardware).candidate.model.download_bytes as f64;
    let found = other_tips(&hardware);
    let [Tip::ModelsOnHardDisk { path, load_s, on_ssd_s, ssd }] = &found[..] else { panic!("{found:?}") };
    assert_eq!((path.as_str(), ssd.as_deref()), ("/data", Some("/home")));
    // 90 to 200 MB/s, and 400 to 2,500.
    assert_eq!((load_s.low, load_s.high), (bytes / 200e6, bytes / 90e6));
    assert_eq!((on_ssd_s.low, on_ssd_s.high), (bytes / 2_500e6, bytes / 400e6));
    // 8.1 GB in 58 s.
    assert!((57.0..60.0).contains(&load_s.mid), "{load_s:?}");
    hardware.disks[1].kind = Some(DiskKind::Ssd);
    assert_eq!(other_tips(&hardware), []);
    hardware.disks[1].kind = None;
    assert_eq!(other_tips(&hardware), []);
}

fn module(mt_s: u32, rated_mt_s: u32) -> RamModule {
    RamModule {
        size_bytes: 16 * GIB,
        technology: Some("DDR4".into()),
        in_slot: true,
        data_width_bits: Some(64),
        mt_s: Some(mt_s),
        rated_mt_s: Some(rated_mt_s),
    }
}

/// The tips for a machine with part of the model in main memory.
fn with_ram(gb_s: f64, modules: &[RamModule], processor: &str) -> Vec<Tip> {
    let mut hardware = desktop(8_000);
    hardware.memory.bandwidth_gb_s = Some(gb_s);
    hardware.ram_modules = modules.to_vec();
    hardware.cpu.name = Some(processor.into());
    other_tips(&hardware)
}

#[test]
fn a_single_module_is_half_of_the_usual_rate() {
    // 8 bytes × 3,200 million transfers are 25.6 GB/s.
    let found = with_ram(21.0, &[module(3200, 3200)], "");
    let [Tip::AddRamModule { gb_s: 21.0, module_bytes, gain }] = &found[..] else { panic!("{found:?}") };
    assert_eq!(*module_bytes, 16 * GIB);
    let mut doubled = desktop(8_000);
    doubled.memory.bandwidth_gb_s = Some(42.0);
    assert_eq!(gain.after, TipFigures::of(&plan_of("hybrid_8gb_quality", &doubled)));
    // More than one such module can give: the list is wrong.
    assert_eq!(with_ram(40.0, &[module(3200, 3200)], ""), []);
    // Soldered memory has more channels than the firmware lists.
    let soldered = RamModule { technology: Some("LPDDR5".into()), in_slot: false, ..module(6400, 6400) };
    assert_eq!(with_ram(21.0, &[soldered], ""), []);
    // Nothing is read from main memory where everything is on the card.
    let mut whole = desktop(8_000);
    whole.ram_modules = vec![module(3200, 3200)];
    whole.memory.bandwidth_gb_s = Some(21.0);
    let found = tips_of("light_6gb", &whole);
    assert!(!found.iter().any(|tip| matches!(tip, Tip::AddRamModule { .. })), "{found:?}");
}

#[test]
fn modules_below_what_they_are_made_for_are_told() {
    let found = with_ram(30.0, &[module(2133, 3200), module(2133, 3200)], "");
    let [Tip::RamBelowRated { mt_s: 2133, rated_mt_s: 3200, gain }] = &found[..] else { panic!("{found:?}") };
    let mut faster = desktop(8_000);
    faster.memory.bandwidth_gb_s = Some(30.0 * 3200.0 / 2133.0);
    assert_eq!(gain.after, TipFigures::of(&plan_of("hybrid_8gb_quality", &faster)));
    assert_eq!(with_ram(30.0, &[module(3133, 3200), module(3133, 3200)], ""), []);
}

#[test]
fn slow_memory_is_told_by_modules_or_processor() {
    let ryzen = "AMD Ryzen 5 5600X 6-Core Processor";
    // Two channels of DDR4-3200: 51.2 GB/s, usually 41 of them, slow below 25.6.
    for (modules, processor) in [(vec![module(3200, 3200), module(3200, 3200)], ""), (Vec::new(), ryzen)] {
        let found = with_ram(20.0, &modules, processor);
        let [Tip::SlowRam { gb_s, usual_gb_s, .. }] = &found[..] else { panic!("{found:?}") };
        assert_eq!(*gb_s, 20.0);
        assert!((usual_gb_s - 40.96).abs() < 1e-9);
        assert_eq!(with_ram(26.0, &modules, processor), []);
    }
    assert_eq!(with_ram(20.0, &[], "Intel Xeon Processor (Skylake, IBRS)"), []);
    // Not measured, so not known to be slow.
    let mut described = desktop(8_000);
    described.memory.bandwidth_gb_s = Some(20.0);
    described.cpu = Cpu { name: Some(ryzen.into()), ..Cpu::default() };
    assert_eq!(other_tips(&described), []);
}

#[test]
fn an_old_driver_is_told_of_cards_for_the_newer_library() {
    let with = |driver: &str, major: u32| {
        let mut hardware = desktop(8_000);
        hardware.gpus[0].driver_version = Some(driver.into());
        hardware.gpus[0].compute_capability = Some(crate::machine::ComputeCapability::new(major, 1));
        other_tips(&hardware)
    };
    let update = Tip::UpdateDriver { gpu: CARD.into(), driver: "570.86.10".into(), branch: 580 };
    assert_eq!(with("570.86.10", 8), [update]);
    assert_eq!(with("580.65", 8), []);
    assert_eq!(with("570.86.10", 6), [], "the newer library is not built for it");
}

#[test]
fn a_gain_is_worth_a_tip_from_a_twentieth_more_speed_or_a_tenth_less_waiting() {
    let before = TipFigures::of(&plan_of("hybrid_8gb_quality", &desktop(5_500)));
    let with = |speed: f64, wait: f64| {
        let mut after = before;
        after.decode_tokens_per_s.mid *= speed;
        after.first_token_full_prompt_s.mid *= wait;
        TipGain { before, after }
    };
    assert!(with(1.06, 1.0).is_worth_it() && with(1.0, 0.89).is_worth_it());
    assert!(!with(1.04, 0.91).is_worth_it());
    let mut worse = with(2.0, 0.5);
    worse.after.verdict = Verdict::Refused;
    assert!(!worse.is_worth_it(), "what does not run is no gain");
    let mut better = with(1.0, 1.0);
    better.after.verdict = Verdict::Compatible;
    assert!(better.is_worth_it());
}

#[test]
fn what_our_own_model_takes_is_free_for_the_plan() {
    use crate::machine::{EngineKind, FoundEngine, LoadedModel};
    let mut hardware = desktop(1_000);
    let model =
        LoadedModel { name: "acolyte".into(), total_bytes: Some(9_000 * MIB), vram_bytes: Some(6_000 * MIB) };
    let server = FoundEngine {
        kind: EngineKind::Server,
        port: Some(42_434),
        loaded: vec![model],
        ..FoundEngine::default()
    };
    hardware.engines = vec![server];
    hardware.memory.available_bytes = Some(20 * GIB);
    hardware.ram_programs = vec![RamProgram { name: "llama-server".into(), bytes: 3 * GIB }];
    let loaded = |port| Finding::ModelLoaded { model: "acolyte".into(), port, bytes: 6_000 * MIB };
    hardware.notes = vec![held("llama-server", 6_000), held("firefox", 600), loaded(42_434)];

    let freed = without_own_model(&hardware, 42_434);
    assert_eq!(freed.gpus[0].vram_free_bytes, Some(7_000 * MIB));
    assert_eq!(freed.memory.available_bytes, Some(20 * GIB + 3_000 * MIB));
    assert_eq!(freed.notes, [held("firefox", 600)]);
    assert!(freed.ram_programs.is_empty());
    // The model of another server stays.
    hardware.notes.push(loaded(11_434));
    let freed = without_own_model(&hardware, 42_434);
    assert_eq!(freed.notes, [held("llama-server", 6_000), held("firefox", 600), loaded(11_434)]);
}
