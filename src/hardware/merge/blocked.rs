//! Whether Ollama leaves out an adapter that could hold a model, and why.

use super::identity::Adapter;
use super::kind::is_nvidia;
use crate::hardware::evidence::{Access, Evidence};
use crate::machine::{Blocked, Gpu, GpuKind};

/// The first reason that applies. `gpu` is the adapter's entry without `blocked`.
pub fn blocked(gpu: &Gpu, adapter: &Adapter<'_>, evidence: &Evidence) -> Option<Blocked> {
    if !gpu.kind.holds_models() {
        return None;
    }
    let by_name = gpu.blocked().filter(|_| is_nvidia(adapter) || adapter.nvml.is_some());
    if by_name.is_some() {
        return by_name;
    }
    if adapter.nvml.is_some() {
        return if !gpu.capability_is_enough() {
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
        return (gpu.kind == GpuKind::Discrete && !answers).then_some(Blocked::NvidiaDriverMissing);
    }
    match evidence.render_access {
        Some(Access::Denied) => Some(Blocked::GpuDenied),
        Some(Access::Absent) => Some(Blocked::GpuUnreachable),
        Some(Access::Granted) | None => None,
    }
}
