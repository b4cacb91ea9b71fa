//! Single settings of what is installed, changed by the user: layers on the GPU, experts in main memory, KV cache, context,
//! batch. [`SettingChange`] names them, [`SettingPlan`] shows memory and speed before and after, [`change_setting`] applies
//! it, reads back what the engine did, and measures it.

mod apply;
mod hand;
mod planned;

pub use apply::change_setting;
pub use hand::{
    Amount, HandNumber, HandSettings, PlannedSetting, SetByHand, SettingChange, SettingProblem, ValueOrPlan,
};
pub use planned::SettingPlan;
