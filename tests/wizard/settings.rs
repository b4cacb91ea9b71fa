//! Single settings and models on the drive, on the Manage page.

use acolyte::install::{HandNumber, InstallError};
use acolyte::models::ModelTag;
use acolyte::sentences::placement_sentence;
use acolyte::text::Language;
use acolyte::wizard::backend::Message;
use egui_kittest::kittest::Queryable as _;

use super::scripted::{self, Scene};
use super::stage::{Eye, Stage, in_both_languages};

/// The Manage page of an installation.
pub fn manage(eye: Eye) -> Stage {
    let request = Stage::new(eye, Scene::of(scripted::laptop())).reach_install().installation().0;
    let installation = Some(scripted::installation(&request, eye.language));
    Stage::new(eye, Scene { installation, ..Scene::of(scripted::laptop()) })
}

/// The same with the settings open, and everything on the processor chosen.
pub fn on_processor(eye: Eye) -> Stage {
    let mut stage = manage(eye);
    stage.click("wizard-settings-open");
    tick(&mut stage, "wizard-settings-cpu-only");
    let apply = stage.say("wizard-settings-apply");
    stage.harness.get_by_role_and_label(eframe::egui::accesskit::Role::Button, &apply).scroll_to_me();
    stage.harness.run();
    stage
}

fn tick(stage: &mut Stage, key: &str) {
    let label = stage.say(key);
    stage.click_control(eframe::egui::accesskit::Role::CheckBox, &label);
}

#[test]
fn memory_and_speed_follow_a_change_that_needs_consent_and_is_applied() {
    in_both_languages(|eye| {
        let mut stage = manage(eye);
        assert!(!stage.sees(&stage.say("wizard-settings-apply")), "closed at first");
        stage.click("wizard-settings-open");
        assert!(stage.is_disabled("wizard-settings-apply"), "nothing was changed");
        tick(&mut stage, "wizard-settings-cpu-only");
        assert!(stage.is_disabled("wizard-settings-apply"), "without consent");
        tick(&mut stage, "wizard-settings-agree");
        stage.click("wizard-settings-apply");
        let (plan, control, outbox) = stage.desk.borrow().settings[0].clone();
        assert_eq!(plan.after.gpu_layers(), 0);
        let (before, after) =
            (placement_sentence(&plan.before, stage.text), placement_sentence(&plan.after, stage.text));
        assert!(stage.sees(&after) && !stage.sees(&before), "{before} {after}");
        assert!(stage.sees(&stage.text.range(plan.after.speed.decode_tokens_per_s)));
        let set = plan.by_hand.unwrap().set;
        assert_eq!(set.gpu_layers, Some(HandNumber::Count(0)));
        assert!(stage.is_disabled("wizard-settings-apply") && stage.is_disabled("wizard-manage-repair"));
        assert!(!stage.sees(&stage.say("wizard-skip-tuning")), "there is no search to skip");
        // It fails: the setting before is back, and the form still open.
        let failed = InstallError::OutOfMemory { tried: Vec::new() };
        outbox.send(Message::TuneEnded(Err(failed.into())));
        stage.harness.run();
        assert!(stage.sees(&stage.say("set-restored")) && !control.is_cancelled());
        stage.click("wizard-settings-apply");
        let (_, control, outbox) = stage.desk.borrow().settings[1].clone();
        assert!(!stage.sees(&stage.say("set-restored")));
        stage.click("wizard-cancel-tuning");
        assert!(control.is_cancelled());
        outbox.send(Message::TuneEnded(Ok(())));
        stage.harness.run();
        assert!(stage.sees(&stage.say("wizard-settings-open")), "closed: the new installation is shown");
    });
}

#[test]
fn what_is_chosen_and_taken_back_changes_nothing() {
    let mut stage = on_processor(Eye::blind(Language::English));
    tick(&mut stage, "wizard-settings-cpu-only");
    assert!(stage.is_disabled("wizard-settings-apply") && !stage.sees(&stage.say("wizard-settings-agree")));
    stage.click("wizard-settings-close");
    assert!(stage.sees(&stage.say("wizard-settings-open")));
    assert!(stage.desk.borrow().settings.is_empty());
}

#[test]
fn a_model_that_nothing_uses_is_removed_after_a_question() {
    in_both_languages(|eye| {
        let mut stage = manage(eye);
        let older = ModelTag::parse("qwen2.5-coder:14b").unwrap();
        let remove = stage.text.say("wizard-models-remove", &[("model", older.shown().to_string().into())]);
        let buttons = eframe::egui::accesskit::Role::Button;
        let is_removable = |stage: &Stage, model: &str| {
            let label = stage.text.say("wizard-models-remove", &[("model", model.to_owned().into())]);
            stage.harness.query_by_role_and_label(buttons, &label).is_some()
        };
        assert!(is_removable(&stage, "qwen2.5-coder:14b") && !is_removable(&stage, "acolyte:latest"));
        stage.click_label(&remove);
        stage.click("wizard-ask-model-no");
        assert!(stage.desk.borrow().removed_models.is_empty());
        stage.click_label(&remove);
        stage.click("wizard-ask-model-yes");
        assert_eq!(stage.desk.borrow().removed_models, [older]);
        assert!(!is_removable(&stage, "qwen2.5-coder:14b"), "it is gone from the list");
    });
}
