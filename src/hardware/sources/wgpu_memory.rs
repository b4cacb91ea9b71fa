//! Memory figures that wgpu does not report, from the native interface of an adapter.
//!
//! The only file of detection that calls graphics interfaces through FFI.

#![allow(unsafe_code)]

use crate::hardware::evidence::{GraphicsInterface, WgpuAdapter};

/// Adds the memory figures of the native interface.
pub fn fill_in(adapter: &wgpu::Adapter, described: &mut WgpuAdapter) {
    #[cfg(any(target_os = "linux", windows))]
    if described.interface == GraphicsInterface::Vulkan {
        described.heaps = vulkan_heaps(adapter).unwrap_or_default();
    }
    #[cfg(windows)]
    if described.interface == GraphicsInterface::Dx12 {
        described.dxgi = dxgi_memory(adapter);
    }
    #[cfg(target_os = "macos")]
    if described.interface == GraphicsInterface::Metal {
        described.metal = metal_memory(adapter);
    }
}

#[cfg(any(target_os = "linux", windows))]
fn vulkan_heaps(adapter: &wgpu::Adapter) -> Option<Vec<crate::hardware::evidence::VulkanHeap>> {
    use crate::hardware::evidence::VulkanHeap;
    use ash::vk;

    // SAFETY: the guard keeps the adapter alive, and nothing below destroys or changes it.
    let hal = unsafe { adapter.as_hal::<wgpu::hal::api::Vulkan>() }?;
    let shared = hal.shared_instance();
    let (instance, device) = (shared.raw_instance(), hal.raw_physical_device());
    // SAFETY: `device` comes from `instance`, which the guard keeps alive.
    let device_version = unsafe { instance.get_physical_device_properties(device) }.api_version;
    // The extended query is part of Vulkan 1.1, which both instance and device must support.
    if shared.instance_api_version() < vk::API_VERSION_1_1 || device_version < vk::API_VERSION_1_1 {
        // SAFETY: as above; this query is part of Vulkan 1.0.
        let memory = unsafe { instance.get_physical_device_memory_properties(device) };
        return Some(
            memory
                .memory_heaps_as_slice()
                .iter()
                .map(|heap| VulkanHeap {
                    size_bytes: heap.size,
                    device_local: heap.flags.contains(vk::MemoryHeapFlags::DEVICE_LOCAL),
                    budget_bytes: None,
                })
                .collect(),
        );
    }
    let has_budget = hal.physical_device_capabilities().supports_extension(ash::ext::memory_budget::NAME);
    let mut budget = vk::PhysicalDeviceMemoryBudgetPropertiesEXT::default();
    let mut properties = vk::PhysicalDeviceMemoryProperties2::default();
    if has_budget {
        properties = properties.push_next(&mut budget);
    }
    // SAFETY: as above; the device supports the chained structure, which outlives the call.
    unsafe { instance.get_physical_device_memory_properties2(device, &mut properties) };
    let memory = properties.memory_properties;
    Some(
        memory
            .memory_heaps_as_slice()
            .iter()
            .zip(budget.heap_budget)
            .map(|(heap, budget)| VulkanHeap {
                size_bytes: heap.size,
                device_local: heap.flags.contains(vk::MemoryHeapFlags::DEVICE_LOCAL),
                budget_bytes: has_budget.then_some(budget),
            })
            .collect(),
    )
}

#[cfg(windows)]
fn dxgi_memory(adapter: &wgpu::Adapter) -> Option<crate::hardware::evidence::DxgiMemory> {
    use windows::Win32::Graphics::Dxgi::{DXGI_MEMORY_SEGMENT_GROUP_LOCAL, DXGI_QUERY_VIDEO_MEMORY_INFO};

    // SAFETY: the guard keeps the adapter alive, and nothing below releases it.
    let hal = unsafe { adapter.as_hal::<wgpu::hal::api::Dx12>() }?;
    let raw = hal.as_raw();
    // SAFETY: a plain query on a live COM object.
    let description = unsafe { raw.GetDesc2() }.ok()?;
    let mut info = DXGI_QUERY_VIDEO_MEMORY_INFO::default();
    // SAFETY: as above; `info` outlives the call.
    let budget = unsafe { raw.QueryVideoMemoryInfo(0, DXGI_MEMORY_SEGMENT_GROUP_LOCAL, &mut info) }
        .ok()
        .map(|()| info.Budget);
    Some(crate::hardware::evidence::DxgiMemory {
        dedicated_video_bytes: description.DedicatedVideoMemory as u64,
        shared_system_bytes: description.SharedSystemMemory as u64,
        budget_bytes: budget,
    })
}

#[cfg(target_os = "macos")]
fn metal_memory(adapter: &wgpu::Adapter) -> Option<crate::hardware::evidence::MetalMemory> {
    use objc2_metal::MTLDevice as _;

    // SAFETY: the guard keeps the adapter alive, and nothing below releases it.
    let hal = unsafe { adapter.as_hal::<wgpu::hal::api::Metal>() }?;
    let device = hal.raw_device();
    Some(crate::hardware::evidence::MetalMemory {
        recommended_max_working_set_bytes: device.recommendedMaxWorkingSetSize(),
        unified: device.hasUnifiedMemory(),
    })
}
