//! Memory logged by engines on loading, compared with the estimate for that build.

use acolyte::estimate::{EngineBuild, EngineSetting, GpuFigures, MachineFigures, memory_need_of_build};
use acolyte::figures::{Certainty, Known};
use acolyte::machine::{GpuBackend, GpuKind};
use acolyte::models::{Catalogue, KvCacheType};
use acolyte::{GIB, MIB};

use super::measurements::{processor, rows};

/// Compares with what engines logged on loading.
pub fn print() {
    println!("\nmemory logs (MiB: logged / estimated for the build that logged)");
    let text = include_str!("../data/memory_logs.csv");
    for row in rows(text) {
        let Some(model) = Catalogue::built_in().find(row.text("model")) else {
            println!("  {}: unknown model", row.text("model"));
            continue;
        };
        let layers = row.number("gpu_layers").map_or(model.total_layers(), |n| n as u32);
        let setting = EngineSetting {
            context_tokens: row.number("context").unwrap_or(4096.0) as u32,
            kv_cache_type: row.text("kv_type").parse().unwrap_or(KvCacheType::F16),
            num_batch: 512,
            flash_attention: row.text("flash_attention") != "off",
            gpu_layers: layers,
            n_cpu_moe: 0,
        };
        let mut machine =
            MachineFigures { gpus: vec![], cpu: processor("", 80.0, Certainty::Table, 8, "avx2") };
        let build = match row.text("build") {
            "all logits" => EngineBuild::AllLogits,
            "own runner" => EngineBuild::OwnRunner,
            "output last" => EngineBuild::OutputLast,
            _ => EngineBuild::Current,
        };
        if row.text("gpu") != "none" {
            machine.gpus.push(GpuFigures {
                name: "NVIDIA GeForce RTX 3060".to_owned(),
                kind: GpuKind::Discrete,
                backend: GpuBackend::Cuda,
                vram_total_bytes: 48 * GIB,
                vram_total_certainty: acolyte::figures::Certainty::Detected,
                compute_share: 1.0,
                vram_free_bytes: Known::detected(48 * GIB),
                bandwidth_gb_s: Known::detected(360.0),
                row: acolyte::machine::gpu_table::lookup("NVIDIA GeForce RTX 3060", Some(48 * GIB)),
                compute_capability: None,
                bus_gb_s: Known::detected(31.5),
            });
        }
        // Several sequences share the cache; each batch has the context of one.
        let need = memory_need_of_build(&model, &setting, &machine, build);
        let sequences = row.number("sequences").unwrap_or(1.0) as u32;
        let of_one = EngineSetting { context_tokens: setting.context_tokens / sequences, ..setting };
        let buffers = memory_need_of_build(&model, &of_one, &machine, build);
        let mib = |bytes: u64| bytes as f64 / MIB as f64;
        print!("  {:24} {:36}", row.text("model"), row.text("engine"));
        for (column, bytes) in [
            ("weights_gpu", need.weights_gpu_bytes),
            ("weights_cpu", need.weights_ram_bytes),
            ("kv", need.kv_gpu_bytes + need.kv_ram_bytes),
            (
                "compute",
                if machine.gpus.is_empty() { buffers.compute_ram_bytes } else { buffers.compute_gpu_bytes },
            ),
            ("host", buffers.compute_ram_bytes),
        ] {
            if let Some(logged) = row.number(column) {
                print!("  {column} {logged:.2} / {:.2}", mib(bytes));
            }
        }
        println!(
            "{}",
            if row.text("note").is_empty() { String::new() } else { format!("  ({})", row.text("note")) }
        );
    }
}
