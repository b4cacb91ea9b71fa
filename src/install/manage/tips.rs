//! Optimization tips for what is installed.

use std::path::Path;

use crate::install::InstallError;
use crate::install::adjust::InstalledBase;
use crate::machine::Hardware;
use crate::plan::{Plan, Policy, Tip, tips, without_own_model};

/// The tips for what is installed, on this machine as it is now. What our own model takes of it counts as free.
///
/// # Errors
/// When nothing is installed, an interrupted installation has to be finished first, or a document cannot be read.
pub fn tips_now(home: &Path, hardware: &Hardware, policy: &Policy) -> Result<Vec<Tip>, InstallError> {
    let base = InstalledBase::load(home)?;
    let hardware = without_own_model(hardware, base.installed.profile.port);
    let is_tuned = base.installed.receipt.as_ref().is_some_and(|receipt| receipt.tuning.is_some());
    Ok(tips_after_installing(&base.plan_now(&hardware, policy), &hardware, is_tuned))
}

/// The tips for a plan that was installed. Where its setting was tuned by measuring, what an estimate says of other settings
/// does not count.
pub fn tips_after_installing(plan: &Plan, hardware: &Hardware, is_tuned: bool) -> Vec<Tip> {
    let mut found = tips(plan, hardware);
    found.retain(|tip| !is_tuned || !matches!(tip, Tip::OtherKvCache { .. } | Tip::OtherBatch { .. }));
    found
}
