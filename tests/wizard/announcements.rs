//! Live announcements for screen readers: the page, the progress of an installation, waits and errors.

use acolyte::install::event::Activity;
use acolyte::install::{Step, StepState};
use acolyte::text::Language;
use acolyte::wizard::backend::Message;
use eframe::egui::accesskit::{Live, Role};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::scripted::{self, Scene};
use super::stage::{Eye, Stage};

/// Everything that is announced when it changes, in order.
fn announced(stage: &Stage) -> Vec<String> {
    let mut said = Vec::new();
    for node in stage.harness.root().children_recursive() {
        let node = node.accesskit_node();
        if node.live() != Live::Off {
            said.extend(node.label().or_else(|| node.value()));
        }
    }
    said
}

fn is_announced(stage: &Stage, words: &str) {
    let said = announced(stage);
    assert!(said.iter().any(|one| one.contains(words)), "{words:?} is not announced: {said:#?}");
}

#[test]
fn every_page_is_announced_by_its_heading() {
    for (page, way) in super::pictures::PAGES {
        for language in Language::ALL {
            let mut stage = way(Eye::blind(language));
            stage.harness.run();
            let heading = stage.harness.state().heading();
            let headings: Vec<_> = stage.harness.query_all_by_role(Role::Heading).collect();
            assert_eq!(headings.len(), 1, "{page}");
            is_announced(&stage, &heading);
        }
    }
}

#[test]
fn progress_is_announced_step_by_step_and_in_percent() {
    for language in Language::ALL {
        let mut stage = Stage::new(Eye::blind(language), Scene::of(scripted::laptop())).reach_install();
        let (_, outbox) = stage.installation();
        let bar = |stage: &Stage| {
            let bar = stage.harness.get_by_role(Role::ProgressIndicator);
            (bar.accesskit_node().label().unwrap_or_default(), bar.accesskit_node().numeric_value())
        };
        assert_eq!(bar(&stage).1, Some(0.0));
        outbox.send(Message::InstallEvent(scripted::event(
            Step::FetchEngine,
            StepState::Started,
            Activity::FetchingEngine { version: "0.32.15".to_owned() },
        )));
        stage.harness.run();
        is_announced(&stage, &stage.say("wizard-step-fetch"));

        scripted::half_way(&outbox);
        stage.harness.run();
        is_announced(&stage, stage.installation().0.model.as_str());
        is_announced(&stage, &stage.say("wizard-limited-by-network"));
        assert_eq!(bar(&stage), (stage.say("wizard-step-pull"), Some(57.0)));

        let stalled = scripted::stalled();
        outbox.send(Message::InstallEvent(stalled.clone()));
        stage.harness.run();
        is_announced(&stage, &stalled.activity.words(stage.text));
        stage.click("wizard-pause");
        is_announced(&stage, &stage.say("wizard-install-paused"));
    }
}

#[test]
fn failure_and_stop_are_announced_with_what_is_kept() {
    for language in Language::ALL {
        let mut stage = Stage::new(Eye::blind(language), Scene::of(scripted::laptop())).reach_install();
        scripted::fail(&stage.installation().1, "The disk is full.");
        stage.harness.run();
        is_announced(&stage, "The disk is full.");
        is_announced(&stage, &stage.say("wizard-install-failed"));

        stage.click("wizard-try-again");
        stage.click("wizard-cancel");
        stage.click("wizard-ask-cancel-yes");
        is_announced(&stage, &stage.say("wizard-install-stopping"));
        stage.installation().1.send(scripted::cancelled());
        stage.harness.run();
        is_announced(&stage, &stage.say("wizard-install-cancelled"));
        is_announced(&stage, &stage.say("wizard-install-kept"));
    }
}
