//! PCI addresses and IDs.

/// A PCI address. Sources write the domain with four or eight digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PciAddress {
    /// Domain (segment).
    pub domain: u32,
    /// Bus.
    pub bus: u8,
    /// Device.
    pub device: u8,
    /// Function.
    pub function: u8,
}

impl PciAddress {
    /// Parses `00000000:01:00.0`, `0000:01:00.0` or `01:00.0`. `None` for all zeros, the address of the host bridge,
    /// which some libraries report for "unknown".
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().rsplit(':');
        let (device, function) = parts.next()?.split_once('.')?;
        let bus = parts.next()?;
        let domain = parts.next().unwrap_or("0");
        if parts.next().is_some() {
            return None;
        }
        let address = Self {
            domain: u32::from_str_radix(domain, 16).ok()?,
            bus: u8::from_str_radix(bus, 16).ok()?,
            device: u8::from_str_radix(device, 16).ok()?,
            function: u8::from_str_radix(function, 16).ok()?,
        };
        (address != Self { domain: 0, bus: 0, device: 0, function: 0 }).then_some(address)
    }
}

/// PCI vendor and device numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PciIds {
    /// Vendor.
    pub vendor: u32,
    /// Device.
    pub device: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pci_addresses_of_all_sources_are_the_same() {
        let nvml = PciAddress::parse("00000000:01:00.0");
        assert_eq!(nvml, PciAddress::parse("0000:01:00.0"));
        assert_eq!(nvml, PciAddress::parse("01:00.0"));
        assert_ne!(nvml, PciAddress::parse("0000:0a:00.0"));
        assert_ne!(nvml, PciAddress::parse("0001:01:00.0"));
        assert_eq!(PciAddress::parse("0000:C1:00.0").map(|a| a.bus), Some(0xc1));
    }

    #[test]
    fn an_invalid_pci_address_is_none() {
        for text in ["", "0000:00:00.0", "01:00", "x:y.z", "1:2:3:4.5", "0000:100:00.0"] {
            assert_eq!(PciAddress::parse(text), None, "{text}");
        }
    }
}
