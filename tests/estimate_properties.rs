//! Properties of every estimate, for any machine and model.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::sync::Arc;

use acolyte::estimate::{
    CpuFigures, EngineSetting, Estimate, GpuFigures, MachineFigures, decode, estimate, first_token_s,
    fit_gpu_layers, fit_n_cpu_moe, memory_need,
};
use acolyte::figures::{Known, Range};
use acolyte::machine::{GpuBackend, GpuKind};
use acolyte::models::{Catalogue, KvCacheType, Model};
use acolyte::{GIB, MIB};
use proptest::prelude::*;

fn machine(gpus: usize, vram_bytes: u64, gpu_gb_s: f64, ram_gb_s: f64, cores: u32) -> MachineFigures {
    let gpu = GpuFigures {
        name: "NVIDIA GeForce RTX 3060".to_owned(),
        kind: GpuKind::Discrete,
        backend: GpuBackend::Cuda,
        vram_total_bytes: vram_bytes,
        vram_total_certainty: acolyte::figures::Certainty::Detected,
        compute_share: 1.0,
        vram_free_bytes: Known::detected(vram_bytes),
        bandwidth_gb_s: Known::detected(gpu_gb_s),
        row: acolyte::machine::gpu_table::lookup("NVIDIA GeForce RTX 3060", Some(vram_bytes)),
        compute_capability: Some(acolyte::machine::ComputeCapability::new(8, 6)),
        bus_gb_s: Known::detected(31.5),
    };
    MachineFigures {
        gpus: vec![gpu; gpus],
        cpu: CpuFigures {
            name: String::new(),
            dot_product_gb_s: None,
            ram_total_bytes: 32 * GIB,
            ram_available_bytes: Known::detected(24 * GIB),
            bandwidth_gb_s: Known::detected(ram_gb_s),
            physical_cores: Known::detected(cores),
            features: vec!["avx2".to_owned()],
        },
    }
}

fn models() -> impl Strategy<Value = Arc<Model>> {
    let mut models = Catalogue::built_in().models.clone();
    for tag in
        ["gemma3:12b", "llama3.2:1b-instruct-q8_0", "mixtral:8x7b", "qwen3.5:35b-a3b", "smollm2:135m-q2_K"]
    {
        models.push(Catalogue::built_in().find(tag).unwrap());
    }
    prop::sample::select(models)
}

fn settings() -> impl Strategy<Value = EngineSetting> {
    let kv = prop::sample::select(KvCacheType::ALL.to_vec());
    (1_u32..300_000, kv, 1_u32..4096, any::<bool>(), 0_u32..80).prop_map(
        |(context_tokens, kv_cache_type, num_batch, flash_attention, gpu_layers)| EngineSetting {
            context_tokens,
            kv_cache_type,
            num_batch,
            flash_attention,
            gpu_layers,
            n_cpu_moe: 0,
        },
    )
}

fn ranges(e: &Estimate) -> [Range; 4] {
    [
        e.speed.decode_tokens_per_s,
        e.speed.decode_at_full_context_tokens_per_s,
        e.speed.first_token_full_prompt_s,
        e.speed.first_token_4k_prompt_s,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn more_vram_never_results_in_fewer_layers_or_less_speed(
        model in models(), setting in settings(), gpus in 1_usize..4, mib in 0_u64..64_000, more in 0_u64..16_000,
    ) {
        let machine = machine(gpus, 24 * GIB, 360.0, 40.0, 8);
        let layers = |mib: u64| fit_gpu_layers(&model, &setting, &machine, mib * MIB);
        let (few, many) = (layers(mib), layers(mib + more));
        prop_assert!(few <= many, "{few} layers in {mib} MiB, {many} in {more} MiB more");
        let speed = |gpu_layers| decode(&model, &EngineSetting { gpu_layers, ..setting }, &machine, 1000).mid;
        prop_assert!(speed(few) <= speed(many) * 1.000_001, "{few}: {}, {many}: {}", speed(few), speed(many));
    }

    #[test]
    fn the_fitted_layers_fit_and_one_more_does_not(
        model in models(), setting in settings(), mib in 0_u64..64_000,
    ) {
        let machine = machine(1, 24 * GIB, 360.0, 40.0, 8);
        let need = |gpu_layers| memory_need(&model, &EngineSetting { gpu_layers, ..setting }, &machine).vram_required_bytes;
        let layers = fit_gpu_layers(&model, &setting, &machine, mib * MIB);
        prop_assert!(layers == 0 || need(layers) <= mib * MIB);
        prop_assert!(layers == model.total_layers() || need(layers + 1) > mib * MIB);
    }

    #[test]
    fn experts_in_main_memory_free_graphics_memory_and_cost_speed(
        model in models(), setting in settings(), mib in 0_u64..64_000, more in 1_u32..60, gpus in 1_usize..3,
    ) {
        let machine = machine(gpus, 24 * GIB, 360.0, 40.0, 8);
        let gpu_layers = model.total_layers();
        let with = |n_cpu_moe| EngineSetting { gpu_layers, n_cpu_moe, ..setting };
        let need = |n_cpu_moe| memory_need(&model, &with(n_cpu_moe), &machine);
        let few = setting.gpu_layers.min(gpu_layers - 1);
        let many = few.saturating_add(more);
        prop_assert!(need(many).weights_gpu_bytes <= need(few).weights_gpu_bytes);
        prop_assert_eq!(
            need(many).weights_gpu_bytes + need(many).weights_ram_bytes,
            need(few).weights_gpu_bytes + need(few).weights_ram_bytes
        );
        prop_assert_eq!(need(many).kv_gpu_bytes, need(few).kv_gpu_bytes);
        let speed = |n_cpu_moe| decode(&model, &with(n_cpu_moe), &machine, 1000).mid;
        prop_assert!(speed(many) <= speed(few) * 1.000_001, "{few}: {}, {many}: {}", speed(few), speed(many));
        if let Some(n) = fit_n_cpu_moe(&model, &setting, &machine, mib * MIB) {
            prop_assert!(need(n).vram_required_bytes <= mib * MIB);
            prop_assert!(gpus > 1 || n == 0 || need(n - 1).vram_required_bytes > mib * MIB);
        } else {
            prop_assert!(gpus > 1 || need(gpu_layers).vram_required_bytes > mib * MIB);
        }
    }

    #[test]
    fn more_context_never_needs_less(
        model in models(), setting in settings(), more in 0_u32..100_000, gpus in 0_usize..3,
    ) {
        let machine = machine(gpus, 24 * GIB, 360.0, 40.0, 8);
        let longer = EngineSetting { context_tokens: setting.context_tokens.saturating_add(more), ..setting };
        let (short, long) = (memory_need(&model, &setting, &machine), memory_need(&model, &longer, &machine));
        prop_assert!(short.vram_required_bytes <= long.vram_required_bytes);
        prop_assert!(short.ram_required_bytes <= long.ram_required_bytes);
        let slower = decode(&model, &longer, &machine, longer.context_tokens).mid;
        prop_assert!(slower <= decode(&model, &setting, &machine, setting.context_tokens).mid);
    }

    #[test]
    fn parts_sum_to_the_whole_and_a_smaller_cache_type_is_smaller(
        model in models(), setting in settings(), gpus in 0_usize..3,
    ) {
        let machine = machine(gpus, 24 * GIB, 360.0, 40.0, 8);
        let n = memory_need(&model, &setting, &machine);
        prop_assert_eq!(
            n.vram_required_bytes,
            n.weights_gpu_bytes
                + n.kv_gpu_bytes
                + n.compute_gpu_bytes
                + n.draft_gpu_bytes
                + n.overhead_gpu_bytes
        );
        let least = n.vram_required_bytes - n.overhead_gpu_bytes;
        prop_assert!((least..=n.vram_required_bytes).contains(&n.vram_low_bytes));
        prop_assert_eq!(n.vram_low_bytes == n.vram_required_bytes, n.overhead_gpu_bytes == 0);
        prop_assert_eq!(
            n.ram_required_bytes,
            n.weights_ram_bytes
                + n.kv_ram_bytes
                + n.compute_ram_bytes
                + n.draft_ram_bytes
                + n.checkpoints_ram_bytes
                + n.overhead_ram_bytes
        );
        let cache = |kv| {
            let n = memory_need(&model, &EngineSetting { kv_cache_type: kv, ..setting }, &machine);
            n.kv_gpu_bytes + n.kv_ram_bytes
        };
        prop_assert!(cache(KvCacheType::Q4_0) <= cache(KvCacheType::Q8_0));
        prop_assert!(cache(KvCacheType::Q8_0) <= cache(KvCacheType::F16));
        // Every weight is counted once, and a tied output matrix twice.
        let file = model.architecture.file_tensor_bytes();
        let twice = if model.architecture.tied_embeddings && n.weights_gpu_bytes > 0 {
            model.architecture.output_bytes
        } else {
            0
        };
        prop_assert!(n.weights_gpu_bytes + n.weights_ram_bytes <= file + twice + model.image_encoder_bytes);
        prop_assert!(n.weights_gpu_bytes + n.weights_ram_bytes + 1_000_000 >= file);
    }

    #[test]
    fn any_machine_figures_result_in_a_finite_estimate(
        model in models(),
        context_tokens in any::<u32>(), num_batch in any::<u32>(), gpu_layers in any::<u32>(), depth in any::<u32>(),
        flash_attention in any::<bool>(), gpus in 0_usize..4, vram in any::<u64>(), cores in any::<u32>(),
        n_cpu_moe in any::<u32>(), bus_gb_s in any::<f64>(),
        gpu_gb_s in any::<f64>(), ram_gb_s in any::<f64>(),
    ) {
        let mut machine = machine(gpus, vram, gpu_gb_s, ram_gb_s, cores);
        for gpu in &mut machine.gpus {
            gpu.bus_gb_s.value = bus_gb_s;
        }
        let setting =
            EngineSetting { context_tokens, kv_cache_type: KvCacheType::Q8_0, num_batch, flash_attention, gpu_layers, n_cpu_moe };
        let e = estimate(&model, &setting, &machine);
        let _ = fit_gpu_layers(&model, &setting, &machine, vram);
        let more = [decode(&model, &setting, &machine, depth), first_token_s(&model, &setting, &machine, depth)];
        for range in ranges(&e).into_iter().chain(more) {
            prop_assert!(range.low.is_finite() && range.high.is_finite(), "{range:?}");
            prop_assert!(0.0 < range.low && range.low <= range.mid && range.mid <= range.high, "{range:?}");
        }
    }
}
