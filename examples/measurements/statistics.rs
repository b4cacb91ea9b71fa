//! Quantiles, and means by device.

use std::collections::BTreeMap;

/// The quantile `q`, 0 to 1, with interpolation. NaN without values.
pub fn quantile(mut values: Vec<f64>, q: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = q * (values.len().saturating_sub(1)) as f64;
    let (low, high) = (at.floor() as usize, at.ceil() as usize);
    match (values.get(low), values.get(high)) {
        (Some(a), Some(b)) => a + (b - a) * (at - low as f64),
        _ => f64::NAN,
    }
}

/// The smallest value with at least `q` of the weight at or below it. A device weighs as the root of its number of values:
/// one with many models says more than one with two, but not as much more as it has rows.
pub fn weighted_quantile(values: &[(&str, f64)], q: f64) -> f64 {
    let devices = grouped(values);
    let mut weighted: Vec<(f64, f64)> = devices
        .values()
        .flat_map(|values| values.iter().map(|value| (*value, 1.0 / (values.len() as f64).sqrt())))
        .collect();
    weighted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let all: f64 = weighted.iter().map(|(_, weight)| weight).sum();
    let mut below = 0.0;
    for (value, weight) in &weighted {
        below += weight / all;
        if below >= q - 1e-9 {
            return *value;
        }
    }
    f64::NAN
}

/// The mean, with the same weights.
pub fn weighted_mean(values: &[(&str, f64)]) -> f64 {
    let devices = grouped(values);
    let roots = |values: &Vec<f64>| (values.len() as f64).sqrt();
    let all: f64 = devices.values().map(roots).sum();
    devices.values().map(|values| values.iter().sum::<f64>() / roots(values)).sum::<f64>() / all.max(1.0)
}

/// The values of each device, reduced.
pub fn by_device(values: &[(&str, f64)], reduce: impl Fn(Vec<f64>) -> f64) -> Vec<f64> {
    grouped(values).into_values().map(reduce).collect()
}

fn grouped<'a>(values: &[(&'a str, f64)]) -> BTreeMap<&'a str, Vec<f64>> {
    let mut devices: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (device, value) in values {
        devices.entry(device).or_default().push(*value);
    }
    devices
}
