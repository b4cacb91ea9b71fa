//! `acolyte set`: changes single settings of what is installed, after showing memory and speed before and after.

use std::io::IsTerminal as _;
use std::sync::Arc;

use serde::Serialize;

use crate::SCHEMA;
use crate::cli::args::SetArgs;
use crate::cli::ask::confirm;
use crate::cli::detect::hardware_of;
use crate::cli::interrupt::cancel_on_ctrl_c;
use crate::cli::output::{columns, message_columns, print, print_json, talk};
use crate::cli::profiles::{exit_code, exit_code_of_failed, profiles_of};
use crate::cli::progress::Printer;
use crate::cli::{Failure, Session};
use crate::control::Control;
use crate::install::{InstallError, InstalledBase, Receipt, SetByHand, SettingPlan, change_setting, unload};
use crate::plan::Verdict;
use crate::say;
use crate::sentences::json::ProfileJson;
use crate::sentences::{consent_text, setting_comparison, setting_result};
use crate::text::Text;

/// What `acolyte set --dry-run --json` prints.
#[derive(Debug, Serialize)]
struct SettingJson<'a> {
    schema: u32,
    before: ProfileJson<'a>,
    after: ProfileJson<'a>,
    /// Whether anything changes.
    changes: bool,
    /// Whether it needs a consent that was not given yet.
    needs_consent: bool,
    /// Why it may fail, in words; `null` where it fits by the estimate.
    may_fail: Option<String>,
    /// What is set by hand afterwards; `null` if everything is as planned.
    set_by_hand: Option<&'a SetByHand>,
}

/// Runs the command. Ctrl-C restores the setting before.
///
/// # Errors
/// When nothing is installed, the change contradicts the model or itself, or it fails.
pub fn run(args: &SetArgs, session: &Session) -> Result<u8, Failure> {
    let text = session.text;
    let failed = |error: InstallError| Failure::of_install(error, text);
    let change = args.change();
    if change.is_empty() {
        return Err(Failure::usage(say!(text, "set-nothing-named")));
    }
    let base = InstalledBase::load(&session.home).map_err(failed)?;
    let profiles = profiles_of(args.plan.profiles.as_deref(), session)?;
    // What our model takes of the card would count as taken.
    unload(&session.home).map_err(failed)?;
    let hardware = hardware_of(args.plan.hardware.as_deref(), session)?;
    let plan = base
        .plan_setting(&change, &hardware, &profiles.policy)
        .map_err(|problem| Failure::usage(problem.explain(text)))?;
    if args.dry_run {
        return dry_run(&plan, args.json, text);
    }
    // Messages have no styles.
    let comparison = setting_comparison(&plan, text, message_columns());
    session.tell(&anstream::adapter::strip_str(&comparison).to_string());
    if plan.is_refused() {
        return Ok(exit_code(Verdict::Refused));
    }
    if !plan.is_changed {
        session.tell(&say!(text, "set-unchanged"));
        return Ok(0);
    }
    if let Some(code) = not_agreed(args, &plan, session)? {
        return Ok(code);
    }
    apply(args, &base, &plan, session)
}

fn dry_run(plan: &SettingPlan, json: bool, text: Text) -> Result<u8, Failure> {
    if json {
        print_json(&SettingJson {
            schema: SCHEMA,
            before: ProfileJson::new(&plan.before, text),
            after: ProfileJson::new(&plan.after, text),
            changes: plan.is_changed,
            needs_consent: plan.needs_consent,
            may_fail: plan.may_fail.as_ref().map(|reason| reason.text(text)),
            set_by_hand: plan.by_hand.as_ref(),
        })?;
    } else {
        print(&setting_comparison(plan, text, columns()))?;
    }
    Ok(if plan.is_refused() { exit_code(Verdict::Refused) } else { 0 })
}

/// Asks for consent and confirmation; the exit code where the user does not give them.
fn not_agreed(args: &SetArgs, plan: &SettingPlan, session: &Session) -> Result<Option<u8>, Failure> {
    let text = session.text;
    let may_ask = !args.yes && std::io::stdin().is_terminal();
    if plan.needs_consent && !args.accept_degraded {
        session.tell(&consent_text(&plan.after, text));
        if !may_ask {
            talk(&say!(text, "set-consent-how"));
            return Ok(Some(exit_code(Verdict::Degraded)));
        }
        if !confirm(&say!(text, "plan-consent-ask"), session)? {
            return Ok(Some(exit_code(Verdict::Degraded)));
        }
    }
    if args.yes {
        return Ok(None);
    }
    if !may_ask {
        return Err(Failure::usage(say!(text, "install-cli-cannot-ask")));
    }
    Ok((!confirm(&say!(text, "set-ask"), session)?).then_some(1))
}

fn apply(args: &SetArgs, base: &InstalledBase, plan: &SettingPlan, session: &Session) -> Result<u8, Failure> {
    let text = session.text;
    let control = Control::new();
    cancel_on_ctrl_c(&control)?;
    let printer = Printer::new(args.json, session);
    let outcome: Result<Receipt, Arc<InstallError>> =
        change_setting(base, plan, true, &text, &|event| printer.print(&event), &control);
    printer.finish();
    match outcome {
        Ok(receipt) => {
            if !args.json {
                session.tell(&setting_result(&receipt, text));
            }
            Ok(0)
        }
        Err(error) => {
            let mut message = error.explain(text);
            if !matches!(*error, InstallError::RollbackIncomplete { .. }) {
                message.push('\n');
                message.push_str(&say!(text, "set-restored"));
            }
            Err(Failure { exit_code: exit_code_of_failed(&error), message })
        }
    }
}
