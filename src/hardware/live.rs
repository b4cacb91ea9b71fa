//! Memory of the cards again and again, at the cost of the one source that tells it.
//!
//! 1. [`LiveMemory::start`] detects once, and notes for each usable card where its free memory comes from.
//! 2. [`LiveMemory::look`] asks those sources alone and merges their answers with what else was detected, so that figures are
//!    the same as in detection.
//!
//! A driver's library stays in a child process, which is started once ([`child`]). Files of the kernel and the size of main
//! memory are read here.

mod child;
pub(super) mod serve;

use child::WatchedSource;

use super::detect::{DetectOptions, collect};
use super::evidence::{Evidence, NvmlAnswer, NvmlDevice, SourceAnswer};
use super::merge::{held_by, merge};
use super::{processor, sysfs, system};
use crate::machine::{Gpu, GpuKind, GpuSource, SourceFailure};
use crate::platform::environment::own_program;
use crate::untrusted::UntrustedText;

/// Memory of one card at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardMemory {
    /// Index in `gpus` of the hardware document.
    pub adapter: usize,
    /// The card's name.
    pub name: UntrustedText,
    /// All of it, in bytes.
    pub total_bytes: u64,
    /// In use by all programs, in bytes.
    pub used_bytes: u64,
    /// In use by the processes that were asked about, in bytes; `None` where the driver does not tell.
    pub held_bytes: Option<u64>,
    /// Whether it has memory of its own, which can overflow into main memory.
    pub is_discrete: bool,
}

/// The sources that tell the free memory of this machine's usable cards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct AskedSources {
    nvml: bool,
    wgpu: bool,
    dxgi: bool,
    sysfs: bool,
    main_memory: bool,
}

impl AskedSources {
    /// By the names that [`merge`] gives the sources of free memory.
    fn of(evidence: &Evidence) -> Self {
        let mut asked = Self::default();
        for gpu in merge(evidence).gpus.iter().filter(|gpu| gpu.is_usable() && used(gpu).is_some()) {
            let source = gpu.sources.get("vram_free_bytes").map_or("", |source| source.as_str());
            let dxgi = source.contains("dxgi");
            asked.nvml |= source.contains("nvml");
            asked.sysfs |= source.contains("sysfs");
            asked.dxgi |= dxgi && evidence.dxgi.answer().is_some();
            // Direct3D 12 passes DXGI's figures on where DXGI itself did not answer.
            asked.wgpu |= source.contains("vulkan")
                || source.contains("dx12")
                || (dxgi && evidence.dxgi.answer().is_none());
            asked.main_memory |= source.contains("main memory");
        }
        asked
    }
}

/// The cards of this machine, to be looked at again and again. Every look may block until a driver answers.
#[derive(Debug)]
pub struct LiveMemory {
    evidence: Evidence,
    asked: AskedSources,
    nvml: WatchedSource,
    wgpu: WatchedSource,
    dxgi: WatchedSource,
}

impl LiveMemory {
    /// Detects the cards. Blocks as [`super::detect()`] does.
    pub fn start(options: &DetectOptions) -> Self {
        let options = DetectOptions { measure_memory: false, ..options.clone() };
        let evidence = collect(&options);
        let program = options.probe_program.clone().map_or_else(
            || own_program().map_err(|e| SourceFailure::NotStarted { message: e.to_string().into() }),
            Ok,
        );
        let source = |source| {
            let environment = options.probe_environment.clone();
            WatchedSource::new(source, program.clone(), environment, options.driver_limit)
        };
        Self {
            asked: AskedSources::of(&evidence),
            evidence,
            nvml: source(GpuSource::Nvml),
            wgpu: source(GpuSource::Wgpu),
            dxgi: source(GpuSource::Dxgi),
        }
    }

    /// Whether no card tells how full it is.
    pub fn is_blind(&self) -> bool {
        self.asked == AskedSources::default()
    }

    /// The cards' memory now, and how much of it these processes hold. A card whose driver does not answer is left out.
    pub fn look(&mut self, processes: &[u32]) -> Vec<CardMemory> {
        self.refresh();
        let drm = if self.asked.sysfs { system::gpu_memory_of(processes) } else { Vec::new() };
        let held = held_by(&self.evidence, processes, &drm);
        // Windows does not tell of which card, so that it is known where there is one.
        let of_system = system::held_by_processes(processes);
        let cards = merge(&self.evidence).gpus;
        let usable = cards.iter().enumerate().filter(|(_, gpu)| gpu.is_usable());
        let only_one = usable.clone().count() == 1;
        usable
            .filter_map(|(adapter, gpu)| {
                Some(CardMemory {
                    adapter,
                    name: gpu.name.clone(),
                    total_bytes: gpu.vram_total_bytes?,
                    used_bytes: used(gpu)?,
                    held_bytes: held.get(adapter).copied().flatten().or(of_system.filter(|_| only_one)),
                    is_discrete: gpu.kind == GpuKind::Discrete,
                })
            })
            .collect()
    }

    /// Ends the child processes until the next look: an open driver keeps a card from sleeping.
    pub fn rest(&mut self) {
        for source in [&mut self.nvml, &mut self.wgpu, &mut self.dxgi] {
            source.stop();
        }
    }

    fn refresh(&mut self) {
        if self.asked.nvml {
            let now = self.nvml.ask();
            take_nvml(&mut self.evidence.nvml, &now);
        }
        if self.asked.wgpu {
            self.evidence.wgpu = self.wgpu.ask();
        }
        if self.asked.dxgi {
            self.evidence.dxgi = self.dxgi.ask();
        }
        if self.asked.sysfs {
            for (path, content) in &mut self.evidence.sysfs {
                if sysfs::LIVE_FILES.iter().any(|name| path.ends_with(name))
                    && let Some(now) = system::read_sysfs(path)
                {
                    *content = now;
                }
            }
        }
        if self.asked.main_memory {
            self.evidence.memory.available_bytes = processor::memory().available_bytes;
        }
    }
}

/// Replaces the memory figures of the devices that were detected; those that did not answer have none.
fn take_nvml(detected: &mut SourceAnswer<NvmlAnswer>, now: &SourceAnswer<NvmlAnswer>) {
    let SourceAnswer::Answered(detected) = detected else { return };
    let answered = now.answer().map_or(&[][..], |now| &now.devices);
    for device in &mut detected.devices {
        let found = answered.iter().find(|found| found.pci_bus_id == device.pci_bus_id);
        let found = found.cloned().unwrap_or_default();
        let NvmlDevice { memory_free_bytes, memory_error, processes, mig_slices, .. } = found;
        (device.memory_free_bytes, device.memory_error) = (memory_free_bytes, memory_error);
        device.processes = processes;
        for (index, slice) in device.mig_slices.iter_mut().enumerate() {
            slice.memory_free_bytes = mig_slices.get(index).and_then(|slice| slice.memory_free_bytes);
        }
    }
}

/// Memory in use, where the driver tells.
fn used(gpu: &Gpu) -> Option<u64> {
    let total_bytes = gpu.vram_total_bytes.filter(|total| *total > 0)?;
    Some(total_bytes.saturating_sub(gpu.vram_free_bytes?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::GIB;

    fn recorded(name: &str) -> Evidence {
        let path = format!("{}/tests/hardware_fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let document: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        serde_json::from_value(document["evidence"].clone()).unwrap()
    }

    #[test]
    fn only_the_source_of_free_memory_is_asked() {
        let asked = |name: &str| AskedSources::of(&recorded(name));
        let nvml = AskedSources { nvml: true, ..AskedSources::default() };
        let sysfs = AskedSources { sysfs: true, ..AskedSources::default() };
        let wgpu = AskedSources { wgpu: true, ..AskedSources::default() };
        let dxgi = AskedSources { dxgi: true, ..AskedSources::default() };
        let memory = AskedSources { main_memory: true, ..AskedSources::default() };
        for (name, expected) in [
            ("rtx-4070-desktop", nvml),
            ("rx-7900-xt-headless", sysfs),
            ("arc-b580-linux", wgpu),
            ("apple-m3-16gb", memory),
            ("gb10-dgx-spark", memory),
            ("strix-halo-carve-out-96gb", sysfs),
            ("raspberry-pi-400-llvmpipe", AskedSources::default()),
        ] {
            assert_eq!(asked(name), expected, "{name}");
        }
        // No recorded card reports DXGI's budget alone.
        let mut windows = recorded("rx-6700-xt-windows");
        assert_eq!(AskedSources::of(&windows), AskedSources::default());
        let SourceAnswer::Answered(adapters) = &mut windows.dxgi else { unreachable!("{windows:#?}") };
        adapters[0].memory.budget_bytes = Some(11 * GIB);
        assert_eq!(AskedSources::of(&windows), dxgi);
    }

    /// A new name of a source of free memory has to be known here.
    #[test]
    fn each_recorded_card_with_free_memory_has_a_source() {
        for entry in
            std::fs::read_dir(format!("{}/tests/hardware_fixtures", env!("CARGO_MANIFEST_DIR"))).unwrap()
        {
            let name = entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned();
            let evidence = recorded(&name);
            let told = merge(&evidence).gpus.iter().any(|gpu| gpu.is_usable() && used(gpu).is_some());
            assert_eq!(AskedSources::of(&evidence) != AskedSources::default(), told, "{name}");
        }
    }

    #[test]
    fn a_device_that_no_longer_answers_has_no_figure() {
        let device = |pci: &str, free: Option<u64>| NvmlDevice {
            pci_bus_id: Some(pci.to_owned()),
            name: "card".to_owned(),
            memory_total_bytes: Some(8 * GIB),
            memory_free_bytes: free,
            ..NvmlDevice::default()
        };
        let of = |devices: Vec<NvmlDevice>| {
            SourceAnswer::Answered(NvmlAnswer { devices, ..NvmlAnswer::default() })
        };
        let mut detected = of(vec![device("00:01", Some(7 * GIB)), device("00:02", Some(7 * GIB))]);
        take_nvml(&mut detected, &of(vec![device("00:02", Some(GIB))]));
        let free: Vec<_> = detected.answer().unwrap().devices.iter().map(|d| d.memory_free_bytes).collect();
        assert_eq!(free, [None, Some(GIB)]);
        assert_eq!(detected.answer().unwrap().devices[1].name, "card", "the rest stays");
    }
}
