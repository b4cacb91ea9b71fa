#![allow(clippy::unwrap_used)]

use super::*;

#[test]
fn every_line_of_the_table_is_valid() {
    let csv = include_str!("../../../assets/gpus.csv");
    assert!(rows().filter(|row| row.stock_share.is_some()).all(|row| row.name.starts_with("CMP ")));
    let lines: Vec<&str> = csv.lines().filter(|line| !line.starts_with('#')).skip(1).collect();
    assert!(lines.len() > 700);
    for line in lines {
        let (_, row) = parse_row(line).unwrap_or_else(|| unreachable!("{line}"));
        assert!(row.bandwidth_gb_s > 1.0 && row.fp32_tflops > 0.01, "{line}");
    }
}

#[test]
fn every_row_is_found_by_its_own_name() {
    let table = table();
    for (listed, row) in &table.rows {
        let found = table.of_name(listed, DriverFigures::default());
        let is_row = |index: &usize| std::ptr::eq(&table.rows[*index].1, row);
        assert!(found.iter().any(is_row), "{} is {found:?}", row.name);
    }
}

/// Both programs answer by the card that the name means, or by none.
#[test]
fn a_shared_number_is_not_enough() {
    for (name, expected) in [
        ("NVIDIA TITAN X (Pascal)", Some("TITAN X Pascal")),
        ("NVIDIA GeForce GTX TITAN X", Some("GeForce GTX TITAN X")),
        ("NVIDIA TITAN Xp", Some("TITAN Xp")),
        ("NVIDIA TITAN RTX", Some("TITAN RTX")),
        ("NVIDIA TITAN V", Some("TITAN V")),
        ("GRID RTX6000-8Q", Some("Quadro RTX 6000")),
        ("GRID RTX8000P-16Q", Some("Quadro RTX 8000")),
        ("GRID T4-4Q", Some("Tesla T4")),
        ("NVIDIA A40-12Q", Some("A40 PCIe")),
        ("NVIDIA RTXA6000-24Q", Some("RTX A6000")),
        ("NVIDIA RTX6000-Ada-12Q", Some("RTX 6000 Ada Generation")),
        ("NVIDIA L40S-24Q", Some("L40S")),
        ("Quadro 6000", None),
        ("Quadro 5000", None),
        ("Quadro 4000", None),
        ("Quadro 2000", None),
        ("Quadro K4000", None),
        ("Quadro M4000", Some("Quadro M4000")),
        ("Quadro P4000", Some("Quadro P4000")),
        ("Quadro RTX 4000", Some("Quadro RTX 4000")),
        ("Quadro RTX A4000", Some("RTX A4000")),
        ("NVIDIA RTX 4000 Ada Generation", Some("RTX 4000 Ada Generation")),
        ("NVIDIA RTX 4000 SFF Ada Generation", Some("RTX 4000 SFF Ada Generation")),
        ("RTX PRO 4000", Some("RTX PRO 4000 Blackwell")),
        ("NVIDIA RTX PRO 6000 Blackwell Workstation Edition", Some("RTX PRO 6000 Blackwell")),
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition", Some("RTX PRO 6000 Blackwell Server")),
        ("RTX 4000", None),
        ("GeForce GTX 480", None),
        ("GeForce GTX 580", None),
        ("Radeon RX 580", Some("Radeon RX 580")),
        ("GeForce 8800 GT", None),
        ("GeForce 7900 GTX", None),
        ("GeForce 6800 XT", None),
        ("Radeon HD 7970", None),
        ("AMD Radeon HD 7900 Series", None),
        ("AMD Radeon HD 6800 Series", None),
        ("ATI Mobility Radeon HD 5700 Series", None),
        ("Tesla M40", Some("Tesla M40")),
        ("Tesla K40c", None),
        ("Tesla M4", Some("Tesla M4")),
        ("Apple M4", Some("Apple M4")),
        ("GeForce GT 1030", Some("GeForce GT 1030")),
        ("AMD Radeon R9 390 Series", None),
        ("Radeon Pro 580", Some("Radeon Pro 580")),
        ("AMD FirePro W7100", Some("FirePro W7100")),
        ("AMD Radeon RX 6700 XT/6800M", Some("Radeon RX 6700 XT")),
        ("NVIDIA GeForce RTX 2080 Ti Founders Edition", Some("GeForce RTX 2080 Ti")),
        ("ASUS ROG Strix GeForce RTX 4090 OC 24G", Some("GeForce RTX 4090")),
        ("MSI GeForce RTX 4090 VENTUS 3X", Some("GeForce RTX 4090")),
        ("NVIDIA CMP 50HX", Some("CMP 50HX")),
        ("CMP 170HX", Some("CMP 170HX")),
        ("NVIDIA CMP 100HX-210", Some("CMP 100HX-210")),
        ("P106-100", Some("P106-100")),
    ] {
        assert_eq!(lookup(name, None).map(|row| row.name.as_str()), expected, "{name}");
    }
}

#[test]
fn cards_that_are_too_old_are_known_by_name() {
    for (name, capability) in [
        ("Quadro 6000", "2.0"),
        ("NVIDIA Quadro 5000", "2.0"),
        ("Quadro 4000", "2.0"),
        ("Quadro K4000", "3.0"),
        ("GeForce GTX 480", "2.0"),
        ("NVIDIA GeForce GTX 780 Ti", "3.5"),
        ("GeForce 8800 GT", "1.1"),
        ("Tesla K80", "3.7"),
        ("Tesla K40c", "3.5"),
        ("GeForce GTX TITAN Black", "3.5"),
        ("GeForce GTX 690", "3.0"),
        ("GRID K520", "3.0"),
    ] {
        assert_eq!(
            too_old(name).map(|card| card.capability.to_string()).as_deref(),
            Some(capability),
            "{name}"
        );
    }
    for name in [
        "GeForce GTX 750 Ti",
        "Quadro RTX 6000",
        "Radeon RX 480",
        "RTX 9999",
        "",
        "Quadro",
        "GeForce GT 1030",
    ] {
        assert_eq!(too_old(name), None, "{name}");
    }
}

#[test]
fn a_name_of_several_sizes_lists_them() {
    let gib = |name: &str| sizes(name).iter().map(|bytes| bytes / GIB).collect::<Vec<u64>>();
    for (name, expected) in [
        ("RTX 4060 Ti", &[8, 16][..]),
        ("NVIDIA GeForce RTX 5060 Ti", &[8, 16]),
        ("RTX 3060", &[8, 12]),
        ("RTX 3080", &[10, 12]),
        ("GTX 1060", &[3, 5, 6]),
        ("RTX 3050", &[4, 6, 8]),
        ("RX 480", &[4, 8]),
        ("RX 470", &[4, 8]),
        ("RX 580", &[4, 8]),
        ("RX 570", &[4, 8]),
        ("RX 9060 XT", &[8, 16]),
        ("RX 5500 XT", &[4, 8]),
        ("RX 6500 XT", &[4, 8]),
        ("Arc A770", &[8, 16]),
        ("GTX 960", &[2, 4]),
        ("R9 380", &[2, 4]),
        ("Tesla V100", &[16, 32]),
        ("A100", &[40, 80]),
        ("Tesla M40", &[12, 24]),
        ("RTX 4060 Ti 16GB", &[]),
        ("RTX 4090", &[24]),
        ("Apple M3 Max", &[27, 36, 48, 72, 96]),
        ("RTX 9999", &[]),
    ] {
        assert_eq!(gib(name), expected, "{name}");
    }
}

/// The driver's answers tell cards of one name apart, and rows that contradict them are not used.
#[test]
fn the_drivers_own_figures_beat_a_row() {
    let card = |name: &str, capability: &str, gib: u64, gb_s: f64| -> Option<String> {
        let gpu = Gpu {
            vendor: Some("nvidia".into()),
            compute_capability: capability.parse().ok(),
            memory_bandwidth_gb_s: Some(gb_s),
            sources: [("memory_bandwidth_gb_s".to_owned(), "nvml".into())].into(),
            ..Gpu::named(name, crate::machine::GpuKind::Discrete, Some(gib * GIB))
        };
        gpu.table_row().map(|row| format!("{} {}", row.name, row.bandwidth_gb_s))
    };
    let found = |name, capability, gib, gb_s| card(name, capability, gib, gb_s).unwrap_or_default();
    assert_eq!(found("NVIDIA TITAN X", "6.1", 12, 480.4), "TITAN X Pascal 480.4");
    assert_eq!(found("NVIDIA TITAN X", "5.2", 12, 336.6), "GeForce GTX TITAN X 336.6");
    assert_eq!(found("NVIDIA RTX 6000", "8.9", 48, 960.0), "RTX 6000 Ada Generation 960");
    assert_eq!(found("NVIDIA GeForce GTX 1650", "7.5", 4, 192.0), "GeForce GTX 1650 GDDR6 192");
    assert_eq!(found("NVIDIA GeForce GTX 1650", "7.5", 4, 128.1), "GeForce GTX 1650 128.1");
    assert_eq!(found("GRID RTX6000-8Q", "7.5", 8, 672.0), "Quadro RTX 6000 672");
    // A chip of another generation than the name's.
    assert_eq!(card("NVIDIA GeForce RTX 4090", "6.1", 24, 480.0), None);
    let radeon =
        Gpu { vendor: Some("amd".into()), ..Gpu::named("6000", crate::machine::GpuKind::Discrete, None) };
    assert_eq!(radeon.table_row(), None);
}

#[test]
fn one_card_has_many_names() {
    let cases: [(&str, Option<u64>, f64); 48] = [
        ("NVIDIA GeForce RTX 4060 Laptop GPU", None, 256.0),
        ("RTX 4060 Laptop", None, 256.0),
        ("NVIDIA GeForce RTX 4060", None, 272.0),
        ("rtx-4060-8gb", None, 272.0),
        ("NVIDIA GeForce RTX 3060", Some(12), 360.0),
        ("NVIDIA GeForce RTX 3060", Some(8), 240.0),
        ("NVIDIA GeForce RTX 3060", None, 360.0),
        ("NVIDIA GeForce RTX 3060 Laptop GPU", None, 336.0),
        ("NVIDIA GeForce RTX 3080", Some(10), 760.3),
        ("NVIDIA GeForce RTX 3080", Some(12), 912.4),
        ("rtx-4070tis-16gb", None, 672.3),
        ("NVIDIA GeForce RTX 4070 Ti SUPER", None, 672.3),
        ("rtx-4090-24gb", None, 1010.0),
        ("AMD Radeon RX 7900 XT", Some(20), 800.0),
        ("AMD Radeon RX 7900 XTX (RADV NAVI31)", None, 960.0),
        ("rx-7900-xtx-24gb", None, 960.0),
        ("AMD Radeon(TM) RX 6700 XT", None, 384.0),
        ("Intel(R) Arc(TM) A770 Graphics", None, 512.0),
        ("intel-arc-b580-12gb", None, 456.0),
        ("Apple M2 Max", None, 400.0),
        ("apple-m4-pro-24gb", None, 273.0),
        ("Apple M1", None, 68.25),
        // What macOS lets the GPU use of 36, 48, 96 and 36 GB.
        ("Apple M3 Max", Some(27), 300.0),
        ("Apple M3 Max", Some(36), 400.0),
        ("Apple M3 Max", Some(72), 300.0),
        ("Apple M3 Max", None, 400.0),
        ("Apple M4 Max", Some(27), 410.0),
        ("Tesla T4", None, 320.0),
        ("t4-16gb", None, 320.0),
        ("tesla-p40-24gb", None, 347.1),
        ("NVIDIA A100-SXM4-80GB", None, 2040.0),
        ("NVIDIA H100 80GB HBM3", None, 3360.0),
        ("NVIDIA RTX 6000 Ada Generation", None, 960.0),
        ("Quadro RTX 6000", None, 672.0),
        ("NVIDIA RTX A6000", None, 768.0),
        ("a6000-48gb", None, 768.0),
        ("AMD Radeon 8060S Graphics", None, 256.0),
        ("Radeon 8060S Graphics (RADV GFX1151)", Some(96), 256.0),
        ("AMD Radeon(TM) 8060S Graphics", Some(64), 256.0),
        ("AMD Radeon(TM) 780M", None, 89.6),
        ("AMD Radeon 780M Graphics (RADV PHOENIX)", Some(16), 89.6),
        ("NVIDIA GeForce RTX 5090 Laptop GPU", Some(24), 896.0),
        ("RTX 5090 Laptop", None, 896.0),
        ("NVIDIA GeForce RTX 2080 Super with Max-Q Design", Some(8), 352.0),
        ("NVIDIA GeForce RTX 3080 Max-Q", None, 384.0),
        ("MSI GeForce RTX 4090 SUPRIM X", Some(24), 1010.0),
        ("NVIDIA GeForce RTX 4080 SUPRIM", None, 716.8),
        ("Apple M5 Max", Some(27), 460.0),
    ];
    for (name, gib, bandwidth) in cases {
        let row = lookup(name, gib.map(|g| g * GIB));
        assert_eq!(row.map(|r| r.bandwidth_gb_s), Some(bandwidth), "{name}: {row:?}");
    }
}

#[test]
fn an_unknown_name_has_no_row() {
    for name in ["", "llvmpipe", "NVIDIA", "GeForce", "Microsoft Basic Render Driver", "RTX", "RTX 9999"] {
        assert_eq!(lookup(name, None), None, "{name}");
    }
}
