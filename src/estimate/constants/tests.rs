//! What the file of constants may say.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;

const TEXT: &str = include_str!("../../../assets/efficiency.yaml");

fn read(text: &str) -> Result<EfficiencyConstants, EfficiencyError> {
    EfficiencyConstants::from_yaml(text, Path::new("efficiency.yaml"))
}

#[test]
fn every_mistake_names_its_constant() {
    let family = "  maxwell: { maker: nvidia, measured: false }";
    for (from, to, problem) in [
        ("    bus_share: {", "    bus_shares: {", "bus.bus_shares: is not used"),
        (
            "    block_us: { value: 20,",
            "    block_us: { value: -1,",
            "processor.block_us: must be 0 to 10000",
        ),
        (
            "    bus_range: { value: 1.25,",
            "    bus_range: { value: 0.9,",
            "bus.bus_range: a range must be 1 to 4",
        ),
        ("  bus_share: \"", "  bus_shares: \"", "bus.bus_share: has no unit"),
        (family, "  maxwell: { maker: none, measured: false }", "families.maxwell: has a maker"),
        (family, "", "families.maxwell: is missing"),
        (family, "  maxwel: { maker: nvidia, measured: false }", "families.maxwel: is not a chip family"),
    ] {
        assert!(TEXT.contains(from), "{from}");
        let error = read(&TEXT.replace(from, to)).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn a_guess_needs_a_reason_and_a_fit_its_measurements() {
    let guess = TEXT.lines().find(|line| line.trim_start().starts_with("block_us: {")).unwrap();
    let without = format!("{} }}", guess.split(", note").next().unwrap());
    assert!(read(&TEXT.replace(guess, &without)).unwrap_err().to_string().contains("needs a note"));
    let fit = TEXT.lines().find(|line| line.trim_start().starts_with("measured_share: {")).unwrap();
    let without = fit.replace("basis: fit", "basis: guess");
    assert!(read(&TEXT.replace(fit, &without)).unwrap_err().to_string().contains("a computed constant"));
}

#[test]
fn a_family_without_measurements_has_a_wider_range() {
    let constants = EfficiencyConstants::built_in();
    for family in
        [ChipFamily::Maxwell, ChipFamily::Gcn, ChipFamily::Cdna, ChipFamily::Rdna1, ChipFamily::Rdna4]
    {
        assert!(!constants.is_measured(family), "{family:?}");
    }
    assert!(constants.is_measured(ChipFamily::Ampere));
    assert!(constants.common.guess_range >= 1.2);
}

#[test]
fn a_processor_is_found_by_words_and_features() {
    let constants = EfficiencyConstants::built_in();
    let features = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    for (name, marks, vendor, class, set) in [
        ("AMD Ryzen 7 9700X", "avx2 avx512_vnni", "amd-processor", "desktop", "avx512-amd"),
        ("AMD EPYC 9654", "avx2 avx512", "amd-processor", "server", "avx512-amd"),
        ("Intel(R) Xeon(R) Gold 6132", "AVX2 AVX512F", "other-processor", "server", "avx512"),
        ("Intel Core Ultra 7 155H", "avx2 avx_vnni", "other-processor", "desktop", "avx-vnni"),
        ("Apple M4", "neon", "other-processor", "desktop", "neon"),
        ("", "", "other-processor", "desktop", "any-processor"),
    ] {
        let features = features(marks);
        assert_eq!(constants.processor_sections(name), (vendor, class), "{name}");
        assert_eq!(constants.instruction_set(name, &features), set, "{name}");
    }
}
