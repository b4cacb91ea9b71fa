#![allow(clippy::unwrap_used)]

use super::*;
use crate::hardware::evidence::{
    DeviceType, GraphicsInterface, MigSlice, NvmlAnswer, SourceAnswer, WgpuAdapter,
};
use crate::hardware::merge::merge;
use crate::machine::{ComputeCapability, Hardware, Os};

const GIB: u64 = 1 << 30;

fn nvidia(name: &str, bus: u8, gib: u64, uuid: &str) -> NvmlDevice {
    NvmlDevice {
        name: name.to_owned(),
        pci_bus_id: Some(format!("0000:{bus:02x}:00.0")),
        memory_total_bytes: Some(gib * GIB),
        memory_free_bytes: Some(gib * GIB - GIB),
        compute_capability: Some(ComputeCapability::new(8, 6)),
        uuid: Some(uuid.to_owned()),
        ..NvmlDevice::default()
    }
}

/// A slower card before a faster one on the bus, with these variables.
fn two_cards(variables: &[(&str, &str)]) -> Evidence {
    let devices = vec![
        nvidia("NVIDIA GeForce RTX 3060", 1, 12, "GPU-11111111"),
        nvidia("NVIDIA GeForce RTX 3090", 2, 24, "GPU-22222222"),
    ];
    let driver_version = Some("580.95.05".to_owned());
    with(
        variables,
        Evidence {
            nvml: SourceAnswer::Answered(NvmlAnswer { devices, driver_version, ..NvmlAnswer::default() }),
            ..Evidence::default()
        },
    )
}

fn with(variables: &[(&str, &str)], evidence: Evidence) -> Evidence {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let os = Os { name: Some("linux".into()), ..Os::default() };
    Evidence { device_variables: variables.collect(), os, ..evidence }
}

/// Last four characters of the names of the cards that are used.
fn used(hardware: &Hardware) -> Vec<&str> {
    let mut names: Vec<&str> =
        hardware.usable_gpus().map(|gpu| gpu.name.get(gpu.name.len() - 4..).unwrap()).collect();
    names.sort_unstable();
    names
}

fn invalid(hardware: &Hardware) -> Option<&str> {
    hardware.notes.iter().find_map(|note| match note {
        Finding::VariableInvalid { entry, .. } => Some(entry.as_str()),
        _ => None,
    })
}

#[test]
fn cudas_list_ends_at_the_first_entry_that_is_no_card() {
    for (value, cards, bad) in [
        ("-1", &[][..], None),
        ("", &[], None),
        ("  ", &[], None),
        ("NoDevFiles", &[], None),
        ("0", &["3090"], None),
        ("1", &["3060"], None),
        ("0,1", &["3060", "3090"], None),
        ("1, 0", &["3060", "3090"], None),
        ("0,-1,1", &["3090"], None),
        ("1,7,0", &["3060"], Some("7")),
        ("7,0", &[], Some("7")),
        ("0,0", &["3090"], Some("0")),
        ("0,,1", &["3090"], Some("")),
        ("all", &[], Some("all")),
        ("GPU-11111111", &["3060"], None),
        ("gpu-2222", &["3090"], None),
        ("GPU-22222222,GPU-11111111", &["3060", "3090"], None),
        ("GPU-", &[], Some("GPU-")),
        ("GPU-33333333", &[], Some("GPU-33333333")),
        ("MIG-33333333", &[], Some("MIG-33333333")),
    ] {
        let found = merge(&two_cards(&[(CUDA, value)]));
        assert_eq!((used(&found).as_slice(), invalid(&found)), (cards, bad), "{value:?}");
        for gpu in found.gpus.iter().filter(|gpu| gpu.blocked.is_some()) {
            let refusal = gpu.refusal().unwrap();
            let named = matches!(&refusal, crate::machine::EngineRefusal::HiddenByVariable { setting, .. }
                if *setting == format!("{CUDA}={value}"));
            assert!(named, "{refusal:?}");
            assert!(found.notes.contains(&Finding::Refusal(refusal)), "{value:?}");
        }
    }
    assert_eq!(used(&merge(&two_cards(&[]))), ["3060", "3090"]);
}

/// In the order of the bus if that is asked for.
#[test]
fn indexes_count_the_fastest_card_first() {
    let by_bus = merge(&two_cards(&[(CUDA, "0"), (CUDA_ORDER, "PCI_BUS_ID")]));
    assert_eq!(used(&by_bus), ["3060"]);
    let fastest = merge(&two_cards(&[(CUDA, "0"), (CUDA_ORDER, "FASTEST_FIRST")]));
    assert_eq!(used(&fastest), ["3090"]);
    // Variables of other makers say nothing of these cards.
    let others = merge(&two_cards(&[(ROCR, "-1"), ("HIP_VISIBLE_DEVICES", "-1"), (VULKAN, "")]));
    assert_eq!(used(&others), ["3060", "3090"]);
}

/// The document is enough to plan with later.
#[test]
fn a_hardware_file_keeps_what_a_variable_hides() {
    let found = merge(&two_cards(&[(CUDA, "1")]));
    let mut found =
        Hardware { memory: crate::machine::MainMemory { total_bytes: GIB, ..found.memory }, ..found };
    found.gpus.sort_by(|a, b| a.name.cmp(&b.name));
    let json = serde_json::to_string(&found).unwrap();
    let read = Hardware::from_json(&json, std::path::Path::new("x")).unwrap();
    assert_eq!(used(&read), ["3060"]);
    assert_eq!(read, found);
}

#[test]
fn a_slice_is_chosen_by_its_uuid() {
    let slice = |uuid: &str, gib: u64| MigSlice {
        uuid: Some(uuid.to_owned()),
        memory_total_bytes: Some(gib * GIB),
        memory_free_bytes: Some(gib * GIB),
        ..MigSlice::default()
    };
    for (value, gib) in [
        (None, Some(40)),
        (Some("0"), Some(40)),
        (Some("MIG-aaaaaaaa"), Some(40)),
        (Some("MIG-bbbbbbbb-1111-2222"), Some(10)),
        (Some("MIG-GPU-99999999/2/0"), Some(40)),
        (Some("MIG-cccccccc"), None),
        (Some("-1"), None),
    ] {
        let device = NvmlDevice {
            mig: Some(true),
            mig_slices: vec![slice("MIG-aaaaaaaa", 40), slice("MIG-bbbbbbbb", 10)],
            ..nvidia("NVIDIA H100 80GB HBM3", 1, 80, "GPU-99999999")
        };
        let nvml = NvmlAnswer { devices: vec![device], ..NvmlAnswer::default() };
        let evidence = Evidence { nvml: SourceAnswer::Answered(nvml), ..Evidence::default() };
        let variables: Vec<(&str, &str)> = value.map(|value| (CUDA, value)).into_iter().collect();
        let found = merge(&with(&variables, evidence));
        let total = found.usable_gpus().next().and_then(|gpu| gpu.vram_total_bytes);
        assert_eq!(total.map(|bytes| bytes / GIB), gib, "{value:?}");
    }
}

fn radeon(name: &str, bus: u8) -> WgpuAdapter {
    WgpuAdapter {
        interface: GraphicsInterface::Vulkan,
        name: name.to_owned(),
        vendor_id: 0x1002,
        device_id: u32::from(bus),
        device_type: DeviceType::Discrete,
        pci_bus_id: Some(format!("0000:{bus:02x}:00.0")),
        heaps: vec![crate::hardware::evidence::VulkanHeap {
            size_bytes: 16 * GIB,
            device_local: true,
            budget_bytes: None,
        }],
        ..WgpuAdapter::default()
    }
}

fn radeons(names: [&str; 2], variables: &[(&str, &str)]) -> Hardware {
    let adapters = vec![radeon(names[0], 3), radeon(names[1], 4)];
    merge(&with(variables, Evidence { wgpu: SourceAnswer::Answered(adapters), ..Evidence::default() }))
}

#[test]
fn rocms_variables_choose_one_after_the_other() {
    for (variables, cards, bad) in [
        (&[][..], &[" GRE", "0 XT"][..], None),
        (&[(ROCR, "0")], &["0 XT"], None),
        (&[(ROCR, "1")], &[" GRE"], None),
        (&[(ROCR, "")], &[], None),
        (&[(ROCR, "-1")], &[], None),
        (&[("HIP_VISIBLE_DEVICES", "1")], &[" GRE"], None),
        (&[("HIP_VISIBLE_DEVICES", "")], &[" GRE", "0 XT"], None),
        (&[("HIP_VISIBLE_DEVICES", "5")], &[], Some("5")),
        (&[(ROCR, "1"), ("HIP_VISIBLE_DEVICES", "0")], &[" GRE"], None),
        (&[(ROCR, "1"), ("HIP_VISIBLE_DEVICES", "1")], &[], Some("1")),
        (&[(CUDA, "-1")], &[], None),
        (&[(ROCR, "GPU-0123456789abcdef")], &[" GRE", "0 XT"], None),
    ] {
        let found = radeons(["AMD Radeon RX 6900 XT", "AMD Radeon RX 7900 GRE"], variables);
        assert_eq!((used(&found).as_slice(), invalid(&found)), (cards, bad), "{variables:?}");
    }
}

#[test]
fn vulkan_has_no_device_with_an_index_that_does_not_exist() {
    for (value, cards, bad) in [
        ("0", &["6600"][..], None),
        ("1", &[" 580"], None),
        ("0,1", &[" 580", "6600"], None),
        ("-1", &[], None),
        ("", &[], None),
        ("0,9", &[], Some("9")),
    ] {
        let found = radeons(["AMD Radeon RX 6600", "AMD Radeon RX 580"], &[(VULKAN, value)]);
        assert_eq!((used(&found).as_slice(), invalid(&found)), (cards, bad), "{value:?}");
    }
}
