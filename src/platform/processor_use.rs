//! How much of the processor other programs use while we measure.

use std::time::{Duration, Instant};

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::process::descend;

/// Measures the use of the processor over a period.
pub struct ProcessorMeter {
    system: System,
    began: Instant,
}

impl ProcessorMeter {
    /// Begins a period; `None` where the system does not tell.
    pub fn start() -> Option<Self> {
        let mut meter = Self { system: System::new().ok()?, began: Instant::now() };
        meter.refresh();
        Some(meter)
    }

    /// Share of all cores that programs other than ours used since the start, 0 to 1. `roots` are our processes; their
    /// children count as ours. `None` for a period that is too short to tell.
    pub fn others_share(mut self, roots: &[u32]) -> Option<f64> {
        const SHORTEST: Duration = sysinfo::MINIMUM_CPU_UPDATE_INTERVAL;
        if self.began.elapsed() < SHORTEST {
            return None;
        }
        self.refresh();
        let cores = self.system.cpus().len().max(1) as f64;
        let all = f64::from(self.system.global_cpu_usage()) / 100.0;
        let ours: f64 = roots
            .iter()
            .flat_map(|root| descend(&self.system, Pid::from_u32(*root)))
            .map(|process| f64::from(process.cpu_usage()) / 100.0 / cores)
            .sum();
        all.is_finite().then(|| (all - ours).clamp(0.0, 1.0))
    }

    fn refresh(&mut self) {
        self.system.refresh_cpu_usage();
        let kind = ProcessRefreshKind::nothing().with_cpu().without_tasks();
        self.system.refresh_processes_specifics(ProcessesToUpdate::All, true, kind);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn work_of_ours_is_not_other_work() {
        assert_eq!(ProcessorMeter::start().unwrap().others_share(&[]), None, "too short to tell");
        let (own, other) = (ProcessorMeter::start().unwrap(), ProcessorMeter::start().unwrap());
        let until = Instant::now() + sysinfo::MINIMUM_CPU_UPDATE_INTERVAL * 3;
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        // One after the other: what runs in between only adds to the second.
        let (own, other) =
            (own.others_share(&[std::process::id()]).unwrap(), other.others_share(&[]).unwrap());
        assert!((0.0..=1.0).contains(&own) && other > own, "{own} and {other}");
    }
}
