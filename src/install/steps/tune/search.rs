//! Which setting is tried next, and which is the best. Pure: the caller loads and measures.
//!
//! Coordinate descent from the setting that is loaded: each option in turn, with the best value so far of all others. What
//! the engine does by itself is measured too, early because it has to be compared with, and kept if nothing is faster. An
//! option is left out where it cannot matter. What would not fit by the estimate is tried with a little less on the card, or
//! left out.

use crate::install::steps::placement::Placement;
use crate::install::{HandSettings, RunnerOptions, TuneDimension, TuningRules};
use crate::models::KvCacheType;

/// What may be tried on a machine.
pub struct TuneBounds<'a> {
    /// Limits and steps.
    pub rules: &'a TuningRules,
    /// All layers of the model.
    pub total_layers: u32,
    /// Whether the layers and experts on the card were chosen by us, so that the engine may choose them instead.
    pub may_place: bool,
    /// What the user set by hand, which stays.
    pub by_hand: HandSettings,
    /// Default of `draft_num_predict`, if the model has heads for multi-token prediction or a drafting model.
    pub draft: Option<u32>,
    /// Numbers of threads that can be best.
    pub threads: Vec<u32>,
    /// The setting if it fits by the estimate, else the nearest one with less on the card that does.
    pub fit: &'a dyn Fn(Placement) -> Option<Placement>,
}

/// A measured or failed try.
#[derive(Clone, Debug, PartialEq)]
struct SearchedTry {
    changes: TuneDimension,
    /// What was to be tried.
    asked: Placement,
    /// The same with what the engine chose.
    setting: Placement,
    /// Seconds of a turn; `None` when it failed.
    turn_s: Option<f64>,
}

impl SearchedTry {
    fn new(changes: TuneDimension, asked: Placement) -> Self {
        Self { changes, asked, setting: asked, turn_s: None }
    }
}

/// The search.
pub struct TuneSearch<'a> {
    bounds: TuneBounds<'a>,
    tries: Vec<SearchedTry>,
    /// Index of the best try that the descent goes on from.
    best: Option<usize>,
    /// What the engine says is in force with the best setting.
    in_force: RunnerOptions,
    /// Position in [`ORDER`].
    at: usize,
}

/// In this order, by what each usually gains. The engine's placement comes before everything else of its own, because it
/// keeps the plan's KV cache and batch.
const ORDER: [TuneDimension; 7] = [
    TuneDimension::Placement,
    TuneDimension::EngineDefaults,
    TuneDimension::Experts,
    TuneDimension::Draft,
    TuneDimension::Batch,
    TuneDimension::Threads,
    TuneDimension::Mmap,
];

impl<'a> TuneSearch<'a> {
    /// Begins at this setting, which is loaded. Record its measurement first.
    pub fn new(bounds: TuneBounds<'a>, start: Placement) -> Self {
        let tries = vec![SearchedTry::new(TuneDimension::Start, start)];
        Self { bounds, tries, best: None, in_force: start.options, at: 0 }
    }

    /// How the last try ended: seconds of a turn, or `None` if it failed. `in_force`: what the engine says of its options;
    /// `setting`: the try's setting with what the engine chose.
    pub fn record(&mut self, turn_s: Option<f64>, setting: Placement, in_force: RunnerOptions) {
        let Some(last) = self.tries.last_mut() else { return };
        last.turn_s = turn_s.filter(|seconds| seconds.is_finite());
        last.setting = setting;
        let Some(now) = last.turn_s else { return };
        let is_aside = last.changes == TuneDimension::EngineDefaults;
        if is_aside && !self.bounds.by_hand.is_empty() {
            // They would replace what the user set.
            return;
        }
        let before = self.turn_s(self.best);
        if before.is_none_or(|before| !is_aside && self.is_faster(now, before)) {
            self.best = Some(self.tries.len() - 1);
            self.in_force = in_force;
        }
    }

    fn turn_s(&self, at: Option<usize>) -> Option<f64> {
        self.tries.get(at?)?.turn_s
    }

    /// Whether a turn is shorter by more than noise.
    fn is_faster(&self, turn_s: f64, than_s: f64) -> bool {
        turn_s < than_s * (1.0 - self.bounds.rules.noise_margin)
    }

    /// The setting of the last try.
    pub fn last_setting(&self) -> Placement {
        self.tries.last().map_or_else(|| self.setting(), |tried| tried.setting)
    }

    /// Number of tries, the first setting included.
    pub fn count(&self) -> usize {
        self.tries.len()
    }

    /// Index and setting of the try to be kept: the best one, or the engine's defaults where they are faster still. `None` if
    /// none could be measured.
    pub fn kept(&self) -> Option<(usize, Placement)> {
        let best = self.best?;
        let defaults = self.tries.iter().position(|tried| tried.changes == TuneDimension::EngineDefaults);
        let defaults = defaults.filter(|_| self.bounds.by_hand.is_empty());
        let is_faster = |(defaults, best)| self.is_faster(defaults, best);
        let kept =
            defaults.filter(|_| self.turn_s(defaults).zip(self.turn_s(self.best)).is_some_and(is_faster));
        let kept = kept.unwrap_or(best);
        Some((kept, self.tries[kept].setting))
    }

    /// The setting that the descent goes on from.
    fn setting(&self) -> Placement {
        self.tries[self.best.unwrap_or(0)].setting
    }

    /// What to try next; `None` when everything was tried. Record how it ended before the next call.
    pub fn next(&mut self) -> Option<(TuneDimension, Placement)> {
        while let Some(&changes) = ORDER.get(self.at) {
            let fitting = |setting: Placement| {
                let fitted = (self.bounds.fit)(setting)?;
                // Experts that do not fit would only be moved back.
                let is_meant = fitted == setting || changes != TuneDimension::Experts;
                (is_meant && self.is_new(&fitted)).then_some(fitted)
            };
            if let Some(setting) = self.values(changes).into_iter().find_map(fitting) {
                self.tries.push(SearchedTry::new(changes, setting));
                return Some((changes, setting));
            }
            self.at += 1;
        }
        None
    }

    fn is_new(&self, setting: &Placement) -> bool {
        !self.tries.iter().any(|tried| tried.asked == *setting || tried.setting == *setting)
    }

    /// Settings that differ from the best one in this only, those to be tried first in front.
    fn values(&self, changes: TuneDimension) -> Vec<Placement> {
        let (best, bounds, now) = (self.setting(), &self.bounds, self.in_force);
        let with = |options: RunnerOptions| Placement { options, ..best };
        let start = self.tries[0].setting;
        let is_partial =
            |setting: Placement| setting.gpu_layers < bounds.total_layers || setting.n_cpu_moe > 0;
        let partly = is_partial(best);
        match changes {
            TuneDimension::Start => Vec::new(),
            TuneDimension::EngineDefaults if self.has_tried(changes) => Vec::new(),
            TuneDimension::EngineDefaults => vec![self.engine_defaults()],
            TuneDimension::Placement if self.has_tried(changes) => Vec::new(),
            TuneDimension::Placement | TuneDimension::Experts if bounds.by_hand.has_placement() => Vec::new(),
            TuneDimension::Batch if bounds.by_hand.num_batch.is_some() => Vec::new(),
            TuneDimension::Placement if bounds.may_place && start.gpu_layers > 0 && is_partial(start) => {
                vec![Placement { automatic: !start.automatic, ..start }]
            }
            TuneDimension::Experts if best.n_cpu_moe > 0 && !best.automatic => self.experts(best),
            TuneDimension::Draft => {
                let Some(default) = bounds.draft else { return Vec::new() };
                // The engine knows what the tag says, which the file's header does not.
                let set = best.options.draft_num_predict.or(now.draft_num_predict).unwrap_or(default);
                let mut drafts = vec![default];
                drafts.extend(bounds.rules.drafts.iter().copied().filter(|draft| *draft != default));
                drafts.retain(|draft| *draft != set);
                let of = |draft| with(RunnerOptions { draft_num_predict: Some(draft), ..best.options });
                drafts.into_iter().map(of).collect()
            }
            TuneDimension::Batch => {
                let set = best.options.num_batch.or(now.num_batch);
                let others = bounds.rules.batches.iter().filter(|batch| Some(**batch) != set);
                others.map(|batch| with(RunnerOptions { num_batch: Some(*batch), ..best.options })).collect()
            }
            TuneDimension::Threads if partly => {
                let set = best.options.num_thread.or(now.num_thread);
                let others = bounds.threads.iter().filter(|threads| Some(**threads) != set);
                others
                    .map(|threads| with(RunnerOptions { num_thread: Some(*threads), ..best.options }))
                    .collect()
            }
            TuneDimension::Mmap if partly => {
                let set = best.options.use_mmap.or(now.use_mmap);
                let other = set.map(|mapped| RunnerOptions { use_mmap: Some(!mapped), ..best.options });
                other.filter(|_| !self.has_tried(changes)).map(with).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    fn has_tried(&self, changes: TuneDimension) -> bool {
        self.tries.iter().any(|tried| tried.changes == changes)
    }

    /// What the engine does by itself, with the plan's context.
    fn engine_defaults(&self) -> Placement {
        let start = self.tries[0].setting;
        Placement {
            // Without a card the engine uses none either.
            automatic: start.automatic || start.gpu_layers > 0,
            n_cpu_moe: 0,
            kv_cache_type: KvCacheType::F16,
            pinned_memory: true,
            options: RunnerOptions::default(),
            ..start
        }
    }

    /// Experts of fewer blocks in main memory, then of more: a new best try is the point to go on from.
    fn experts(&self, best: Placement) -> Vec<Placement> {
        let (rules, blocks) = (self.bounds.rules, self.bounds.total_layers.saturating_sub(1));
        let tries = self.tries.iter().filter(|tried| tried.changes == TuneDimension::Experts).count();
        if tries >= rules.expert_tries {
            return Vec::new();
        }
        let fewer = best.n_cpu_moe.saturating_sub(rules.expert_step).max(1);
        let more = best.n_cpu_moe.saturating_add(rules.expert_step).min(blocks);
        let others = [fewer, more].into_iter().filter(|n_cpu_moe| *n_cpu_moe != best.n_cpu_moe);
        others.map(|n_cpu_moe| Placement { n_cpu_moe, ..best }).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const TOTAL: u32 = 49;

    fn start(gpu_layers: u32, n_cpu_moe: u32) -> Placement {
        Placement {
            gpu_layers,
            automatic: false,
            n_cpu_moe,
            kv_cache_type: KvCacheType::Q8_0,
            pinned_memory: true,
            vulkan_only: false,
            options: RunnerOptions { num_batch: Some(1024), ..RunnerOptions::default() },
        }
    }

    fn bounds<'a>(fit: &'a dyn Fn(Placement) -> Option<Placement>) -> TuneBounds<'a> {
        TuneBounds {
            rules: TuningRules::built_in(),
            total_layers: TOTAL,
            may_place: true,
            by_hand: HandSettings::default(),
            draft: None,
            threads: vec![8, 16],
            fit,
        }
    }

    /// What a machine does in a search: seconds of a turn, or `None` for a failure.
    fn run(
        bounds: TuneBounds<'_>,
        start: Placement,
        turn_s: impl Fn(&Placement) -> Option<f64>,
    ) -> (Vec<(TuneDimension, Placement)>, Placement, Option<usize>) {
        let mut search = TuneSearch::new(bounds, start);
        let in_force = |setting: &Placement| RunnerOptions {
            num_batch: setting.options.num_batch.or(Some(512)),
            num_thread: setting.options.num_thread.or(Some(8)),
            use_mmap: setting.options.use_mmap.or(Some(true)),
            draft_num_predict: setting.options.draft_num_predict,
        };
        search.record(turn_s(&start), start, in_force(&start));
        let mut tried = Vec::new();
        while let Some((changes, setting)) = search.next() {
            tried.push((changes, setting));
            assert!(tried.len() < 40, "it does not end");
            search.record(turn_s(&setting), setting, in_force(&setting));
        }
        let kept = search.kept();
        (tried, kept.map_or(start, |(_, setting)| setting), kept.map(|(at, _)| at))
    }

    fn dimensions(tried: &[(TuneDimension, Placement)]) -> Vec<TuneDimension> {
        let mut all: Vec<TuneDimension> = tried.iter().map(|(changes, _)| *changes).collect();
        all.dedup();
        all
    }

    #[test]
    fn all_on_the_card_leaves_only_defaults_and_batch() {
        let (tried, kept, _) = run(bounds(&Some), start(TOTAL, 0), |_| Some(10.0));
        assert_eq!(dimensions(&tried), [TuneDimension::EngineDefaults, TuneDimension::Batch]);
        assert_eq!(kept, start(TOTAL, 0), "nothing was faster");
        let batches: Vec<_> =
            tried[1..].iter().map(|(_, setting)| setting.options.num_batch.unwrap()).collect();
        assert_eq!(batches, [512, 2048], "the planned one was measured already");
    }

    #[test]
    fn everything_can_matter_with_experts_in_main_memory() {
        let bounds = TuneBounds { draft: Some(4), ..bounds(&Some) };
        let (tried, _, _) = run(bounds, start(TOTAL, 40), |_| Some(10.0));
        assert_eq!(dimensions(&tried), ORDER);
        let drafts: Vec<_> =
            tried.iter().filter_map(|(_, setting)| setting.options.draft_num_predict).collect();
        assert_eq!(drafts, [0, 2], "the tag's 4 is in force already");
        let threads: Vec<_> = tried.iter().filter_map(|(_, setting)| setting.options.num_thread).collect();
        assert_eq!(threads, [16], "8 are in force already");
        let mapped: Vec<_> = tried.iter().filter_map(|(_, setting)| setting.options.use_mmap).collect();
        assert_eq!(mapped, [false]);
        assert!(tried.iter().all(|(_, setting)| setting.kv_cache_type == KvCacheType::Q8_0
            || setting.options == RunnerOptions::default()));
    }

    #[test]
    fn the_processor_alone_has_no_placement() {
        let (tried, _, _) = run(bounds(&Some), start(0, 0), |_| Some(10.0));
        let expected = [
            TuneDimension::EngineDefaults,
            TuneDimension::Batch,
            TuneDimension::Threads,
            TuneDimension::Mmap,
        ];
        assert_eq!(dimensions(&tried), expected);
        assert!(tried.iter().all(|(_, setting)| !setting.automatic && setting.gpu_layers == 0));
    }

    #[test]
    fn a_try_must_be_better_by_more_than_noise() {
        let faster_batch = |factor: f64| {
            move |setting: &Placement| {
                Some(if setting.options.num_batch == Some(2048) { 10.0 * factor } else { 10.0 })
            }
        };
        let (_, kept, best) = run(bounds(&Some), start(TOTAL, 0), faster_batch(0.975));
        assert_eq!((kept.options.num_batch, best), (Some(1024), Some(0)));
        let (_, kept, _) = run(bounds(&Some), start(TOTAL, 0), faster_batch(0.96));
        assert_eq!(kept.options.num_batch, Some(2048));
    }

    #[test]
    fn options_are_combined_one_after_the_other() {
        let bounds = TuneBounds { draft: Some(4), ..bounds(&Some) };
        let turn_s = |setting: &Placement| {
            let mut seconds = 10.0 + 0.5 * f64::from(setting.n_cpu_moe);
            for (better, factor) in [
                (setting.options.num_batch == Some(2048), 0.6),
                (setting.options.draft_num_predict == Some(2), 0.7),
                (setting.options.num_thread == Some(16), 0.8),
                (setting.options.use_mmap == Some(false), 0.9),
                (setting.automatic, 3.0),
            ] {
                seconds *= if better { factor } else { 1.0 };
            }
            Some(seconds)
        };
        let (tried, kept, _) = run(bounds, start(TOTAL, 40), turn_s);
        let options = RunnerOptions {
            num_batch: Some(2048),
            num_thread: Some(16),
            draft_num_predict: Some(2),
            use_mmap: Some(false),
        };
        assert_eq!((kept.options, kept.automatic), (options, false));
        assert_eq!(kept.n_cpu_moe, 32, "as far as the number of tries goes: {tried:?}");
    }

    #[test]
    fn experts_go_the_other_way_when_fewer_are_slower_or_do_not_fit() {
        let more_is_faster = |setting: &Placement| Some(100.0 - f64::from(setting.n_cpu_moe) * 2.0);
        let experts = |tried: &[(TuneDimension, Placement)]| -> Vec<u32> {
            let of = tried.iter().filter(|(changes, _)| *changes == TuneDimension::Experts);
            of.map(|(_, setting)| setting.n_cpu_moe).collect()
        };
        let bounds_there = TuneBounds { may_place: false, ..bounds(&Some) };
        let (tried, kept, _) = run(bounds_there, start(TOTAL, 40), more_is_faster);
        assert_eq!((experts(&tried), kept.n_cpu_moe), (vec![38, 42, 44, 46], 46));
        let (tried, _, _) = run(
            bounds(&|setting| (setting.n_cpu_moe >= 40).then_some(setting)),
            start(TOTAL, 40),
            |setting| (!setting.automatic).then_some(10.0),
        );
        assert_eq!(experts(&tried), [42]);
    }

    #[test]
    fn a_batch_that_needs_room_is_tried_with_less_on_the_card() {
        let fit = |setting: Placement| {
            let needs_room = setting.options.num_batch == Some(2048) && setting.gpu_layers > 18;
            Some(if needs_room { Placement { gpu_layers: 18, ..setting } } else { setting })
        };
        let (_, kept, _) = run(bounds(&fit), start(20, 0), |setting| {
            Some(if setting.options.num_batch == Some(2048) { 5.0 } else { 10.0 })
        });
        assert_eq!((kept.gpu_layers, kept.options.num_batch), (18, Some(2048)));
    }

    #[test]
    fn what_the_engine_chooses_is_not_tried_again() {
        let mut search = TuneSearch::new(bounds(&Some), start(20, 0));
        search.record(Some(10.0), start(20, 0), start(20, 0).options);
        let mut tries = 0;
        while let Some((_, setting)) = search.next() {
            tries += 1;
            assert!(tries < 40, "it does not end");
            // The engine puts other layers on the card each time.
            let chosen = Placement { gpu_layers: 10 + tries, ..setting };
            search.record(Some(if setting.automatic { 5.0 } else { 20.0 }), chosen, setting.options);
        }
    }

    #[test]
    fn a_failed_try_is_not_repeated_and_never_kept() {
        let (tried, kept, best) =
            run(bounds(&Some), start(TOTAL, 40), |setting| (*setting == start(TOTAL, 40)).then_some(10.0));
        assert_eq!((kept, best), (start(TOTAL, 40), Some(0)));
        for (i, (_, setting)) in tried.iter().enumerate() {
            assert!(!tried[..i].iter().any(|(_, other)| other == setting), "{setting:?} twice");
        }
    }

    #[test]
    fn another_setting_is_kept_where_the_planned_one_fails() {
        let (_, kept, best) =
            run(bounds(&Some), start(TOTAL, 40), |setting| setting.automatic.then_some(10.0));
        assert!(kept.automatic && best.is_some());
        let (_, kept, best) = run(bounds(&Some), start(TOTAL, 40), |_| None);
        assert_eq!((kept, best), (start(TOTAL, 40), None));
    }

    #[test]
    fn the_descent_goes_on_from_the_plan_where_the_engines_defaults_are_faster_at_first() {
        // By itself the engine reads in larger batches, which the plan can do as well.
        let (tried, kept, _) = run(bounds(&Some), start(TOTAL, 0), |setting| {
            Some(match setting.options.num_batch {
                Some(2048) => 7.0,
                None => 8.0,
                _ => 10.0,
            })
        });
        assert_eq!((kept.options.num_batch, kept.kv_cache_type), (Some(2048), KvCacheType::Q8_0));
        assert!(
            tried[1..].iter().all(|(_, setting)| setting.kv_cache_type == KvCacheType::Q8_0),
            "{tried:?}"
        );
    }

    #[test]
    fn the_kept_setting_is_no_slower_than_the_engines_defaults() {
        let (_, kept, _) = run(bounds(&Some), start(TOTAL, 0), |setting| {
            Some(if setting.options == RunnerOptions::default() { 5.0 } else { 10.0 })
        });
        assert_eq!((kept.options.num_batch, kept.kv_cache_type), (None, KvCacheType::F16));
    }
}
