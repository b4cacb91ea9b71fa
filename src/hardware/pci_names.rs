//! Marketing names of PCI devices from lists installed by Linux distributions: `amdgpu.ids` (libdrm) distinguishes
//! models of one chip by revision, `pci.ids` has every device.

use std::collections::BTreeMap;
use std::path::Path;

use super::sysfs::Card;

const AMDGPU_LISTS: [&str; 2] = ["/usr/share/libdrm/amdgpu.ids", "/opt/amdgpu/share/libdrm/amdgpu.ids"];
const PCI_LISTS: [&str; 3] = ["/usr/share/misc/pci.ids", "/usr/share/hwdata/pci.ids", "/usr/share/pci.ids"];
const AMD: u32 = 0x1002;
const NVIDIA: u32 = 0x10de;

/// Names of these cards, by `vendor:device[:revision]`. Not for NVIDIA cards with a running driver, which reports the
/// name.
pub fn of_cards(cards: &[Card], read: impl Fn(&Path) -> Option<String>) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    let first = |paths: &[&str]| paths.iter().find_map(|path| read(Path::new(path)));
    let amd_list = cards
        .iter()
        .any(|card| card.ids.is_some_and(|ids| ids.vendor == AMD))
        .then(|| first(&AMDGPU_LISTS))
        .flatten();
    let mut pci_list = None;
    for card in cards {
        let Some(ids) = card.ids else { continue };
        let device = format!("{:04x}:{:04x}", ids.vendor, ids.device);
        let exact = card.revision.and_then(|revision| {
            let list = amd_list.as_deref().filter(|_| ids.vendor == AMD)?;
            Some((format!("{device}:{revision:02x}"), in_amdgpu_list(list, ids.device, revision)?))
        });
        let runs_nvml = ids.vendor == NVIDIA && card.driver.as_deref() == Some("nvidia");
        let named = match exact {
            Some(named) => Some(named),
            None if runs_nvml => None,
            None => {
                let list = pci_list.get_or_insert_with(|| first(&PCI_LISTS).unwrap_or_default());
                in_pci_list(list, ids.vendor, ids.device).map(|name| (device, name))
            }
        };
        names.extend(named);
    }
    names
}

/// The name in `amdgpu.ids`, whose lines are `73DF, C1, AMD Radeon RX 6700 XT`, with tabs.
fn in_amdgpu_list(list: &str, device: u32, revision: u32) -> Option<String> {
    list.lines().find_map(|line| {
        let mut fields = line.splitn(3, ',').map(str::trim);
        let matches = u32::from_str_radix(fields.next()?, 16).ok()? == device
            && u32::from_str_radix(fields.next()?, 16).ok()? == revision;
        matches.then(|| fields.next().map(str::to_owned)).flatten()
    })
}

/// The name in `pci.ids`, which lists vendors at the start of a line and their devices below, indented by one tab.
fn in_pci_list(list: &str, vendor: u32, device: u32) -> Option<String> {
    let vendor_mark = format!("{vendor:04x}  ");
    let device_mark = format!("\t{device:04x}  ");
    let mut lines = list.lines().skip_while(|line| !line.starts_with(&vendor_mark));
    let maker = lines.next()?.get(vendor_mark.len()..)?;
    let name = lines
        .take_while(|line| line.starts_with('\t') || line.starts_with('#') || line.is_empty())
        .find_map(|line| line.strip_prefix(&device_mark))?;
    // "Navi 22 [Radeon RX 6700/6700 XT/6750 XT]": the marketing name is in brackets.
    let marketing = name.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map(|(inside, _)| inside);
    let short = match vendor {
        AMD => "AMD",
        NVIDIA => "NVIDIA",
        0x8086 => "Intel",
        _ => maker.split([' ', ',']).next()?,
    };
    let name = marketing.unwrap_or(name).trim();
    Some(if name.starts_with(short) { name.to_owned() } else { format!("{short} {name}") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hardware::pci::PciIds;

    const AMD_LIST: &str =
        "# List of AMDGPU IDs\n1.0.0\n73DF,\tC0,\tAMD Radeon RX 6750 XT\n73DF,\tC1,\tAMD Radeon RX 6700 XT\n";
    const PCI_LIST: &str = "# comment\n1002  Advanced Micro Devices, Inc. [AMD/ATI]\n\t73bf  Navi 21 [Radeon RX 6800/6800 XT / 6900 XT]\n\t\t1002 0e3a  Radeon RX 6900 XT\n\
        10de  NVIDIA Corporation\n\t2684  AD102 [GeForce RTX 4090]\n\
        1a03  ASPEED Technology, Inc.\n\t2000  ASPEED Graphics Family\n";

    fn card(vendor: u32, device: u32, revision: u32) -> Card {
        Card { ids: Some(PciIds { vendor, device }), revision: Some(revision), ..Card::default() }
    }

    fn read(path: &Path) -> Option<String> {
        match path.to_str()? {
            "/usr/share/libdrm/amdgpu.ids" => Some(AMD_LIST.to_owned()),
            "/usr/share/hwdata/pci.ids" => Some(PCI_LIST.to_owned()),
            _ => None,
        }
    }

    #[test]
    fn the_exact_model_is_preferred() {
        let cards = [
            card(0x1002, 0x73df, 0xc1),
            card(0x1002, 0x73bf, 0xc3),
            card(0x10de, 0x2684, 0),
            card(0x1a03, 0x2000, 0),
        ];
        let names = of_cards(&cards, read);
        let expected = [
            ("1002:73bf", "AMD Radeon RX 6800/6800 XT / 6900 XT"),
            ("1002:73df:c1", "AMD Radeon RX 6700 XT"),
            ("10de:2684", "NVIDIA GeForce RTX 4090"),
            ("1a03:2000", "ASPEED Graphics Family"),
        ];
        assert_eq!(names, expected.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect());
    }

    #[test]
    fn without_lists_there_are_no_names() {
        assert!(of_cards(&[card(0x1002, 0x73df, 0xc1)], |_| None).is_empty());
    }
}
