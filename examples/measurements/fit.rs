//! Computes the constants of `assets/efficiency.yaml` from the measurements that are not held out.

use acolyte::estimate::{ConstantBasis, EfficiencyConstant, EfficiencyConstants, SpeedEstimator};
use acolyte::machine::gpu_table::{self, ChipFamily};

use super::statistics::{quantile, weighted_mean, weighted_quantile};
use super::{Measurement, Measurements};

/// Share of the measurements that a range holds.
const HELD: f64 = 0.80;
/// A value is kept unless another one lessens the mean error by this much.
const INDIFFERENT: f64 = 3e-4;

/// Fits constants one after the other.
pub struct Fitter<'a> {
    rows: Vec<&'a Measurement>,
}

impl<'a> Fitter<'a> {
    /// With the measurements that are not held out.
    pub fn new(measurements: &'a Measurements) -> Self {
        Self { rows: measurements.all.iter().filter(|row| !row.held_out).collect() }
    }

    /// The measurements that a constant is fitted to.
    pub fn rows_of(&self, constant: &EfficiencyConstant) -> Vec<&'a Measurement> {
        self.rows.iter().copied().filter(|row| row.has(&constant.on)).collect()
    }

    /// Number of measurements and of devices that a constant is fitted to.
    pub fn counts(&self, constant: &EfficiencyConstant) -> (u32, u32) {
        let rows = self.rows_of(constant);
        let mut devices: Vec<&str> = rows.iter().map(|row| row.device.as_str()).collect();
        devices.sort_unstable();
        devices.dedup();
        (rows.len() as u32, devices.len() as u32)
    }

    /// The value that a constant should have, given the others: its own if that is as good as any in `factors` times it.
    pub fn value(
        &self,
        constants: &EfficiencyConstants,
        section: &str,
        name: &str,
        constant: &EfficiencyConstant,
        factors: &[f64],
    ) -> f64 {
        let rows = self.rows_of(constant);
        match constant.basis {
            ConstantBasis::Fit => {
                let error = |value| {
                    constants
                        .with(section, name, value)
                        .map_or(f64::INFINITY, |changed| mean_error(&rows, &changed))
                };
                let mut best = (constant.value, mean_error(&rows, constants) - INDIFFERENT);
                for factor in factors {
                    let value = three_digits(constant.value * factor);
                    let error = error(value);
                    if error < best.1 {
                        best = (value, error);
                    }
                }
                best.0
            }
            ConstantBasis::Range => {
                let estimator = SpeedEstimator::new(constants);
                let needed: Vec<(&str, f64)> = rows
                    .iter()
                    .map(|row| {
                        let range = row.estimate(estimator);
                        let needed = (range.mid / row.measured).ln().abs().exp();
                        // A least range applies as it is; the others are multiplied by the certainty of inputs.
                        let own = if is_least(name) { 1.0 } else { range.high / range.mid / constant.value };
                        (row.device.as_str(), needed / own)
                    })
                    .collect();
                two_decimals(weighted_quantile(&needed, HELD).max(1.02))
            }
            ConstantBasis::Table => {
                let of_section =
                    |family: ChipFamily| family.name() == section || (constants.maker(family) == section);
                let rates = gpu_table::rows()
                    .filter(|row| of_section(row.architecture) && row.stock_share.is_none())
                    .map(|row| row.fp32_tflops / row.bandwidth_gb_s)
                    .collect();
                two_digits(quantile(rates, 0.5))
            }
            _ => constant.value,
        }
    }
}

/// Mean error, |ln(estimate / measurement)|, where a device weighs as the root of its number of measurements.
pub fn mean_error(rows: &[&Measurement], constants: &EfficiencyConstants) -> f64 {
    let estimator = SpeedEstimator::new(constants);
    let errors: Vec<(&str, f64)> =
        rows.iter().map(|row| (row.device.as_str(), row.ratio(estimator).ln().abs())).collect();
    weighted_mean(&errors)
}

fn is_least(name: &str) -> bool {
    ["partial_range", "experts_range", "experts_prompt_range"].contains(&name)
}

fn three_digits(value: f64) -> f64 {
    rounded(value, 3)
}

fn two_digits(value: f64) -> f64 {
    rounded(value, 2)
}

fn rounded(value: f64, digits: i32) -> f64 {
    if value <= 0.0 {
        return 0.0;
    }
    let unit = 10_f64.powi(digits - 1 - value.log10().floor() as i32);
    (value * unit).round() / unit
}

fn two_decimals(value: f64) -> f64 {
    (value * 100.0).ceil() / 100.0
}
