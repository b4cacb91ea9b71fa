//! Matches answers of different sources that describe the same adapter.
//!
//! By PCI address if both have one; else by PCI vendor and device IDs; else by name. A source lists each adapter once,
//! so two equal cards are distinguished by their order.

use crate::hardware::evidence::{
    DxgiAdapter, Evidence, GraphicsInterface, NvmlDevice, RegistryAdapter, SysinfoGpu, WgpuAdapter,
};
use crate::hardware::pci::{PciAddress, PciIds};
use crate::hardware::sysfs::{self, Card};

/// All answers about one adapter.
#[derive(Clone, Debug, Default)]
pub struct Adapter<'a> {
    /// PCI address.
    pub pci: Option<PciAddress>,
    /// PCI vendor and device.
    pub ids: Option<PciIds>,
    /// NVML.
    pub nvml: Option<&'a NvmlDevice>,
    /// Linux, files under `/sys`.
    pub sysfs: Option<Card>,
    /// DXGI.
    pub dxgi: Option<&'a DxgiAdapter>,
    /// `sysinfo` library.
    pub sysinfo: Option<&'a SysinfoGpu>,
    /// wgpu over Direct3D 12.
    pub dx12: Option<&'a WgpuAdapter>,
    /// wgpu over Vulkan.
    pub vulkan: Option<&'a WgpuAdapter>,
    /// wgpu over Metal.
    pub metal: Option<&'a WgpuAdapter>,
    /// Windows registry.
    pub registry: Option<&'a RegistryAdapter>,
}

impl<'a> Adapter<'a> {
    /// Answers of all of wgpu's interfaces.
    pub fn wgpu(&self) -> impl Iterator<Item = &'a WgpuAdapter> {
        [self.dx12, self.vulkan, self.metal].into_iter().flatten()
    }

    /// All its names, the best first.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        [
            self.nvml.map(|d| d.name.as_str()),
            self.dxgi.map(|d| d.name.as_str()),
            self.registry.map(|d| d.name.as_str()),
            self.metal.map(|d| d.name.as_str()),
            self.vulkan.map(|d| d.name.as_str()),
            self.dx12.map(|d| d.name.as_str()),
            self.sysinfo.and_then(|d| d.model.as_deref()),
        ]
        .into_iter()
        .flatten()
        .filter(|name| !name.is_empty())
    }
}

/// Identity of the adapter in an answer.
struct IdentityKey<'a> {
    pci: Option<PciAddress>,
    ids: Option<PciIds>,
    name: Option<&'a str>,
}

impl IdentityKey<'_> {
    fn matches(&self, adapter: &Adapter<'_>) -> bool {
        if let (Some(mine), Some(theirs)) = (self.pci, adapter.pci) {
            return mine == theirs;
        }
        if let (Some(mine), Some(theirs)) = (self.ids, adapter.ids) {
            return mine == theirs;
        }
        self.name.is_some_and(|mine| adapter.names().any(|theirs| same_name(mine, theirs)))
    }
}

/// Compares names without trademark signs, the leading vendor name and additions in parentheses.
fn same_name(a: &str, b: &str) -> bool {
    let plain = |name: &str| {
        let without_parentheses = name.split(" (").next().unwrap_or(name).to_lowercase();
        without_parentheses
            .replace("(tm)", "")
            .replace("(r)", "")
            .split_whitespace()
            .filter(|word| !["nvidia", "amd", "intel", "corporation", "advanced", "micro"].contains(word))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let (a, b) = (plain(a), plain(b));
    !a.is_empty() && a == b
}

/// Groups the answers of all sources by adapter. Sources with exact identities come first, so that vaguer answers can
/// be matched with them.
pub fn adapters(evidence: &Evidence) -> Vec<Adapter<'_>> {
    let mut found = Vec::new();
    for device in evidence.nvml.answer().into_iter().flat_map(|nvml| &nvml.devices) {
        let key = IdentityKey {
            pci: device.pci_bus_id.as_deref().and_then(PciAddress::parse),
            ids: device.pci_device_id.map(|both| PciIds { vendor: both & 0xffff, device: both >> 16 }),
            name: Some(&device.name),
        };
        put(&mut found, &key, |adapter| &mut adapter.nvml, device);
    }
    for card in sysfs::cards(&evidence.sysfs) {
        let key = IdentityKey { pci: card.pci, ids: card.ids, name: None };
        put(&mut found, &key, |adapter| &mut adapter.sysfs, card);
    }
    for device in evidence.dxgi.answer().into_iter().flatten() {
        let key =
            IdentityKey { pci: None, ids: ids(device.vendor_id, device.device_id), name: Some(&device.name) };
        put(&mut found, &key, |adapter| &mut adapter.dxgi, device);
    }
    for device in evidence.wgpu.answer().into_iter().flatten() {
        let key = IdentityKey {
            pci: device.pci_bus_id.as_deref().and_then(PciAddress::parse),
            ids: ids(device.vendor_id, device.device_id),
            name: Some(&device.name),
        };
        match device.interface {
            GraphicsInterface::Dx12 => put(&mut found, &key, |adapter| &mut adapter.dx12, device),
            GraphicsInterface::Metal => put(&mut found, &key, |adapter| &mut adapter.metal, device),
            GraphicsInterface::Vulkan | GraphicsInterface::Other => {
                put(&mut found, &key, |adapter| &mut adapter.vulkan, device);
            }
        }
    }
    for device in evidence.sysinfo.answer().into_iter().flatten() {
        let key = IdentityKey {
            pci: device.pci_bus_id.as_deref().and_then(PciAddress::parse),
            ids: None,
            name: device.model.as_deref(),
        };
        put(&mut found, &key, |adapter| &mut adapter.sysinfo, device);
    }
    // The registry keeps removed adapters, so it adds figures but never an adapter.
    for device in &evidence.registry {
        let matching = device.matching_device_id.as_deref().and_then(matching_ids);
        let key = IdentityKey { pci: None, ids: matching, name: Some(&device.name) };
        if let Some(adapter) = found.iter_mut().find(|a| a.registry.is_none() && key.matches(a)) {
            adapter.registry = Some(device);
        }
    }
    // A card that NVML counts and does not open is this computer's.
    let nvml_has_devices =
        evidence.nvml.answer().is_some_and(|nvml| !nvml.devices.is_empty() && nvml.failed_devices.is_empty());
    found.retain(|adapter| !(nvml_has_devices && belongs_to_another_container(adapter)));
    found
}

/// Whether the card is not assigned to this container: `/sys` shows all cards of the machine, the driver only those
/// assigned.
fn belongs_to_another_container(adapter: &Adapter<'_>) -> bool {
    let run_by_nvidia = adapter.sysfs.as_ref().is_some_and(|card| card.driver.as_deref() == Some("nvidia"));
    run_by_nvidia && adapter.nvml.is_none() && adapter.wgpu().next().is_none()
}

/// Vendor and device, if both are PCI IDs or at least distinguish adapters.
fn ids(vendor: u32, device: u32) -> Option<PciIds> {
    (vendor != 0).then_some(PciIds { vendor, device })
}

/// Adds a source's answer to the adapter with this key, which is created if missing. A second answer of the same source
/// for an address comes from a second driver of the card (such as RADV and AMDVLK) and is ignored.
fn put<'a, T>(
    found: &mut Vec<Adapter<'a>>,
    key: &IdentityKey<'_>,
    of: impl for<'s> Fn(&'s mut Adapter<'a>) -> &'s mut Option<T>,
    answer: T,
) {
    let twice =
        |adapter: &mut Adapter<'a>| key.pci.is_some() && adapter.pci == key.pci && of(adapter).is_some();
    if found.iter_mut().any(twice) {
        return;
    }
    let known = found.iter_mut().position(|adapter| of(adapter).is_none() && key.matches(adapter));
    let index = known.unwrap_or_else(|| {
        found.push(Adapter::default());
        found.len() - 1
    });
    let adapter = &mut found[index];
    adapter.pci = adapter.pci.or(key.pci);
    adapter.ids = adapter.ids.or(key.ids);
    *of(adapter) = Some(answer);
}

/// Parses `PCI\VEN_1002&DEV_73BF&REV_C1`.
fn matching_ids(text: &str) -> Option<PciIds> {
    let upper = text.to_uppercase();
    let number = |mark: &str| {
        let rest = upper.split_once(mark)?.1;
        u32::from_str_radix(rest.get(..4)?, 16).ok()
    };
    Some(PciIds { vendor: number("VEN_")?, device: number("DEV_")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_drivers_for_one_card_are_one_card_and_two_equal_cards_are_two() {
        let at = |pci: &str, driver: &str| WgpuAdapter {
            interface: GraphicsInterface::Vulkan,
            name: "AMD Radeon RX 7900 XTX".to_owned(),
            vendor_id: 0x1002,
            device_id: 0x744c,
            pci_bus_id: Some(pci.to_owned()),
            driver: driver.to_owned(),
            ..WgpuAdapter::default()
        };
        let of = |adapters: Vec<WgpuAdapter>| Evidence {
            wgpu: crate::hardware::evidence::SourceAnswer::Answered(adapters),
            ..Evidence::default()
        };
        let twice = of(vec![at("0000:03:00.0", "radv"), at("0000:03:00.0", "AMD open-source driver")]);
        assert_eq!(adapters(&twice).len(), 1);
        let two = of(vec![at("0000:03:00.0", "radv"), at("0000:04:00.0", "radv")]);
        assert_eq!(adapters(&two).len(), 2);
    }

    #[test]
    fn cards_of_other_containers_are_left_out() {
        let card = |address: &str| {
            [("class", "0x030200"), ("vendor", "0x10de"), ("device", "0x2330"), ("uevent", "DRIVER=nvidia")]
                .map(|(file, content)| (format!("bus/pci/devices/{address}/{file}"), content.to_owned()))
        };
        let mut evidence = Evidence {
            sysfs: ["0000:19:00.0", "0000:3b:00.0"].into_iter().flat_map(card).collect(),
            ..Evidence::default()
        };
        assert_eq!(adapters(&evidence).len(), 2);
        evidence.nvml =
            crate::hardware::evidence::SourceAnswer::Answered(crate::hardware::evidence::NvmlAnswer {
                devices: vec![NvmlDevice {
                    pci_bus_id: Some("00000000:3B:00.0".to_owned()),
                    ..NvmlDevice::default()
                }],
                ..crate::hardware::evidence::NvmlAnswer::default()
            });
        assert_eq!(adapters(&evidence).len(), 1);
    }

    #[test]
    fn device_ids_of_the_registry_are_parsed() {
        assert_eq!(
            matching_ids(r"PCI\VEN_1002&DEV_73BF&REV_C1"),
            Some(PciIds { vendor: 0x1002, device: 0x73bf })
        );
        assert_eq!(matching_ids("pci\\ven_10de&dev_2684"), Some(PciIds { vendor: 0x10de, device: 0x2684 }));
        assert_eq!(matching_ids("ROOT\\BasicDisplay"), None);
        assert_eq!(matching_ids("VEN_10&DEV_é"), None);
    }

    #[test]
    fn names_are_compared_without_decoration() {
        assert!(same_name("NVIDIA GeForce RTX 3080", "GeForce RTX 3080 (NVK GA102)"));
        assert!(same_name("Intel(R) Arc(TM) A770 Graphics", "Intel Arc A770 Graphics (DG2)"));
        assert!(!same_name("GeForce RTX 3080", "GeForce RTX 3080 Ti"));
        assert!(!same_name("NVIDIA", "AMD"));
    }
}
