//! The last page: how to use the installation, now and after a restart.

use std::sync::Arc;

use acolyte::install::event::Activity;
use acolyte::install::{InstallError, Step, StepState};
use acolyte::text::{Language, Text};
use acolyte::wizard::backend::Message;
use eframe::egui::{OutputCommand, accesskit::Role};
use egui_kittest::kittest::Queryable as _;

use super::scripted::{self, Scene};
use super::stage::{Eye, Stage};

const ADDRESS: &str = "http://127.0.0.1:42434";

/// The last page, with this outcome of the login step.
fn result(language: Language, wanted: bool, activity: &Activity) -> Stage {
    let stage = Stage::new(Eye::blind(language), Scene::of(scripted::laptop()));
    let mut stage = if wanted {
        stage.reach_install()
    } else {
        let mut stage = stage.reach_profile();
        stage.click("wizard-advanced");
        let autostart = stage.say("wizard-start-at-login");
        stage.harness.get_by_role_and_label(Role::CheckBox, &autostart).click_accesskit();
        stage.harness.run();
        stage.click("wizard-continue");
        stage.tick_consent();
        stage.click("wizard-continue");
        stage.click("wizard-install");
        stage
    };
    let (request, outbox) = stage.installation();
    assert_eq!(request.options.autostart, wanted);
    let state =
        if matches!(activity, Activity::AutostartEnabled) { StepState::Done } else { StepState::Skipped };
    outbox.send(Message::InstallEvent(scripted::event(Step::StartAtLogin, state, activity.clone())));
    outbox.send(Message::InstallEnded(Ok(Box::new(scripted::receipt(&request)))));
    stage.harness.run();
    stage
}

#[test]
fn the_address_is_shown_and_can_be_copied() {
    for language in Language::ALL {
        let mut stage = result(language, true, &Activity::AutostartEnabled);
        assert!(stage.sees(ADDRESS) && stage.sees("profile.yaml"));
        let label = stage.say("wizard-next-copy");
        // It may be below the visible part, where a pointer cannot click it.
        stage.harness.get_by_role_and_label(Role::Button, &label).click_accesskit();
        // A click takes several frames, and only one of them copies.
        let copies = |stage: &mut Stage| {
            stage.harness.step();
            let commands = &stage.harness.output().platform_output.commands;
            commands.contains(&OutputCommand::CopyText(ADDRESS.to_owned()))
        };
        assert!((0..4).any(|_| copies(&mut stage)));
        stage.harness.run();
        assert!(stage.sees(&stage.say("wizard-next-copied")));
    }
}

#[test]
fn start_at_login_is_shown() {
    for language in Language::ALL {
        let by_itself = |stage: &Stage| stage.sees(&stage.say("wizard-next-at-login"));
        let by_hand = |stage: &Stage| stage.sees("acolyte start");

        let stage = result(language, true, &Activity::AutostartEnabled);
        assert!(by_itself(&stage) && !by_hand(&stage));

        let not_wanted = Activity::AutostartSkipped;
        let stage = result(language, false, &not_wanted);
        assert!(by_hand(&stage) && !by_itself(&stage));
        assert!(!stage.sees(&not_wanted.words(stage.text)), "what the user chose is no warning");

        let cause = Arc::new(InstallError::WorkerPanicked { message: "A policy forbids it.".into() });
        let refused = Activity::AutostartRefused { cause };
        let mut stage = result(language, true, &refused);
        assert!(by_hand(&stage) && !by_itself(&stage));
        assert!(stage.sees(&refused.words(stage.text)));
        for other in Language::ALL {
            stage.switch_to(other);
            assert!(stage.sees(&refused.words(Text::new(other))), "the reason is in the current language");
        }
    }
}
