//! Errors are shown on their page with their message and can be retried; and every page has a way back. In both
//! languages.

use acolyte::platform::listening::PortOwner;
use acolyte::text::Language;
use acolyte::wizard::backend::{HealthProblem, InstallationHealth, ManageAction, Message, WorkerError};
use acolyte::wizard::flow::Page;
use acolyte::wizard::steps::SidebarStep as Place;
use eframe::egui::{Key, Modifiers};
use egui_kittest::kittest::NodeT as _;

use super::scripted::{self, Scene};
use super::stage::{self, Eye, Stage};

const WORDS: &str = "It did not answer. Try again.";

fn trouble<T>() -> Result<T, WorkerError> {
    Err(scripted::error(WORDS))
}

fn in_both_languages(scene: impl Fn() -> Scene, journey: impl Fn(Stage)) {
    stage::in_both_languages(|eye| journey(Stage::new(eye, scene())));
}

fn laptop() -> Scene {
    Scene::of(scripted::laptop())
}

fn place(stage: &Stage) -> Option<Place> {
    stage.harness.state().page().step()
}

#[test]
fn a_failed_installation_is_reported_with_its_log_and_retried_unchanged() {
    in_both_languages(laptop, |stage| {
        let mut stage = stage.reach_install();
        let (first, outbox) = stage.installation();
        scripted::half_way(&outbox);
        scripted::fail(&outbox, WORDS);
        stage.harness.run();
        assert!(
            stage.sees(WORDS) && stage.sees(&stage.say("wizard-install-failed-lead")),
            "and what is kept"
        );
        stage.click("wizard-save-report");
        stage.click("wizard-ask-save-yes");
        let log = stage.desk.borrow().reports[0].log.clone().unwrap();
        assert!(log.contains("/home/ana/.acolyte/llm/engines/0.32.15") && log.contains(WORDS), "{log}");

        stage.click("wizard-try-again");
        let (second, outbox) = stage.installation();
        assert_eq!(second.plan.candidate.id, first.plan.candidate.id);
        assert_eq!((second.agreement, second.options), (first.agreement, first.options));
        scripted::fail(&outbox, WORDS);
        stage.harness.run();
        stage.click("wizard-back");
        assert_eq!(place(&stage), Some(Place::Summary), "the choice can be changed");
        stage.click("wizard-install");
        assert_eq!(stage.desk.borrow().installs.len(), 3);
        let (request, outbox) = stage.installation();
        scripted::finish(&request, &outbox);
        stage.harness.run();
        assert_eq!(place(&stage), Some(Place::Result));
    });
}

#[test]
fn back_leads_from_every_page_to_the_one_before() {
    in_both_languages(laptop, |stage| {
        let mut stage = stage.reach_summary();
        let way = [Place::Consent, Place::Profile, Place::Compatibility, Place::Hardware, Place::Welcome];
        for wanted in way {
            stage.click("wizard-back");
            assert_eq!(place(&stage), Some(wanted));
        }
        let mut stage = Stage::new(Eye::blind(stage.text.language()), laptop()).reach_summary();
        for wanted in way {
            stage.harness.key_press_modifiers(Modifiers::ALT, Key::ArrowLeft);
            stage.harness.run();
            assert_eq!(place(&stage), Some(wanted));
        }
        stage.harness.key_press_modifiers(Modifiers::ALT, Key::ArrowLeft);
        stage.harness.run();
        assert_eq!(place(&stage), Some(Place::Welcome), "there is nothing before it");
    });
}

#[test]
fn back_is_unavailable_while_installing() {
    in_both_languages(laptop, |stage| {
        let mut stage = stage.reach_install();
        stage.harness.key_press_modifiers(Modifiers::ALT, Key::ArrowLeft);
        stage.harness.run();
        assert_eq!(place(&stage), Some(Place::Install));
        assert!(!stage.sees(&stage.say("wizard-ask-cancel-title")));
        stage.harness.key_press(Key::Escape);
        stage.harness.run();
        assert!(stage.sees(&stage.say("wizard-ask-cancel-title")), "Esc asks whether to stop");
    });
}

#[test]
fn a_failed_model_lookup_is_explained_and_can_be_retried() {
    in_both_languages(laptop, |stage| {
        let mut stage = stage.reach_profile();
        stage.click("wizard-advanced");
        stage.scroll_to("wizard-advanced-reference");
        stage.type_into("wizard-advanced-reference", "hf.co/a/b");
        stage.click("wizard-advanced-look-up");
        let (reference, outbox) = stage.desk.borrow().lookups[0].clone();
        outbox.send(Message::ModelFound { reference, model: trouble() });
        stage.harness.run();
        assert!(stage.sees(WORDS));
        stage.click("wizard-advanced-look-up");
        assert_eq!(stage.desk.borrow().lookups.len(), 2);
        assert!(!stage.sees(WORDS));
    });
}

#[test]
fn an_interrupted_answer_is_explained_and_can_be_retried() {
    in_both_languages(laptop, |stage| {
        let mut stage = stage.reach_install();
        let (request, outbox) = stage.installation();
        scripted::finish(&request, &outbox);
        stage.harness.run();
        stage.ask("fn main");
        let outbox = stage.desk.borrow().questions[0].1.clone();
        outbox.send(Message::AnswerPart("fn".to_owned()));
        outbox.send(Message::AnswerEnded(trouble()));
        stage.harness.run();
        assert!(stage.sees(WORDS));
        stage.click("wizard-try-ask");
        assert_eq!(stage.desk.borrow().questions.len(), 2);
        assert!(!stage.sees(WORDS));
    });
}

#[test]
fn failures_in_manage_are_shown_and_can_be_retried() {
    let managed = || {
        let request = Stage::new(Eye::blind(Language::English), laptop()).reach_install().installation().0;
        Scene { installation: Some(scripted::installation(&request, Language::English)), ..laptop() }
    };
    in_both_languages(managed, |mut stage| {
        for key in ["wizard-manage-stop", "wizard-manage-stop"] {
            stage.click(key);
            let (action, outbox) = stage.desk.borrow().actions.last().unwrap().clone();
            assert_eq!(action, ManageAction::Stop);
            outbox.send(Message::Managed(action, trouble()));
            stage.harness.run();
            assert!(stage.sees(WORDS) && !stage.is_disabled(key));
        }
        stage.click("wizard-manage-remove");
        stage.click("wizard-ask-remove-yes");
        let (action, outbox) = stage.desk.borrow().actions.last().unwrap().clone();
        outbox.send(Message::Managed(action, trouble()));
        stage.harness.run();
        assert!(stage.sees(WORDS) && !stage.sees(&stage.say("wizard-manage-removed")));

        let outbox = stage.desk.borrow().outbox.clone().unwrap();
        stage.click("wizard-check-again");
        assert!(!stage.sees(WORDS), "what was is over");
        outbox.send(Message::Health(trouble()));
        stage.harness.run();
        assert!(stage.sees(WORDS));
        assert!(matches!(stage.harness.state().page(), Page::Manage(_)));
    });
}

#[test]
fn who_answers_in_the_servers_place_is_said_on_the_page() {
    let by = PortOwner { name: Some("evil\u{202e}dia".into()), pid: Some(4711), user: None };
    let problems = vec![
        HealthProblem::PortTaken { port: 42_434, by },
        HealthProblem::ServerUnconfirmed { port: 42_435 },
        HealthProblem::OtherVersion { port: 42_436, found: "6.6.6\u{7}".into(), expected: "0.32.15".into() },
    ];
    let managed = || {
        let request = Stage::new(Eye::blind(Language::English), laptop()).reach_install().installation().0;
        let health =
            InstallationHealth { engine_version: None, problems: problems.clone(), ..laptop().health };
        let installation = Some(scripted::installation(&request, Language::English));
        Scene { installation, health, ..laptop() }
    };
    in_both_languages(managed, |stage| {
        let stranger = match stage.text.language() {
            Language::English => "Port 42434 of the server is taken by evil\\u{202e}dia (process 4711).",
            Language::Spanish => "El puerto 42434 del servidor lo ocupa evil\\u{202e}dia (proceso 4711).",
        };
        for shown in [stranger, "42435", "6.6.6\\u{7}", "42436"] {
            assert!(stage.sees(shown), "{shown}");
        }
    });
}

#[test]
fn failures_to_write_or_open_are_shown_on_the_page() {
    in_both_languages(laptop, |stage| {
        let mut stage = stage.reach_hardware();
        let outbox = stage.desk.borrow().outbox.clone().unwrap();
        for message in [Message::ReportSaved(trouble()), Message::OpenFailed(scripted::error(WORDS))] {
            outbox.send(message);
            stage.harness.run();
            assert!(stage.sees(WORDS));
            stage.click("wizard-continue");
            assert!(!stage.sees(WORDS), "the next page has nothing to do with it");
            stage.click("wizard-back");
        }
        assert_eq!(place(&stage), Some(Place::Hardware));
    });
}

/// Names of hardware and words of errors cannot reorder or hide what the window says; screen readers get the same.
#[test]
fn text_from_outside_cannot_control_the_window() {
    const HOSTILE: &str = "RTX\u{1b}[2J\u{202e}\u{2066}\u{200b}\u{2028}\u{9b}";
    let acts = |text: &str| {
        text.chars().any(|c| {
            c.is_control() && c != '\n'
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        })
    };
    let labels = |stage: &Stage| -> Vec<String> {
        let all = stage.harness.root().children_recursive();
        all.into_iter()
            .flat_map(|node| {
                let node = node.accesskit_node();
                [node.label(), node.value(), node.description()].into_iter().flatten().collect::<Vec<_>>()
            })
            .collect()
    };
    let scene = || {
        let mut hardware = scripted::laptop();
        hardware.gpus[0].name = HOSTILE.into();
        hardware.gpus[0].driver_version = Some(HOSTILE.into());
        hardware.cpu.name = Some(HOSTILE.into());
        hardware.engines[0].version = Some(HOSTILE.into());
        hardware.engines[0].path = Some(HOSTILE.into());
        hardware.disks[0].path = HOSTILE.into();
        Scene::of(hardware)
    };
    let harmless = |stage: &Stage, page: &str| {
        let labels = labels(stage);
        let bad: Vec<&String> = labels.iter().filter(|label| acts(label)).collect();
        assert!(bad.is_empty(), "{page}: {bad:?}");
        labels.iter().any(|label| label.contains(r"RTX\u{1b}[2J\u{202e}"))
    };
    in_both_languages(scene, |stage| {
        let stage = stage.reach_hardware();
        assert!(harmless(&stage, "hardware"), "the name is shown");
    });
    in_both_languages(scene, |stage| {
        let stage = stage.reach_compatibility();
        harmless(&stage, "compatibility");
    });
    in_both_languages(scene, |stage| {
        let mut stage = stage.reach_install();
        let (_, outbox) = stage.installation();
        scripted::fail(&outbox, HOSTILE);
        stage.harness.run();
        assert!(harmless(&stage, "installation"), "the error is shown");
    });
}
