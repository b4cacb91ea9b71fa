//! Notices other work on the computer while it is measured.

use std::time::Duration;

use crate::hardware::gpu_processes;
use crate::install::blocking::blocking;
use crate::install::run_context::Run;
use crate::install::state::documents::SERVED_MODEL;
use crate::install::steps::loader::{LoadFacts, Loader};
use crate::install::timing::others_share;
use crate::install::tuning_rules::OtherWorkLimits;
use crate::install::{InstallError, OtherWork, TuningRules};
use crate::machine::GpuBackend;
use crate::platform::process;
use crate::platform::processor_use::ProcessorMeter;

/// Timeout for the graphics driver.
const DRIVER_LIMIT: Duration = Duration::from_secs(5);

/// What was noticed so far.
#[derive(Debug, Default)]
pub struct OtherWorkWatch {
    processor_share: f64,
    found: Vec<OtherWork>,
}

impl OtherWorkWatch {
    /// Looks at the machine before the first try: programs on the card, free graphics memory, other models.
    ///
    /// # Errors
    /// When the user cancels.
    pub async fn begin(loader: &Loader<'_>, facts: &LoadFacts) -> Result<Self, InstallError> {
        let (run, limits) = (loader.run, TuningRules::built_in().other_work);
        let mut watch = Self::default();
        watch.found.extend(less_gpu_memory(loader, facts, limits));
        watch.look_at_programs(run, limits).await?;
        // Asked again after every try would only repeat the answer: the server is ours alone.
        if let Ok(loaded) = run.control.or_cancelled(loader.server.client.ps()).await? {
            let others = loaded.into_iter().filter(|model| !SERVED_MODEL.is(&model.name));
            watch.found.extend(others.map(|model| OtherWork::OtherModel { model: model.name.into() }));
        }
        Ok(watch)
    }

    /// Goes on from what was noticed before.
    pub fn resume(found: Vec<OtherWork>) -> Self {
        let mut watch = Self::default();
        for work in found {
            match work {
                OtherWork::Processor { share } => watch.processor_share = share,
                work => watch.found.push(work),
            }
        }
        watch
    }

    /// Begins to measure the processor.
    pub fn meter(&self) -> Option<ProcessorMeter> {
        ProcessorMeter::start()
    }

    /// Adds what slowed a card, once for each cause.
    pub fn slowed(&mut self, seen: Vec<OtherWork>) {
        for work in seen {
            let same = |found: &&mut OtherWork| match (&**found, &work) {
                (
                    OtherWork::CardSlowed { gpu: a, by, .. },
                    OtherWork::CardSlowed { gpu: b, by: other, .. },
                ) => a == b && by == other,
                _ => false,
            };
            match self.found.iter_mut().find(same) {
                Some(found) => *found = work,
                None => self.found.push(work),
            }
        }
    }

    /// Ends measuring the processor.
    pub fn measured(&mut self, meter: Option<ProcessorMeter>, run: &Run<'_>) {
        if let Some(share) = others_share(meter, run.paths) {
            self.processor_share = self.processor_share.max(share);
        }
    }

    /// What was seen at the beginning.
    pub fn seen(self) -> Vec<OtherWork> {
        self.found
    }

    /// Looks at the programs on the card again, and returns everything that was noticed.
    ///
    /// # Errors
    /// When the user cancels.
    pub async fn end(mut self, run: &Run<'_>) -> Result<Vec<OtherWork>, InstallError> {
        let limits = TuningRules::built_in().other_work;
        self.look_at_programs(run, limits).await?;
        if self.processor_share > limits.processor_share {
            self.found.push(OtherWork::Processor { share: self.processor_share });
        }
        Ok(self.found)
    }

    async fn look_at_programs(&mut self, run: &Run<'_>, limits: OtherWorkLimits) -> Result<(), InstallError> {
        let plan = &run.request.plan;
        let by_nvidia =
            plan.gpu_layers() > 0 && plan.machine.gpus.iter().any(|gpu| gpu.backend == GpuBackend::Cuda);
        if !by_nvidia {
            return Ok(());
        }
        let engines = run.paths.engines();
        let looking = blocking(move || {
            let ours: Vec<u32> =
                process::find_by_exe(&engines).into_iter().map(|found| found.identity.pid).collect();
            Ok((gpu_processes(DRIVER_LIMIT), ours))
        });
        let (programs, ours) = run.control.or_cancelled(looking).await??;
        for program in programs {
            let is_ours = program.pid.is_some_and(|pid| ours.contains(&pid));
            let bytes = program.used_bytes.filter(|bytes| *bytes >= limits.vram_mib * crate::MIB);
            if let Some(bytes) = bytes.filter(|_| !is_ours) {
                self.add(OtherWork::GpuProgram { program: program.name.into(), bytes });
            }
        }
        Ok(())
    }

    /// Adds a program on the card, once.
    fn add(&mut self, work: OtherWork) {
        let same = |found: &&mut OtherWork| match (&**found, &work) {
            (OtherWork::GpuProgram { program: a, .. }, OtherWork::GpuProgram { program: b, .. }) => a == b,
            _ => false,
        };
        match self.found.iter_mut().find(same) {
            Some(found) => *found = work,
            None => self.found.push(work),
        }
    }
}

/// Graphics memory that was free when the plan was made and is not any more.
fn less_gpu_memory(loader: &Loader<'_>, facts: &LoadFacts, limits: OtherWorkLimits) -> Option<OtherWork> {
    let plan = &loader.run.request.plan;
    let [gpu] = plan.machine.gpus.as_slice() else { return None };
    // The engine reads it after the driver took its share.
    let expected = gpu.vram_free_bytes.value.saturating_sub(plan.memory.overhead_gpu_bytes);
    let bytes = expected.checked_sub(facts.evidence.device_free_bytes?)?;
    (bytes >= limits.vram_mib * crate::MIB).then_some(OtherWork::LessGpuMemory { bytes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Slowdown;

    #[test]
    fn each_cause_that_slows_a_card_is_told_once_with_the_last_temperature() {
        let slowed = |by, temperature| OtherWork::CardSlowed {
            gpu: "card".into(),
            by,
            temperature_c: Some(temperature),
        };
        let mut watch = OtherWorkWatch::default();
        watch.slowed(vec![slowed(Slowdown::Temperature, 84)]);
        watch.slowed(vec![slowed(Slowdown::Temperature, 87), slowed(Slowdown::PowerSupply, 87)]);
        assert_eq!(watch.found, [slowed(Slowdown::Temperature, 87), slowed(Slowdown::PowerSupply, 87)]);
    }

    #[test]
    fn a_program_on_the_card_is_named_once() {
        let program = |name: &str, bytes| OtherWork::GpuProgram { program: name.into(), bytes };
        let mut watch = OtherWorkWatch::default();
        watch.add(program("game", 1));
        watch.add(program("game", 2));
        watch.add(program("renderer", 3));
        assert_eq!(watch.found, [program("game", 2), program("renderer", 3)]);
    }
}
