//! Accuracy of the estimates: runs the estimator on published measurements and prints the error of every regime.
//!
//! ```text
//! cargo run --release --example estimate_accuracy [-- [--rows] [--extra FILE]...]
//! ```
//!
//! Measurements that may be redistributed are in `examples/data`, with their source in every row. `--extra` reads more
//! from a CSV file with the columns of `measured_speeds.csv` (columns may be missing). `--rows` prints every row.

#[path = "../measurements/mod.rs"]
#[allow(dead_code, unused_imports, reason = "each program uses a part of it")]
mod measurements;
mod memory_logs;

use std::collections::BTreeMap;
use std::process::ExitCode;

use acolyte::estimate::SpeedEstimator;
use acolyte::figures::Range;
use measurements::{Measurement, Measurements, Metric, Regime, by_device, quantile};

fn main() -> ExitCode {
    let (mut more, mut print_rows) = (Vec::new(), false);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rows" => print_rows = true,
            "--extra" => match arguments.next().map(|path| (std::fs::read_to_string(&path), path)) {
                Some((Ok(text), _)) => more.push(text),
                Some((Err(error), path)) => {
                    eprintln!("cannot read {path}: {error}");
                    return ExitCode::FAILURE;
                }
                None => return usage(),
            },
            _ => return usage(),
        }
    }
    let read = Measurements::read(&more);
    let estimator = SpeedEstimator::default();
    let compared: Vec<Compared<'_>> =
        read.all.iter().map(|row| Compared { row, estimate: row.estimate(estimator) }).collect();
    if print_rows {
        for one in &compared {
            one.print();
        }
    }
    println!("rows not used: {:?}\n", read.dropped);
    report(&compared);
    memory_logs::print();
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    eprintln!("usage: estimate_accuracy [--rows] [--extra FILE]...");
    ExitCode::from(2)
}

/// A measurement beside its estimate.
struct Compared<'a> {
    row: &'a Measurement,
    estimate: Range,
}

impl Compared<'_> {
    fn error(&self) -> f64 {
        (self.estimate.mid / self.row.measured - 1.0).abs()
    }

    fn print(&self) {
        let Range { low, mid, high } = self.estimate;
        println!(
            "{:8} {:9} {:6} {:70} {:9.2} {mid:9.2} ({low:.2}-{high:.2}) {:+.1} %",
            if self.row.held_out { "held out" } else { "fit" },
            format!("{:?}", self.row.regime),
            format!("{:?}", self.row.metric),
            self.row.label,
            self.row.measured,
            100.0 * (mid / self.row.measured - 1.0)
        );
    }
}

/// Prints the error by regime and metric, of fitted and held-out devices.
fn report(compared: &[Compared<'_>]) {
    println!(
        "{:9} {:9} {:7} {:>5} {:>7}  {:>9} {:>9} {:>9}  {:>6} {:>9}",
        "", "regime", "metric", "rows", "devices", "median", "by device", "90 % of", "range", "range"
    );
    println!(
        "{:9} {:9} {:7} {:>5} {:>7}  {:>9} {:>9} {:>9}  {:>6} {:>9}",
        "", "", "", "", "", "error", "", "devices", "holds", "high/low"
    );
    for held_out in [false, true] {
        for metric in [Metric::Decode, Metric::Prompt] {
            for regime in [Regime::Gpu, Regime::Partial, Regime::Experts, Regime::Processor] {
                let some: Vec<&Compared<'_>> = compared
                    .iter()
                    .filter(|c| (c.row.regime, c.row.metric, c.row.held_out) == (regime, metric, held_out))
                    .collect();
                if some.is_empty() {
                    continue;
                }
                let errors: Vec<(&str, f64)> =
                    some.iter().map(|c| (c.row.device.as_str(), c.error())).collect();
                let own = by_device(&errors, |errors| quantile(errors, 0.5));
                let holds = |c: &&&Compared<'_>| (c.estimate.low..=c.estimate.high).contains(&c.row.measured);
                let inside = some.iter().filter(holds).count();
                println!(
                    "{:9} {:9} {:7} {:5} {:7}  {:7.1} % {:7.1} % {:7.1} %  {:4.0} % {:9.2}",
                    if held_out { "held out" } else { "fit" },
                    format!("{regime:?}"),
                    format!("{metric:?}"),
                    some.len(),
                    own.len(),
                    100.0 * quantile(errors.iter().map(|(_, error)| *error).collect(), 0.5),
                    100.0 * quantile(own.clone(), 0.5),
                    100.0 * quantile(own, 0.9),
                    100.0 * inside as f64 / some.len() as f64,
                    quantile(some.iter().map(|c| c.estimate.high / c.estimate.low).collect(), 0.5),
                );
            }
        }
    }
    println!("\nby device (median signed error of the estimate, tokens a second and seconds)");
    let mut devices: BTreeMap<(&str, Regime), Vec<&Compared<'_>>> = BTreeMap::new();
    for c in compared {
        devices.entry((&c.row.device, c.row.regime)).or_default().push(c);
    }
    for ((device, regime), rows) in devices {
        print!("  {device:34} {:9}", format!("{regime:?}"));
        for metric in [Metric::Decode, Metric::Prompt] {
            let signed: Vec<f64> = rows
                .iter()
                .filter(|c| c.row.metric == metric)
                .map(|c| c.estimate.mid / c.row.measured - 1.0)
                .collect();
            if !signed.is_empty() {
                print!("  {metric:?} {:3} rows {:+6.1} %", signed.len(), 100.0 * quantile(signed, 0.5));
            }
        }
        println!();
    }
}
