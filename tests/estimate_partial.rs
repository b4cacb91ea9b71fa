//! Estimates compared with our own measurements of partial offload, with a filled context, and on processors: llama.cpp
//! b10488 (CUDA 13, driver 580.159.04) on H100 80GB HBM3 machines with 16 virtual Xeon cores and on two virtual EPYC
//! cores, 2026-11-23; `llama-bench -fa 1 -b 512 -ub 512`, Qwen2.5-Coder shapes (a selection of
//! `examples/data/own_measurements.csv`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use acolyte::estimate::{CpuFigures, EngineSetting, GpuFigures, MachineFigures, decode, first_token_s};
use acolyte::figures::{Certainty, Known};
use acolyte::machine::{GpuBackend, GpuKind};
use acolyte::models::{Catalogue, KvCacheType};

fn machine() -> MachineFigures {
    MachineFigures {
        gpus: vec![GpuFigures {
            name: "NVIDIA H100 80GB HBM3".to_owned(),
            kind: GpuKind::Discrete,
            backend: GpuBackend::Cuda,
            vram_total_bytes: 85_520_809_984,
            vram_total_certainty: acolyte::figures::Certainty::Detected,
            compute_share: 1.0,
            vram_free_bytes: Known::detected(85_017_493_504),
            bandwidth_gb_s: Known::detected(3352.3),
            row: acolyte::machine::gpu_table::lookup("NVIDIA H100 80GB HBM3", Some(85_520_809_984)),
            compute_capability: Some(acolyte::machine::ComputeCapability::new(9, 0)),
            bus_gb_s: Known::detected(63.0),
        }],
        cpu: CpuFigures {
            name: "Intel(R) Xeon(R) Processor".to_owned(),
            dot_product_gb_s: Some(234.0),
            ram_total_bytes: 135_148_564_480,
            ram_available_bytes: Known::detected(134_547_111_936),
            bandwidth_gb_s: Known { value: 138.8, certainty: Certainty::Measured },
            physical_cores: Known::detected(16),
            features: ["avx2", "avx512", "avx512_vnni", "amx"].map(str::to_owned).to_vec(),
        },
    }
}

fn setting(gpu_layers: u32) -> EngineSetting {
    EngineSetting {
        context_tokens: 32_768,
        kv_cache_type: KvCacheType::F16,
        num_batch: 512,
        flash_attention: true,
        gpu_layers,
        n_cpu_moe: 0,
    }
}

/// Asserts that an estimate is within a factor of a measurement.
fn within(factor: f64, estimated: f64, measured: f64, what: &str) {
    let ratio = estimated / measured;
    assert!(
        (1.0 / factor..=factor).contains(&ratio),
        "{what}: estimated {estimated:.3}, measured {measured:.3}"
    );
}

#[test]
fn decode_follows_the_bytes_on_each_side() {
    let catalogue = Catalogue::built_in();
    let model = |tag| catalogue.find(tag).expect("a model of the catalogue");
    for (tag, gpu_layers, measured) in [
        ("qwen2.5-coder:3b", 37, 394.3),
        ("qwen2.5-coder:7b", 29, 260.4),
        ("qwen2.5-coder:7b-instruct-q8_0", 29, 235.1),
        ("qwen2.5-coder:14b", 49, 143.6),
        ("qwen2.5-coder:32b", 65, 73.1),
    ] {
        let estimated = decode(&model(tag), &setting(gpu_layers), &machine(), 0).mid;
        within(1.15, estimated, measured, tag);
    }
    for (gpu_layers, depth_tokens, measured) in
        [(10, 0, 24.7), (20, 0, 46.0), (28, 0, 170.6), (20, 16_000, 21.6), (20, 30_000, 12.9)]
    {
        let estimated =
            decode(&model("qwen2.5-coder:7b"), &setting(gpu_layers), &machine(), depth_tokens).mid;
        within(1.3, estimated, measured, &format!("{gpu_layers} layers at {depth_tokens}"));
    }
}

#[test]
fn a_quantised_cache_saves_memory_and_costs_time() {
    let catalogue = Catalogue::built_in();
    for (tag, gpu_layers, depth_tokens, f16, q8_0, q4_0) in [
        ("qwen2.5-coder:3b", 37, 16_000, 265.5, 232.2, 229.4),
        ("qwen2.5-coder:7b", 29, 32_000, 208.6, 143.4, 135.7),
        ("qwen2.5-coder:14b", 49, 16_000, 108.4, 86.1, 83.8),
    ] {
        let model = catalogue.find(tag).expect("a model of the catalogue");
        for (kv_cache_type, measured) in
            [(KvCacheType::F16, f16), (KvCacheType::Q8_0, q8_0), (KvCacheType::Q4_0, q4_0)]
        {
            let setting = EngineSetting { kv_cache_type, ..setting(gpu_layers) };
            let estimated = decode(&model, &setting, &machine(), depth_tokens).mid;
            within(1.25, estimated, measured, &format!("{tag} {kv_cache_type:?}"));
        }
    }
}

#[test]
fn few_cores_are_slower_than_their_memory() {
    let catalogue = Catalogue::built_in();
    let cores = |name: &str, threads: u32, bandwidth_gb_s: f64, dot_product_gb_s: f64| {
        let mut machine = machine();
        machine.gpus.clear();
        machine.cpu.name = name.to_owned();
        machine.cpu.physical_cores.value = threads;
        machine.cpu.bandwidth_gb_s.value = bandwidth_gb_s;
        machine.cpu.dot_product_gb_s = Some(dot_product_gb_s);
        machine
    };
    let two = cores("AMD EPYC", 2, 24.0, 41.0);
    let (four, eight) = (cores("Intel Xeon", 4, 50.0, 74.0), cores("Intel Xeon", 8, 93.0, 130.0));
    for (tag, machine, measured) in [
        ("qwen2.5-coder:0.5b", &two, 38.0),
        ("qwen2.5-coder:1.5b", &two, 17.1),
        ("qwen2.5-coder:7b", &two, 4.3),
        ("qwen2.5-coder:1.5b", &four, 19.8),
        ("qwen2.5-coder:7b", &four, 5.0),
        ("qwen2.5-coder:1.5b", &eight, 38.7),
        ("qwen2.5-coder:7b", &eight, 8.4),
    ] {
        let model = catalogue.find(tag).expect("a model of the catalogue");
        let estimated = decode(&model, &setting(0), machine, 0).mid;
        within(1.25, estimated, measured, &format!("{tag} on {} cores", machine.cpu.physical_cores.value));
    }
}

#[test]
fn a_prompt_waits_for_weight_transfers_and_not_for_the_processor() {
    let model = Catalogue::built_in().find("qwen2.5-coder:7b").expect("a model of the catalogue");
    // Seconds for 512 tokens with an empty context: 512 / tokens per second.
    for (gpu_layers, tokens_per_s) in [(29, 9196.8), (20, 2135.4), (10, 1149.0)] {
        let estimated = first_token_s(&model, &setting(gpu_layers), &machine(), 512).mid;
        let token = 1.0 / decode(&model, &setting(gpu_layers), &machine(), 512).mid;
        // Two runs of so short a prompt differed by up to a third.
        within(1.5, estimated - token, 512.0 / tokens_per_s, &format!("{gpu_layers} layers"));
    }
}

/// Two cores of an EPYC: a real Ollama 0.32.15 with Gemma 3 270M.
#[test]
fn a_prompt_on_the_processor_is_neither_promised_too_fast_nor_too_slow() {
    let mut two = machine();
    two.gpus.clear();
    two.cpu = CpuFigures {
        name: "AMD EPYC".to_owned(),
        dot_product_gb_s: Some(41.0),
        bandwidth_gb_s: Known { value: 24.0, certainty: Certainty::Measured },
        physical_cores: Known::detected(2),
        features: vec!["avx2".to_owned()],
        ..two.cpu
    };
    for (tag, kv_cache_type, tokens, measured) in
        [("gemma3:270m", KvCacheType::Q8_0, 5899, 33.2), ("gemma3:270m", KvCacheType::Q8_0, 10_238, 90.8)]
    {
        let model = Catalogue::built_in().find(tag).expect("a model of the catalogue");
        let setting = EngineSetting { kv_cache_type, ..setting(0) };
        let estimated = first_token_s(&model, &setting, &two, tokens).mid;
        // A quantised cache costs some models half of what it costs others.
        within(1.65, estimated, measured, &format!("{tag} {kv_cache_type:?} {tokens} tokens"));
    }
}
