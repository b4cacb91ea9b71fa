//! A machine as lines of name and value, for the terminal.

use crate::machine::{Disk, DiskKind, DiskUse, EngineKind, FoundEngine, Gpu, GpuKind, Hardware, TABLE};
use crate::say;
use crate::text::Text;
use crate::untrusted::UntrustedText;

/// Name and value of each line about the hardware.
pub fn hardware_facts(hardware: &Hardware, text: Text) -> Vec<(String, String)> {
    let unknown = || say!(text, "cli-unknown");
    let mut facts = Vec::new();
    let os = &hardware.os;
    if let Some(name) = &os.name {
        let rest = [os.version.as_deref(), os.arch.as_deref()];
        let words: Vec<&str> = std::iter::once(name.as_str()).chain(rest.into_iter().flatten()).collect();
        facts.push((say!(text, "cli-system"), words.join(" ")));
    }
    let cpu = hardware.cpu.name.clone().map_or_else(unknown, String::from);
    let mut processor = match hardware.cpu.physical_cores {
        Some(cores) => say!(text, "cli-processor-value", name = cpu, cores = cores),
        None => cpu,
    };
    for feature in &hardware.cpu.features {
        processor.push_str(&format!(" · {}", feature_name(feature)));
    }
    facts.push((say!(text, "cli-processor"), processor));
    facts.push((say!(text, "cli-memory"), memory_line(hardware, text)));
    if hardware.gpus.is_empty() {
        facts.push((say!(text, "cli-graphics"), say!(text, "cli-none-found")));
    }
    facts.extend(hardware.gpus.iter().map(|gpu| (say!(text, "cli-graphics"), gpu_line(gpu, text))));
    facts.extend(hardware.disks.iter().map(|disk| (say!(text, "cli-disk"), disk_line(disk, text))));
    facts.extend(hardware.engines.iter().map(|engine| (say!(text, "cli-engine"), engine_line(engine, text))));
    facts.extend(hardware.model_folders.iter().map(|folder| {
        let line = say!(
            text,
            "cli-models-value",
            count = folder.models.len(),
            size = text.file_size(folder.total_bytes),
            path = UntrustedText::path(&folder.path),
            names = names(folder.models.iter().map(|model| model.name.as_str())),
        );
        (say!(text, "cli-models"), line)
    }));
    facts
}

/// `avx512_vnni` → `AVX-512 VNNI`.
pub fn feature_name(feature: &str) -> String {
    feature.to_uppercase().replace("AVX512", "AVX-512").replace('_', " ")
}

/// Space that an installation needs on a disk, and whether it fits, in a clause; `None` where unknown.
pub fn disk_needs(disk: &Disk, text: Text) -> Option<String> {
    let needed = text.file_size(disk.needed_bytes?);
    let what = match disk.used_for[..] {
        [DiskUse::Engine] => say!(text, "hardware-disk-engine"),
        [DiskUse::Models] => say!(text, "hardware-disk-models"),
        _ => say!(text, "hardware-disk-both"),
    };
    Some(match (disk.fits, disk.free_bytes) {
        (Some(true), _) => say!(text, "hardware-disk-fits", what = what, needed = needed),
        (Some(false), Some(free)) => {
            let missing = text.file_size(disk.needed_bytes?.saturating_sub(free));
            say!(text, "hardware-disk-short", what = what, needed = needed, missing = missing)
        }
        _ => say!(text, "hardware-disk-needs", what = what, needed = needed),
    })
}

/// The first few names, and how many more there are.
pub fn names<'n>(all: impl Iterator<Item = &'n str>) -> String {
    const SHOWN: usize = 4;
    let all: Vec<&str> = all.collect();
    let mut list = all[..all.len().min(SHOWN)].join(", ");
    if all.len() > SHOWN {
        list.push_str(&format!(", +{}", all.len() - SHOWN));
    }
    list
}

fn memory_line(hardware: &Hardware, text: Text) -> String {
    let memory = &hardware.memory;
    let total = text.memory(memory.total_bytes);
    let mut line = match memory.available_bytes {
        Some(available) => {
            say!(text, "cli-memory-value", total = total, available = text.memory(available))
        }
        None => say!(text, "cli-memory-value-unknown", total = total),
    };
    if let Some(gb_s) = memory.bandwidth_gb_s {
        line.push_str(&format!(" · {}", say!(text, "cli-bandwidth-measured", rate = text.figure(gb_s))));
    }
    line
}

fn gpu_line(gpu: &Gpu, text: Text) -> String {
    let kind = match (gpu.refusal(), gpu.kind) {
        (Some(refusal), _) => say!(text, "cli-gpu-blocked", why = refusal.title(text)),
        (None, GpuKind::Discrete) => say!(text, "cli-gpu-discrete"),
        (None, GpuKind::Integrated) => say!(text, "cli-gpu-integrated"),
        (None, GpuKind::Unified) => say!(text, "cli-gpu-unified"),
        (None, GpuKind::Software) => say!(text, "cli-gpu-software"),
        (None, GpuKind::Virtual) => say!(text, "cli-gpu-virtual"),
    };
    let memory = match (gpu.vram_total_bytes, gpu.vram_free_bytes) {
        (Some(total), Some(free)) => {
            say!(text, "cli-gpu-memory", total = text.memory(total), free = text.memory(free))
        }
        (Some(total), None) => say!(text, "cli-gpu-memory-total", total = text.memory(total)),
        (None, _) => say!(text, "cli-gpu-memory-unknown"),
    };
    let bandwidth = gpu.memory_bandwidth_gb_s.map(|gb_s| {
        let rate = text.decimal(gb_s, 0);
        let from_table = gpu.sources.get("memory_bandwidth_gb_s").is_some_and(|source| source == TABLE);
        if from_table {
            say!(text, "cli-bandwidth-table", rate = rate)
        } else {
            say!(text, "cli-bandwidth", rate = rate)
        }
    });
    let driver =
        gpu.driver_version.as_ref().map(|version| say!(text, "cli-driver", version = version.as_str()));
    let capability =
        gpu.compute_capability.map(|version| say!(text, "cli-capability", version = version.to_string()));
    let used = gpu.backend.filter(|_| gpu.kind.holds_models() && gpu.blocked.is_none()).map(|b| b.title());
    let parts = [
        Some(gpu.name.to_string()),
        Some(kind),
        Some(memory),
        bandwidth,
        driver,
        capability,
        used.map(str::to_owned),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn disk_line(disk: &Disk, text: Text) -> String {
    let free = disk.free_bytes.map_or_else(|| say!(text, "cli-unknown"), |bytes| text.file_size(bytes));
    let mut line = say!(text, "cli-disk-value", path = UntrustedText::path(&disk.path), free = free);
    line.push_str(match disk.kind {
        Some(DiskKind::Ssd) => " · SSD",
        Some(DiskKind::Hdd) => " · HDD",
        None => "",
    });
    if let Some(needs) = disk_needs(disk, text) {
        line.push_str(&format!(" · {needs}"));
    }
    line
}

fn engine_line(engine: &FoundEngine, text: Text) -> String {
    let mut parts = vec![engine_kind(engine.kind, text)];
    parts.extend(engine.version.clone().map(String::from));
    parts.extend(engine.port.map(|port| say!(text, "cli-engine-port", port = port.to_string())));
    parts.extend(engine.path.as_ref().map(|path| UntrustedText::path(path).into()));
    if engine.exposed == Some(true) {
        parts.push(say!(text, "cli-engine-exposed"));
    }
    parts.extend(engine.loaded.iter().map(|model| {
        let vram = model.vram_bytes.map_or_else(|| say!(text, "cli-unknown"), |bytes| text.memory(bytes));
        say!(text, "cli-engine-loaded", model = model.name.as_str(), vram = vram)
    }));
    if !engine.models.is_empty() {
        let names = names(engine.models.iter().map(|model| model.name.as_str()));
        parts.push(say!(text, "cli-engine-models", names = names));
    }
    parts.join(" · ")
}

/// Kind of engine.
pub fn engine_kind(kind: EngineKind, text: Text) -> String {
    match kind {
        EngineKind::Service => say!(text, "hardware-engine-service"),
        EngineKind::Server => say!(text, "hardware-engine-server"),
        EngineKind::App => say!(text, "hardware-engine-app"),
        EngineKind::Binary => say!(text, "hardware-engine-binary"),
    }
}
