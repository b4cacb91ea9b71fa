//! Resuming an interrupted installation, undoing it, repairing, and the question when memory runs out.

use std::path::PathBuf;

use acolyte::control::Cancelled;
use acolyte::install::change::Change;
use acolyte::install::{FinishedBy, InstallError, RevertFailure, RevertProblem, RollbackReport};
use acolyte::models::ModelTag;
use acolyte::plan::Limit;
use acolyte::text::Language;
use acolyte::wizard::backend::{ManageAction, Message};
use acolyte::wizard::flow::Page;
use eframe::egui::Key;

use super::scripted::{self, Scene};
use super::stage::{Eye, Stage, in_both_languages};

/// A machine on which an installation was interrupted.
pub fn scene(eye: Eye) -> Scene {
    let request = Stage::new(eye, Scene::of(scripted::laptop())).reach_install().installation().0;
    Scene { unfinished: Some(scripted::interrupted(&request)), ..Scene::of(scripted::laptop()) }
}

#[test]
fn an_interrupted_installation_is_resumed_as_it_was_requested() {
    in_both_languages(|eye| {
        let scene = scene(eye);
        let asked = scene.unfinished.clone().unwrap().request.unwrap();
        let mut stage = Stage::new(eye, scene);
        assert!(stage.sees(&stage.say("wizard-ask-interrupted-title")));
        assert!(
            stage.sees(&acolyte::sentences::profile_title(&asked.profile, stage.text))
                && stage.sees(asked.model.as_str())
        );
        stage.click("wizard-ask-interrupted-continue");
        assert!(matches!(stage.harness.state().page(), Page::Install(_)), "every page was walked");
        let request = stage.installation().0;
        assert_eq!(asked.profile, request.plan.candidate.id);
        assert_eq!(request.consent(), asked.consent.as_ref(), "agreed to the same limits");
        assert_eq!(request.options.models_dir, asked.options.models_dir);
        assert_eq!(stage.desk.borrow().detections, 1, "the machine was looked at again");
    });
}

#[test]
fn worse_limits_need_consent_again() {
    in_both_languages(|eye| {
        let mut scene = scene(eye);
        let unfinished = scene.unfinished.as_mut().unwrap();
        let consent = unfinished.request.as_mut().unwrap().consent.as_mut().unwrap();
        // The card was larger when the user gave consent.
        for limit in &mut consent.limits {
            if let Limit::SmallCard { have_gib } = limit {
                *have_gib += 2;
            }
        }
        let mut stage = Stage::new(eye, scene);
        stage.click("wizard-ask-interrupted-continue");
        assert!(matches!(stage.harness.state().page(), Page::Consent(_)));
        assert!(stage.sees(&stage.say("wizard-resume-choose")));
        assert_eq!(stage.desk.borrow().installs.len(), 0);
    });
}

#[test]
fn an_unknown_model_is_chosen_again() {
    let eye = Eye::blind(Language::English);
    let mut scene = scene(eye);
    let asked = scene.unfinished.as_mut().unwrap().request.as_mut().unwrap();
    (asked.profile, asked.model) = ("custom".into(), ModelTag::parse("registry.example.org/a/b:c").unwrap());
    let mut stage = Stage::new(eye, scene);
    stage.click("wizard-ask-interrupted-continue");
    assert!(matches!(stage.harness.state().page(), Page::Profile(_)));
    assert!(stage.sees(&stage.say("wizard-resume-choose")));
}

#[test]
fn an_interrupted_installation_is_undone_and_later_leaves_it() {
    in_both_languages(|eye| {
        let scene = scene(eye);
        let mut stage = Stage::new(eye, scene.clone());
        stage.click("wizard-ask-interrupted-undo");
        let (action, outbox) = stage.desk.borrow().actions[0].clone();
        assert_eq!(action, ManageAction::Undo);
        assert!(stage.sees(&stage.say("wizard-undoing")));
        outbox.send(Message::Managed(action, Ok(())));
        stage.harness.run();
        assert!(stage.sees(&stage.say("wizard-undone")));
        assert!(!stage.sees(&stage.say("wizard-ask-interrupted-title")), "it is not offered again");

        let mut stage = Stage::new(eye, scene.clone());
        stage.click("wizard-ask-interrupted-later");
        assert!(!stage.sees(&stage.say("wizard-ask-interrupted-title")));
        assert!(stage.desk.borrow().actions.is_empty());

        let mut stage = Stage::new(eye, scene);
        stage.harness.key_press(Key::Escape);
        stage.harness.run();
        assert!(!stage.sees(&stage.say("wizard-ask-interrupted-title")));
        assert!(stage.desk.borrow().actions.is_empty() && stage.desk.borrow().installs.is_empty());
    });
}

#[test]
fn an_undo_that_fails_says_why() {
    let eye = Eye::blind(Language::English);
    let mut stage = Stage::new(eye, scene(eye));
    stage.click("wizard-ask-interrupted-undo");
    let (action, outbox) = stage.desk.borrow().actions[0].clone();
    outbox.send(Message::Managed(action, Err(scripted::error("Another installer is working."))));
    stage.harness.run();
    assert!(stage.sees("Another installer is working."));
}

#[test]
fn four_bits_are_asked_about_once_and_either_answer_tries_again() {
    in_both_languages(|eye| {
        for (button, agreed) in [("wizard-ask-four-bits-yes", true), ("wizard-ask-four-bits-no", false)] {
            let mut stage = Stage::new(eye, Scene::of(scripted::laptop())).reach_install();
            assert_eq!(stage.installation().0.agreement.kv_q4, None);
            stage.installation().1.send(scripted::out_of_memory());
            stage.harness.run();
            assert!(stage.sees(&stage.say("wizard-ask-four-bits-title")));
            stage.click(button);
            assert_eq!(stage.desk.borrow().installs.len(), 2);
            assert_eq!(stage.installation().0.agreement.kv_q4, Some(agreed));
        }
    });
}

#[test]
fn an_unverified_model_needs_consent() {
    in_both_languages(|eye| {
        for (button, agreed) in [("wizard-ask-unverified-yes", true), ("wizard-ask-unverified-no", false)] {
            let mut stage = Stage::new(eye, Scene::of(scripted::laptop())).reach_install();
            assert_eq!(stage.installation().0.agreement.unverified_model, None);
            stage.installation().1.send(scripted::unverified_model());
            stage.harness.run();
            assert!(stage.sees(&stage.say("wizard-ask-unverified-title")));
            stage.click(button);
            assert_eq!(stage.desk.borrow().installs.len(), 2);
            assert_eq!(stage.installation().0.agreement.unverified_model, Some(agreed));
        }
    });
}

#[test]
fn repair_and_update_repeat_the_request() {
    in_both_languages(|eye| {
        let request = Stage::new(eye, Scene::of(scripted::laptop())).reach_install().installation().0;
        let mut installation = scripted::installation(&request, Language::English);
        let scene = Scene { installation: Some(installation.clone()), ..Scene::of(scripted::laptop()) };
        let mut stage = Stage::new(eye, scene.clone());
        stage.click("wizard-manage-repair");
        assert!(matches!(stage.harness.state().page(), Page::Install(_)));
        assert_eq!(stage.installation().0.plan.candidate.id, request.plan.candidate.id);

        installation.installed.profile.engine_version = "0.31.0".into();
        let mut stage = Stage::new(eye, Scene { installation: Some(installation), ..scene });
        let label = stage.text.say("wizard-manage-update", &[("version", "0.32.15".into())]);
        stage.click_label(&label);
        assert!(matches!(stage.harness.state().page(), Page::Install(_)));
    });
}

/// A rollback that could not remove a folder.
fn incomplete(cause: Option<InstallError>) -> InstallError {
    let path = PathBuf::from("/home/ana/.acolyte/ollama/0.32.15");
    let problem = InstallError::NoProgram { folder: path.clone() };
    InstallError::RollbackIncomplete {
        cause: cause.map(Box::new),
        rollback: RollbackReport {
            reverted: Vec::new(),
            failed: vec![RevertFailure {
                change: Change::CreateFolder { path },
                cause: RevertProblem::Failed(Box::new(problem)),
            }],
            finished_by: FinishedBy::Undo,
        },
    }
}

#[test]
fn a_rollback_that_could_not_finish_is_shown_with_what_stays_and_what_to_do() {
    in_both_languages(|eye| {
        let mut stage = Stage::new(eye, scene(eye));
        stage.click("wizard-ask-interrupted-undo");
        let (action, outbox) = stage.desk.borrow().actions[0].clone();
        outbox.send(Message::Managed(action, Err(incomplete(None).into())));
        stage.harness.run();
        assert!(stage.sees("/home/ana/.acolyte/ollama/0.32.15") && stage.sees("acolyte undo"));
        assert!(!stage.sees(&stage.say("wizard-undone")));

        // Also after the user cancelled.
        let mut stage = Stage::new(eye, Scene::of(scripted::laptop())).reach_install();
        let error = incomplete(Some(InstallError::from(Cancelled)));
        stage.installation().1.send(Message::InstallEnded(Err(error.into())));
        stage.harness.run();
        assert!(stage.sees("/home/ana/.acolyte/ollama/0.32.15") && stage.sees("acolyte undo"));
        assert!(stage.sees(&stage.say("wizard-install-failed")));
        assert!(!stage.sees(&stage.say("wizard-install-cancelled-lead")));
    });
}
