//! Duration of estimates: `cargo bench --bench assess`. Planning everything for one machine, the search for the three
//! choices among all models of the catalogue included, must take less than 5 ms.

use std::hint::black_box;
use std::time::{Duration, Instant};

use acolyte::estimate::{CpuFigures, EngineSetting, GpuFigures, MachineFigures, estimate, fit_gpu_layers};
use acolyte::figures::Known;
use acolyte::machine::{GpuBackend, GpuKind, Hardware};
use acolyte::models::{Catalogue, KvCacheType};
use acolyte::plan::{self, Profiles};
use acolyte::{GIB, MIN_CONTEXT_TOKENS};

const LIMIT: Duration = Duration::from_millis(5);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let catalogue = Catalogue::built_in();
    let machine = machine();
    let every_model = median(|| {
        for model in &catalogue.models {
            let setting = EngineSetting {
                context_tokens: MIN_CONTEXT_TOKENS,
                kv_cache_type: KvCacheType::Q8_0,
                num_batch: 512,
                flash_attention: true,
                gpu_layers: 0,
                n_cpu_moe: 0,
            };
            let gpu_layers = fit_gpu_layers(model, &setting, &machine, 7 * GIB);
            black_box(estimate(model, &EngineSetting { gpu_layers, ..setting }, &machine));
        }
    });
    let hardware = Hardware::from_json(
        r#"{
            "schema": 1, "cpu": {"physical_cores": 8, "features": ["avx2"]},
            "memory": {"total_bytes": 34359738368, "available_bytes": 25769803776, "bandwidth_gb_s": 40},
            "gpus": [{"name": "NVIDIA GeForce RTX 4060 Laptop GPU", "kind": "discrete", "backend": "cuda",
                      "vram_total_bytes": 8585740288, "vram_free_bytes": 7900000000}]
        }"#,
        "hardware.json".as_ref(),
    )?;
    let profiles = Profiles::built_in();
    let everything = median(|| {
        black_box(plan::plan_all(black_box(&hardware), catalogue, profiles));
    });
    println!("placement and estimate of {} models: {every_model:?}", catalogue.models.len());
    let only_profiles = median(|| {
        black_box(plan::plan_profiles(black_box(&hardware), catalogue, profiles));
    });
    println!("all profiles on one machine: {only_profiles:?}");
    println!("all profiles and the search among all models on one machine: {everything:?} (limit {LIMIT:?})");
    if everything > LIMIT {
        return Err(format!("{everything:?} is more than {LIMIT:?}").into());
    }
    Ok(())
}

/// Median time of many runs, after some warm-up runs.
fn median(mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..300)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .skip(50)
        .collect();
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn machine() -> MachineFigures {
    MachineFigures {
        gpus: vec![GpuFigures {
            name: "NVIDIA GeForce RTX 4060 Laptop GPU".to_owned(),
            kind: GpuKind::Discrete,
            backend: GpuBackend::Cuda,
            vram_total_bytes: 8 * GIB,
            vram_total_certainty: acolyte::figures::Certainty::Detected,
            compute_share: 1.0,
            vram_free_bytes: Known::detected(7 * GIB),
            bandwidth_gb_s: Known::detected(256.0),
            row: acolyte::machine::gpu_table::lookup("NVIDIA GeForce RTX 4060 Laptop GPU", Some(8 * GIB)),
            compute_capability: Some(acolyte::machine::ComputeCapability::new(8, 9)),
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
