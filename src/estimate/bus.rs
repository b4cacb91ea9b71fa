//! Transfer rate from main memory to a card. Weights in main memory are transferred for every batch of a prompt.

use super::MachineFigures;
use super::efficiency::{positive, spread_factor};
use crate::figures::Certainty;
use crate::machine::GpuKind;

/// Rate of transfers from main memory to the GPUs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bus {
    /// Bytes per second.
    pub bytes_per_s: f64,
    /// Factor between the middle of a range and each of its ends.
    pub spread: f64,
}

/// Transfer rate to the GPUs of a machine; `None` without one. Weights of a mapped file are in pageable memory: the
/// driver copies them to a pinned buffer with one core, while the previous part is transferred. The slower of the two
/// is the limit.
pub(super) fn bus(machine: &MachineFigures) -> Option<Bus> {
    /// Share of the nominal bandwidth that large transfers reach; the rest is packet headers.
    const BUS_SHARE: f64 = 0.8;
    /// Share of main memory's bandwidth that the copy reaches on desktop processors: every byte is read and written.
    /// Measured: 0.50 on a Ryzen 7 5700X, with the memory at 3,000 and at 2,133 MT/s.
    const COPY_SHARE: f64 = 0.5;
    /// Rate of the copy on server processors, whose memory latency is higher, in decimal GB/s. Measured: 6.6 to 7.6 on
    /// Xeons with PCIe 5.0 x16.
    const SERVER_COPY_GB_S: f64 = 7.0;

    let cpu = &machine.cpu;
    let slowest = machine.gpus.iter().min_by(|a, b| a.bus_gb_s.value.total_cmp(&b.bus_gb_s.value))?;
    let memory = positive(cpu.bandwidth_gb_s.value);
    let copied = if is_server(&cpu.name) { SERVER_COPY_GB_S } else { memory * COPY_SHARE };
    // A GPU with shared memory reads it directly.
    let carried =
        if slowest.kind == GpuKind::Unified { memory } else { positive(slowest.bus_gb_s.value) * BUS_SHARE };
    // If the bus is only assumed, it may be the limit even if the copy seems slower.
    let by_copy = copied < carried && slowest.bus_gb_s.certainty != Certainty::Guess;
    let certainty = if by_copy { cpu.bandwidth_gb_s.certainty } else { slowest.bus_gb_s.certainty };
    Some(Bus { bytes_per_s: copied.min(carried) * 1e9, spread: 1.25 * spread_factor(certainty) })
}

/// Whether a processor is for servers, by its name.
fn is_server(name: &str) -> bool {
    ["Xeon", "EPYC"].iter().any(|word| name.contains(word))
}
