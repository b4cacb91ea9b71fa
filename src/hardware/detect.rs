//! Queries all sources in parallel.
//!
//! 1. Fast reads: files about adapters, memory, power.
//! 2. On threads, at the same time: one child process for each GPU driver interface (see [`super::probe`]), engines
//!    on their ports, the processor, disks, and the preparation of the memory measurement.
//! 3. When all of these are done, core speed and memory bandwidth are measured.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::evidence::{Evidence, GpuProcess, NvmlAnswer, NvmlDevice, SourceAnswer, TimeSpan};
use super::merge::{is_intel_integrated, merge};
use super::probe::query;
use super::ram_bandwidth::Measurement;
use super::{core_speed, device_variables, disks, engines, model_folders, processor, ram_programs, sysfs};
use crate::machine::{DiskUse, GpuSource, Hardware, Slowdown, SourceFailure, TimedSearch};
use crate::platform::environment::{Environment, own_program};
use crate::untrusted::UntrustedText;

/// Timeout of every search that is not a GPU driver.
const LIMIT: Duration = Duration::from_secs(2);

/// Options of [`detect`].
#[derive(Clone, Debug)]
pub struct DetectOptions {
    /// ACOLYTE's folder (`~/.acolyte`), which need not exist.
    pub home: PathBuf,
    /// The models folder; `None` for the one in `home`.
    pub models_dir: Option<PathBuf>,
    /// The program started as a probe; `None` for the running one.
    pub probe_program: Option<PathBuf>,
    /// Variables added to a probe's environment, for example [`super::sources::nvml::PATH_VARIABLE`].
    pub probe_environment: Vec<(OsString, OsString)>,
    /// Timeout for each GPU driver.
    pub driver_limit: Duration,
    /// Whether to measure the memory's bandwidth, which takes up to 0.2 s.
    pub measure_memory: bool,
    /// Where to look for engines.
    pub engines: engines::Places,
    /// The environment that the engine will inherit from.
    pub environment: Environment,
}

impl DetectOptions {
    /// The defaults, for an installation in this folder.
    pub fn new(home: PathBuf) -> Self {
        Self {
            home,
            models_dir: None,
            probe_program: None,
            probe_environment: Vec::new(),
            driver_limit: Duration::from_secs(10),
            measure_memory: true,
            engines: engines::Places::usual(),
            environment: Environment::of_process(),
        }
    }
}

/// Detects this machine's hardware. Blocks for about 0.1 s, longer if graphics drivers are loaded, up to
/// [`DetectOptions::driver_limit`] if one hangs. Call it on a worker thread.
pub fn detect(options: &DetectOptions) -> Hardware {
    merge(&collect(options))
}

/// NVIDIA cards whose clocks are lowered now by heat or the power supply: name, cause, and temperature in degrees Celsius. At
/// its power limit every card is while it works. Empty where NVML does not answer within `limit`. Blocks.
pub fn slowed_cards(limit: Duration) -> Vec<(UntrustedText, Slowdown, Option<u32>)> {
    let Ok(program) = own_program() else { return Vec::new() };
    let answer: SourceAnswer<NvmlAnswer> = query(&program, &[], GpuSource::Nvml, limit);
    answer.answer().map(slowdowns_of).unwrap_or_default()
}

fn slowdowns_of(nvml: &NvmlAnswer) -> Vec<(UntrustedText, Slowdown, Option<u32>)> {
    let of_device = |device: &NvmlDevice| {
        let (name, temperature_c) = (UntrustedText::new(&device.name), device.temperature_c);
        let told = device.slowed_by.clone().into_iter().filter(|by| *by != Slowdown::PowerLimit);
        told.map(move |by| (name.clone(), by, temperature_c)).collect::<Vec<_>>()
    };
    nvml.devices.iter().flat_map(of_device).collect()
}

/// Programs on NVIDIA cards now, as NVML lists them. Empty where it does not answer within `limit`. Blocks.
pub fn gpu_processes(limit: Duration) -> Vec<GpuProcess> {
    let Ok(program) = own_program() else { return Vec::new() };
    let answer: SourceAnswer<NvmlAnswer> = query(&program, &[], GpuSource::Nvml, limit);
    let devices = answer.answer().map(|nvml| nvml.devices.clone()).unwrap_or_default();
    devices.into_iter().flat_map(|device| device.processes).collect()
}

/// The raw answers of all sources.
pub fn collect(options: &DetectOptions) -> Evidence {
    let clock = Clock::start();
    let mut evidence =
        Evidence { device_variables: device_variables::read(&options.environment), ..Evidence::default() };
    clock.time("system", || crate::hardware::system::system_evidence(&mut evidence));
    let drivers = DriverProbes::new(options, &evidence);

    let (places, home) = (options.engines.clone(), options.home.clone());
    let engines = spawn_detached("engines", &clock, move || engines::find(&places, &home));
    let own_models = options.models_dir.clone().unwrap_or_else(|| options.home.join("models"));
    let folders = [(options.home.clone(), DiskUse::Engine), (own_models.clone(), DiskUse::Models)];
    let disks = spawn_detached("disks", &clock, move || disks::of_folders(&folders));
    let clients = spawn_detached("programs", &clock, crate::hardware::system::gpu_clients);
    let programs = spawn_detached("programs in memory", &clock, ram_programs::running);
    let folders: Vec<PathBuf> =
        [own_models].into_iter().chain(options.engines.model_folders.clone()).collect();
    let models = spawn_detached("models", &clock, move || model_folders::read(&folders));

    thread::scope(|scope| {
        let nvml = scope.spawn(|| clock.time("nvml", || drivers.query(GpuSource::Nvml)));
        let wgpu = scope.spawn(|| clock.time("wgpu", || drivers.query(GpuSource::Wgpu)));
        let sysinfo = scope.spawn(|| clock.time("sysinfo", || drivers.query(GpuSource::Sysinfo)));
        let dxgi = scope.spawn(|| clock.time("dxgi", || drivers.query(GpuSource::Dxgi)));
        let memory = processor::memory();
        let measurement = options
            .measure_memory
            .then(|| clock.time("memory, filled", || Measurement::prepare(memory.available_bytes)));
        evidence.memory.total_bytes = memory.total_bytes;
        evidence.memory.available_bytes = memory.available_bytes;
        evidence.os = processor::os();
        evidence.cpu = clock.time("processor", processor::cpu);

        evidence.nvml = or_failed(nvml.join());
        evidence.wgpu = or_failed(wgpu.join());
        evidence.sysinfo = or_failed(sysinfo.join());
        evidence.dxgi = or_failed(dxgi.join());
        for (search, late) in [
            (
                TimedSearch::Engines,
                engines.recv_timeout(LIMIT).map(|found| evidence.engines = found).is_err(),
            ),
            (TimedSearch::Disks, disks.recv_timeout(LIMIT).map(|found| evidence.disks = found).is_err()),
            (
                TimedSearch::Models,
                models.recv_timeout(LIMIT).map(|found| evidence.model_folders = found).is_err(),
            ),
        ] {
            if late {
                evidence.late.push(search);
            }
        }
        // Optional: after the timeout a list is empty.
        evidence.gpu_clients = clients.recv_timeout(LIMIT).unwrap_or_default();
        evidence.ram_programs = programs.recv_timeout(LIMIT).unwrap_or_default();
        if let Some(measurement) = measurement {
            evidence.cpu.dot_product_gb_s = clock.time("cores", core_speed::dot_product_gb_s);
            evidence.memory.bandwidth_gb_s = clock.time("memory, read", || measurement.run());
            // Freeing this much memory takes as long as a pass, so do it in the background.
            thread::spawn(move || drop(measurement));
        }
    });
    evidence.timings_ms = clock.stop();
    evidence
}

/// Records start and end of each query.
#[derive(Clone)]
struct Clock {
    begun: Instant,
    spans: Arc<Mutex<BTreeMap<String, TimeSpan>>>,
}

impl Clock {
    fn start() -> Self {
        Self { begun: Instant::now(), spans: Arc::default() }
    }

    fn time<T>(&self, name: &str, work: impl FnOnce() -> T) -> T {
        let from = self.ms();
        let done = work();
        let span = TimeSpan { from, to: self.ms() };
        tracing::debug!(source = name, from_ms = span.from, to_ms = span.to, "queried");
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), span);
        done
    }

    /// All completed spans, and the total as `all`.
    fn stop(&self) -> BTreeMap<String, TimeSpan> {
        let mut spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner).clone();
        spans.insert("all".to_owned(), TimeSpan { from: 0, to: self.ms() });
        spans
    }

    fn ms(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Runs a search on a detached thread, which is abandoned on timeout: an unreachable network drive blocks every query of
/// its size.
fn spawn_detached<T: Send + 'static>(
    name: &'static str,
    clock: &Clock,
    work: impl FnOnce() -> T + Send + 'static,
) -> Receiver<T> {
    let (send, receive) = channel();
    let clock = clock.clone();
    thread::spawn(move || {
        // The receiver is gone after a timeout.
        let _too_late = send.send(clock.time(name, work));
    });
    receive
}

/// Converts a panic of the thread to a failure of the source.
fn or_failed<T>(answer: thread::Result<SourceAnswer<T>>) -> SourceAnswer<T> {
    answer.unwrap_or_else(|_| SourceAnswer::Failed(SourceFailure::EndedWithoutAnswer { message: "".into() }))
}

/// Settings for querying the driver interfaces.
struct DriverProbes {
    program: Result<PathBuf, SourceFailure>,
    environment: Vec<(OsString, OsString)>,
    limit: Duration,
    /// Whether Vulkan may be queried.
    query_vulkan: bool,
    /// Whether this is Wine, which lacks functions that the `sysinfo` library calls: its debugger would open.
    wine: bool,
}

impl DriverProbes {
    fn new(options: &DetectOptions, evidence: &Evidence) -> Self {
        let program = match &options.probe_program {
            Some(program) => Ok(program.clone()),
            None => {
                own_program().map_err(|error| SourceFailure::NotStarted { message: error.to_string().into() })
            }
        };
        // `/sys` describes a sleeping AMD card completely. Vulkan would wake it up, which takes seconds and power, so
        // it is queried only if there is a card that only Vulkan describes.
        let cards = sysfs::cards(&evidence.sysfs);
        let known = |card: &sysfs::Card| {
            card.vram_total_bytes.is_some()
                || card.driver.as_deref() == Some("nvidia")
                || card.ids.is_some_and(is_intel_integrated)
        };
        let would_only_wake = cards.iter().any(|card| card.asleep) && cards.iter().all(known);
        // Without a graphics device, Vulkan could only find software renderers, and loading those takes longer than
        // everything else together.
        let no_graphics_device = evidence.graphics_device == Some(false);
        Self {
            program,
            environment: options.probe_environment.clone(),
            limit: options.driver_limit,
            query_vulkan: !would_only_wake && !no_graphics_device,
            wine: evidence.wine,
        }
    }

    fn query<T: serde::de::DeserializeOwned>(&self, source: GpuSource) -> SourceAnswer<T> {
        let wanted = match source {
            GpuSource::Nvml => true,
            GpuSource::Wgpu => self.query_vulkan,
            GpuSource::Sysinfo => self.query_vulkan && !self.wine,
            GpuSource::Dxgi => cfg!(windows),
        };
        match &self.program {
            _ if !wanted => SourceAnswer::NotQueried,
            Ok(program) => query(program, &self.environment, source, self.limit),
            Err(why) => SourceAnswer::Failed(why.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heat_and_the_power_supply_are_told_of_each_card_and_its_power_limit_is_not() {
        let device = |name: &str, slowed_by: &[Slowdown]| NvmlDevice {
            name: name.to_owned(),
            temperature_c: Some(88),
            slowed_by: slowed_by.to_vec(),
            ..NvmlDevice::default()
        };
        let devices = vec![
            device("hot", &[Slowdown::Temperature, Slowdown::PowerLimit]),
            device("busy", &[Slowdown::PowerLimit]),
            device("weak supply", &[Slowdown::PowerSupply]),
        ];
        let found = slowdowns_of(&NvmlAnswer { devices, ..NvmlAnswer::default() });
        let expected = [("hot", Slowdown::Temperature), ("weak supply", Slowdown::PowerSupply)];
        assert_eq!(found, expected.map(|(name, by)| (UntrustedText::from(name), by, Some(88))));
    }
}
