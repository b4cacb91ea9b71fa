//! Memory estimates compared with the engine's own figures for the same models (`tests/data/engine_figures.json`).

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use acolyte::estimate::{
    CpuFigures, EngineBuild, EngineSetting, GpuFigures, MachineFigures, MemoryNeed, fit_gpu_layers,
    memory_need, memory_need_of_build,
};
use acolyte::figures::Known;
use acolyte::machine::{GpuBackend, GpuKind};
use acolyte::models::{Catalogue, KvCacheType, Model, PredictionHeads};
use acolyte::{GIB, MIB};
use serde_json::Value;

fn figures() -> Value {
    serde_json::from_str(include_str!("data/engine_figures.json")).unwrap()
}

fn machine() -> MachineFigures {
    MachineFigures {
        gpus: vec![GpuFigures {
            name: "NVIDIA GeForce RTX 3060".to_owned(),
            kind: GpuKind::Discrete,
            backend: GpuBackend::Cuda,
            vram_total_bytes: 12 * GIB,
            vram_total_certainty: acolyte::figures::Certainty::Detected,
            compute_share: 1.0,
            vram_free_bytes: Known::detected(11 * GIB),
            bandwidth_gb_s: Known::detected(360.0),
            row: acolyte::machine::gpu_table::lookup("NVIDIA GeForce RTX 3060", Some(12 * GIB)),
            compute_capability: Some(acolyte::machine::ComputeCapability::new(8, 6)),
            bus_gb_s: Known::detected(31.5),
        }],
        cpu: CpuFigures {
            name: String::new(),
            dot_product_gb_s: None,
            ram_total_bytes: 32 * GIB,
            ram_available_bytes: Known::detected(24 * GIB),
            bandwidth_gb_s: Known::detected(40.0),
            physical_cores: Known::detected(8),
            features: vec!["avx2".to_owned()],
        },
    }
}

fn setting(model: &Model, context_tokens: u32, kv_cache_type: KvCacheType) -> EngineSetting {
    EngineSetting {
        context_tokens,
        kv_cache_type,
        num_batch: 512,
        flash_attention: true,
        gpu_layers: model.total_layers(),
        n_cpu_moe: 0,
    }
}

fn model(size: &str, quantisation: &str) -> std::sync::Arc<Model> {
    let tag = format!("qwen2.5-coder:{size}-instruct-{quantisation}");
    Catalogue::built_in().find(&tag).unwrap_or_else(|| panic!("{tag}"))
}

#[test]
fn weights_are_exact_to_the_byte() {
    for (size, figures) in figures()["models"].as_object().unwrap() {
        for (quantisation, expected) in figures["quantisations"].as_object().unwrap() {
            let model = model(size, quantisation);
            let of = |key: &str| expected[key].as_u64().unwrap();
            let context = format!("{size} {quantisation}");
            assert_eq!(u64::from(model.total_layers()), figures["total_layers"].as_u64().unwrap());
            assert_eq!(model.architecture.file_tensor_bytes(), of("tensor_bytes"), "{context}");
            assert_eq!(model.architecture.token_embedding_bytes, of("token_embd_bytes_cpu"), "{context}");
            assert_eq!(model.architecture.output_bytes, of("output_bytes"), "{context}");
            let high: Vec<u64> =
                expected["high_layers"].as_array().unwrap().iter().filter_map(Value::as_u64).collect();
            for (index, block) in (0_u64..).zip(&model.architecture.blocks) {
                let key = if high.contains(&index) { "layer_bytes_high" } else { "layer_bytes_low" };
                assert_eq!(block.bytes, of(key), "{context}, block {index}");
            }
            let need = memory_need(&model, &setting(&model, 32_768, KvCacheType::F16), &machine());
            assert_eq!(need.weights_gpu_bytes, of("gpu_full_offload_bytes"), "{context}");
        }
        let file = figures["model_layer_bytes"].as_u64().unwrap();
        let metadata = figures["metadata_bytes"].as_u64().unwrap();
        assert_eq!(model(size, "q4_K_M").architecture.file_tensor_bytes() + metadata, file);
    }
}

#[test]
fn cache_and_compute_buffers_match_the_engines() {
    for (size, figures) in figures()["models"].as_object().unwrap() {
        let model = model(size, "q4_K_M");
        for (kv, by_context) in figures["kv_mib"].as_object().unwrap() {
            for (context, mib) in by_context.as_object().unwrap() {
                let setting = setting(&model, context.parse().unwrap(), kv.parse().unwrap());
                let need = memory_need(&model, &setting, &machine());
                assert_eq!(need.kv_gpu_bytes as f64 / MIB as f64, mib.as_f64().unwrap(), "{size} {kv}");
            }
        }
        for (context, forms) in figures["compute_mib_batch_512"].as_object().unwrap() {
            for (form, flash_attention) in [("fa_on_server", true), ("fa_off", false)] {
                let context: u32 = context.trim_start_matches("ctx").parse().unwrap();
                let setting = EngineSetting { flash_attention, ..setting(&model, context, KvCacheType::F16) };
                let mib = memory_need(&model, &setting, &machine()).compute_gpu_bytes as f64 / MIB as f64;
                let expected = forms[form].as_f64().unwrap();
                assert!((mib - expected).abs() < 1.0, "{size} {context} {form}: {mib}, expected {expected}");
            }
        }
    }
}

#[test]
fn layers_that_fit_match_the_engines_within_one() {
    let mut worst = 0;
    for (size, settings) in figures()["fit"].as_object().unwrap() {
        let model = model(size, "q4_K_M");
        for (name, by_free) in settings.as_object().unwrap() {
            let (kv, context) = name.split_once('@').unwrap();
            let setting = setting(&model, context.parse().unwrap(), kv.parse().unwrap());
            for (free, expected) in by_free.as_object().unwrap() {
                // The simulated device has no driver of its own and keeps 1024 MiB free.
                let free: u64 = free.parse().unwrap();
                let driver = memory_need(&model, &setting, &machine()).overhead_gpu_bytes;
                let budget = (free - 1024) * MIB + driver;
                let layers = fit_gpu_layers(&model, &setting, &machine(), budget);
                let expected = expected.as_u64().unwrap_or(u64::from(model.total_layers()));
                let difference = u64::from(layers).abs_diff(expected);
                println!("{size} {name} {free}: {layers}, engine {expected}");
                worst = worst.max(difference);
            }
        }
    }
    assert!(worst <= 1, "differs by {worst} layers");
}

/// Published logs of engine builds in MiB, with sources in `examples/data/memory_logs.csv`.
#[test]
fn buffers_of_every_build_match_its_log() {
    use EngineBuild::{AllLogits, Current, OutputLast, OwnRunner};

    let need = |tag: &str, build, layers, context, kv_cache_type, flash_attention| {
        let model = Catalogue::built_in().find(tag).unwrap_or_else(|| panic!("{tag}"));
        let setting =
            EngineSetting { gpu_layers: layers, flash_attention, ..setting(&model, context, kv_cache_type) };
        memory_need_of_build(&model, &setting, &machine(), build)
    };
    let mib = |bytes: u64| bytes as f64 / MIB as f64;
    let (f16, q8_0) = (KvCacheType::F16, KvCacheType::Q8_0);
    for (tag, build, layers, context, kv, flash_attention, compute, host) in [
        ("qwen2.5-coder:7b", OwnRunner, 29, 4096, f16, true, 304.0, Some(15.01)),
        ("qwen2.5-coder:7b", OwnRunner, 29, 32_768, f16, true, 382.01, Some(71.01)),
        ("qwen2.5-coder:7b", AllLogits, 29, 4096, f16, true, 304.0, None),
        ("qwen2.5-coder:7b", Current, 29, 9728, f16, true, 134.51, None),
        ("qwen2.5-coder:7b", OwnRunner, 29, 8192, f16, false, 492.0, None),
        ("qwen2.5-coder:7b", OwnRunner, 0, 16_384, q8_0, true, 730.36, Some(39.01)),
        ("qwen2.5-coder:7b-instruct-q8_0", AllLogits, 29, 16_384, f16, true, 304.0, Some(30.01)),
        ("qwen2.5-coder:14b", Current, 49, 8192, f16, true, 118.62, None),
    ] {
        let need = need(tag, build, layers, context, kv, flash_attention);
        let off = (mib(need.compute_gpu_bytes) - compute).abs();
        assert!(off <= 25.0, "{tag} {build:?} at {context}: {off} MiB off");
        if let Some(host) = host {
            let off = (mib(need.compute_ram_bytes) - host).abs();
            assert!(off <= 25.0, "{tag} {build:?} at {context}: {off} MiB off on the host");
        }
    }
    // Before December 2025 the output layer is placed last: 8 of 29 layers are eight blocks.
    let weights = need("qwen2.5-coder:7b", OutputLast, 8, 4096, f16, true).weights_gpu_bytes;
    assert!((mib(weights) - 1103.35).abs() < 0.01);
}

/// Qwen3.8 27B with its heads, 32,768 tokens, on a 24 GB card: 0.9 GB more with two drafted tokens, 1.2 GB more with four
/// (github.com/sudoingX/qwen38-mtp, August 2026). llama-server b10488 logs one more copy of the recurrent state for each
/// drafted token, a 16-bit cache of the head's block and a second compute buffer.
#[test]
fn drafting_takes_what_was_measured() {
    let mut model = (*Catalogue::built_in().find("qwen3.8:27b").unwrap()).clone();
    // 424,673,280 weights at 4.9 bits, which are not loaded without drafting.
    let weights_bytes = 424_673_280 / 8 * 49 / 10;
    let heads = model.prediction_heads.unwrap();
    assert_eq!(heads.kv_values, 2 * 4 * 256);
    let mut need = |default_tokens| {
        model.prediction_heads = Some(PredictionHeads { default_tokens, weights_bytes, ..heads });
        memory_need(&model, &setting(&model, 32_768, KvCacheType::Q8_0), &machine())
    };
    let (off, two, four) = (need(0), need(2), need(4));
    assert_eq!((off.draft_gpu_bytes, off.draft_ram_bytes), (0, 0));
    let more = |of: &MemoryNeed| (of.vram_required_bytes - off.vram_required_bytes) as f64 / 1e9;
    assert!(
        (more(&two) - 0.9).abs() < 0.05 && (more(&four) - 1.2).abs() < 0.05,
        "{} {}",
        more(&two),
        more(&four)
    );
    let states = model.architecture.blocks.iter().filter(|block| block.cache.is_overwritten());
    let states: u64 = states.map(|block| block.cache.bytes(32_768, 512, KvCacheType::F16)).sum();
    assert_eq!(four.draft_gpu_bytes - two.draft_gpu_bytes, 2 * states);
    // While a prompt fills the context: a checkpoint per 8,192 tokens and two at the end.
    assert_eq!(off.checkpoints_ram_bytes, 6 * states);
    // On the processor alone the same memory is main memory.
    let alone = MachineFigures { gpus: Vec::new(), cpu: machine().cpu };
    model.prediction_heads = Some(PredictionHeads { default_tokens: 2, weights_bytes, ..heads });
    let alone = memory_need(&model, &setting(&model, 32_768, KvCacheType::Q8_0), &alone);
    assert_eq!((alone.draft_gpu_bytes, alone.draft_ram_bytes), (0, two.draft_gpu_bytes));
}

#[test]
fn two_cards_hold_what_fits_each() {
    let model = model("32b", "q4_K_M");
    let setting = setting(&model, 32_768, KvCacheType::Q8_0);
    let one = machine();
    let two = MachineFigures { gpus: vec![one.gpus[0].clone(), one.gpus[0].clone()], cpu: one.cpu.clone() };
    let layers = |machine: &MachineFigures, gib: u64| fit_gpu_layers(&model, &setting, machine, gib * GIB);
    // Twice the memory fits twice the layers, less each card's overhead and a layer that fits neither; the output matrix
    // and the buffer for blocks on the processor are needed once.
    let (alone, together) = (layers(&one, 11), layers(&two, 22));
    assert!((2 * alone - 4..=2 * alone + 3).contains(&together), "{alone} and {together}");
    assert_eq!(layers(&two, 40), model.total_layers());
    assert_eq!(layers(&two, 1), 0);
}

#[test]
fn the_image_encoder_counts_when_layers_are_on_the_card() {
    let find = |tag: &str| Catalogue::built_in().find(tag).unwrap_or_else(|| panic!("{tag}"));
    for (tag, encoder) in [("qwen3.5:9b", 921_703_637), ("qwen3.6:27b", 931_157_000), ("gpt-oss:20b", 0)] {
        let model = find(tag);
        let blind = Model { image_encoder_bytes: 0, ..(*model).clone() };
        let setting = setting(&model, 32_768, KvCacheType::Q8_0);
        let vram = |model: &Model, gpu_layers| {
            memory_need(model, &EngineSetting { gpu_layers, ..setting }, &machine()).vram_required_bytes
        };
        for layers in [1, model.total_layers()] {
            assert_eq!(vram(&model, layers) - vram(&blind, layers), encoder, "{tag}, {layers}");
        }
        assert_eq!(vram(&model, 0), 0, "{tag}");
    }
}
