//! Adapters listed by wgpu: Vulkan on Linux and Windows, Direct3D 12 on Windows, Metal on macOS.
//!
//! OpenGL is left out: it does not report memory, and it is one more driver that can hang.

use std::mem::ManuallyDrop;

use wgpu::{Backend, Backends, Instance, InstanceDescriptor};

use super::wgpu_memory;
use crate::hardware::evidence::{DeviceType, GraphicsInterface, SourceAnswer, WgpuAdapter};

/// All adapters, listed once to be asked for their memory again and again. Never dropped: this process exits right after,
/// and a driver that crashes on teardown would lose the answer.
pub struct ListedAdapters {
    _instance: ManuallyDrop<Instance>,
    adapters: ManuallyDrop<Vec<wgpu::Adapter>>,
}

impl ListedAdapters {
    /// Loads the drivers and lists their adapters.
    pub fn list() -> Self {
        let backends = Backends::VULKAN | Backends::DX12 | Backends::METAL;
        let mut descriptor = InstanceDescriptor::new_without_display_handle();
        descriptor.backends = backends;
        let instance = ManuallyDrop::new(Instance::new(descriptor));
        let adapters = ManuallyDrop::new(pollster::block_on(instance.enumerate_adapters(backends)));
        Self { _instance: instance, adapters }
    }

    /// The adapters with their memory now.
    pub fn describe(&self) -> SourceAnswer<Vec<WgpuAdapter>> {
        SourceAnswer::Answered(self.adapters.iter().map(describe).collect())
    }
}

/// Lists all adapters.
pub fn query() -> SourceAnswer<Vec<WgpuAdapter>> {
    ListedAdapters::list().describe()
}

fn describe(adapter: &wgpu::Adapter) -> WgpuAdapter {
    let info = adapter.get_info();
    let mut described = WgpuAdapter {
        interface: match info.backend {
            Backend::Vulkan => GraphicsInterface::Vulkan,
            Backend::Dx12 => GraphicsInterface::Dx12,
            Backend::Metal => GraphicsInterface::Metal,
            Backend::Gl | Backend::BrowserWebGpu | Backend::Noop => GraphicsInterface::Other,
        },
        name: info.name,
        vendor_id: info.vendor,
        device_id: info.device,
        device_type: match info.device_type {
            wgpu::DeviceType::DiscreteGpu => DeviceType::Discrete,
            wgpu::DeviceType::IntegratedGpu => DeviceType::Integrated,
            wgpu::DeviceType::VirtualGpu => DeviceType::Virtual,
            wgpu::DeviceType::Cpu => DeviceType::Cpu,
            wgpu::DeviceType::Other => DeviceType::Other,
        },
        pci_bus_id: Some(info.device_pci_bus_id).filter(|id| !id.is_empty()),
        driver: info.driver,
        driver_info: info.driver_info,
        ..WgpuAdapter::default()
    };
    wgpu_memory::fill_in(adapter, &mut described);
    described
}
