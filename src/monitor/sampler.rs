//! Looks at the cards and the model again and again, at little cost: one source per card, the engine's log as it grows, and
//! the list of processes only when the log says that a model was loaded.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::hardware::DetectOptions;
use crate::hardware::live::LiveMemory;
use crate::hardware::system::shared_memory_of;
use crate::install::{Installed, Paths};
use crate::monitor::engine_log::{AnswerTiming, EngineLog};
use crate::monitor::placement::{MeasuredPlacement, PlacementLoss, placement_loss};
use crate::monitor::vram::VramUse;
use crate::ollama::server::Runners;
use crate::platform::process::{self, ProcessIdentity};

/// While no model is loaded, the list of processes is read at least this often.
const LONGEST_WITHOUT_SCAN: Duration = Duration::from_secs(60);
/// Without a figure for this long the cards are detected again: a driver was updated, or a card was plugged in.
const DETECT_AGAIN_AFTER: Duration = Duration::from_secs(300);

/// The cards and the model at a moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sample {
    /// When it was taken.
    #[serde(skip)]
    pub at: Instant,
    /// The cards that tell how full they are.
    pub gpus: Vec<CardSample>,
    /// The model, while one is in memory.
    pub model: Option<ModelSample>,
}

/// Memory of a card at a moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CardSample {
    /// Its use by all programs.
    #[serde(flatten)]
    pub memory: VramUse,
    /// Of it, by our model, in bytes: as the driver tells, else by the engine's log where there is one card. `None` where
    /// neither does.
    pub model_bytes: Option<u64>,
}

/// The loaded model at a moment, as its engine's log tells.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ModelSample {
    /// Layers on the card. 0 when it runs on the processor alone; `None` if the log does not tell.
    pub gpu_layers: Option<u32>,
    /// All layers.
    pub total_layers: Option<u32>,
    /// Blocks whose experts are in main memory.
    pub n_cpu_moe: u32,
    /// Its buffers on cards, in bytes.
    pub vram_bytes: Option<u64>,
    /// Its buffers in main memory, in bytes.
    pub ram_bytes: Option<u64>,
    /// Main memory that stands in for the card's, in bytes, where the system tells (Windows).
    pub shared_bytes: Option<u64>,
    /// Tokens that its context holds.
    pub context_tokens: Option<u32>,
    /// Tokens of it that the last request takes.
    pub context_used_tokens: Option<u32>,
    /// How it has left the card since it was measured.
    pub loss: Option<PlacementLoss>,
    /// The last answers, the latest last.
    pub answers: Vec<AnswerTiming>,
}

/// Takes samples. It may block while a driver does not answer, so call it from a worker thread.
#[derive(Debug)]
pub struct Sampler {
    options: DetectOptions,
    paths: Paths,
    /// `None` until the first look.
    cards: Option<LiveMemory>,
    last_figure: Instant,
    log: EngineLog,
    known_loads: Option<u64>,
    measured: MeasuredPlacement,
    n_cpu_moe: u32,
    runners: Vec<ProcessIdentity>,
    last_scan: Option<Instant>,
}

impl Sampler {
    /// Detects the cards once, and reads the engine's log. Blocks as [`crate::hardware::detect()`] does.
    pub fn start(options: DetectOptions) -> Self {
        let cards = LiveMemory::start(&options);
        Self { cards: Some(cards), ..Self::waiting(options) }
    }

    /// The same, but detects the cards only at the first sample.
    pub fn waiting(options: DetectOptions) -> Self {
        let paths = Paths::new(&options.home);
        Self {
            cards: None,
            last_figure: Instant::now(),
            log: EngineLog::open(&paths.server_log()),
            known_loads: None,
            measured: MeasuredPlacement::default(),
            n_cpu_moe: 0,
            runners: Vec::new(),
            last_scan: None,
            options,
            paths,
        }
    }

    /// Whether no card tells how full it is; false before the first look.
    pub fn is_blind(&self) -> bool {
        self.cards.as_ref().is_some_and(LiveMemory::is_blind)
    }

    /// Looks now.
    pub fn sample(&mut self) -> Sample {
        self.follow_engine();
        let pids: Vec<u32> = self.runners.iter().map(|runner| runner.pid).collect();
        let options = &self.options;
        let looked = self.cards.get_or_insert_with(|| LiveMemory::start(options)).look(&pids);
        let now = Instant::now();
        if !looked.is_empty() {
            self.last_figure = now;
        } else if now.duration_since(self.last_figure) > DETECT_AGAIN_AFTER {
            self.last_figure = now;
            self.cards = Some(LiveMemory::start(&self.options));
        }
        // A card without memory of its own always uses main memory.
        let can_spill = looked.iter().any(|card| card.is_discrete);
        let shared = shared_memory_of(&pids).filter(|_| can_spill);
        let model = (!pids.is_empty()).then(|| self.model(shared));
        let of_log = model.as_ref().and_then(|model| model.vram_bytes).filter(|_| looked.len() == 1);
        let card = |card: crate::hardware::live::CardMemory| CardSample {
            model_bytes: card.held_bytes.or(of_log).map(|bytes| bytes.min(card.used_bytes)),
            memory: VramUse {
                adapter: card.adapter,
                gpu: card.name,
                used_bytes: card.used_bytes,
                total_bytes: card.total_bytes,
            },
        };
        Sample { at: now, gpus: looked.into_iter().map(card).collect(), model }
    }

    /// Whether the model is in memory; updated by [`Self::sample`] and by this call, which looks at no card.
    pub fn follow_engine(&mut self) -> bool {
        let grown = self.log.update();
        let loads = self.log.loads();
        let loaded_again = self.known_loads != Some(loads);
        self.runners.retain(|runner| process::is_alive(*runner));
        let waited = self.last_scan.is_none_or(|last| last.elapsed() >= LONGEST_WITHOUT_SCAN);
        if loaded_again || (self.runners.is_empty() && (grown || waited)) {
            let found = Runners::of(&self.paths.engines()).served;
            self.runners = found.into_iter().map(|runner| runner.identity).collect();
            self.last_scan = Some(Instant::now());
            self.read_profile();
        } else if self.measured == MeasuredPlacement::default() {
            // An installation starts the watcher before it writes the profile.
            self.read_profile();
        }
        self.known_loads = Some(loads);
        !self.runners.is_empty()
    }

    /// Whether a part of the model was on a card when it was measured.
    pub fn was_on_card(&self) -> bool {
        self.measured.gpu_layers > 0
    }

    /// Ends the child processes until the next sample, so that a card can sleep.
    pub fn rest(&mut self) {
        if let Some(cards) = &mut self.cards {
            cards.rest();
        }
    }

    fn read_profile(&mut self) {
        // What is wrong with a document is said by `acolyte status`.
        let Ok(Some(Installed { profile, .. })) = Installed::load(self.paths.home()) else { return };
        self.measured =
            MeasuredPlacement { gpu_layers: profile.gpu_layers, total_layers: profile.total_layers };
        self.n_cpu_moe = profile.n_cpu_moe;
    }

    fn model(&self, shared_bytes: Option<u64>) -> ModelSample {
        let load = self.log.load();
        let known = !load.buffers.is_empty();
        ModelSample {
            gpu_layers: load.offloaded.map_or(known.then_some(0), |(on_card, _)| Some(on_card)),
            total_layers: load
                .offloaded
                .map(|(_, total)| total)
                .or(Some(self.measured.total_layers).filter(|total| *total > 0)),
            n_cpu_moe: self.n_cpu_moe,
            vram_bytes: load.gpu_bytes(),
            ram_bytes: load.host_bytes(),
            shared_bytes,
            context_tokens: load.context_tokens,
            context_used_tokens: self.log.context_used_tokens(),
            loss: placement_loss(self.measured, load, shared_bytes),
            answers: self.log.answers().copied().collect(),
        }
    }
}
