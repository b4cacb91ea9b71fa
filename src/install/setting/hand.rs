//! What the user sets by hand, and what the plan had chosen. No I/O.

use serde::{Deserialize, Serialize};

use crate::models::{KvCacheType, Model};
use crate::plan::Layers;

/// A number of layers or blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// All of them.
    All,
    /// So many.
    Count(u32),
    /// As memory allows.
    Auto,
}

/// A value, or the plan's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueOrPlan<T> {
    /// This.
    Value(T),
    /// What the plan chose.
    Plan,
}

/// A change of single settings. What is `None` stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SettingChange {
    /// Layers on the GPU, as the engine counts them; none is the emergency mode, on the processor alone.
    pub gpu_layers: Option<Amount>,
    /// Blocks whose routed experts stay in main memory.
    pub n_cpu_moe: Option<Amount>,
    /// Type of the KV cache.
    pub kv_cache_type: Option<ValueOrPlan<KvCacheType>>,
    /// Tokens of context.
    pub context_tokens: Option<ValueOrPlan<u32>>,
    /// Prompt tokens processed at once.
    pub num_batch: Option<ValueOrPlan<u32>>,
    /// Everything that is not set otherwise returns to the plan.
    pub back_to_plan: bool,
}

impl SettingChange {
    /// Whether it names no setting.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether layers, experts or the cache may be in other places afterwards.
    pub(super) fn moves_anything(&self) -> bool {
        let batch_only = Self { num_batch: self.num_batch, ..Self::default() };
        *self != batch_only
    }

    /// Whether the engine's memory decides a part of it, so that less may be loaded where memory runs out.
    pub(super) fn is_left_to_memory(&self) -> bool {
        self.back_to_plan || [self.gpu_layers, self.n_cpu_moe].contains(&Some(Amount::Auto))
    }
}

/// A number that was set by hand: in documents a number, or `auto`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum HandNumber {
    /// So many.
    Count(u32),
    /// As memory allows, where the plan has a fixed number.
    Auto(AutoWord),
}

/// The word `auto`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AutoWord {
    /// It.
    Auto,
}

const AUTO: HandNumber = HandNumber::Auto(AutoWord::Auto);

/// What the user set by hand; `None` is the plan's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HandSettings {
    /// Layers on the GPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu_layers: Option<HandNumber>,
    /// Blocks whose routed experts stay in main memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n_cpu_moe: Option<HandNumber>,
    /// Type of the KV cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kv_cache_type: Option<KvCacheType>,
    /// Tokens of context.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_tokens: Option<u32>,
    /// Prompt tokens processed at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_batch: Option<u32>,
}

/// What the plan had chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedSetting {
    /// Type of the KV cache.
    pub kv_cache_type: KvCacheType,
    /// Tokens of context.
    pub context_tokens: u32,
    /// Layers on the GPU; `None` for as many as fit.
    #[serde(default)]
    pub gpu_layers: Option<u32>,
    /// Blocks whose routed experts stay in main memory.
    pub n_cpu_moe: u32,
    /// Prompt tokens processed at once.
    pub num_batch: u32,
}

/// What was set by hand, and what it replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetByHand {
    /// What the plan had chosen.
    pub planned: PlannedSetting,
    /// What the user set.
    pub set: HandSettings,
}

/// Why a change contradicts the model or itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingProblem {
    /// The model has no experts.
    NoExperts,
    /// More layers than the model has.
    TooManyLayers {
        /// All layers.
        total: u32,
    },
    /// More blocks than the model has.
    TooManyBlocks {
        /// All blocks.
        blocks: u32,
    },
    /// With experts in main memory all layers are on the GPU.
    ExpertsWithLayers {
        /// All layers.
        total: u32,
    },
}

/// Experts in main memory, before the plan is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WantedExperts {
    /// Those of so many blocks.
    Of(u32),
    /// Those that do not fit the card.
    AsFit,
}

impl HandSettings {
    /// Whether everything is as planned.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the user decided which parts of the model are on the card.
    pub fn has_placement(&self) -> bool {
        self.gpu_layers.is_some() || self.n_cpu_moe.is_some()
    }

    /// What is set by hand after a change.
    pub(super) fn with(
        self,
        change: &SettingChange,
        planned: &PlannedSetting,
        model: &Model,
    ) -> Result<Self, SettingProblem> {
        let mut set = if change.back_to_plan { Self::default() } else { self };
        set.set_layers(change, model)?;
        set.set_experts(change, model)?;
        fn value<T>(change: Option<ValueOrPlan<T>>, set: Option<T>) -> Option<T> {
            match change {
                None => set,
                Some(ValueOrPlan::Plan) => None,
                Some(ValueOrPlan::Value(value)) => Some(value),
            }
        }
        set.kv_cache_type = value(change.kv_cache_type, set.kv_cache_type);
        set.context_tokens = value(change.context_tokens, set.context_tokens);
        set.num_batch = value(change.num_batch, set.num_batch);
        // What the plan leaves to memory too is not set by hand.
        set.gpu_layers = set.gpu_layers.filter(|layers| *layers != AUTO || planned.gpu_layers.is_some());
        set.n_cpu_moe = set.n_cpu_moe.filter(|blocks| *blocks != AUTO || planned.n_cpu_moe == 0);
        Ok(set)
    }

    fn set_layers(&mut self, change: &SettingChange, model: &Model) -> Result<(), SettingProblem> {
        let total = model.total_layers();
        let Some(amount) = change.gpu_layers else { return Ok(()) };
        self.gpu_layers = Some(match amount {
            Amount::All => HandNumber::Count(total),
            Amount::Count(layers) if layers > total => return Err(SettingProblem::TooManyLayers { total }),
            Amount::Count(layers) => HandNumber::Count(layers),
            Amount::Auto => AUTO,
        });
        let is_partial = matches!(self.gpu_layers, Some(HandNumber::Count(layers)) if layers < total);
        // With experts in main memory all layers are on the GPU, so fewer layers mean no experts there.
        if is_partial && model.architecture.experts.is_some() {
            self.n_cpu_moe = Some(HandNumber::Count(0));
        } else if self.n_cpu_moe == Some(HandNumber::Count(0)) {
            self.n_cpu_moe = None;
        }
        Ok(())
    }

    fn set_experts(&mut self, change: &SettingChange, model: &Model) -> Result<(), SettingProblem> {
        let (total, blocks) = (model.total_layers(), model.total_layers().saturating_sub(1));
        let Some(amount) = change.n_cpu_moe else { return Ok(()) };
        if model.architecture.experts.is_none() {
            return Err(SettingProblem::NoExperts);
        }
        let number = match amount {
            Amount::All => HandNumber::Count(blocks),
            Amount::Count(first) if first > blocks => return Err(SettingProblem::TooManyBlocks { blocks }),
            Amount::Count(first) => HandNumber::Count(first),
            Amount::Auto => AUTO,
        };
        let is_partial = matches!(self.gpu_layers, Some(HandNumber::Count(layers)) if layers < total);
        if number != HandNumber::Count(0) && is_partial {
            if change.gpu_layers.is_some() {
                return Err(SettingProblem::ExpertsWithLayers { total });
            }
            self.gpu_layers = None;
        }
        self.n_cpu_moe = Some(number);
        Ok(())
    }

    /// Layers on the GPU and experts in main memory, of a model with so many layers.
    pub(super) fn placement(&self, planned: &PlannedSetting, total: u32) -> (Layers, WantedExperts) {
        let layers = match self.gpu_layers {
            Some(HandNumber::Count(layers)) => Layers::Exactly(layers),
            Some(HandNumber::Auto(_)) => Layers::Fit,
            None => planned.gpu_layers.map_or(Layers::Fit, Layers::Exactly),
        };
        match self.n_cpu_moe {
            Some(HandNumber::Count(0)) => (layers, WantedExperts::Of(0)),
            Some(HandNumber::Count(blocks)) => (Layers::Exactly(total), WantedExperts::Of(blocks)),
            Some(HandNumber::Auto(_)) => (Layers::Exactly(total), WantedExperts::AsFit),
            None if planned.n_cpu_moe > 0 => (Layers::Exactly(total), WantedExperts::AsFit),
            None => (layers, WantedExperts::Of(0)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::models::Catalogue;

    const PLANNED: PlannedSetting = PlannedSetting {
        kv_cache_type: KvCacheType::Q8_0,
        context_tokens: 32_768,
        gpu_layers: None,
        n_cpu_moe: 0,
        num_batch: 512,
    };

    fn change(gpu_layers: Option<Amount>, n_cpu_moe: Option<Amount>) -> SettingChange {
        SettingChange { gpu_layers, n_cpu_moe, ..SettingChange::default() }
    }

    #[test]
    fn layers_go_out_to_the_processor_and_back() {
        let model = Catalogue::built_in().find("qwen2.5-coder:7b").unwrap();
        let total = model.total_layers();
        let after = |set: HandSettings, layers| set.with(&change(Some(layers), None), &PLANNED, &model);
        let set = after(HandSettings::default(), Amount::Count(0)).unwrap();
        assert_eq!(set.placement(&PLANNED, total).0, Layers::Exactly(0));
        let back = after(set, Amount::Auto).unwrap();
        assert!(back.is_empty(), "as planned again: {back:?}");
        let all = after(set, Amount::All).unwrap();
        assert_eq!(all.placement(&PLANNED, total).0, Layers::Exactly(total));
        let many = after(set, Amount::Count(total + 1));
        assert_eq!(many, Err(SettingProblem::TooManyLayers { total }));
        let planned = PlannedSetting { gpu_layers: Some(0), ..PLANNED };
        let free = set.with(&change(Some(Amount::Auto), None), &planned, &model).unwrap();
        assert_eq!(free.placement(&planned, total).0, Layers::Fit, "of an emergency installation too");
    }

    #[test]
    fn experts_and_layers_exclude_each_other() {
        let model = Catalogue::built_in().find("qwen3-coder:30b").unwrap();
        let total = model.total_layers();
        let planned = PlannedSetting { n_cpu_moe: 30, gpu_layers: Some(total), ..PLANNED };
        let none = HandSettings::default();
        let of = |layers, experts| none.with(&change(layers, experts), &planned, &model);
        let both = of(Some(Amount::Count(20)), Some(Amount::Count(5)));
        assert_eq!(both, Err(SettingProblem::ExpertsWithLayers { total }));
        let layers = of(Some(Amount::Count(20)), None).unwrap();
        assert_eq!(layers.placement(&planned, total), (Layers::Exactly(20), WantedExperts::Of(0)));
        let experts = layers.with(&change(None, Some(Amount::All)), &planned, &model).unwrap();
        let all = (Layers::Exactly(total), WantedExperts::Of(total - 1));
        assert_eq!(experts.placement(&planned, total), all);
        let back = experts.with(&change(None, Some(Amount::Auto)), &planned, &model).unwrap();
        assert!(back.is_empty(), "{back:?}");
        assert_eq!(back.placement(&planned, total), (Layers::Exactly(total), WantedExperts::AsFit));
        let dense = Catalogue::built_in().find("qwen2.5-coder:7b").unwrap();
        let refused = none.with(&change(None, Some(Amount::Auto)), &PLANNED, &dense);
        assert_eq!(refused, Err(SettingProblem::NoExperts));
    }

    #[test]
    fn documents_have_numbers_or_the_word_auto() {
        let set = HandSettings {
            gpu_layers: Some(HandNumber::Count(20)),
            n_cpu_moe: Some(AUTO),
            kv_cache_type: Some(KvCacheType::F16),
            ..HandSettings::default()
        };
        let json = serde_json::to_value(set).unwrap();
        let expected = serde_json::json!({"gpu_layers": 20, "n_cpu_moe": "auto", "kv_cache_type": "f16"});
        assert_eq!(json, expected);
        assert_eq!(serde_json::from_value::<HandSettings>(json).unwrap(), set);
    }

    #[test]
    fn everything_returns_to_the_plan_but_what_is_set_with_it() {
        let model = Catalogue::built_in().find("qwen2.5-coder:7b").unwrap();
        let set = HandSettings {
            gpu_layers: Some(HandNumber::Count(3)),
            num_batch: Some(64),
            ..HandSettings::default()
        };
        let kv_cache_type = Some(ValueOrPlan::Value(KvCacheType::F16));
        let change = SettingChange { kv_cache_type, back_to_plan: true, ..SettingChange::default() };
        let kept = HandSettings { kv_cache_type: Some(KvCacheType::F16), ..HandSettings::default() };
        assert_eq!(set.with(&change, &PLANNED, &model), Ok(kept));
    }
}
