//! Stands in for NVIDIA's management library. Exports the functions that detection calls; what they answer is chosen
//! by the environment variable `STAND_IN_NVML`, see [`Behaviour`].
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int, c_uint, c_ulonglong, c_void};

use nvml_wrapper_sys::bindings::{
    nvmlDeviceAttributes_t, nvmlMemory_t, nvmlMemory_v2_t, nvmlPciInfo_t, nvmlProcessInfo_t, nvmlReturn_t,
};

const SUCCESS: nvmlReturn_t = 0;
const INVALID_ARGUMENT: nvmlReturn_t = 2;
const NOT_SUPPORTED: nvmlReturn_t = 3;
const DRIVER_NOT_LOADED: nvmlReturn_t = 9;
const FUNCTION_NOT_FOUND: nvmlReturn_t = 13;
const NO_PERMISSION: nvmlReturn_t = 4;
const LIBRARY_NOT_FOUND: nvmlReturn_t = 12;
const GPU_IS_LOST: nvmlReturn_t = 15;
const MISMATCH: nvmlReturn_t = 18;
const UNKNOWN: nvmlReturn_t = 999;

/// How this library behaves.
#[derive(Clone, Copy, PartialEq)]
enum Behaviour {
    /// One GeForce RTX 4060 Laptop GPU.
    Laptop,
    /// A GeForce RTX 3090 and a GeForce GTX 1080 Ti, driver 560.
    Two,
    /// A GB10, which has no memory of its own.
    Unified,
    /// A chip without dedicated memory whose name is not known.
    UnknownUnified,
    /// A Tesla K80, older than Ollama's libraries.
    Old,
    /// A driver of 2021: no second version of the memory query.
    FirstVersion,
    /// The library is there, the kernel's part is not.
    DriverNotLoaded,
    /// Library and kernel part are of different versions.
    Mismatch,
    /// Initialising fails with this code.
    Fails(nvmlReturn_t),
    /// The second of two cards has fallen off the bus.
    OneLost,
    /// The only card has fallen off the bus after it was opened.
    LostLater,
    /// An A100 divided into two slices, in a container that may not ask about the card itself.
    Mig,
    /// An A100 with MIG on and no slice.
    MigEmpty,
    /// An A100 in a container that may not read its memory.
    MemoryDenied,
    /// Never returns.
    Hang,
    /// Crashes the process.
    Crash,
    /// Prints to standard output before it answers.
    Chatter,
    /// Answers, and then crashes while it is shut down.
    CrashAtEnd,
}

struct Device {
    name: &'static str,
    pci: &'static str,
    pci_device_id: c_uint,
    memory: Option<(u64, u64)>,
    capability: (c_int, c_int),
    bus_bits: c_uint,
    memory_mhz: c_uint,
}

const MIB: u64 = 1 << 20;
const LAPTOP: Device = Device {
    name: "NVIDIA GeForce RTX 4060 Laptop GPU",
    pci: "00000000:01:00.0",
    pci_device_id: 0x28a0_10de,
    memory: Some((8188 * MIB, 7782 * MIB)),
    capability: (8, 9),
    bus_bits: 128,
    memory_mhz: 8001,
};
const RTX_3090: Device = Device {
    name: "NVIDIA GeForce RTX 3090",
    pci: "00000000:0B:00.0",
    pci_device_id: 0x2204_10de,
    memory: Some((24576 * MIB, 20000 * MIB)),
    capability: (8, 6),
    bus_bits: 384,
    memory_mhz: 9751,
};
const GTX_1080_TI: Device = Device {
    name: "NVIDIA GeForce GTX 1080 Ti",
    pci: "00000000:04:00.0",
    pci_device_id: 0x1b06_10de,
    memory: Some((11264 * MIB, 11000 * MIB)),
    capability: (6, 1),
    bus_bits: 352,
    memory_mhz: 5505,
};
const GB10: Device = Device {
    name: "NVIDIA GB10",
    pci: "0000000F:01:00.0",
    pci_device_id: 0x2e12_10de,
    memory: None,
    capability: (12, 1),
    bus_bits: 0,
    memory_mhz: 0,
};
const N1X: Device = Device { name: "NVIDIA N1X", pci_device_id: 0x31c0_10de, ..GB10 };
const K80: Device = Device {
    name: "Tesla K80",
    pci: "00000000:05:00.0",
    pci_device_id: 0x102d_10de,
    memory: Some((11441 * MIB, 11441 * MIB)),
    capability: (3, 7),
    bus_bits: 384,
    memory_mhz: 2505,
};

const A100: Device = Device {
    name: "NVIDIA A100-SXM4-80GB",
    pci: "00000000:07:00.0",
    pci_device_id: 0x20b2_10de,
    memory: Some((81920 * MIB, 81000 * MIB)),
    capability: (8, 0),
    bus_bits: 5120,
    memory_mhz: 1593,
};
const SLICE_1: Device =
    Device { name: "NVIDIA A100-SXM4-80GB MIG 3g.40gb", memory: Some((40192 * MIB, 40000 * MIB)), ..A100 };
const SLICE_2: Device =
    Device { name: "NVIDIA A100-SXM4-80GB MIG 1g.10gb", memory: Some((9856 * MIB, 9800 * MIB)), ..A100 };
/// Handles of slices, beyond those of cards.
const SLICES: [usize; 2] = [100, 101];
/// Places for slices on an A100.
const SLICE_PLACES: c_uint = 7;

/// What a test says of the first card while it is watched: free MiB, and optionally the process ID and MiB of a program on it.
/// In the file that `STAND_IN_NVML_STATE` names, read at each query.
struct TestState {
    free_mib: u64,
    process: Option<(c_uint, u64)>,
}

impl TestState {
    fn now(handle: *mut c_void) -> Option<Self> {
        if handle as usize != 1 {
            return None;
        }
        Self::told()
    }

    fn told() -> Option<Self> {
        let text = std::fs::read_to_string(std::env::var_os("STAND_IN_NVML_STATE")?).ok()?;
        let mut numbers = text.split_whitespace().map_while(|word| word.parse::<u64>().ok());
        let free_mib = numbers.next()?;
        let process = numbers.next().zip(numbers.next());
        Some(Self { free_mib, process: process.map(|(pid, mib)| (pid as c_uint, mib)) })
    }

    /// Counts how often the library is initialised.
    fn note_start() {
        use std::io::Write as _;
        let Some(path) = std::env::var_os("STAND_IN_NVML_STATE") else { return };
        let path = std::path::Path::new(&path).with_extension("starts");
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        if let Err(error) = file.and_then(|mut file| file.write_all(b".")) {
            eprintln!("the stand-in cannot count: {error}");
        }
    }
}

fn is_partitioned() -> bool {
    matches!(behaviour(), Behaviour::Mig | Behaviour::MigEmpty)
}

fn behaviour() -> Behaviour {
    match std::env::var("STAND_IN_NVML").as_deref() {
        Ok("two") => Behaviour::Two,
        Ok("unified") => Behaviour::Unified,
        Ok("unknown-unified") => Behaviour::UnknownUnified,
        Ok("old") => Behaviour::Old,
        Ok("first-version") => Behaviour::FirstVersion,
        Ok("driver-not-loaded") => Behaviour::DriverNotLoaded,
        Ok("mismatch") => Behaviour::Mismatch,
        Ok("lost") => Behaviour::Fails(GPU_IS_LOST),
        Ok("unknown") => Behaviour::Fails(UNKNOWN),
        Ok("no-permission") => Behaviour::Fails(NO_PERMISSION),
        Ok("library-not-found") => Behaviour::Fails(LIBRARY_NOT_FOUND),
        Ok("one-lost") => Behaviour::OneLost,
        Ok("lost-later") => Behaviour::LostLater,
        Ok("mig") => Behaviour::Mig,
        Ok("mig-empty") => Behaviour::MigEmpty,
        Ok("memory-denied") => Behaviour::MemoryDenied,
        Ok("hang") => Behaviour::Hang,
        Ok("crash") => Behaviour::Crash,
        Ok("chatter") => Behaviour::Chatter,
        Ok("crash-at-end") => Behaviour::CrashAtEnd,
        _ => Behaviour::Laptop,
    }
}

fn devices() -> &'static [Device] {
    match behaviour() {
        Behaviour::Two | Behaviour::OneLost => &[RTX_3090, GTX_1080_TI],
        Behaviour::Mig | Behaviour::MigEmpty | Behaviour::MemoryDenied => &[A100],
        Behaviour::Unified => &[GB10],
        Behaviour::UnknownUnified => &[N1X],
        Behaviour::Old => &[K80],
        _ => &[LAPTOP],
    }
}

/// Handles are positions plus one, so that none is null.
fn device(handle: *mut c_void) -> Option<&'static Device> {
    match handle as usize {
        slice if slice == SLICES[0] => Some(&SLICE_1),
        slice if slice == SLICES[1] => Some(&SLICE_2),
        card => devices().get(card.checked_sub(1)?),
    }
}

/// Total and free memory in bytes.
fn memory_now(handle: *mut c_void) -> Option<(u64, u64)> {
    let (total, free) = device(handle)?.memory?;
    Some((total, TestState::now(handle).map_or(free, |now| (now.free_mib * MIB).min(total))))
}

/// Why the memory of a device is not told.
fn memory_error(handle: *mut c_void) -> Option<nvmlReturn_t> {
    let is_slice = SLICES.contains(&(handle as usize));
    match behaviour() {
        Behaviour::LostLater => Some(GPU_IS_LOST),
        Behaviour::MemoryDenied => Some(NO_PERMISSION),
        Behaviour::Mig if !is_slice => Some(NO_PERMISSION),
        _ => None,
    }
}

/// # Safety
/// `to` must have room for `length` characters.
unsafe fn copy(text: &str, to: *mut c_char, length: c_uint) {
    let room = (length as usize).saturating_sub(1);
    for (index, byte) in text.bytes().take(room).chain([0]).enumerate() {
        // SAFETY: at most `length` characters are written, which the caller promises room for.
        unsafe { to.add(index).write(byte as c_char) };
    }
}

#[unsafe(no_mangle)]
extern "C" fn nvmlInit_v2() -> nvmlReturn_t {
    TestState::note_start();
    match behaviour() {
        Behaviour::DriverNotLoaded => DRIVER_NOT_LOADED,
        Behaviour::Mismatch => MISMATCH,
        Behaviour::Fails(code) => code,
        Behaviour::Hang => loop {
            std::thread::park();
        },
        Behaviour::Crash => std::process::abort(),
        Behaviour::Chatter => {
            println!("NVRM: this line is not JSON\n{{\"said\": \"nonsense\"}}");
            print!("and this one has no end");
            SUCCESS
        }
        _ => SUCCESS,
    }
}

#[unsafe(no_mangle)]
extern "C" fn nvmlShutdown() -> nvmlReturn_t {
    if behaviour() == Behaviour::CrashAtEnd {
        std::process::abort();
    }
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn nvmlSystemGetDriverVersion(version: *mut c_char, length: c_uint) -> nvmlReturn_t {
    let text = match behaviour() {
        Behaviour::Two => "560.35.03",
        Behaviour::Unified | Behaviour::UnknownUnified => "580.95.05",
        Behaviour::FirstVersion | Behaviour::Old => "470.256.02",
        _ => "570.86.16",
    };
    // SAFETY: the caller gives a buffer of `length` characters, as NVML's interface demands.
    unsafe { copy(text, version, length) };
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn nvmlSystemGetCudaDriverVersion_v2(version: *mut c_int) -> nvmlReturn_t {
    // SAFETY: the caller gives a place for one number.
    unsafe { version.write(12_080) };
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetCount_v2(count: *mut c_uint) -> nvmlReturn_t {
    // SAFETY: the caller gives a place for one number.
    unsafe { count.write(devices().len() as c_uint) };
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetHandleByIndex_v2(index: c_uint, handle: *mut *mut c_void) -> nvmlReturn_t {
    if index as usize >= devices().len() {
        return INVALID_ARGUMENT;
    }
    if index == 1 && behaviour() == Behaviour::OneLost {
        return GPU_IS_LOST;
    }
    // SAFETY: the caller gives a place for one handle.
    unsafe { handle.write((index as usize + 1) as *mut c_void) };
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetName(handle: *mut c_void, name: *mut c_char, length: c_uint) -> nvmlReturn_t {
    let Some(device) = device(handle) else { return INVALID_ARGUMENT };
    // SAFETY: the caller gives a buffer of `length` characters.
    unsafe { copy(device.name, name, length) };
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetPciInfo_v3(handle: *mut c_void, pci: *mut nvmlPciInfo_t) -> nvmlReturn_t {
    let Some(device) = device(handle) else { return INVALID_ARGUMENT };
    // SAFETY: the caller gives a place for one structure; all its fields may be zero.
    unsafe {
        let pci = &mut *pci;
        pci.pciDeviceId = device.pci_device_id;
        copy(device.pci, pci.busId.as_mut_ptr(), pci.busId.len() as c_uint);
        copy(&device.pci[4..], pci.busIdLegacy.as_mut_ptr(), pci.busIdLegacy.len() as c_uint);
    }
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetMemoryInfo_v2(handle: *mut c_void, memory: *mut nvmlMemory_v2_t) -> nvmlReturn_t {
    if matches!(behaviour(), Behaviour::FirstVersion | Behaviour::Old) {
        return FUNCTION_NOT_FOUND;
    }
    if let Some(code) = memory_error(handle) {
        return code;
    }
    let Some((total, free)) = memory_now(handle) else { return NOT_SUPPORTED };
    // SAFETY: the caller gives a place for one structure.
    let memory = unsafe { &mut *memory };
    memory.total = total;
    memory.free = free;
    memory.used = total - free;
    memory.reserved = 0 as c_ulonglong;
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetMemoryInfo(handle: *mut c_void, memory: *mut nvmlMemory_t) -> nvmlReturn_t {
    if let Some(code) = memory_error(handle) {
        return code;
    }
    let Some((total, free)) = memory_now(handle) else { return NOT_SUPPORTED };
    // SAFETY: the caller gives a place for one structure.
    unsafe { memory.write(nvmlMemory_t { total, free, used: total - free }) };
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetMigMode(
    _handle: *mut c_void,
    current: *mut c_uint,
    pending: *mut c_uint,
) -> nvmlReturn_t {
    if !matches!(behaviour(), Behaviour::Mig | Behaviour::MigEmpty | Behaviour::MemoryDenied) {
        return NOT_SUPPORTED;
    }
    // SAFETY: the caller gives places for two numbers.
    unsafe {
        current.write(u32::from(is_partitioned()));
        pending.write(u32::from(is_partitioned()));
    }
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetMaxMigDeviceCount(_handle: *mut c_void, count: *mut c_uint) -> nvmlReturn_t {
    // SAFETY: the caller gives a place for one number.
    unsafe { count.write(SLICE_PLACES) };
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetMigDeviceHandleByIndex(
    _handle: *mut c_void,
    index: c_uint,
    slice: *mut *mut c_void,
) -> nvmlReturn_t {
    const NOT_FOUND: nvmlReturn_t = 6;
    // As a driver does, leave a place empty between slices.
    let place = match index {
        0 => SLICES[0],
        2 => SLICES[1],
        _ => return NOT_FOUND,
    };
    if behaviour() != Behaviour::Mig {
        return NOT_FOUND;
    }
    // SAFETY: the caller gives a place for one handle.
    unsafe { slice.write(place as *mut c_void) };
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetUUID(handle: *mut c_void, uuid: *mut c_char, length: c_uint) -> nvmlReturn_t {
    let text = match handle as usize {
        slice if slice == SLICES[0] => "MIG-11111111-5717-562f-b3fc-2c963f66afa6",
        slice if slice == SLICES[1] => "MIG-22222222-5717-562f-b3fc-2c963f66afa6",
        1 => "GPU-aaaaaaaa-5717-4562-b3fc-2c963f66afa6",
        _ => "GPU-bbbbbbbb-5717-4562-b3fc-2c963f66afa6",
    };
    // SAFETY: the caller gives a buffer of `length` characters.
    unsafe { copy(text, uuid, length) };
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetAttributes_v2(
    handle: *mut c_void,
    attributes: *mut nvmlDeviceAttributes_t,
) -> nvmlReturn_t {
    let Some(slice) = SLICES.iter().position(|slice| *slice == handle as usize) else { return NOT_SUPPORTED };
    // SAFETY: the caller gives a place for one structure; all its fields may be zero.
    let attributes = unsafe { &mut *attributes };
    attributes.computeInstanceSliceCount = [3, 1][slice];
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetCudaComputeCapability(
    handle: *mut c_void,
    major: *mut c_int,
    minor: *mut c_int,
) -> nvmlReturn_t {
    let Some(device) = device(handle) else { return INVALID_ARGUMENT };
    // SAFETY: the caller gives places for two numbers.
    unsafe {
        major.write(device.capability.0);
        minor.write(device.capability.1);
    }
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetMemoryBusWidth(handle: *mut c_void, bits: *mut c_uint) -> nvmlReturn_t {
    let Some(device) = device(handle).filter(|device| device.bus_bits > 0) else { return NOT_SUPPORTED };
    // SAFETY: the caller gives a place for one number.
    unsafe { bits.write(device.bus_bits) };
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetMaxClockInfo(
    handle: *mut c_void,
    clock: c_uint,
    mhz: *mut c_uint,
) -> nvmlReturn_t {
    const MEMORY_CLOCK: c_uint = 2;
    let Some(device) = device(handle).filter(|device| device.memory_mhz > 0) else { return NOT_SUPPORTED };
    if clock != MEMORY_CLOCK {
        return INVALID_ARGUMENT;
    }
    // SAFETY: the caller gives a place for one number.
    unsafe { mhz.write(device.memory_mhz) };
    SUCCESS
}

/// Only the RTX 3090 is used by another program, unless the test says otherwise.
#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetComputeRunningProcesses_v3(
    handle: *mut c_void,
    count: *mut c_uint,
    processes: *mut nvmlProcessInfo_t,
) -> nvmlReturn_t {
    const INSUFFICIENT_SIZE: nvmlReturn_t = 7;
    let told = TestState::now(handle).and_then(|now| now.process);
    let busy = told.is_some() || device(handle).is_some_and(|device| device.name.contains("3090"));
    let (pid, used_mib) = told.unwrap_or((4242, 4000));
    // SAFETY: the caller gives a number and, when that is above zero, room for as many structures.
    unsafe {
        let room = count.read();
        count.write(u32::from(busy));
        if busy && room == 0 {
            return INSUFFICIENT_SIZE;
        }
        if busy {
            let process = &mut *processes;
            process.pid = pid;
            process.usedGpuMemory = used_mib * MIB;
            process.gpuInstanceId = u32::MAX;
            process.computeInstanceId = u32::MAX;
        }
    }
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn nvmlSystemGetProcessName(pid: c_uint, name: *mut c_char, length: c_uint) -> nvmlReturn_t {
    if pid != 4242 && TestState::told().is_none() {
        return INVALID_ARGUMENT;
    }
    // SAFETY: the caller gives a buffer of `length` characters.
    unsafe { copy("/usr/bin/blender", name, length) };
    SUCCESS
}
