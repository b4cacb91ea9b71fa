//! Finds the tips for one plan on one machine.

use super::gain::{TipFigures, TipGain};
use super::own_server::is_engine;
use super::rules::TipRules;
use super::tip::{IdleReason, ProgramMemory, Tip};
use crate::MIB;
use crate::estimate::{EngineSetting, fit_n_cpu_moe};
use crate::figures::Certainty;
use crate::machine::{
    DiskKind, DiskUse, Finding, Gpu, GpuBackend, GpuKind, GpuState, Hardware, RamModule, Slowdown,
};
use crate::models::{KvCacheType, Ratings};
use crate::plan::case::Case;
use crate::plan::machine::{backend, machine_for};
use crate::plan::{Candidate, Plan, chosen_gpu, make_plan};
use crate::untrusted::UntrustedText;

/// What would make the plan faster or possible on this machine, the easiest first. `hardware` is the machine that the plan
/// was made for.
pub fn tips(plan: &Plan, hardware: &Hardware) -> Vec<Tip> {
    Advisor::new(plan, hardware).tips()
}

/// Finds the tips for a plan.
pub struct Advisor<'a> {
    plan: &'a Plan,
    hardware: &'a Hardware,
    rules: &'static TipRules,
    before: TipFigures,
    /// The cards that the plan uses.
    used: Vec<&'a Gpu>,
}

impl<'a> Advisor<'a> {
    pub fn new(plan: &'a Plan, hardware: &'a Hardware) -> Self {
        let before = TipFigures::of(&replanned(&plan.candidate, hardware, plan));
        let first = chosen_gpu(hardware, &plan.policy).filter(|_| !plan.machine.gpus.is_empty());
        let others = first.into_iter().flat_map(|first| {
            let others = hardware.usable_gpus().filter(move |gpu| !std::ptr::eq(*gpu, first));
            others.filter(move |gpu| gpu.kind == GpuKind::Discrete && backend(gpu) == backend(first))
        });
        let used = first.into_iter().chain(others).take(plan.machine.gpus.len()).collect();
        Self { plan, hardware, rules: TipRules::built_in(), before, used }
    }

    /// The figures of the plan on the machine as it is.
    #[cfg(test)]
    pub fn before(&self) -> TipFigures {
        self.before
    }

    /// All tips, the easiest first.
    pub fn tips(&self) -> Vec<Tip> {
        let mut tips = Vec::new();
        tips.extend(self.close_gpu_programs());
        tips.extend(self.unload_models());
        tips.extend(self.close_ram_programs());
        tips.extend(self.power());
        tips.extend(self.used.iter().filter_map(|gpu| power_limit(gpu, self.rules)));
        tips.extend(self.used.iter().flat_map(|gpu| slowed(gpu)));
        tips.extend(self.other_kv_cache());
        tips.extend(self.other_batch());
        tips.extend(self.move_display());
        tips.extend(self.idle_cards());
        tips.extend(self.used.iter().filter_map(|gpu| self.update_driver(gpu)));
        tips.extend(self.models_on_hard_disk());
        tips.extend(self.main_memory());
        tips
    }

    /// The gain of a change of the machine, if it is worth a tip.
    fn with(&self, change: impl FnOnce(&mut Hardware)) -> Option<TipGain> {
        let mut changed = self.hardware.clone();
        change(&mut changed);
        self.gain_of(&self.plan.candidate, &changed).filter(TipGain::is_worth_it)
    }

    fn gain_of(&self, candidate: &Candidate, hardware: &Hardware) -> Option<TipGain> {
        let after = TipFigures::of(&replanned(candidate, hardware, self.plan));
        Some(TipGain { before: self.before, after })
    }

    /// The gain of this much more free memory on a card.
    fn with_free_vram(&self, gpu: &Gpu, bytes: u64) -> Option<TipGain> {
        let index = self.hardware.gpus.iter().position(|one| std::ptr::eq(one, gpu))?;
        gpu.vram_free_bytes?;
        self.with(|hardware| {
            let gpu = &mut hardware.gpus[index];
            let total = gpu.vram_total_bytes.unwrap_or(u64::MAX);
            gpu.vram_free_bytes = gpu.vram_free_bytes.map(|free| free.saturating_add(bytes).min(total));
        })
    }

    fn dedicated(&self) -> impl Iterator<Item = &'a Gpu> {
        self.used.iter().copied().filter(|gpu| gpu.kind == GpuKind::Discrete)
    }

    fn close_gpu_programs(&self) -> Vec<Tip> {
        let mut tips = Vec::new();
        for (index, gpu) in self.dedicated().enumerate() {
            // Cards of one name cannot be told apart in a finding.
            if self.dedicated().take(index).any(|other| other.name == gpu.name) {
                continue;
            }
            let programs = programs_on(gpu, self.hardware);
            if !programs.is_empty() {
                let gain = |bytes| self.with_free_vram(gpu, bytes);
                tips.extend(self.fewest(&programs, gain).map(|(programs, frees_bytes, gain)| {
                    Tip::CloseGpuPrograms { gpu: gpu.name.clone(), programs, frees_bytes, gain }
                }));
            } else if !models_on_cards(self.hardware) {
                tips.extend(self.close_unnamed(gpu));
            }
        }
        tips
    }

    /// The fewest of the largest programs whose end is worth a tip, with their memory together.
    fn fewest(
        &self,
        programs: &[ProgramMemory],
        gain: impl Fn(u64) -> Option<TipGain>,
    ) -> Option<(Vec<ProgramMemory>, u64, TipGain)> {
        (1..=programs.len().min(self.rules.most_programs)).find_map(|count| {
            let largest = &programs[..count];
            let bytes = largest.iter().map(|program| program.bytes).sum();
            Some((largest.to_vec(), bytes, gain(bytes)?))
        })
    }

    /// Where the driver does not tell who holds the memory: everything but what a desktop needs.
    fn close_unnamed(&self, gpu: &Gpu) -> Option<Tip> {
        let used = gpu.vram_total_bytes?.saturating_sub(gpu.vram_free_bytes?);
        let frees_bytes = used.saturating_sub(self.plan.policy.idle_desktop_vram_mib * MIB);
        let gain = self.with_free_vram(gpu, frees_bytes).filter(|_| frees_bytes > 0)?;
        Some(Tip::CloseGpuPrograms { gpu: gpu.name.clone(), programs: Vec::new(), frees_bytes, gain })
    }

    /// Models of other servers. Their memory is on the first card, as far as is known.
    fn unload_models(&self) -> Vec<Tip> {
        let Some(gpu) = self.dedicated().next() else { return Vec::new() };
        let tip = |finding: &Finding| match finding {
            Finding::ModelLoaded { model, port, bytes } => Some(Tip::UnloadModel {
                model: model.clone(),
                port: *port,
                frees_bytes: *bytes,
                gain: self.with_free_vram(gpu, *bytes)?,
            }),
            _ => None,
        };
        self.hardware.notes.iter().filter_map(tip).collect()
    }

    fn close_ram_programs(&self) -> Option<Tip> {
        let available = self.hardware.memory.available_bytes?;
        let programs: Vec<ProgramMemory> = self
            .hardware
            .ram_programs
            .iter()
            .map(|program| ProgramMemory { name: program.name.clone(), bytes: program.bytes })
            .collect();
        let gain = |bytes: u64| {
            self.with(|hardware| {
                let total = hardware.memory.total_bytes;
                hardware.memory.available_bytes = Some(available.saturating_add(bytes).min(total));
                for gpu in hardware.gpus.iter_mut().filter(|gpu| gpu.kind == GpuKind::Unified) {
                    let most = gpu.vram_total_bytes.unwrap_or(total);
                    gpu.vram_free_bytes =
                        gpu.vram_free_bytes.map(|free| free.saturating_add(bytes).min(most));
                }
            })
        };
        let (programs, frees_bytes, gain) = self.fewest(&programs, gain)?;
        Some(Tip::CloseRamPrograms { programs, frees_bytes, gain })
    }

    fn power(&self) -> impl Iterator<Item = Tip> {
        self.hardware.notes.iter().filter_map(|finding| match finding {
            Finding::OnBattery => Some(Tip::PlugIn),
            Finding::PowerSaving => Some(Tip::EndPowerSaving),
            _ => None,
        })
    }

    /// A cache that is faster without being unusable for the model, or more exact than four bits.
    fn other_kv_cache(&self) -> Option<Tip> {
        let now = self.plan.candidate.kv_cache_type;
        let can_quantise = self.plan.machine.gpus.iter().all(|gpu| gpu.has_flash_attention());
        let types = [KvCacheType::F16, KvCacheType::Q8_0].into_iter().filter(|kv| {
            let model = &self.plan.candidate.model;
            *kv != now
                && (can_quantise || !kv.needs_flash_attention())
                && Ratings::built_in().unusable_with(model, *kv).is_none()
        });
        let tries = types.filter_map(|kv_cache_type| {
            let candidate = Candidate { kv_cache_type, ..self.plan.candidate.clone() };
            let gain = self.gain_of(&candidate, self.hardware)?;
            let is_more_exact = now == KvCacheType::Q4_0 && gain.after.verdict <= gain.before.verdict;
            let is_worth_it = gain.is_worth_it() && (gain.makes_it_run() || gain.is_faster());
            (is_worth_it || is_more_exact).then_some(Tip::OtherKvCache { kv_cache_type, gain })
        });
        // The most exact of those that are worth it.
        tries.into_iter().next()
    }

    /// The batch with the shortest wait for a full prompt that does not make answers slower.
    fn other_batch(&self) -> Option<Tip> {
        let sizes = self.rules.batches.iter().filter(|size| **size != self.plan.candidate.num_batch);
        let tries = sizes.filter_map(|&num_batch| {
            let candidate = Candidate { num_batch, ..self.plan.candidate.clone() };
            let gain = self.gain_of(&candidate, self.hardware)?;
            let is_as_fast = gain.is_no_slower_when_empty();
            (gain.is_worth_it() && gain.waits_less() && is_as_fast).then_some((num_batch, gain))
        });
        let wait = |gain: &TipGain| gain.after.first_token_full_prompt_s.mid;
        let best = tries.min_by(|(_, a), (_, b)| wait(a).total_cmp(&wait(b)));
        best.map(|(num_batch, gain)| Tip::OtherBatch { num_batch, gain })
    }

    fn move_display(&self) -> Option<Tip> {
        let gpu = self.dedicated().find(|gpu| gpu.state.as_ref().is_some_and(|s| s.display == Some(true)))?;
        let is_other = |other: &&Gpu| {
            !self.used.iter().any(|used| std::ptr::eq(*used, *other))
                && matches!(other.kind, GpuKind::Integrated | GpuKind::Discrete)
        };
        let to = self.hardware.gpus.iter().find(is_other)?;
        let used = gpu.vram_total_bytes?.saturating_sub(gpu.vram_free_bytes?);
        let frees = used.min(self.plan.policy.idle_desktop_vram_mib * MIB);
        let gain = self.with_free_vram(gpu, frees)?;
        Some(Tip::MoveDisplay { gpu: gpu.name.clone(), to: to.name.clone(), gain })
    }

    fn idle_cards(&self) -> Vec<Tip> {
        let Some(first) = self.used.first().filter(|gpu| gpu.kind == GpuKind::Discrete) else {
            return Vec::new();
        };
        let idle = self.hardware.usable_gpus().filter(|gpu| {
            gpu.kind == GpuKind::Discrete && !self.used.iter().any(|used| std::ptr::eq(*used, *gpu))
        });
        idle.map(|gpu| Tip::IdleCard {
            gpu: gpu.name.clone(),
            vram_bytes: gpu.vram_total_bytes,
            why: if backend(gpu) == backend(first) { IdleReason::FitsOne } else { IdleReason::OtherBackend },
        })
        .collect()
    }

    /// Boards with shared memory have drivers of their own, with other numbers.
    fn update_driver(&self, gpu: &Gpu) -> Option<Tip> {
        let rule = self.rules.nvidia_driver;
        let is_nvidia = gpu.kind == GpuKind::Discrete && backend(gpu) == GpuBackend::Cuda;
        let driver = gpu.driver_version.clone().filter(|_| is_nvidia)?;
        let branch: u32 = driver.split('.').next()?.parse().ok()?;
        let matters = gpu.compute_capability? >= rule.capability && branch < rule.branch;
        matters.then(|| Tip::UpdateDriver { gpu: gpu.name.clone(), driver, branch: rule.branch })
    }

    fn models_on_hard_disk(&self) -> Option<Tip> {
        let disks = &self.hardware.disks;
        let disk = disks.iter().find(|disk| disk.used_for.contains(&DiskUse::Models))?;
        let bytes = self.plan.candidate.model.download_bytes;
        let ssd = disks.iter().find(|disk| {
            disk.kind == Some(DiskKind::Ssd) && disk.free_bytes.is_some_and(|free| free >= bytes)
        });
        (disk.kind == Some(DiskKind::Hdd)).then(|| Tip::ModelsOnHardDisk {
            path: UntrustedText::path(&disk.path),
            load_s: self.rules.hdd_seconds(bytes),
            on_ssd_s: self.rules.ssd_seconds(bytes),
            ssd: ssd.map(|disk| UntrustedText::path(&disk.path)),
        })
    }

    /// The gain of main memory with another rate, if it is worth a tip.
    fn with_ram_gb_s(&self, gb_s: f64) -> Option<TipGain> {
        self.with(|hardware| hardware.memory.bandwidth_gb_s = Some(gb_s))
    }

    /// Why main memory is slow, by its modules or the processor.
    fn main_memory(&self) -> Vec<Tip> {
        let rules = &self.rules.ram;
        // Only a rate that was measured counts; with unified memory it is that of a soldered chip.
        let measured = self.plan.machine.cpu.bandwidth_gb_s.certainty == Certainty::Measured;
        let Some(gb_s) = self.hardware.memory.bandwidth_gb_s.filter(|_| measured) else { return Vec::new() };
        let modules = &self.hardware.ram_modules;
        let mut tips = Vec::new();
        tips.extend(self.add_module(modules, gb_s));
        tips.extend(self.below_rated(modules, gb_s));
        let processor = self.hardware.cpu.name.as_deref().unwrap_or_default();
        let nominal = two_channels_gb_s(modules)
            .or_else(|| self.rules.usual_ram_gb_s(processor).filter(|_| modules.is_empty()));
        if let Some(nominal) = nominal.filter(|nominal| tips.is_empty() && gb_s < nominal * rules.slow_below)
        {
            let usual_gb_s = nominal * rules.usual_share;
            let gain = self.with_ram_gb_s(usual_gb_s);
            tips.extend(gain.map(|gain| Tip::SlowRam { gb_s, usual_gb_s, gain }));
        }
        tips
    }

    /// One module is one channel. A rate above that of the module means that the firmware's list is wrong.
    fn add_module(&self, modules: &[RamModule], gb_s: f64) -> Option<Tip> {
        let [module] = modules else { return None };
        let is_one_channel = module.fills_a_channel() && module.gb_s().is_some_and(|nominal| gb_s <= nominal);
        let gain = self.with_ram_gb_s(2.0 * gb_s).filter(|_| is_one_channel)?;
        Some(Tip::AddRamModule { gb_s, module_bytes: module.size_bytes, gain })
    }

    fn below_rated(&self, modules: &[RamModule], gb_s: f64) -> Option<Tip> {
        let slots = modules.iter().all(RamModule::fills_a_channel);
        let mt_s = modules.iter().filter_map(|module| module.mt_s).min().filter(|_| slots)?;
        let rated_mt_s = modules.iter().filter_map(|module| module.rated_mt_s).min()?;
        let ratio = f64::from(rated_mt_s) / f64::from(mt_s);
        let is_below = ratio * (1.0 - self.rules.ram.rated_tolerance) > 1.0;
        let gain = self.with_ram_gb_s(gb_s * ratio).filter(|_| is_below)?;
        Some(Tip::RamBelowRated { mt_s, rated_mt_s, gain })
    }
}

/// Programs that hold memory of a card, the largest first, without the engines whose models are findings of their own.
pub(super) fn programs_on(card: &Gpu, hardware: &Hardware) -> Vec<ProgramMemory> {
    let models = models_on_cards(hardware);
    let held = hardware.notes.iter().filter_map(|finding| match finding {
        Finding::VramHeld { gpu, program, bytes } if *gpu == card.name => Some((program, *bytes)),
        _ => None,
    });
    let mut programs: Vec<ProgramMemory> = held
        .filter(|(program, _)| !(models && is_engine(program)))
        .map(|(program, bytes)| ProgramMemory { name: program.clone(), bytes })
        .collect();
    programs.sort_by_key(|program| std::cmp::Reverse(program.bytes));
    programs
}

fn models_on_cards(hardware: &Hardware) -> bool {
    hardware.notes.iter().any(|finding| matches!(finding, Finding::ModelLoaded { .. }))
}

/// The plan of a candidate. Where experts are in main memory and more of the card is free, fewer of them are.
fn replanned(candidate: &Candidate, hardware: &Hardware, like: &Plan) -> Plan {
    let mut candidate = candidate.clone();
    if candidate.n_cpu_moe > 0 {
        let case = Case::new(&candidate, &like.policy, machine_for(&candidate, hardware, &like.policy));
        let setting = EngineSetting { gpu_layers: case.total_layers, ..case.setting };
        let fit = fit_n_cpu_moe(&candidate.model, &setting, &case.machine, case.vram_budget_bytes());
        if let Some(fewer) = fit.filter(|blocks| *blocks < candidate.n_cpu_moe) {
            candidate.n_cpu_moe = fewer;
        }
    }
    make_plan(&candidate, hardware, &like.policy)
}

/// The power limit of a card, if it is low.
fn power_limit(gpu: &Gpu, rules: &TipRules) -> Option<Tip> {
    let state = gpu.state.as_ref()?;
    let limit_w = state.power_limit_w?;
    let laptop = is_laptop(gpu);
    let (usual_w, tolerance) = if laptop {
        (state.power_max_w?, rules.power_limit.laptop_below_highest)
    } else {
        (state.power_default_w?, rules.power_limit.below_default)
    };
    (limit_w < usual_w * (1.0 - tolerance)).then(|| Tip::RaisePowerLimit {
        gpu: gpu.name.clone(),
        limit_w,
        usual_w,
        laptop,
    })
}

/// Heat and the power supply. At its power limit every card is while it works.
fn slowed(gpu: &Gpu) -> impl Iterator<Item = Tip> {
    let state = gpu.state.clone().unwrap_or_default();
    let GpuState { slowed_by, temperature_c, .. } = state;
    let name = gpu.name.clone();
    let told = slowed_by.into_iter().filter(|by| *by != Slowdown::PowerLimit);
    told.map(move |by| Tip::CardSlowed { gpu: name.clone(), by, temperature_c })
}

fn is_laptop(gpu: &Gpu) -> bool {
    let name = gpu.name.to_ascii_lowercase();
    ["laptop", "max-q", "mobile"].iter().any(|word| name.contains(word))
        || gpu.table_row().is_some_and(|row| row.laptop)
}

/// Nominal rate of two channels, by at least two modules in slots.
fn two_channels_gb_s(modules: &[RamModule]) -> Option<f64> {
    let all_in_slots = modules.len() >= 2 && modules.iter().all(RamModule::fills_a_channel);
    let slowest = modules.iter().map(RamModule::gb_s).collect::<Option<Vec<f64>>>()?;
    let slowest = slowest.into_iter().min_by(f64::total_cmp).filter(|_| all_in_slots)?;
    Some(2.0 * slowest)
}
