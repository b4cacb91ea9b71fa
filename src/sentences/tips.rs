//! Optimization tips in sentences: what to do, and what it gains on this machine.

use serde::Serialize;

use crate::machine::Slowdown;
use crate::plan::{IdleReason, ProgramMemory, Tip, TipGain};
use crate::say;
use crate::sentences::plan::wait;
use crate::text::Text;

/// A tip in a document: its kind, its figures, and the sentence.
#[derive(Debug, Serialize)]
pub struct TipJson {
    #[serde(flatten)]
    tip: Tip,
    text: String,
}

/// The tips of a document.
pub fn tips_json(tips: Vec<Tip>, text: Text) -> Vec<TipJson> {
    tips.into_iter().map(|tip| TipJson { text: tip.text(text), tip }).collect()
}

impl Tip {
    /// What to do and what it gains, in sentences.
    pub fn text(&self, text: Text) -> String {
        let gain = self.gain().map(|gain| gain.text(text));
        std::iter::once(self.advice(text)).chain(gain).collect::<Vec<_>>().join(" ")
    }

    /// The gain, unless the advice names it.
    fn gain(&self) -> Option<&TipGain> {
        match self {
            Self::CloseGpuPrograms { gain, .. }
            | Self::UnloadModel { gain, .. }
            | Self::CloseRamPrograms { gain, .. }
            | Self::MoveDisplay { gain, .. }
            | Self::OtherBatch { gain, .. }
            | Self::AddRamModule { gain, .. }
            | Self::RamBelowRated { gain, .. }
            | Self::SlowRam { gain, .. } => Some(gain),
            Self::OtherKvCache { gain, .. } => Some(gain).filter(|gain| gain.is_worth_it()),
            Self::CloseForBetterModel { .. }
            | Self::PlugIn
            | Self::EndPowerSaving
            | Self::RaisePowerLimit { .. }
            | Self::CardSlowed { .. }
            | Self::IdleCard { .. }
            | Self::ModelsOnHardDisk { .. }
            | Self::UpdateDriver { .. } => None,
        }
    }

    fn advice(&self, text: Text) -> String {
        match self {
            Self::CloseGpuPrograms { gpu, programs, frees_bytes, .. } => {
                let frees = text.memory(*frees_bytes);
                if programs.is_empty() {
                    return say!(text, "tip-close-gpu-unnamed", gpu = gpu.as_str(), frees = frees);
                }
                let programs = names(programs, text);
                say!(text, "tip-close-gpu-programs", programs = programs, gpu = gpu.as_str(), frees = frees)
            }
            Self::CloseForBetterModel { programs, then, now, .. } => {
                let programs = names(programs, text);
                let (title, stars) = (then.title.as_str(), then.stars);
                let speed = text.range(then.decode_tokens_per_s);
                match now {
                    Some(now) => say!(
                        text,
                        "tip-close-for-better-model",
                        programs = programs,
                        title = title,
                        stars = stars,
                        speed = speed,
                        other = now.title.as_str(),
                        other_stars = now.stars
                    ),
                    None => say!(
                        text,
                        "tip-close-for-a-model",
                        programs = programs,
                        title = title,
                        stars = stars,
                        speed = speed
                    ),
                }
            }
            Self::UnloadModel { model, port, frees_bytes, .. } => say!(
                text,
                "tip-unload-model",
                model = model.as_str(),
                port = port.to_string(),
                frees = text.memory(*frees_bytes)
            ),
            Self::CloseRamPrograms { programs, frees_bytes, .. } => say!(
                text,
                "tip-close-ram-programs",
                programs = names(programs, text),
                frees = text.memory(*frees_bytes)
            ),
            Self::PlugIn => say!(text, "tip-plug-in"),
            Self::EndPowerSaving => say!(text, "tip-end-power-saving"),
            Self::RaisePowerLimit { gpu, limit_w, usual_w, laptop } => {
                let (gpu, limit, usual) =
                    (gpu.as_str(), text.decimal(*limit_w, 0), text.decimal(*usual_w, 0));
                if *laptop {
                    say!(text, "tip-raise-power-limit-laptop", gpu = gpu, limit = limit, usual = usual)
                } else {
                    say!(text, "tip-raise-power-limit", gpu = gpu, limit = limit, usual = usual)
                }
            }
            Self::CardSlowed { gpu, by, temperature_c } => slowed(gpu, *by, *temperature_c, text),
            Self::MoveDisplay { gpu, to, .. } => {
                say!(text, "tip-move-display", gpu = gpu.as_str(), to = to.as_str())
            }
            Self::IdleCard { gpu, why: IdleReason::FitsOne, .. } => {
                say!(text, "tip-idle-fits-one", gpu = gpu.as_str())
            }
            Self::IdleCard { gpu, why: IdleReason::OtherBackend, .. } => {
                say!(text, "tip-idle-other-backend", gpu = gpu.as_str())
            }
            Self::OtherKvCache { kv_cache_type, gain } if gain.is_worth_it() => {
                say!(text, "tip-other-kv", kv = kv_cache_type.name())
            }
            Self::OtherKvCache { kv_cache_type, gain } => say!(
                text,
                "tip-exact-kv",
                kv = kv_cache_type.name(),
                speed = text.range(gain.after.decode_tokens_per_s),
                now = text.range(gain.before.decode_tokens_per_s),
                vram = text.memory(gain.after.vram_required_bytes),
                vram_now = text.memory(gain.before.vram_required_bytes)
            ),
            Self::OtherBatch { num_batch, gain } => say!(
                text,
                "tip-other-batch",
                tokens = text.count(u64::from(*num_batch)),
                vram = text.memory(gain.after.vram_required_bytes),
                vram_now = text.memory(gain.before.vram_required_bytes)
            ),
            Self::ModelsOnHardDisk { load_s, on_ssd_s, ssd, .. } => {
                let (hdd, fast) = (wait(*load_s, text), wait(*on_ssd_s, text));
                match ssd {
                    Some(path) => {
                        say!(text, "tip-hard-disk-folder", hdd = hdd, ssd = fast, path = path.as_str())
                    }
                    None => say!(text, "tip-hard-disk", hdd = hdd, ssd = fast),
                }
            }
            Self::AddRamModule { gb_s, module_bytes, .. } => {
                say!(text, "tip-add-ram-module", rate = text.figure(*gb_s), size = text.memory(*module_bytes))
            }
            Self::RamBelowRated { mt_s, rated_mt_s, .. } => say!(
                text,
                "tip-ram-below-rated",
                mts = text.count(u64::from(*mt_s)),
                rated = text.count(u64::from(*rated_mt_s))
            ),
            Self::SlowRam { gb_s, usual_gb_s, .. } => {
                say!(text, "tip-slow-ram", rate = text.figure(*gb_s), usual = text.figure(*usual_gb_s))
            }
            Self::UpdateDriver { gpu, driver, branch } => say!(
                text,
                "tip-update-driver",
                gpu = gpu.as_str(),
                driver = driver.as_str(),
                branch = branch.to_string()
            ),
        }
    }
}

/// That a card lowers its clocks, and what to do.
pub(super) fn slowed(gpu: &str, by: Slowdown, temperature_c: Option<u32>, text: Text) -> String {
    match (by, temperature_c) {
        (Slowdown::Temperature, Some(degrees)) => {
            say!(text, "tip-card-hot-at", gpu = gpu, degrees = text.count(u64::from(degrees)))
        }
        (Slowdown::Temperature, None) => say!(text, "tip-card-hot", gpu = gpu),
        (Slowdown::PowerSupply, _) => say!(text, "tip-card-power-supply", gpu = gpu),
        (Slowdown::PowerLimit, _) => say!(text, "tip-card-power-limit", gpu = gpu),
    }
}

/// `blender (3.0 GB), firefox (1.1 GB)`.
fn names(programs: &[ProgramMemory], text: Text) -> String {
    let name = |program: &ProgramMemory| {
        say!(text, "tip-program", name = program.name.as_str(), memory = text.memory(program.bytes))
    };
    programs.iter().map(name).collect::<Vec<_>>().join(", ")
}

impl TipGain {
    /// What it gains, in a sentence.
    fn text(&self, text: Text) -> String {
        let (before, after) = (&self.before, &self.after);
        let speed = || text.range(after.decode_tokens_per_s);
        let now = || text.range(before.decode_tokens_per_s);
        let blocks = before.n_cpu_moe.saturating_sub(after.n_cpu_moe);
        if self.makes_it_run() {
            say!(text, "tip-gain-runs", speed = speed())
        } else if blocks > 0 {
            say!(text, "tip-gain-experts", blocks = blocks, speed = speed(), now = now())
        } else if after.gpu_layers > before.gpu_layers {
            say!(
                text,
                "tip-gain-layers",
                layers = after.gpu_layers,
                before = before.gpu_layers,
                total = after.total_layers,
                speed = speed(),
                now = now()
            )
        } else if self.is_faster_when_empty() {
            say!(text, "tip-gain-speed", speed = speed(), now = now())
        } else if self.is_faster() {
            say!(
                text,
                "tip-gain-speed-full",
                speed = text.range(after.decode_at_full_context_tokens_per_s),
                now = text.range(before.decode_at_full_context_tokens_per_s)
            )
        } else if self.waits_less() {
            say!(
                text,
                "tip-gain-wait",
                wait = wait(after.first_token_full_prompt_s, text),
                now = wait(before.first_token_full_prompt_s, text)
            )
        } else if self.adds_prompt_cache() {
            say!(
                text,
                "tip-gain-prompt-cache",
                memory = text.memory(after.prompt_cache_ram_bytes),
                wait = wait(after.first_token_full_prompt_s, text)
            )
        } else {
            say!(text, "tip-gain-verdict")
        }
    }
}
