//! Whether Ollama leaves out an adapter that could hold a model, and why.

use super::identity::Adapter;
use super::kind::is_nvidia;
use crate::hardware::evidence::{Access, Evidence, NvmlQueryError};
use crate::machine::{Blocked, Gpu, GpuKind, SourceFailure};

/// The first reason that applies. `gpu` is the adapter's entry without `blocked`.
pub fn blocked(gpu: &Gpu, adapter: &Adapter<'_>, evidence: &Evidence) -> Option<Blocked> {
    if !gpu.kind.holds_models() {
        return None;
    }
    let by_name = gpu.blocked().filter(|_| is_nvidia(adapter) || adapter.nvml.is_some());
    if by_name.is_some() {
        return by_name;
    }
    if let Some(device) = adapter.nvml {
        let no_slice = device.mig == Some(true) && gpu.vram_total_bytes.is_none();
        return if device.memory_error == Some(NvmlQueryError::GpuLost) {
            Some(Blocked::GpuLost)
        } else if no_slice {
            Some(Blocked::NoMigSlice)
        } else if !gpu.capability_is_enough() {
            Some(Blocked::CapabilityTooLow)
        } else if !gpu.driver_is_enough() {
            Some(Blocked::NvidiaDriverTooOld)
        } else {
            None
        };
    }
    if adapter.sysfs.as_ref().is_some_and(|card| card.driver.as_deref() == Some("vfio-pci")) {
        return Some(Blocked::GpuPassedThrough);
    }
    if is_nvidia(adapter) {
        let answers = adapter.wgpu().next().is_some();
        return (gpu.kind == GpuKind::Discrete && !answers).then(|| without_driver(evidence));
    }
    match evidence.render_access {
        Some(Access::Denied) => Some(Blocked::GpuDenied),
        Some(Access::Absent) => Some(Blocked::GpuUnreachable),
        Some(Access::Granted) | None => None,
    }
}

/// Why NVIDIA's driver does not answer about a card that the system lists.
fn without_driver(evidence: &Evidence) -> Blocked {
    let failed = evidence.nvml.answer().map_or(&[][..], |nvml| &nvml.failed_devices);
    let of_devices = |error: &NvmlQueryError| failed.iter().any(|device| device.error == *error);
    match evidence.nvml.failure() {
        Some(SourceFailure::GpuLost) => Blocked::GpuLost,
        Some(SourceFailure::DriverUpdated) => Blocked::NvidiaDriverMismatch,
        Some(SourceFailure::NoPermission) => Blocked::NvidiaDriverDenied,
        Some(SourceFailure::UnknownDriverError) => Blocked::NvidiaDriverFails,
        None if of_devices(&NvmlQueryError::GpuLost) => Blocked::GpuLost,
        None if of_devices(&NvmlQueryError::NoPermission) => Blocked::NvidiaDriverDenied,
        None if !failed.is_empty() => Blocked::NvidiaDriverFails,
        _ => Blocked::NvidiaDriverMissing,
    }
}
