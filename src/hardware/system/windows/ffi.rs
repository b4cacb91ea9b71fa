//! Calls into Windows: DXGI's adapters, the power supply and the firmware's tables.

#![allow(unsafe_code)]

use windows::Win32::Graphics::Dxgi::{
    CreateDXGIFactory1, DXGI_ADAPTER_FLAG_SOFTWARE, DXGI_MEMORY_SEGMENT_GROUP_LOCAL,
    DXGI_QUERY_VIDEO_MEMORY_INFO, IDXGIAdapter1, IDXGIAdapter3, IDXGIDevice, IDXGIFactory1,
};
use windows::Win32::System::Power::{GetSystemPowerStatus, SYSTEM_POWER_STATUS};
use windows::Win32::System::SystemInformation::{GetSystemFirmwareTable, RSMB};
use windows::core::Interface as _;

use crate::hardware::evidence::{DxgiAdapter, DxgiMemory, Power, SourceAnswer};
use crate::machine::SourceFailure;

/// Upper limit of the number of adapters.
const MAX_ADAPTERS: u32 = 64;

/// All adapters listed by DXGI, including software ones, which are flagged.
pub fn dxgi_adapters() -> SourceAnswer<Vec<DxgiAdapter>> {
    // SAFETY: no arguments; the returned object counts its references itself.
    let factory: IDXGIFactory1 = match unsafe { CreateDXGIFactory1() } {
        Ok(factory) => factory,
        Err(error) => {
            let (code, message) = (error.code().0, error.message());
            let message = format!("error {code:#010x} {message}").trim_end().to_owned();
            return SourceAnswer::Failed(SourceFailure::Other { message: message.into() });
        }
    };
    // SAFETY: a plain call on a live COM object; an index past the end is an error, which ends the list.
    let adapters = (0..MAX_ADAPTERS).map_while(|index| unsafe { factory.EnumAdapters1(index) }.ok());
    SourceAnswer::Answered(adapters.filter_map(|adapter| describe(&adapter)).collect())
}

fn describe(adapter: &IDXGIAdapter1) -> Option<DxgiAdapter> {
    // SAFETY: a plain query on a live COM object.
    let description = unsafe { adapter.GetDesc1() }.ok()?;
    let length =
        description.Description.iter().position(|c| *c == 0).unwrap_or(description.Description.len());
    Some(DxgiAdapter {
        name: String::from_utf16_lossy(&description.Description[..length]),
        vendor_id: description.VendorId,
        device_id: description.DeviceId,
        software: description.Flags & DXGI_ADAPTER_FLAG_SOFTWARE.0 as u32 != 0,
        memory: DxgiMemory {
            dedicated_video_bytes: description.DedicatedVideoMemory as u64,
            shared_system_bytes: description.SharedSystemMemory as u64,
            budget_bytes: budget(adapter),
        },
        driver_version: driver_version(adapter),
        // SAFETY: a plain query on a live COM object; without a display the first output is an error.
        display: Some(unsafe { adapter.EnumOutputs(0) }.is_ok()),
    })
}

fn budget(adapter: &IDXGIAdapter1) -> Option<u64> {
    let adapter: IDXGIAdapter3 = adapter.cast().ok()?;
    let mut info = DXGI_QUERY_VIDEO_MEMORY_INFO::default();
    // SAFETY: a plain query on a live COM object; `info` outlives the call.
    unsafe { adapter.QueryVideoMemoryInfo(0, DXGI_MEMORY_SEGMENT_GROUP_LOCAL, &mut info) }.ok()?;
    Some(info.Budget)
}

/// Version of the user-mode driver: four 16-bit numbers, packed.
fn driver_version(adapter: &IDXGIAdapter1) -> Option<String> {
    // SAFETY: a plain query on a live COM object; the identifier is a constant.
    let packed = unsafe { adapter.CheckInterfaceSupport(&IDXGIDevice::IID) }.ok()?;
    let part = |shift: u32| packed >> shift & 0xffff;
    Some(format!("{}.{}.{}.{}", part(48), part(32), part(16), part(0)))
}

/// The firmware's SMBIOS structures; empty if unknown.
pub fn smbios() -> Vec<u8> {
    /// Bytes before the structures: version, revision and their length.
    const HEADER: usize = 8;
    // SAFETY: without a buffer the call returns the size that it needs.
    let size = unsafe { GetSystemFirmwareTable(RSMB, 0, None) };
    let mut table = vec![0; size as usize];
    // SAFETY: the call writes at most the length of the slice.
    let written = unsafe { GetSystemFirmwareTable(RSMB, 0, Some(table.as_mut_slice())) };
    table.truncate(written as usize);
    table.drain(..HEADER.min(table.len()));
    table
}

/// Battery and battery saver; `None` if unknown.
pub fn power() -> Option<Power> {
    let mut status = SYSTEM_POWER_STATUS::default();
    // SAFETY: `status` outlives the call and is the structure it fills.
    unsafe { GetSystemPowerStatus(&mut status) }.ok()?;
    Some(Power { on_battery: status.ACLineStatus == 0, saving: status.SystemStatusFlag == 1 })
}
