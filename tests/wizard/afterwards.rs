//! The last page: how to use the installation, now and after a restart.

use acolyte::install::{Step, StepState};
use acolyte::text::Language;
use acolyte::wizard::backend::Message;
use eframe::egui::{OutputCommand, accesskit::Role};
use egui_kittest::kittest::Queryable as _;

use super::scripted::{self, Scene};
use super::stage::{Eye, Stage};

const ADDRESS: &str = "http://127.0.0.1:42434";

/// The last page, with this final state of the login step.
fn result(language: Language, wanted: bool, state: StepState, message: &str) -> Stage {
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
    outbox.send(Message::InstallEvent(scripted::event(Step::StartAtLogin, state, message)));
    outbox.send(Message::InstallEnded(Ok(scripted::receipt(&request))));
    stage.harness.run();
    stage
}

#[test]
fn the_address_is_shown_and_can_be_copied() {
    for language in Language::ALL {
        let mut stage = result(language, true, StepState::Done, "");
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

        let stage = result(language, true, StepState::Done, "Started at login.");
        assert!(by_itself(&stage) && !by_hand(&stage));

        let stage = result(language, false, StepState::Skipped, "Not wanted.");
        assert!(by_hand(&stage) && !by_itself(&stage));
        assert!(!stage.sees("Not wanted."), "what the user chose is no warning");

        let stage = result(language, true, StepState::Skipped, "A policy forbids it.");
        assert!(by_hand(&stage) && !by_itself(&stage));
        assert!(stage.sees("A policy forbids it."));
    }
}
