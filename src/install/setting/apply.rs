//! Applies a change of single settings.

use std::sync::Arc;

use crate::control::Control;
use crate::install::adjust::{Adjustment, AdjustmentKind, InstalledBase};
use crate::install::blocking::runtime;
use crate::install::manage::undo::undo;
use crate::install::progress::Reporter;
use crate::install::setting::planned::SettingPlan;
use crate::install::{Event, InstallError, Receipt, Wording};
use crate::platform::awake::keep_awake;

/// Applies a planned change, reads back what the engine did, measures it, and reports events. Blocks until it ends;
/// `control` cancels it. `has_agreed`: the user has agreed to the limits of the plan.
///
/// # Errors
/// When the plan is refused or needs a consent that is missing, memory runs out, the engine does something else than it was
/// told, or the user cancels. Also reported as the last event. The setting before is restored, unless the error is
/// [`InstallError::RollbackIncomplete`].
pub fn change_setting(
    base: &InstalledBase,
    plan: &SettingPlan,
    has_agreed: bool,
    wording: &dyn Wording,
    events: &dyn Fn(Event),
    control: &Control,
) -> Result<Receipt, Arc<InstallError>> {
    let reporter = Reporter::new(events);
    let _awake = keep_awake(wording.awake_reason());
    if base.was_interrupted {
        // An interrupted change is undone first, so that the state is a verified one.
        undo(&base.options.home, control).map_err(Arc::new)?;
    }
    let work = async {
        if plan.is_refused() {
            return Err(InstallError::Refused);
        }
        let request = plan.request(base, has_agreed).ok_or(InstallError::ConsentMissing)?;
        let saved = plan.saved();
        let kind = AdjustmentKind::Setting {
            saved: &saved,
            agreed_before: plan.agreed_before(),
            is_exact: plan.is_exact,
        };
        let adjustment = Adjustment { base, request: &request, start: plan.placement, kind };
        adjustment.carry_out(wording, &reporter, control).await
    };
    reporter.end(runtime()?.block_on(work))
}
