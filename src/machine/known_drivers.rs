//! Drivers with which the engine is known to find no device of a card, and the interface that works instead. The list is
//! `assets/known_drivers.csv`.

use std::sync::LazyLock;

use crate::built_in;
use crate::machine::gpu_table::ChipFamily;
use crate::machine::{Gpu, GpuBackend, Os};
use crate::models::EngineVersion;

/// A driver that fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownDriver {
    os: String,
    vendor: String,
    family: ChipFamily,
    driver: String,
    engine_from: Option<EngineVersion>,
    engine_before: Option<EngineVersion>,
    /// The interface that shows no device.
    pub fails: GpuBackend,
    /// The interface that works.
    pub works: GpuBackend,
    /// Where it is reported.
    pub source: String,
}

/// The entry for a card on a system with this version of the engine.
pub fn find(gpu: &Gpu, os: &Os, engine: Option<EngineVersion>) -> Option<&'static KnownDriver> {
    let family = gpu.table_row().map(|row| row.architecture);
    let by_capability = || gpu.compute_capability.and_then(ChipFamily::of_compute_capability);
    let family = family.or_else(by_capability)?;
    let driver = gpu.driver_version.as_deref()?;
    list().iter().find(|known| {
        let is_version = engine.is_none_or(|engine| {
            known.engine_from.is_none_or(|from| engine >= from)
                && known.engine_before.is_none_or(|before| engine < before)
        });
        os.name.as_deref() == Some(known.os.as_str())
            && gpu.vendor.as_deref() == Some(known.vendor.as_str())
            && family == known.family
            && is_driver(driver, &known.driver)
            && is_version
    })
}

/// NVIDIA's Windows drivers have two numbers: 616.92 is 32.0.16.1692 to the system.
fn is_driver(reported: &str, known: &str) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let of_system = reported.split('.').count() == 4 && digits(reported).ends_with(&digits(known));
    reported == known || of_system
}

fn list() -> &'static [KnownDriver] {
    static LIST: LazyLock<Vec<KnownDriver>> = LazyLock::new(|| {
        built_in::valid("assets/known_drivers.csv", read(include_str!("../../assets/known_drivers.csv")))
    });
    &LIST
}

fn read(csv: &str) -> Result<Vec<KnownDriver>, String> {
    let rows = csv.lines().filter(|line| !line.starts_with('#')).skip(1);
    rows.map(|line| read_row(line).ok_or_else(|| format!("not a row of the list: {line}"))).collect()
}

fn read_row(line: &str) -> Option<KnownDriver> {
    let fields: Vec<&str> = line.split(',').map(str::trim).collect();
    let [os, vendor, family, driver, from, before, fails, works, source] = fields[..] else { return None };
    let version = |text: &str| if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) };
    let backend = |name: &str| match name {
        "cuda" => Some(GpuBackend::Cuda),
        "rocm" => Some(GpuBackend::Rocm),
        "vulkan" => Some(GpuBackend::Vulkan),
        _ => None,
    };
    Some(KnownDriver {
        os: os.to_owned(),
        vendor: vendor.to_owned(),
        family: ChipFamily::named(family)?,
        driver: driver.to_owned(),
        engine_from: version(from)?,
        engine_before: version(before)?,
        fails: backend(fails)?,
        works: backend(works)?,
        source: source.to_owned(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::machine::GpuKind;

    fn card(name: &str, driver: &str) -> Gpu {
        Gpu {
            vendor: Some("nvidia".into()),
            driver_version: Some(driver.into()),
            ..Gpu::named(name, GpuKind::Discrete, Some(16 << 30))
        }
    }

    #[test]
    fn a_driver_is_known_for_its_cards_and_its_system_only() {
        let os = |name: &str| Os { name: Some(name.into()), ..Os::default() };
        for (name, driver, system, known) in [
            ("NVIDIA GeForce RTX 5080", "616.92", "windows", true),
            ("NVIDIA GeForce RTX 5070 Ti", "616.92", "windows", true),
            ("NVIDIA GeForce RTX 5080", "32.0.16.1692", "windows", true),
            ("NVIDIA GeForce RTX 5080", "616.93", "windows", false),
            ("NVIDIA GeForce RTX 5080", "616.92", "linux", false),
            ("NVIDIA GeForce RTX 4080", "616.92", "windows", false),
        ] {
            let found = find(&card(name, driver), &os(system), None);
            assert_eq!(
                found.map(|known| known.works),
                known.then_some(GpuBackend::Vulkan),
                "{name} {driver} {system}"
            );
        }
    }

    #[test]
    fn versions_of_the_engine_limit_an_entry() {
        let row = "windows,nvidia,ada,1.2,0.30.0,0.34.0,cuda,vulkan,https://example.org";
        let known = read_row(row).unwrap();
        assert_eq!(known.engine_from, "0.30.0".parse().ok());
        assert_eq!(known.engine_before, "0.34.0".parse().ok());
        for bad in [
            "",
            "windows,nvidia,ada",
            "windows,nvidia,none,1.2,,,cuda,vulkan,x",
            "w,n,ada,1,x,,cuda,vulkan,x",
        ] {
            assert!(read_row(bad).is_none(), "{bad}");
        }
    }
}
