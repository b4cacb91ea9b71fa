//! Estimates against our own measurements with layers on both sides: llama.cpp b10488 (CUDA 13, driver 580.159.04) on an
//! H100 80GB HBM3 with 16 virtual Xeon cores, 2026-11-23; `llama-bench -fa 1 -b 512 -ub 512`, Qwen2.5-Coder shapes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use acolyte::estimate::{Certainty, CpuFigures, GpuFigures, Known, Machine, Setting, decode, first_token_s};
use acolyte::hardware::{Backend, GpuKind};
use acolyte::models::{Catalogue, KvCacheType};

fn machine() -> Machine {
    let known = |value| Known { value, certainty: Certainty::Detected };
    Machine {
        gpus: vec![GpuFigures {
            name: "NVIDIA H100 80GB HBM3".to_owned(),
            kind: GpuKind::Discrete,
            backend: Backend::Cuda,
            vram_total_bytes: 85_520_809_984,
            vram_free_bytes: known(85_017_493_504),
            bandwidth_gb_s: Known { value: 3352.3, certainty: Certainty::Detected },
            compute_capability: Some((9, 0)),
        }],
        cpu: CpuFigures {
            ram_total_bytes: 135_148_564_480,
            ram_available_bytes: known(134_547_111_936),
            bandwidth_gb_s: Known { value: 138.8, certainty: Certainty::Measured },
            physical_cores: Known { value: 16, certainty: Certainty::Detected },
            features: ["avx2", "avx512", "avx512_vnni", "amx"].map(str::to_owned).to_vec(),
        },
    }
}

fn setting(gpu_layers: u32) -> Setting {
    Setting {
        context_tokens: 32_768,
        kv_cache_type: KvCacheType::F16,
        num_batch: 512,
        flash_attention: true,
        gpu_layers,
    }
}

/// Asserts that an estimate lies within a factor of a measurement.
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
    // The processor's share was read at less than half of the measured bandwidth there: a wider margin.
    for (gpu_layers, depth_tokens, measured) in
        [(20, 0, 46.0), (10, 0, 24.7), (20, 16_000, 21.6), (20, 30_000, 12.9)]
    {
        let estimated =
            decode(&model("qwen2.5-coder:7b"), &setting(gpu_layers), &machine(), depth_tokens).mid;
        within(1.5, estimated, measured, &format!("{gpu_layers} layers at {depth_tokens}"));
    }
}

#[test]
fn a_prompt_waits_for_weights_on_their_way_to_the_card_and_not_for_the_processor() {
    let model = Catalogue::built_in().find("qwen2.5-coder:7b").expect("a model of the catalogue");
    // Seconds for 512 tokens into an empty context: 512 / tokens a second.
    for (gpu_layers, tokens_per_s) in [(29, 9196.8), (20, 2135.4), (10, 1149.0)] {
        let estimated = first_token_s(&model, &setting(gpu_layers), &machine(), 512).mid;
        let token = 1.0 / decode(&model, &setting(gpu_layers), &machine(), 512).mid;
        // Two runs of so short a prompt differed by up to a third.
        within(1.5, estimated - token, 512.0 / tokens_per_s, &format!("{gpu_layers} layers"));
    }
}
