//! The processor, the size of the main memory and the system's name.

use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

use super::evidence::MemoryEvidence;
use crate::machine::{Cpu, Os};
use crate::untrusted::UntrustedText;

/// The operating system.
pub fn os() -> Os {
    Os {
        name: Some(std::env::consts::OS.into()),
        version: crate::hardware::system::os_version().map(Into::into),
        arch: Some(std::env::consts::ARCH.into()),
    }
}

/// Total and available main memory (Linux: `MemAvailable`).
pub fn memory() -> MemoryEvidence {
    let kind = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    let Ok(system) = System::new_with_specifics(kind) else { return MemoryEvidence::default() };
    MemoryEvidence {
        total_bytes: system.total_memory(),
        available_bytes: Some(system.available_memory()).filter(|bytes| *bytes > 0),
        ..MemoryEvidence::default()
    }
}

/// The processor.
pub fn cpu() -> Cpu {
    let kind = RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing());
    let name = System::new_with_specifics(kind)
        .ok()
        .and_then(|system| system.cpus().first().map(|cpu| cpu.brand().trim().to_owned()));
    let count = |count: usize| u32::try_from(count).ok().filter(|count| *count > 0);
    Cpu {
        name: name.filter(|name| !name.is_empty()).map(Into::into),
        physical_cores: System::physical_core_count().ok().and_then(count),
        logical_cores: std::thread::available_parallelism().ok().and_then(|cores| count(cores.get())),
        features: features(),
        dot_product_gb_s: None,
    }
}

/// Instruction sets for which Ollama has optimised code.
fn features() -> Vec<UntrustedText> {
    available_features().into_iter().filter(|(_, there)| *there).map(|(name, _)| name.into()).collect()
}

#[cfg(target_arch = "x86_64")]
fn available_features() -> Vec<(&'static str, bool)> {
    vec![
        ("avx", is_x86_feature_detected!("avx")),
        ("avx2", is_x86_feature_detected!("avx2")),
        ("fma", is_x86_feature_detected!("fma")),
        ("f16c", is_x86_feature_detected!("f16c")),
        ("avx_vnni", is_x86_feature_detected!("avxvnni")),
        ("avx512", is_x86_feature_detected!("avx512f")),
        ("avx512_vnni", is_x86_feature_detected!("avx512vnni")),
        ("avx512_bf16", is_x86_feature_detected!("avx512bf16")),
        ("amx", amx()),
    ]
}

/// Whether AMX for integers is supported, which stable Rust cannot detect: leaf 7, EDX bit 25 (Intel SDM, CPUID).
#[cfg(target_arch = "x86_64")]
fn amx() -> bool {
    use std::arch::x86_64::{__cpuid, __cpuid_count};
    __cpuid(0).eax >= 7 && __cpuid_count(7, 0).edx >> 25 & 1 == 1
}

#[cfg(target_arch = "aarch64")]
fn available_features() -> Vec<(&'static str, bool)> {
    vec![
        ("neon", std::arch::is_aarch64_feature_detected!("neon")),
        ("dotprod", std::arch::is_aarch64_feature_detected!("dotprod")),
        ("i8mm", std::arch::is_aarch64_feature_detected!("i8mm")),
        ("fp16", std::arch::is_aarch64_feature_detected!("fp16")),
        ("bf16", std::arch::is_aarch64_feature_detected!("bf16")),
        ("sve", std::arch::is_aarch64_feature_detected!("sve")),
        ("sve2", std::arch::is_aarch64_feature_detected!("sve2")),
    ]
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn available_features() -> Vec<(&'static str, bool)> {
    Vec::new()
}
