//! The constants of `assets/efficiency.yaml` are what the fitter computes, and the estimates hold on devices that it did
//! not see.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "../examples/measurements/mod.rs"]
#[allow(dead_code, unused_imports, reason = "each program uses a part of it")]
mod measurements;

use std::collections::BTreeSet;

use acolyte::estimate::{ConstantBasis, EfficiencyConstants, SpeedEstimator};
use acolyte::machine::gpu_table::ChipFamily;
use measurements::{Fitter, Measurement, Measurements, Metric, Regime, quantile};

const ADVICE: &str = "run `cargo run --release --example fit_efficiency -- --write`";

#[test]
fn the_constants_are_what_the_fitter_computes() {
    let measurements = Measurements::read(&[]);
    let fitter = Fitter::new(&measurements);
    let constants = EfficiencyConstants::built_in();
    let factors = [0.5, 0.7, 0.85, 0.9, 0.94, 0.96, 0.98, 1.02, 1.04, 1.06, 1.1, 1.15, 1.3, 2.0];
    for (section, name, constant) in constants.all() {
        let computed = fitter.value(constants, section, name, constant, &factors);
        assert!(
            (computed / constant.value - 1.0).abs() < 1e-9 || computed == constant.value,
            "{section}.{name} is {}, and the fit gives {computed}: {ADVICE}",
            constant.value
        );
        if matches!(constant.basis, ConstantBasis::Fit | ConstantBasis::Range) {
            let counts = fitter.counts(constant);
            assert_eq!((constant.rows, constant.devices), counts, "{section}.{name}: {ADVICE}");
        }
    }
}

#[test]
fn a_family_is_marked_as_measured_if_one_of_its_chips_was() {
    let measurements = Measurements::read(&[]);
    let measured: BTreeSet<&str> =
        measurements.all.iter().flat_map(|row| row.tags.iter().map(String::as_str)).collect();
    for (name, family) in ChipFamily::NAMES {
        // A chip with its experts in main memory says little of its family.
        let has_rows = measured.contains(name) && family != ChipFamily::Rdna4;
        assert_eq!(EfficiencyConstants::built_in().is_measured(family), has_rows, "{name}");
    }
}

/// Limits for one regime on held-out devices: median error, least share of measurements in their range, and
/// widest range (high/low, median).
struct Limits {
    regime: Regime,
    metric: Metric,
    median_error: f64,
    held: f64,
    width: f64,
    rows: usize,
}

#[test]
fn estimates_hold_on_devices_that_the_fit_did_not_see() {
    let measurements = Measurements::read(&[]);
    let estimator = SpeedEstimator::default();
    for Limits { regime, metric, median_error, held, width, rows } in [
        limits(Regime::Gpu, Metric::Decode, 0.08, 1.5, 100),
        limits(Regime::Partial, Metric::Decode, 0.12, 1.8, 15),
        limits(Regime::Experts, Metric::Decode, 0.15, 1.8, 2),
        limits(Regime::Processor, Metric::Decode, 0.15, 2.0, 3),
        limits(Regime::Gpu, Metric::Prompt, 0.10, 1.5, 15),
        limits(Regime::Partial, Metric::Prompt, 0.30, 1.8, 5),
    ] {
        let some: Vec<&Measurement> = measurements
            .all
            .iter()
            .filter(|row| row.held_out && (row.regime, row.metric) == (regime, metric))
            .collect();
        assert!(some.len() >= rows, "{regime:?} {metric:?}: {} rows", some.len());
        let ranges: Vec<_> = some.iter().map(|row| (row.estimate(estimator), row.measured)).collect();
        let error = quantile(
            ranges.iter().map(|(range, measured)| (range.mid / measured - 1.0).abs()).collect(),
            0.5,
        );
        assert!(error <= median_error, "{regime:?} {metric:?}: median error {error:.3}");
        let inside =
            ranges.iter().filter(|(range, measured)| (range.low..=range.high).contains(measured)).count();
        let share = inside as f64 / ranges.len() as f64;
        assert!(share >= held, "{regime:?} {metric:?}: ranges hold {share:.2}");
        let widest = quantile(ranges.iter().map(|(range, _)| range.high / range.low).collect(), 0.5);
        assert!(widest <= width, "{regime:?} {metric:?}: ranges are {widest:.2} wide");
    }
}

fn limits(regime: Regime, metric: Metric, median_error: f64, width: f64, rows: usize) -> Limits {
    Limits { regime, metric, median_error, held: 0.75, width, rows }
}

#[test]
fn no_device_is_both_fitted_and_held_out() {
    let measurements = Measurements::read(&[]);
    let devices = |held_out| -> BTreeSet<&str> {
        measurements
            .all
            .iter()
            .filter(|row| row.held_out == held_out)
            .map(|row| row.device.as_str())
            .collect()
    };
    // The Core i7-8700 is also the processor of held-out cards' hosts.
    let both: Vec<&str> = devices(true).intersection(&devices(false)).copied().collect();
    assert_eq!(both, ["Intel Core i7-8700"]);
}

#[test]
fn estimates_with_experts_in_main_memory_agree_with_the_measurements_they_were_fitted_to() {
    let measurements = Measurements::read(&[]);
    let estimator = SpeedEstimator::default();
    let experts = |row: &&Measurement| !row.held_out && row.regime == Regime::Experts;
    let mut counts = [0, 0];
    for row in measurements.all.iter().filter(experts) {
        let (tolerance, count) = match row.metric {
            Metric::Decode => (0.15, 0),
            Metric::Prompt => (0.30, 1),
        };
        let range = row.estimate(estimator);
        assert!(
            (range.mid / row.measured - 1.0).abs() < tolerance,
            "{}: {range:?}, measured {}",
            row.label,
            row.measured
        );
        assert!((range.low..=range.high).contains(&row.measured), "{}: {range:?}", row.label);
        counts[count] += 1;
    }
    assert_eq!(counts, [9, 9]);
}
