//! Which cards the environment variables of CUDA, ROCm and Vulkan show to the engine, which inherits them.
//!
//! - CUDA reads a list of indexes and starts of UUIDs, and ignores the first entry that is no card and all after it. An
//!   empty list hides all cards. Indexes count the fastest card first, unless `CUDA_DEVICE_ORDER` says otherwise.
//! - ROCm reads `ROCR_VISIBLE_DEVICES`, then the first of `HIP_VISIBLE_DEVICES`, `GPU_DEVICE_ORDINAL` and
//!   `CUDA_VISIBLE_DEVICES` that is set, which counts the cards that are left.
//! - Vulkan reads indexes in the order of its devices. With one that is too high the engine gets no Vulkan device.

use super::identity::Adapter;
use crate::hardware::evidence::{Evidence, NvmlDevice};
use crate::machine::{Finding, GpuBackend, gpu_table};

const CUDA: &str = "CUDA_VISIBLE_DEVICES";
const CUDA_ORDER: &str = "CUDA_DEVICE_ORDER";
const ROCR: &str = "ROCR_VISIBLE_DEVICES";
/// The first that is set and not empty counts.
const HIP: [&str; 3] = ["HIP_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", CUDA];
const VULKAN: &str = "GGML_VK_VISIBLE_DEVICES";

/// What the variables choose.
#[derive(Clone, Debug, Default)]
pub struct VisibleDevices<'a> {
    /// NVML devices that CUDA shows, and of partitioned ones the index of the slice; `None` without a variable.
    cuda: Option<Vec<(&'a NvmlDevice, usize)>>,
    /// Adapters that ROCm hides, with the variable.
    hidden_from_rocm: Vec<(usize, &'static str)>,
    /// Indexes of Vulkan's devices that are shown; `None` without a variable.
    vulkan: Option<Vec<usize>>,
    /// Variables with an entry that is not one of the cards.
    invalid: Vec<(&'static str, String)>,
}

/// An entry of a list, read.
enum ListEntry {
    Device(usize, usize),
    Invalid,
}

impl<'a> VisibleDevices<'a> {
    /// What the variables of the evidence choose among its devices.
    pub fn of(evidence: &'a Evidence, adapters: &[Adapter<'a>]) -> Self {
        let mut visible = Self::default();
        let devices: Vec<&NvmlDevice> =
            evidence.nvml.answer().map_or_else(Vec::new, |nvml| in_cuda_order(&nvml.devices, evidence));
        let value = |name: &str| evidence.device_variables.get(name).map(String::as_str);
        if let Some(list) = value(CUDA).filter(|_| !devices.is_empty()) {
            let (shown, invalid) = read_list(list, |entry| cuda_entry(entry, &devices));
            let shown = shown.into_iter().filter_map(|(index, slice)| Some((*devices.get(index)?, slice)));
            visible.cuda = Some(shown.collect());
            visible.invalid.extend(invalid.map(|entry| (CUDA, entry)));
        }
        visible.read_rocm(adapters, value);
        let count = vulkan_devices(evidence).count();
        if let Some(list) = value(VULKAN).filter(|_| count > 0) {
            let (shown, invalid) = read_list(list, |entry| numbered(entry, count));
            // The engine's Vulkan library fails on an index that does not exist.
            visible.vulkan = Some(if invalid.is_some() || is_none(list) {
                Vec::new()
            } else {
                shown.into_iter().map(|(index, _)| index).collect()
            });
            visible.invalid.extend(invalid.map(|entry| (VULKAN, entry)));
        }
        visible
    }

    fn read_rocm<'v>(&mut self, adapters: &[Adapter<'a>], value: impl Fn(&str) -> Option<&'v str>) {
        let is_amd = |adapter: &Adapter<'_>| super::kind::vendor(adapter) == Some("amd");
        let all: Vec<usize> = (0..adapters.len()).filter(|i| adapters.get(*i).is_some_and(is_amd)).collect();
        if all.is_empty() {
            return;
        }
        let mut left = all.clone();
        let mut hide = |left: &mut Vec<usize>, name: &'static str, list: &str| {
            // A card's UUID is not known here, so a list with one hides nothing.
            if list.split(',').any(|entry| entry.trim().to_ascii_uppercase().starts_with("GPU-")) {
                return;
            }
            let (shown, invalid) = read_list(list, |entry| numbered(entry, left.len()));
            let shown: Vec<usize> = shown.into_iter().filter_map(|(i, _)| left.get(i).copied()).collect();
            let hidden = left.iter().filter(|adapter| !shown.contains(adapter));
            self.hidden_from_rocm.extend(hidden.map(|adapter| (*adapter, name)));
            // Said once, where the list is CUDA's too.
            self.invalid.extend(invalid.filter(|_| name != CUDA).map(|entry| (name, entry)));
            *left = shown;
        };
        if let Some(list) = value(ROCR) {
            hide(&mut left, ROCR, list);
        }
        if let Some((name, list)) =
            HIP.iter().find_map(|name| Some((*name, value(name).filter(|l| !l.is_empty())?)))
        {
            hide(&mut left, name, list);
        }
    }

    /// The variable that hides an adapter from the engine, if one does.
    pub fn hidden_by(
        &self,
        index: usize,
        adapter: &Adapter<'_>,
        backend: GpuBackend,
        evidence: &Evidence,
    ) -> Option<&'static str> {
        match backend {
            GpuBackend::Cuda => {
                let shown = self.cuda.as_ref()?;
                let device = adapter.nvml?;
                (!shown.iter().any(|(shown, _)| std::ptr::eq(*shown, device))).then_some(CUDA)
            }
            GpuBackend::Rocm => {
                let hidden = self.hidden_from_rocm.iter().find(|(hidden, _)| *hidden == index);
                hidden.map(|(_, variable)| *variable)
            }
            GpuBackend::Vulkan => {
                let shown = self.vulkan.as_ref()?;
                let device = adapter.vulkan?;
                let place = vulkan_devices(evidence).position(|listed| std::ptr::eq(listed, device))?;
                (!shown.contains(&place)).then_some(VULKAN)
            }
            GpuBackend::Metal => None,
        }
    }

    /// Index of the slice of a partitioned card that the engine uses: CUDA shows one per process, by default the first.
    pub fn slice_of(&self, device: &NvmlDevice) -> usize {
        let shown = self.cuda.iter().flatten().find(|(shown, _)| std::ptr::eq(*shown, device));
        shown.map_or(0, |(_, slice)| *slice)
    }

    /// Findings about entries that are none of the cards.
    pub fn findings(&self, evidence: &Evidence) -> Vec<Finding> {
        let finding = |(name, entry): &(&'static str, String)| Finding::VariableInvalid {
            setting: setting(name, evidence).into(),
            entry: entry.clone().into(),
        };
        self.invalid.iter().map(finding).collect()
    }
}

/// A variable with its value: `CUDA_VISIBLE_DEVICES=-1`.
pub fn setting(name: &str, evidence: &Evidence) -> String {
    format!("{name}={}", evidence.device_variables.get(name).map_or("", String::as_str))
}

/// Whether CUDA's variable hides the only device of a board that NVML does not list.
pub fn hides_board(evidence: &Evidence) -> bool {
    let list = evidence.device_variables.get(CUDA);
    list.is_some_and(|list| read_list(list, |entry| numbered(entry, 1)).0.is_empty())
}

fn vulkan_devices(evidence: &Evidence) -> impl Iterator<Item = &crate::hardware::evidence::WgpuAdapter> {
    use crate::hardware::evidence::GraphicsInterface;
    let listed = evidence.wgpu.answer().into_iter().flatten();
    listed.filter(|device| matches!(device.interface, GraphicsInterface::Vulkan | GraphicsInterface::Other))
}

/// The fastest first, as CUDA counts them, or in the order of PCI addresses, which is NVML's.
fn in_cuda_order<'a>(devices: &'a [NvmlDevice], evidence: &Evidence) -> Vec<&'a NvmlDevice> {
    let mut ordered: Vec<&NvmlDevice> = devices.iter().collect();
    if evidence.device_variables.get(CUDA_ORDER).map(String::as_str) != Some("PCI_BUS_ID") {
        let tflops = |device: &NvmlDevice| {
            gpu_table::lookup(&device.name, device.memory_total_bytes).map_or(0.0, |row| row.fp32_tflops)
        };
        ordered.sort_by(|a, b| tflops(b).total_cmp(&tflops(a)));
    }
    ordered
}

/// Whether a list is one of those that people use to hide all cards.
fn is_none(list: &str) -> bool {
    matches!(list.trim(), "" | "-1") || list.trim().eq_ignore_ascii_case("NoDevFiles")
}

/// The devices of a list up to the first entry that is not a device or is repeated, and that entry.
fn read_list(list: &str, read: impl Fn(&str) -> ListEntry) -> (Vec<(usize, usize)>, Option<String>) {
    let mut shown: Vec<(usize, usize)> = Vec::new();
    if is_none(list) {
        return (shown, None);
    }
    for entry in list.split(',').map(str::trim) {
        match read(entry) {
            ListEntry::Device(index, slice) if !shown.contains(&(index, slice)) => shown.push((index, slice)),
            // An end that people write on purpose: `0,-1`.
            ListEntry::Invalid if entry == "-1" => return (shown, None),
            ListEntry::Device(..) | ListEntry::Invalid => return (shown, Some(entry.to_owned())),
        }
    }
    (shown, None)
}

fn numbered(entry: &str, count: usize) -> ListEntry {
    entry
        .parse()
        .ok()
        .filter(|index| *index < count)
        .map_or(ListEntry::Invalid, |index| ListEntry::Device(index, 0))
}

/// An index, or the start of the UUID of one card or slice.
fn cuda_entry(entry: &str, devices: &[&NvmlDevice]) -> ListEntry {
    let wanted = entry.to_ascii_lowercase();
    // What is kept of a UUID is its start too.
    let is_it = |uuid: &Option<String>| {
        let known = uuid.as_deref().map(str::to_ascii_lowercase);
        wanted.len() > 4
            && known.is_some_and(|known| known.starts_with(&wanted) || wanted.starts_with(&known))
    };
    let found: Vec<(usize, usize)> = if let Some(card) = wanted.strip_prefix("mig-gpu-") {
        // The name of a slice before driver 470 has the card's UUID.
        let card = format!("gpu-{card}");
        let of_card = |device: &&NvmlDevice| {
            device.uuid.as_deref().is_some_and(|uuid| card.starts_with(&uuid.to_ascii_lowercase()))
        };
        devices.iter().position(of_card).into_iter().map(|index| (index, 0)).collect()
    } else if wanted.starts_with("mig-") {
        let slices = devices.iter().enumerate().flat_map(|(index, device)| {
            device.mig_slices.iter().enumerate().map(move |(place, slice)| (index, place, slice))
        });
        slices.filter(|(_, _, slice)| is_it(&slice.uuid)).map(|(index, place, _)| (index, place)).collect()
    } else if wanted.starts_with("gpu-") {
        let cards = devices.iter().enumerate();
        cards.filter(|(_, device)| is_it(&device.uuid)).map(|(index, _)| (index, 0)).collect()
    } else {
        return numbered(entry, devices.len());
    };
    match found[..] {
        [(index, slice)] => ListEntry::Device(index, slice),
        _ => ListEntry::Invalid,
    }
}

#[cfg(test)]
mod tests;
