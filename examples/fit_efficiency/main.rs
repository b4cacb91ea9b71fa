//! Fits the constants of `assets/efficiency.yaml` to the measurements in `examples/data`, without the held-out devices.
//!
//! ```text
//! cargo run --release --example fit_efficiency [-- --write]
//! ```
//!
//! Each fitted constant gets the value with the least mean error on the measurements that the file names for it, given all
//! other constants, until none changes; then each range is computed. Prints what differs from the file; `--write` changes
//! the file.

#[path = "../measurements/mod.rs"]
#[allow(dead_code, unused_imports, reason = "each program uses a part of it")]
mod measurements;

use std::collections::BTreeMap;
use std::process::ExitCode;

use acolyte::estimate::{ConstantBasis, EfficiencyConstant, EfficiencyConstants};
use measurements::{Fitter, Measurements};

const FILE: &str = "assets/efficiency.yaml";
/// Most times that all constants are fitted.
const MOST_ROUNDS: u32 = 12;

/// Value, measurements and devices by section and name.
type Computed = BTreeMap<(String, String), (f64, u32, u32)>;

fn main() -> ExitCode {
    let write = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--write") => true,
        Some(_) => {
            eprintln!("usage: fit_efficiency [--write]");
            return ExitCode::from(2);
        }
    };
    let measurements = Measurements::read(&[]);
    let fitter = Fitter::new(&measurements);
    let computed = fit(&fitter);
    let text = match std::fs::read_to_string(FILE) {
        Ok(text) => text,
        Err(error) => {
            eprintln!("cannot read {FILE}: {error}");
            return ExitCode::FAILURE;
        }
    };
    let changed = with_values(&text, &computed);
    for (old, new) in text.lines().zip(changed.lines()).filter(|(old, new)| old != new) {
        println!("- {}\n+ {}", old.trim(), new.trim());
    }
    if write && let Err(error) = std::fs::write(FILE, changed) {
        eprintln!("cannot write {FILE}: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn fit(fitter: &Fitter<'_>) -> Computed {
    let built_in = EfficiencyConstants::built_in();
    let all: Vec<(String, String, EfficiencyConstant)> = built_in
        .all()
        .map(|(section, name, constant)| (section.to_owned(), name.to_owned(), constant.clone()))
        .collect();
    let factors: Vec<f64> = (-25..=25).map(|step| 1.02_f64.powi(step)).chain([0.4, 0.5, 2.0, 2.5]).collect();
    let mut constants = built_in.clone();
    let mut computed = Computed::new();
    for ranges in [false, true] {
        for round in 1..=MOST_ROUNDS {
            let mut changes = 0;
            for (section, name, original) in &all {
                let is_range = original.basis == ConstantBasis::Range;
                if is_range != ranges {
                    continue;
                }
                let key = (section.clone(), name.clone());
                let before = computed.get(&key).map_or(original.value, |(value, ..)| *value);
                let constant = EfficiencyConstant { value: before, ..original.clone() };
                let value = fitter.value(&constants, section, name, &constant, &factors);
                let (rows, devices) = fitter.counts(&constant);
                if let Some(changed) = constants.with(section, name, value)
                    && value != before
                {
                    constants = changed;
                    changes += 1;
                }
                computed.insert(key, (value, rows, devices));
            }
            eprintln!("round {round}: {changes} changed");
            if changes == 0 {
                break;
            }
        }
    }
    computed
}

/// The file with computed values and counts in place of its own.
fn with_values(text: &str, computed: &Computed) -> String {
    let mut section = String::new();
    let mut lines = String::new();
    for line in text.lines() {
        let name = line.trim_start().split(':').next().unwrap_or_default();
        let indentation = line.len() - line.trim_start().len();
        if indentation == 2 {
            name.clone_into(&mut section);
        }
        let line = match computed.get(&(section.clone(), name.to_owned())) {
            Some((value, rows, devices)) if indentation == 4 => {
                let line = with_number(line, "value: ", &value.to_string());
                let line = with_number(&line, "rows: ", &rows.to_string());
                with_number(&line, "devices: ", &devices.to_string())
            }
            _ => line.to_owned(),
        };
        lines.push_str(&line);
        lines.push('\n');
    }
    lines
}

/// The line with another number behind `key`, up to a comma.
fn with_number(line: &str, key: &str, number: &str) -> String {
    let Some((before, after)) = line.split_once(key) else { return line.to_owned() };
    let rest = after.find(',').and_then(|at| after.get(at..)).unwrap_or_default();
    format!("{before}{key}{number}{rest}")
}
