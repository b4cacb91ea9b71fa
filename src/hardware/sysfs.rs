//! Display adapters described by files under `/sys` (Linux).
//!
//! The files are read in `hardware::system::linux` and interpreted here, so that recorded trees can be replayed. Only
//! files that the kernel answers from memory are read: reading a sleeping card's load or PCI configuration would wake
//! it up.

use std::collections::BTreeMap;

use super::evidence::Power;
use super::pci::{PciAddress, PciIds, link_gb_s};

/// Where the devices are. Not below `class/drm`: a card without a driver is missing there.
pub const DEVICES: &str = "bus/pci/devices/";
/// Files of one card that are read, below its folder in [`DEVICES`].
pub const CARD_FILES: [&str; 10] = [
    "class",
    "uevent",
    "vendor",
    "device",
    "revision",
    "power/runtime_status",
    "mem_info_vram_total",
    "mem_info_vram_used",
    "mem_info_gtt_total",
    "mem_info_gtt_used",
];

/// Those of [`CARD_FILES`] that change while programs use the card.
pub const LIVE_FILES: [&str; 3] = ["/power/runtime_status", "/mem_info_vram_used", "/mem_info_gtt_used"];

/// Files of one card's PCI Express link, below its folder in [`DEVICES`]. The kernel reads them from the card, so they are
/// left out while it sleeps.
pub const LINK_FILES: [&str; 2] = ["max_link_speed", "current_link_width"];

/// Files of one card's sensor, below `hwmon/hwmonN/` of its folder: power limits in microwatts, temperature in thousandths
/// of a degree. The driver wakes a sleeping card to answer, so they are left out.
pub const SENSOR_FILES: [&str; 4] = ["power1_cap", "power1_cap_default", "power1_cap_max", "temp1_input"];

/// The processor's energy preference, for systems without a platform profile.
pub const ENERGY_PREFERENCE: &str = "devices/system/cpu/cpu0/cpufreq/energy_performance_preference";

/// A display adapter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Card {
    /// PCI address.
    pub pci: Option<PciAddress>,
    /// PCI vendor and device.
    pub ids: Option<PciIds>,
    /// PCI revision, which distinguishes models of one chip.
    pub revision: Option<u32>,
    /// The kernel's driver: `amdgpu`, `i915`, `xe`, `nvidia`, `nouveau`, …
    pub driver: Option<String>,
    /// Whether it is suspended to save power.
    pub asleep: bool,
    /// Dedicated memory in bytes (APU: the firmware's carve-out).
    pub vram_total_bytes: Option<u64>,
    /// Used of it, in bytes.
    pub vram_used_bytes: Option<u64>,
    /// Main memory it can use, in bytes.
    pub gtt_total_bytes: Option<u64>,
    /// Used of it, in bytes.
    pub gtt_used_bytes: Option<u64>,
    /// Nominal bandwidth of its PCI Express link in one direction, in decimal GB/s. The highest speed counts, because an
    /// idle card lowers it. A card with a PCI switch of its own reports the link behind the switch.
    pub bus_gb_s: Option<f64>,
    /// Whether it shares a die with the processor: its sensors include the north bridge's voltage.
    pub apu: bool,
    /// Whether a display is connected; `None` if it has no connectors or they are unknown.
    pub display: Option<bool>,
    /// Power limit in force, its default and the highest that can be set, in microwatts.
    pub power_limits_uw: [Option<u64>; 3],
    /// Temperature of the chip in thousandths of a degree Celsius.
    pub temperature_mc: Option<u64>,
    /// Instruction set reported by the kernel's compute driver, for example (11, 0, 0): gfx1100.
    pub gfx: Option<(u32, u32, u32)>,
}

/// All cards of a tree (path below `/sys` → content), by address.
pub fn cards(tree: &BTreeMap<String, String>) -> Vec<Card> {
    let compute = compute_nodes(tree);
    tree.iter()
        .filter_map(|(path, content)| {
            let address = path.strip_prefix(DEVICES)?.strip_suffix("/class")?;
            is_display_class(content).then(|| card(tree, address, &compute))
        })
        .collect()
}

/// Whether a PCI class, such as `0x030000`, is a display controller (03) or processing accelerator (12).
pub fn is_display_class(class: &str) -> bool {
    let digits = class.trim().trim_start_matches("0x");
    digits.starts_with("03") || digits.starts_with("12")
}

fn card(tree: &BTreeMap<String, String>, address: &str, compute: &[(PciAddress, (u32, u32, u32))]) -> Card {
    let folder = format!("{DEVICES}{address}/");
    let text = |name: &str| tree.get(&format!("{folder}{name}")).map(|content| content.trim());
    let number = |name: &str| text(name).and_then(|digits| digits.parse::<u64>().ok());
    let hex = |name: &str| {
        text(name).and_then(|digits| u32::from_str_radix(digits.trim_start_matches("0x"), 16).ok())
    };
    let event = |key: &str| {
        text("uevent")?.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).map(str::to_owned)
    };

    let below = |start: &str, end: &str| {
        let (start, end) = (format!("{folder}{start}"), format!("/{end}"));
        let inside = tree.iter().filter(move |(path, _)| path.starts_with(&start) && path.ends_with(&end));
        inside.map(|(_, content)| content.trim()).collect::<Vec<_>>()
    };
    let sensor = |file: &str| below("hwmon/", file).first().and_then(|digits| digits.parse::<u64>().ok());
    let connectors = below("drm/", "status");

    let pci = PciAddress::parse(address);
    let ids = hex("vendor").zip(hex("device"));
    Card {
        pci,
        ids: ids.map(|(vendor, device)| PciIds { vendor, device }),
        revision: hex("revision"),
        driver: event("DRIVER"),
        asleep: text("power/runtime_status") == Some("suspended"),
        vram_total_bytes: number("mem_info_vram_total"),
        vram_used_bytes: number("mem_info_vram_used"),
        gtt_total_bytes: number("mem_info_gtt_total"),
        gtt_used_bytes: number("mem_info_gtt_used"),
        bus_gb_s: text("max_link_speed")
            .and_then(|speed| speed.split(' ').next()?.parse().ok())
            .zip(number("current_link_width"))
            .and_then(|(gt_s, lanes)| link_gb_s(gt_s, u32::try_from(lanes).ok()?)),
        apu: tree.iter().any(|(path, content)| {
            path.strip_prefix(&folder).is_some_and(|rest| {
                rest.starts_with("hwmon/") && rest.ends_with("_label") && content.trim() == "vddnb"
            })
        }),
        display: (!connectors.is_empty()).then(|| connectors.contains(&"connected")),
        power_limits_uw: ["power1_cap", "power1_cap_default", "power1_cap_max"].map(sensor),
        temperature_mc: sensor("temp1_input"),
        gfx: pci.and_then(|pci| compute.iter().find(|(at, _)| *at == pci).map(|(_, gfx)| *gfx)),
    }
}

/// GPUs listed by the kernel's compute driver, with their instruction set.
fn compute_nodes(tree: &BTreeMap<String, String>) -> Vec<(PciAddress, (u32, u32, u32))> {
    tree.iter()
        .filter(|(path, _)| {
            path.starts_with("class/kfd/kfd/topology/nodes/") && path.ends_with("/properties")
        })
        .filter_map(|(_, content)| {
            let value = |key: &str| {
                content.lines().find_map(|line| {
                    let (name, value) = line.split_once(' ')?;
                    (name == key).then(|| value.trim().parse::<u32>().ok()).flatten()
                })
            };
            let version = value("gfx_target_version").filter(|version| *version > 0)?;
            let location = value("location_id")?;
            let pci = PciAddress {
                domain: value("domain").unwrap_or(0),
                bus: u8::try_from(location >> 8 & 0xff).ok()?,
                device: u8::try_from(location >> 3 & 0x1f).ok()?,
                function: u8::try_from(location & 7).ok()?,
            };
            Some((pci, (version / 10_000, version / 100 % 100, version % 100)))
        })
        .collect()
}

/// Power supply and power-saving mode.
pub fn power(tree: &BTreeMap<String, String>) -> Option<Power> {
    const SUPPLIES: &str = "class/power_supply/";
    let is = |path: &str, what: &str| {
        tree.get(path).is_some_and(|content| content.trim().eq_ignore_ascii_case(what))
    };
    let batteries = || {
        tree.keys().filter_map(|path| path.strip_suffix("/type")).filter(|supply| {
            // Batteries of mice and headsets are listed too, with the scope "Device".
            supply.starts_with(SUPPLIES)
                && is(&format!("{supply}/type"), "battery")
                && !is(&format!("{supply}/scope"), "device")
        })
    };
    let profile = tree.get("firmware/acpi/platform_profile").map(|profile| profile.trim());
    let preference = tree.get(ENERGY_PREFERENCE).map(|preference| preference.trim());
    if batteries().next().is_none() && profile.is_none() && preference.is_none() {
        return None;
    }
    Some(Power {
        on_battery: batteries().any(|battery| is(&format!("{battery}/status"), "discharging")),
        saving: matches!(profile, Some("low-power" | "quiet")) || preference == Some("power"),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> BTreeMap<String, String> {
        files.iter().map(|(path, content)| ((*path).to_owned(), (*content).to_owned())).collect()
    }

    #[test]
    fn a_card_is_read_with_its_compute_node() {
        let cards = cards(&tree(&[
            ("bus/pci/devices/0000:03:00.0/class", "0x030000\n"),
            ("bus/pci/devices/0000:03:00.0/vendor", "0x1002\n"),
            ("bus/pci/devices/0000:03:00.0/device", "0x744c\n"),
            ("bus/pci/devices/0000:03:00.0/uevent", "DRIVER=amdgpu\nPCI_SLOT_NAME=0000:03:00.0\n"),
            ("bus/pci/devices/0000:03:00.0/mem_info_vram_total", "25753026560\n"),
            ("bus/pci/devices/0000:03:00.0/mem_info_vram_used", "1073741824\n"),
            ("bus/pci/devices/0000:03:00.0/power/runtime_status", "suspended\n"),
            (
                "class/kfd/kfd/topology/nodes/1/properties",
                "simd_count 192\ngfx_target_version 110000\nlocation_id 768\ndomain 0\n",
            ),
        ]));
        let [card] = cards.as_slice() else { unreachable!("{cards:?}") };
        assert_eq!(card.ids, Some(PciIds { vendor: 0x1002, device: 0x744c }));
        assert_eq!(card.vram_total_bytes, Some(25_753_026_560));
        assert_eq!(card.gfx, Some((11, 0, 0)));
        assert!(card.asleep && !card.apu);
        assert_eq!(card.driver.as_deref(), Some("amdgpu"));
    }

    #[test]
    fn power_limits_temperature_and_displays_of_a_card_are_read() {
        let folder = "bus/pci/devices/0000:03:00.0";
        let files = [
            ("class", "0x030000\n"),
            ("hwmon/hwmon3/power1_cap", "250000000\n"),
            ("hwmon/hwmon3/power1_cap_default", "315000000\n"),
            ("hwmon/hwmon3/power1_cap_max", "346000000\n"),
            ("hwmon/hwmon3/temp1_input", "61000\n"),
            ("drm/card1/card1-DP-1/status", "disconnected\n"),
            ("drm/card1/card1-HDMI-A-1/status", "connected\n"),
        ];
        let read = |files: &[(&str, &str)]| {
            let path = |file: &str| format!("{folder}/{file}");
            let tree = files.iter().map(|(file, content)| (path(file), (*content).to_owned())).collect();
            cards(&tree).remove(0)
        };
        let card = read(&files);
        assert_eq!(card.power_limits_uw, [Some(250_000_000), Some(315_000_000), Some(346_000_000)]);
        assert_eq!((card.temperature_mc, card.display), (Some(61_000), Some(true)));
        assert_eq!(read(&files[..6]).display, Some(false));
        let bare = read(&files[..1]);
        assert_eq!((bare.display, bare.temperature_mc, bare.power_limits_uw), (None, None, [None; 3]));
    }

    #[test]
    fn other_devices_are_not_cards() {
        let network = tree(&[("bus/pci/devices/0000:02:00.0/class", "0x020000\n")]);
        assert!(cards(&network).is_empty());
    }

    #[test]
    fn a_laptops_battery_is_detected_and_a_mouses_is_not() {
        let mouse = [
            ("class/power_supply/hidpp_battery_0/type", "Battery\n"),
            ("class/power_supply/hidpp_battery_0/scope", "Device\n"),
            ("class/power_supply/hidpp_battery_0/status", "Discharging\n"),
        ];
        assert_eq!(power(&tree(&mouse)), None);
        let laptop = tree(&[
            ("class/power_supply/BAT0/type", "Battery\n"),
            ("class/power_supply/BAT0/status", "Discharging\n"),
            ("class/power_supply/AC/type", "Mains\n"),
            ("firmware/acpi/platform_profile", "low-power\n"),
        ]);
        assert_eq!(power(&laptop), Some(Power { on_battery: true, saving: true }));
        for (preference, saving) in [("power", true), ("balance_performance", false)] {
            let desktop = tree(&[(ENERGY_PREFERENCE, preference)]);
            assert_eq!(power(&desktop), Some(Power { on_battery: false, saving }));
        }
    }
}
