//! Estimates with the routed experts of some blocks in main memory, compared with the engine's design. `estimate_fit`
//! compares them with measurements.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use acolyte::GIB;
use acolyte::estimate::{
    CpuFigures, EngineSetting, GpuFigures, MachineFigures, decode, first_token_s, memory_need,
    n_cpu_moe_in_force,
};
use acolyte::figures::{Certainty, Known};
use acolyte::machine::{GpuBackend, GpuKind, gpu_table};
use acolyte::models::{Catalogue, KvCacheType, Model};

/// An RTX 3090 and a Ryzen 7 5700X, with a measured main memory bandwidth of `ram_gb_s`.
fn machine(ram_gb_s: f64) -> MachineFigures {
    MachineFigures {
        gpus: vec![GpuFigures {
            name: "NVIDIA GeForce RTX 3090".to_owned(),
            kind: GpuKind::Discrete,
            backend: GpuBackend::Cuda,
            vram_total_bytes: 24 * GIB,
            vram_total_certainty: acolyte::figures::Certainty::Detected,
            compute_share: 1.0,
            vram_free_bytes: Known::detected(24 * GIB),
            bandwidth_gb_s: Known::detected(936.2),
            row: gpu_table::lookup("NVIDIA GeForce RTX 3090", Some(24 * GIB)),
            compute_capability: None,
            bus_gb_s: Known::detected(31.5),
        }],
        cpu: CpuFigures {
            name: "AMD Ryzen 7 5700X".to_owned(),
            ram_total_bytes: 64 * GIB,
            ram_available_bytes: Known::detected(56 * GIB),
            bandwidth_gb_s: Known { value: ram_gb_s, certainty: Certainty::Measured },
            physical_cores: Known::detected(8),
            features: vec!["avx2".to_owned()],
            dot_product_gb_s: None,
        },
    }
}

fn model(tag: &str) -> Arc<Model> {
    Catalogue::built_in().find(tag).unwrap_or_else(|| panic!("{tag}"))
}

fn setting(model: &Model, n_cpu_moe: u32) -> EngineSetting {
    EngineSetting {
        context_tokens: 8192,
        kv_cache_type: KvCacheType::F16,
        num_batch: 512,
        flash_attention: true,
        gpu_layers: model.total_layers(),
        n_cpu_moe,
    }
}

#[test]
fn only_the_first_blocks_experts_move_to_main_memory() {
    for tag in ["qwen3-coder:30b", "gpt-oss:20b", "qwen3.5:35b-a3b"] {
        let model = model(tag);
        let machine = machine(40.0);
        let blocks = u32::try_from(model.architecture.blocks.len()).unwrap();
        let whole = memory_need(&model, &setting(&model, 0), &machine);
        for n in [1, 7, blocks, blocks + 100] {
            let split = memory_need(&model, &setting(&model, n), &machine);
            let first = model.architecture.blocks.iter().take(n as usize);
            let experts: u64 = first.map(|block| block.expert_bytes).sum();
            assert!(experts > 0, "{tag}");
            assert_eq!(split.weights_gpu_bytes, whole.weights_gpu_bytes - experts, "{tag} {n}");
            assert_eq!(split.weights_ram_bytes, whole.weights_ram_bytes + experts, "{tag} {n}");
            assert_eq!((split.kv_gpu_bytes, split.kv_ram_bytes), (whole.kv_gpu_bytes, 0), "{tag} {n}");
            // A buffer for the experts of one block is on the card.
            let buffer = split.compute_gpu_bytes - whole.compute_gpu_bytes;
            let one = model.architecture.blocks.iter().map(|block| block.expert_bytes).max().unwrap();
            assert!(buffer > one / 2 && buffer < one, "{tag} {n}: {buffer} of {one}");
        }
    }
}

#[test]
fn n_cpu_moe_has_no_effect_on_a_dense_model() {
    let model = model("qwen2.5-coder:7b");
    let machine = machine(40.0);
    let (none, all) = (setting(&model, 0), setting(&model, 28));
    assert_eq!(memory_need(&model, &none, &machine), memory_need(&model, &all, &machine));
    assert_eq!(decode(&model, &none, &machine, 0), decode(&model, &all, &machine, 0));
    assert_eq!(first_token_s(&model, &none, &machine, 4096), first_token_s(&model, &all, &machine, 4096));
}

#[test]
fn a_larger_batch_sends_the_experts_fewer_times() {
    let model = model("qwen3-coder:30b");
    let machine = machine(40.0);
    let all = setting(&model, 48);
    let wait =
        |num_batch, tokens| first_token_s(&model, &EngineSetting { num_batch, ..all }, &machine, tokens).mid;
    // The card's arithmetic takes equally long with both batch sizes.
    let ratio = wait(512, 8192) / wait(2048, 8192);
    assert!((2.0..4.0).contains(&ratio), "{ratio}");
    // For a prompt of one batch the experts are sent once, whatever the batch size.
    let short = wait(512, 500) / wait(2048, 500);
    assert!((0.99..1.01).contains(&short), "{short}");
    // Fewer than 32 tokens are computed on the processor.
    assert!(wait(512, 31) < wait(512, 32) * 0.8, "{} and {}", wait(512, 31), wait(512, 32));
}

#[test]
fn a_slow_bus_limits_prompts_and_an_unknown_one_widens_the_range() {
    let model = model("qwen3-coder:30b");
    let setting = setting(&model, 48);
    let on = |bus_gb_s, certainty| {
        let mut machine = machine(60.0);
        machine.gpus[0].bus_gb_s = Known { value: bus_gb_s, certainty };
        first_token_s(&model, &setting, &machine, 4096)
    };
    // PCIe 3.0 x4 against 4.0 x16, where main memory is the limit.
    let (slow, fast) = (on(3.9, Certainty::Detected), on(31.5, Certainty::Detected));
    assert!(slow.mid > 4.0 * fast.mid, "{slow:?} {fast:?}");
    assert!((on(63.0, Certainty::Detected).mid / fast.mid - 1.0).abs() < 0.2);
    let (known, assumed) = (on(15.8, Certainty::Detected), on(15.8, Certainty::Guess));
    assert!(assumed.high / assumed.low > known.high / known.low * 1.2, "{known:?} {assumed:?}");
}

/// 4,001 tokens on two EPYC cores took 36.7 s with an f16 cache and 82.9 s with q8_0, which the processor dequantises
/// for every token of the batch.
#[test]
fn a_quantised_cache_costs_the_processors_prompt_more_than_twice() {
    let mut machine = machine(24.0);
    machine.gpus.clear();
    machine.cpu.name = "AMD EPYC".to_owned();
    machine.cpu.physical_cores = Known::detected(2);
    machine.cpu.dot_product_gb_s = Some(41.0);
    let model = model("qwen2.5-coder:1.5b");
    let wait = |kv_cache_type| {
        let setting = EngineSetting { gpu_layers: 0, kv_cache_type, ..setting(&model, 0) };
        first_token_s(&model, &setting, &machine, 4001).mid
    };
    let (f16, q8_0) = (wait(KvCacheType::F16), wait(KvCacheType::Q8_0));
    assert!((1.5..3.5).contains(&(q8_0 / f16)), "{f16} and {q8_0}");
}

/// What the engine says of its buffers tells how many blocks' experts are in main memory.
#[test]
fn blocks_with_experts_in_main_memory_are_read_back_from_the_weights_on_the_card() {
    let machine = machine(40.0);
    let mut mixtures = 0;
    for model in &Catalogue::built_in().models {
        let all = setting(model, 0);
        let find = |bytes| n_cpu_moe_in_force(model, &all, &machine, bytes);
        let weights = |n_cpu_moe| {
            let need = memory_need(model, &setting(model, n_cpu_moe), &machine);
            need.weights_gpu_bytes - model.image_encoder_bytes
        };
        let blocks = model.total_layers() - 1;
        if model.architecture.experts.is_none() {
            assert_eq!(find(weights(0)), None, "{}", model.title);
            continue;
        }
        mixtures += 1;
        let of_block = |block: u32| weights(block) - weights(block + 1);
        for n_cpu_moe in (0..=blocks).filter(|n| *n == 0 || of_block(n - 1) > 0) {
            let bytes = weights(n_cpu_moe);
            assert_eq!(find(bytes), Some(n_cpu_moe), "{}", model.title);
            if n_cpu_moe > 0 {
                let nearly = bytes + of_block(n_cpu_moe - 1) * 2 / 5;
                assert_eq!(find(nearly), Some(n_cpu_moe), "{}: two fifths of a block more", model.title);
            }
        }
        assert_eq!(find(weights(0) * 2), None, "{}", model.title);
        assert_eq!(find(0), None, "{}", model.title);
    }
    assert!(mixtures >= 5, "{mixtures}");
}
