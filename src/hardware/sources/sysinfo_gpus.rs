//! The GPU list of the `sysinfo` library: files under `/sys` and Vulkan on Linux, DXGI on Windows.

use crate::hardware::evidence::{SourceAnswer, SysinfoGpu};
use crate::machine::SourceFailure;

/// Queries `sysinfo`.
pub fn query() -> SourceAnswer<Vec<SysinfoGpu>> {
    let gpus = match sysinfo::Gpus::new_with_refreshed_list() {
        Ok(gpus) => gpus,
        Err(error) => {
            return SourceAnswer::Failed(SourceFailure::Other { message: error.to_string().into() });
        }
    };
    let text = |text: Option<&str>| text.map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned);
    SourceAnswer::Answered(
        gpus.iter()
            .map(|gpu| SysinfoGpu {
                pci_bus_id: text(Some(&gpu.pci().to_string())),
                vendor: text(gpu.vendor()),
                model: text(gpu.model()),
                memory_total_bytes: gpu.total_memory(),
                memory_used_bytes: gpu.used_memory(),
            })
            .collect(),
    )
}
