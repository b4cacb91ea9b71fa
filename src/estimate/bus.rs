//! Transfer rate from main memory to a card. Weights in main memory are transferred for every batch of a prompt.

use super::MachineFigures;
use super::constants::EfficiencyConstants;
use super::efficiency::{positive, range_factor};
use crate::figures::Certainty;
use crate::machine::GpuKind;

/// Rate of transfers from main memory to the GPUs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bus {
    /// Bytes per second.
    pub bytes_per_s: f64,
    /// Factor between the middle of a range and each of its ends.
    pub range: f64,
}

/// Transfer rate to the GPUs of a machine; `None` without one. Weights of a mapped file are in pageable memory: the
/// driver copies them to a pinned buffer with one core, while the previous part is transferred. The slower of the two
/// is the limit.
pub(super) fn bus(machine: &MachineFigures, constants: &EfficiencyConstants) -> Option<Bus> {
    let (cpu, figures) = (&machine.cpu, &constants.bus);
    let slowest = machine.gpus.iter().min_by(|a, b| a.bus_gb_s.value.total_cmp(&b.bus_gb_s.value))?;
    let memory = positive(cpu.bandwidth_gb_s.value);
    let copies = constants.of_processor(&cpu.name, &cpu.features).copies;
    let copied = memory * copies.copy_share + copies.copy_gb_s;
    // A GPU with shared memory reads it directly.
    let carried = if slowest.kind == GpuKind::Unified {
        memory
    } else {
        positive(slowest.bus_gb_s.value) * figures.bus_share
    };
    // If the bus is only assumed, it may be the limit even if the copy seems slower.
    let by_copy = copied < carried && slowest.bus_gb_s.certainty != Certainty::Guess;
    let certainty = if by_copy { cpu.bandwidth_gb_s.certainty } else { slowest.bus_gb_s.certainty };
    let range = figures.bus_range * range_factor(certainty, &constants.common);
    Some(Bus { bytes_per_s: copied.min(carried) * 1e9, range })
}
