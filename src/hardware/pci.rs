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

/// Nominal bandwidth of a PCI Express link in one direction, in decimal GB/s. `gt_s` is the rate per lane in 10⁹
/// transfers per second, of which encoding takes a part (8b/10b up to generation 2, 128b/130b since). `None` without a
/// link.
pub fn link_gb_s(gt_s: f64, lanes: u32) -> Option<f64> {
    let encoding = if gt_s < 8.0 { 8.0 / 10.0 } else { 128.0 / 130.0 };
    let gb_s = gt_s * encoding / 8.0 * f64::from(lanes);
    // 32 lanes of generation 7 are 504 GB/s.
    (gb_s > 0.0 && gb_s < 600.0).then_some((gb_s * 10.0).round() / 10.0)
}

/// Rate of one lane in 10⁹ transfers per second, by PCI Express generation.
pub fn link_gt_s(generation: u32) -> Option<f64> {
    const GT_S: [f64; 7] = [2.5, 5.0, 8.0, 16.0, 32.0, 64.0, 128.0];
    let index = usize::try_from(generation.checked_sub(1)?).ok()?;
    GT_S.get(index).copied()
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
