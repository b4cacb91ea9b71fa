//! Journeys through the window, in both languages.

use std::sync::Arc;

use acolyte::install::event::Activity;
use acolyte::install::manage::uninstall::{Removal, RemovedModel};
use acolyte::install::{Event, Step, StepState};
use acolyte::machine::Hardware;
use acolyte::models::ModelTag;
use acolyte::plan::Verdict;
use acolyte::sentences;
use acolyte::text::{Language, Text};
use acolyte::wizard::Settings;
use acolyte::wizard::backend::{ManageAction, Message};
use acolyte::wizard::flow::Page;
use acolyte::wizard::steps::SidebarStep as Place;
use acolyte::wizard::theme::Appearance;
use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Modifiers, Theme};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::scripted::{self, Scene};
use super::stage::{Eye, Stage, in_both_languages};

fn place(stage: &Stage) -> Option<Place> {
    stage.harness.state().page().step()
}

#[test]
fn from_welcome_to_a_measured_answer() {
    in_both_languages(|eye| {
        let mut stage = Stage::new(eye, Scene::of(scripted::laptop())).reach_summary();
        assert!(
            stage.desk.borrow().installs.is_empty(),
            "nothing is asked for before the summary is confirmed"
        );
        stage.click("wizard-install");
        assert_eq!(place(&stage), Some(Place::Install));
        let (request, outbox) = stage.installation();
        assert_eq!(request.plan.candidate.id, "recommended");
        assert!(request.consent().is_some_and(|terms| terms.profile == "recommended"));
        assert!(request.options.autostart);

        scripted::half_way(&outbox);
        stage.harness.run();
        assert!(stage.sees("57\u{a0}%"));
        assert!(stage.sees(&stage.say("wizard-limited-by-network")));
        scripted::finish(&stage.installation().0, &outbox);
        stage.harness.run();
        assert_eq!(place(&stage), Some(Place::Result));
        assert!(stage.sees(&stage.say("wizard-result-verified")));

        stage.ask("fn main");
        let (prompt, answers) = stage.desk.borrow().questions[0].clone();
        assert_eq!(prompt, "fn main");
        scripted::answer(&answers, "fn main() {}");
        stage.harness.run();
        assert!(stage.sees("fn main() {}"));
        assert!(stage.sees(&stage.text.decimal(38.1, 1)));
        stage.click("wizard-finish");
        assert!(stage.harness.state().wants_to_close());
    });
}

#[test]
fn the_consent_page_is_skipped_when_not_needed() {
    in_both_languages(|eye| {
        let mut stage = Stage::new(eye, Scene::of(scripted::workstation())).reach_profile();
        stage.click("wizard-continue");
        assert_eq!(place(&stage), Some(Place::Summary));
        stage.click("wizard-install");
        assert!(stage.installation().0.consent().is_none());
    });
}

#[test]
fn consent_is_required_to_continue() {
    in_both_languages(|eye| {
        let mut stage = Stage::new(eye, Scene::of(scripted::laptop())).reach_consent();
        assert_eq!(place(&stage), Some(Place::Consent));
        assert!(stage.is_disabled("wizard-continue"));
        stage.harness.key_press(Key::Enter);
        stage.harness.run();
        assert_eq!(place(&stage), Some(Place::Consent), "the keyboard does not get around it");
        stage.tick_consent();
        assert!(!stage.is_disabled("wizard-continue"));
        stage.click("wizard-choose-another");
        assert_eq!(place(&stage), Some(Place::Profile));
        stage.click("wizard-continue");
        assert!(stage.is_disabled("wizard-continue"), "another visit must be ticked again");
    });
}

#[test]
fn a_refused_machine_shows_why_and_offers_the_emergency_mode_with_its_own_consent() {
    in_both_languages(|eye| {
        let mut stage = Stage::new(eye, Scene::of(scripted::office_machine())).reach_compatibility();
        assert!(stage.sees(&stage.say("wizard-compatibility-refused")));
        assert!(stage.sees("Intel UHD 620"));
        stage.click("wizard-emergency-choose");
        assert_eq!(place(&stage), Some(Place::Profile));
        assert_eq!(chosen(&stage), "emergency_cpu");
        stage.click("wizard-continue");
        assert_eq!(place(&stage), Some(Place::Consent));
        assert!(stage.sees(&stage.say("plan-reason-cpu-only-title")));
        assert!(stage.is_disabled("wizard-continue"), "not without consent");
        stage.tick_consent();
        stage.click("wizard-continue");
        stage.click("wizard-install");
        let (request, _) = stage.installation();
        assert!(request.plan.candidate.is_cpu_only());
        assert!(request.consent().is_some_and(|terms| terms.profile == "emergency_cpu"));
    });
}

#[test]
fn a_card_or_a_model_of_the_table_is_what_the_next_page_begins_with() {
    in_both_languages(|eye| {
        let mut stage = Stage::new(eye, Scene::of(scripted::laptop())).reach_compatibility();
        stage.choose(&stage.say("plan-choice-fastest"));
        stage.click("wizard-choose-profile");
        assert_eq!(chosen(&stage), "fastest");
        stage.click("wizard-back");
        stage.click("wizard-tab-models");
        stage.click("wizard-filter-experts");
        assert!(!stage.sees("Qwen2.5-Coder 7B (F16)"));
        stage.click("wizard-filter-whole");
        stage.click("wizard-table-context-head");
        let rows = stage.rows();
        let Page::Compatibility(page) = stage.harness.state().page() else { panic!("another page") };
        let whole = page.detected.report.choices.models.iter().find(|plan| {
            plan.verdict != Verdict::Refused
                && plan.gpu_layers() == plan.total_layers
                && plan.setting.n_cpu_moe == 0
        });
        let title = whole.expect("a model that fits whole").candidate.model.title.to_string();
        // Sorted by context, the largest first.
        let context = |row: &String| {
            let models = page.detected.report.choices.models.iter();
            let mut of_row = models.filter(|plan| row.starts_with(plan.candidate.model.title.as_str()));
            of_row.next().map(|plan| plan.candidate.context_tokens)
        };
        // The choices above the table have other names.
        let contexts: Vec<u32> = rows.iter().filter_map(context).collect();
        assert!(contexts.len() > 3 && contexts.is_sorted_by(|a, b| a >= b), "{rows:?}, {contexts:?}");
        stage.press_row(&title);
        stage.click("wizard-choose-profile");
        let Page::Profile(page) = stage.harness.state().page() else { panic!("not on the profile page") };
        assert_eq!(page.choice.plan.candidate.model.title.as_str(), title);
        assert_eq!(chosen(&stage), "custom");
    });
}

#[test]
fn experts_and_batch_can_be_changed_and_the_figures_follow() {
    let mut stage =
        Stage::new(Eye::blind(Language::English), Scene::of(scripted::workstation())).reach_profile();
    stage.click("wizard-advanced");
    let before = match stage.harness.state().page() {
        Page::Profile(page) => page.choice.plan.clone(),
        _ => panic!("not on the profile page"),
    };
    assert!(before.candidate.model.architecture.experts.is_some(), "{}", before.candidate.model.title);
    let label = stage.say("wizard-experts");
    stage.harness.get_by_role_and_label(Role::Slider, &label).focus();
    stage.harness.run();
    stage.harness.key_press(Key::ArrowRight);
    stage.harness.run();
    let Page::Profile(page) = stage.harness.state().page() else { panic!("not on the profile page") };
    let plan = &page.choice.plan;
    assert_eq!(plan.setting.n_cpu_moe, before.setting.n_cpu_moe + 1);
    assert_eq!(plan.gpu_layers(), plan.total_layers);
    assert!(plan.memory.ram_required_bytes > before.memory.ram_required_bytes);
    assert!(plan.memory.vram_required_bytes < before.memory.vram_required_bytes + (1 << 30));
}

#[test]
fn a_failed_installation_says_why_and_can_be_retried() {
    in_both_languages(|eye| {
        let mut stage = Stage::new(eye, Scene::of(scripted::laptop())).reach_install();
        let (_, outbox) = stage.installation();
        scripted::half_way(&outbox);
        scripted::fail(&outbox, "The connection was lost.");
        stage.harness.run();
        assert!(stage.sees("The connection was lost."));
        assert!(stage.sees(&stage.say("wizard-state-failed")), "its step says no more than that");
        stage.click("wizard-show-log");
        assert!(stage.sees("/home/ana/.acolyte/llm/engines/0.32.15"));
        stage.click("wizard-try-again");
        assert_eq!(stage.desk.borrow().installs.len(), 2);
        assert!(!stage.sees(&stage.say("wizard-install-failed")));
        let (request, outbox) = stage.installation();
        scripted::finish(&request, &outbox);
        stage.harness.run();
        assert_eq!(place(&stage), Some(Place::Result));
    });
}

#[test]
fn cancelling_asks_first_and_says_what_is_kept() {
    in_both_languages(|eye| {
        let mut stage = Stage::new(eye, Scene::of(scripted::laptop())).reach_install();
        let control = stage.desk.borrow().installs[0].1.clone();
        stage.click("wizard-cancel");
        assert!(stage.sees(&stage.say("wizard-ask-cancel-title")));
        stage.harness.key_press(Key::Escape);
        stage.harness.run();
        assert!(!stage.sees(&stage.say("wizard-ask-cancel-title")), "Esc closes the question");
        assert!(!control.is_cancelled());
        stage.click("wizard-cancel");
        stage.click("wizard-ask-cancel-yes");
        assert!(control.is_cancelled());
        assert!(stage.sees(&stage.say("wizard-install-stopping")));
        stage.installation().1.send(scripted::cancelled());
        stage.harness.run();
        assert!(stage.sees(&stage.say("wizard-install-kept")));
        stage.click("wizard-back");
        assert_eq!(place(&stage), Some(Place::Summary));
    });
}

#[test]
fn closing_the_window_while_installing_asks_first() {
    let mut stage = Stage::new(Eye::blind(Language::English), Scene::of(scripted::laptop())).reach_install();
    assert!(!stage.harness.state_mut().may_close());
    stage.harness.run();
    stage.click("wizard-ask-cancel-close");
    assert!(!stage.harness.state().wants_to_close(), "not before the worker is out");
    stage.installation().1.send(scripted::cancelled());
    stage.harness.run();
    assert!(stage.harness.state().wants_to_close());
}

#[test]
fn an_installation_pauses_and_resumes() {
    let mut stage = Stage::new(Eye::blind(Language::Spanish), Scene::of(scripted::laptop())).reach_install();
    let control = stage.desk.borrow().installs[0].1.clone();
    stage.click("wizard-pause");
    assert!(control.is_paused());
    assert!(stage.sees(&stage.say("wizard-install-paused")));
    stage.click("wizard-resume");
    assert!(!control.is_paused());
}

#[test]
fn the_reason_of_a_wait_is_shown() {
    let mut stage = Stage::new(Eye::blind(Language::English), Scene::of(scripted::laptop())).reach_install();
    let stalled = scripted::stalled();
    stage.installation().1.send(Message::InstallEvent(stalled.clone()));
    stage.harness.run();
    assert!(stage.sees(&stalled.activity.words(stage.text)));
}

#[test]
fn going_back_keeps_what_was_chosen() {
    in_both_languages(|eye| {
        let mut stage = Stage::new(eye, Scene::of(scripted::laptop())).reach_profile();
        stage.choose("light_6gb");
        stage.click("wizard-back");
        assert_eq!(place(&stage), Some(Place::Compatibility));
        stage.click("wizard-choose-profile");
        assert_eq!(chosen(&stage), "light_6gb");
        stage.harness.key_press_modifiers(Modifiers::ALT, Key::ArrowLeft);
        stage.harness.run();
        assert_eq!(place(&stage), Some(Place::Compatibility), "Alt+Left goes back");
        stage.click("wizard-step-welcome");
        assert_eq!(place(&stage), Some(Place::Welcome), "an earlier step can be clicked");
        stage.click("wizard-welcome-next");
        assert_eq!(stage.desk.borrow().detections, 1, "what was found is not asked again");
    });
}

fn chosen(stage: &Stage) -> String {
    match stage.harness.state().page() {
        Page::Profile(page) => page.choice.plan.candidate.id.clone(),
        _ => panic!("not on the profile page"),
    }
}

#[test]
fn only_legal_steps_can_be_clicked() {
    let stage =
        Stage::new(Eye::blind(Language::English), Scene::of(scripted::laptop())).reach_compatibility();
    for (key, open) in
        [("wizard-step-welcome", true), ("wizard-step-hardware", true), ("wizard-step-result", false)]
    {
        let label = stage.say(key);
        let buttons = stage.harness.query_all_by_role_and_label(Role::Button, &label).count();
        assert_eq!(buttons > 0, open, "{key}");
    }
    let stage = Stage::new(Eye::blind(Language::English), Scene::of(scripted::laptop())).reach_install();
    let label = stage.say("wizard-step-welcome");
    assert_eq!(
        stage.harness.query_all_by_role_and_label(Role::Button, &label).count(),
        0,
        "not while installing"
    );
}

#[test]
fn a_failed_detection_can_be_retried() {
    in_both_languages(|eye| {
        let scene = Scene { detection_fails: true, ..Scene::of(scripted::laptop()) };
        let mut stage = Stage::new(eye, scene).reach_hardware();
        assert!(stage.sees("The system did not answer."));
        assert!(stage.is_disabled("wizard-continue"));
        stage.click("wizard-detect-again");
        assert_eq!(stage.desk.borrow().detections, 2);
    });
}

#[test]
fn the_reference_table_covers_the_page_until_it_is_closed() {
    in_both_languages(|eye| {
        let mut stage = Stage::new(eye, Scene::of(scripted::laptop())).reach_compatibility();
        let title = stage.say("plan-reference-title");
        for by_key in [false, true] {
            stage.click("wizard-compare-reference");
            assert!(stage.sees(&title) && stage.sees(&stage.say("plan-reference-about")));
            for figure in ["6 + 8 GB", "24 + 16 GB", "5–10 tokens/s", "hybrid_8gb, 29"] {
                assert!(stage.sees(figure), "{figure}");
            }
            let here = stage.say("wizard-reference-here");
            assert_eq!(stage.harness.query_all_by_label_contains(&here).count(), 1);
            if by_key {
                stage.harness.key_press(Key::Escape);
                stage.harness.run();
            } else {
                stage.click("wizard-reference-close");
            }
            assert!(!stage.sees(&title));
            assert_eq!(place(&stage), Some(Place::Compatibility));
        }
    });
}

#[test]
fn the_page_is_shown_before_the_answer_arrives() {
    let scene = Scene { detection_waits: true, ..Scene::of(scripted::laptop()) };
    let mut stage = Stage::new(Eye::blind(Language::English), scene).reach_hardware();
    assert!(stage.sees(&stage.say("wizard-hardware-detecting")));
    assert!(stage.is_disabled("wizard-continue"));
    let outbox = stage.desk.borrow().outbox.clone().unwrap();
    outbox.send(Message::Detected(Ok(Scene::of(scripted::laptop()).detected())));
    stage.harness.run();
    assert!(stage.sees("GeForce RTX 4060 Laptop"));
}

#[test]
fn advanced_choices_change_the_predictions_at_once() {
    let mut stage = Stage::new(Eye::blind(Language::English), Scene::of(scripted::laptop())).reach_profile();
    stage.click("wizard-advanced");
    let label = stage.say("wizard-layers");
    stage.harness.get_by_role_and_label(Role::Slider, &label).focus();
    stage.harness.run();
    for _ in 0..9 {
        stage.harness.key_press(Key::ArrowLeft);
        stage.harness.run();
    }
    assert_eq!(chosen(&stage), "custom");
    let Page::Profile(page) = stage.harness.state().page() else { panic!("not on the profile page") };
    assert!(page.choice.plan.gpu_layers() < page.choice.plan.total_layers);
    let (layers, total) = (page.choice.plan.gpu_layers(), page.choice.plan.total_layers);
    assert!(stage.sees(&format!("{layers} of {total}")));
}

#[test]
fn an_invalid_port_disables_continue() {
    let mut stage = Stage::new(Eye::blind(Language::English), Scene::of(scripted::laptop())).reach_profile();
    stage.click("wizard-advanced");
    let label = stage.say("wizard-advanced-port");
    stage.harness.get_by_role_and_label(Role::TextInput, &label).focus();
    stage.harness.run();
    stage.harness.get_by_role_and_label(Role::TextInput, &label).type_text("80");
    stage.harness.run();
    assert!(stage.sees(&stage.say("wizard-port-wrong")));
    assert!(stage.is_disabled("wizard-continue"));
}

#[test]
fn the_language_switches_at_once() {
    let mut stage = Stage::new(Eye::blind(Language::English), Scene::of(scripted::laptop()));
    stage.harness.get_by_role_and_label(Role::RadioButton, "Español").click();
    stage.harness.run();
    assert!(stage.sees("Bienvenida"));
    stage.harness.get_by_role_and_label(Role::Button, "Analizar este equipo").click();
    stage.harness.run();
    assert!(stage.sees("Qué tiene este equipo"));
}

/// Everything that an installation has reported is put into words when it is drawn: rows, log, banner.
#[test]
fn a_language_switch_during_an_installation_changes_every_line_on_the_page() {
    let mut stage = Stage::new(Eye::blind(Language::English), Scene::of(scripted::laptop())).reach_install();
    let (_, outbox) = stage.installation();
    let mut events = scripted::events_half_way();
    events.push(scripted::stalled());
    for event in &events {
        outbox.send(Message::InstallEvent(event.clone()));
    }
    stage.harness.run();
    stage.click("wizard-show-log");
    let switched = |stage: &mut Stage, events: &[Event]| {
        let (english, spanish) = (Text::new(Language::English), Text::new(Language::Spanish));
        let pairs: Vec<(String, String)> = events
            .iter()
            .map(|event| (event.activity.words(english), event.activity.words(spanish)))
            .collect();
        assert!(pairs.iter().all(|(english, spanish)| english != spanish), "{pairs:#?}");
        for (before, after) in &pairs {
            assert!(stage.sees(before) && !stage.sees(after), "{before}");
        }
        stage.switch_to(Language::Spanish);
        for (before, after) in &pairs {
            assert!(stage.sees(after) && !stage.sees(before), "{after}");
        }
        stage.switch_to(Language::English);
    };
    switched(&mut stage, &events);

    scripted::fail_with(&outbox, scripted::disk_short());
    stage.harness.run();
    let ended = Activity::Ended(Arc::new(scripted::disk_short()));
    events.push(scripted::event(Step::PullModel, StepState::Failed, ended));
    switched(&mut stage, &events);
}

#[test]
fn a_report_is_shown_whole_before_it_is_saved() {
    in_both_languages(|eye| {
        let scene = Scene { report_waits: true, ..Scene::of(scripted::laptop()) };
        let mut stage = Stage::new(eye, scene).reach_hardware();
        stage.click("wizard-save-report");
        let contents = stage.desk.borrow().reports[0].clone();
        assert_eq!(contents.detected.unwrap().hardware, scripted::laptop());
        assert!(stage.sees(&stage.say("wizard-ask-save-building")));
        assert!(stage.is_disabled("wizard-ask-save-yes") && stage.is_disabled("wizard-ask-save-copy"));
        let outbox = stage.desk.borrow().outbox.clone().unwrap();
        outbox.send(Message::ReportBuilt(Ok(scripted::report())));
        stage.harness.run();
        assert_eq!(shown_report(&stage), *scripted::report());
        assert!(stage.desk.borrow().saved.is_empty());

        stage.click("wizard-ask-save-copy");
        assert!(stage.sees(&stage.say("wizard-next-copied")));
        // What is shown cannot be changed, by typing or by another answer.
        let label = stage.say("wizard-ask-save-report");
        stage.harness.get_by_role_and_label(Role::MultilineTextInput, &label).focus();
        stage.harness.run();
        stage.harness.get_by_role_and_label(Role::MultilineTextInput, &label).type_text("x");
        outbox.send(Message::ReportBuilt(Ok("another".into())));
        stage.harness.run();
        assert_eq!(shown_report(&stage), *scripted::report());
        stage.click("wizard-ask-save-yes");
        {
            let desk = stage.desk.borrow();
            let (report, path) = &desk.saved[0];
            assert_eq!(*report, scripted::report(), "what was shown is what is saved");
            assert_eq!(path.file_name().unwrap(), "acolyte-report.json");
        }
        assert!(stage.sees("acolyte-report.json"));
        assert!(!stage.sees(&stage.say("wizard-ask-save-title")), "the question is answered");
    });
}

fn shown_report(stage: &Stage) -> String {
    let label = stage.say("wizard-ask-save-report");
    let panel = stage.harness.get_by_role_and_label(Role::MultilineTextInput, &label);
    panel.accesskit_node().value().unwrap_or_default()
}

#[test]
fn a_report_that_was_closed_is_not_saved() {
    in_both_languages(|eye| {
        let mut stage = Stage::new(eye, Scene::of(scripted::laptop())).reach_hardware();
        stage.click("wizard-save-report");
        stage.click("wizard-ask-save-no");
        assert!(!stage.sees(&stage.say("wizard-ask-save-title")));
        assert!(stage.desk.borrow().saved.is_empty());
    });
}

#[test]
fn a_report_that_cannot_be_built_says_why_and_cannot_be_saved() {
    in_both_languages(|eye| {
        let scene = Scene { report_waits: true, ..Scene::of(scripted::laptop()) };
        let mut stage = Stage::new(eye, scene).reach_hardware();
        stage.click("wizard-save-report");
        let outbox = stage.desk.borrow().outbox.clone().unwrap();
        outbox.send(Message::ReportBuilt(Err(scripted::error("no memory is left"))));
        stage.harness.run();
        assert!(stage.sees("no memory is left"));
        assert!(stage.is_disabled("wizard-ask-save-yes"));
    });
}

#[test]
fn a_dialog_that_does_not_open_leaves_the_typed_path() {
    in_both_languages(|eye| {
        let mut stage = Stage::new(eye, Scene::of(scripted::laptop())).reach_hardware();
        stage.click("wizard-save-report");
        stage.click("wizard-ask-save-dialog");
        assert_eq!(stage.desk.borrow().dialogs, 1);
        assert!(stage.sees(&stage.say("wizard-ask-save-title")), "a path can still be typed");
        stage.click("wizard-ask-save-yes");
        assert_eq!(stage.desk.borrow().saved.len(), 1);
        assert!(!stage.sees(&stage.say("wizard-ask-save-title")));
    });
}

#[test]
fn refusals_of_ollama_are_shown_with_advice_and_a_link() {
    in_both_languages(|eye| {
        let machine = scripted::troubled_desktop();
        let mut stage = Stage::new(eye, Scene::of(machine.clone())).reach_hardware();
        for note in &machine.notes {
            assert!(stage.sees(&note.explain(stage.text)), "{note:?}");
        }
        assert!(stage.sees(&machine.gpus[0].refusal().unwrap().title(stage.text)));
        stage.click("hardware-link-nvidia");
        stage.click("hardware-link-windows");
        assert_eq!(
            stage.desk.borrow().links,
            ["https://www.nvidia.com/drivers", "https://www.microsoft.com/software-download"]
        );
    });
}

#[test]
fn a_failed_source_can_be_retried_from_its_note() {
    in_both_languages(|eye| {
        let mut stage = Stage::new(eye, Scene::of(scripted::troubled_desktop())).reach_hardware();
        assert_eq!(stage.desk.borrow().detections, 1);
        stage.click("wizard-hardware-ask-again");
        assert_eq!(stage.desk.borrow().detections, 2);
    });
}

#[test]
fn engines_models_and_free_space_are_shown() {
    in_both_languages(|eye| {
        let stage = Stage::new(eye, Scene::of(scripted::troubled_desktop())).reach_hardware();
        for words in ["0.31.2", "11434", "qwen3:8b", "qwen2.5-coder:7b", "HDD", ".ollama"] {
            assert!(stage.sees(words), "{words}");
        }
        let text = stage.text;
        let (needed, missing) = (text.file_size(9_300_000_000), text.file_size(6_300_000_000));
        assert!(stage.sees(&needed) && stage.sees(&missing));
        assert!(stage.sees(&stage.say("wizard-hardware-engine-exposed")));
    });
}

/// A card that reports 8,188 MiB is shown as 8 GB, and its free memory as 7.6 GB.
#[test]
fn sizes_are_the_advertised_ones() {
    let machine = Hardware::from_json(
        r#"{"schema": 1, "memory": {"total_bytes": 17179869184}, "gpus": [{"name": "Card", "kind": "discrete",
            "vram_total_bytes": 8585740288, "vram_free_bytes": 8160437862}]}"#,
        std::path::Path::new("card.json"),
    )
    .unwrap();
    let stage = Stage::new(Eye::blind(Language::English), Scene::of(machine.clone())).reach_hardware();
    assert!(stage.sees("8\u{a0}GB memory (8,188 MiB)") && stage.sees("7.6\u{a0}GB free of 8 now"));
    let terminal = acolyte::sentences::report::hardware(&machine, stage.text);
    assert!(terminal.contains("7.6\u{a0}GB free of 8\u{a0}GB"), "{terminal}");
}

#[test]
fn manage_opens_where_there_is_an_installation() {
    in_both_languages(|eye| {
        let request = Stage::new(eye, Scene::of(scripted::laptop())).reach_install().installation().0;
        let removal = Removal {
            paths: vec!["/home/ana/.acolyte/ollama/0.32.15".into(), "/home/ana/.acolyte/llm/journal".into()],
            folders: vec!["/home/ana/.acolyte".into()],
            models: vec![RemovedModel {
                tag: ModelTag::parse("qwen2.5-coder:7b").unwrap(),
                models_dir: "/home/ana/.acolyte/models".into(),
                bytes: 4_700_000_000,
            }],
            unfinished_model_bytes: 1_200_000_000,
            login_entries: vec!["/home/ana/.config/autostart/acolyte-ollama.desktop".to_owned()],
            server_runs: true,
            edited_files: vec!["/home/ana/.bashrc".into()],
            ..Removal::default()
        };
        let scene = Scene {
            installation: Some(scripted::installation(&request, eye.language)),
            removal: removal.clone(),
            ..Scene::of(scripted::laptop())
        };
        let mut stage = Stage::new(eye, scene.clone());
        assert!(matches!(stage.harness.state().page(), Page::Manage(_)));
        assert!(stage.sees(&stage.say("wizard-manage-well")));

        stage.click("wizard-manage-stop");
        let (action, outbox) = stage.desk.borrow().actions[0].clone();
        assert_eq!(action, ManageAction::Stop);
        outbox.send(Message::Managed(action, Ok(())));
        stage.harness.run();

        stage.click("wizard-manage-remove");
        assert!(stage.sees(&stage.say("wizard-ask-remove-title")));
        for line in removal.lines(false, stage.text) {
            assert!(stage.sees(&line), "it is not said that this goes: {line}");
        }
        assert_eq!(
            stage.desk.borrow().actions.len(),
            1,
            "nothing is removed before the question is answered"
        );
        stage.tick("wizard-ask-remove-keep");
        stage.click("wizard-ask-remove-yes");
        let (action, outbox) = stage.desk.borrow().actions[1].clone();
        assert_eq!(action, ManageAction::Remove { keep_models: true });
        outbox.send(Message::Managed(action, Ok(())));
        stage.harness.run();
        assert!(stage.sees(&stage.say("wizard-manage-removed")));

        let mut stage = Stage::new(eye, scene);
        stage.click("wizard-change-profile");
        assert_eq!(place(&stage), Some(Place::Hardware));
        assert_eq!(stage.desk.borrow().detections, 1);
    });
}

#[test]
fn the_banner_on_manage_is_in_the_language_of_the_window() {
    let request = Stage::new(Eye::blind(Language::English), Scene::of(scripted::laptop()))
        .reach_install()
        .installation()
        .0;
    let banner = |language| sentences::banner(&request.plan, Text::new(language)).unwrap();
    let mut installation = scripted::installation(&request, Language::English);
    let scene = Scene { installation: Some(installation.clone()), ..Scene::of(scripted::laptop()) };
    let mut stage = Stage::new(Eye::blind(Language::Spanish), scene);
    assert!(stage.sees(&banner(Language::Spanish)) && !stage.sees(&banner(Language::English)));
    stage.switch_to(Language::English);
    assert!(stage.sees(&banner(Language::English)));

    // Earlier versions wrote the sentence only.
    installation.installed.profile.limits.clear();
    let scene = Scene { installation: Some(installation), ..Scene::of(scripted::laptop()) };
    assert!(Stage::new(Eye::blind(Language::Spanish), scene).sees(&banner(Language::English)));
}

#[test]
fn everything_can_be_done_with_the_keyboard() {
    let mut stage = Stage::new(Eye::blind(Language::English), Scene::of(scripted::laptop()));
    let expected = [Place::Hardware, Place::Compatibility, Place::Profile, Place::Consent];
    for place_wanted in expected {
        stage.harness.key_press(Key::Enter);
        stage.harness.run();
        assert_eq!(place(&stage), Some(place_wanted));
    }
    for _ in 0..40 {
        let focused =
            stage.harness.query_all_by_role(Role::CheckBox).any(|node| node.accesskit_node().is_focused());
        if focused {
            break;
        }
        stage.harness.key_press(Key::Tab);
        stage.harness.run();
    }
    stage.harness.key_press(Key::Space);
    stage.harness.run();
    assert!(!stage.is_disabled("wizard-continue"), "the tick is reached with Tab and set with Space");
}

#[test]
fn a_small_window_reaches_everything() {
    for language in Language::ALL {
        let eye = Eye { size: (800.0, 560.0), ..Eye::blind(language) };
        let stage = Stage::new(eye, Scene::of(scripted::laptop())).reach_summary();
        let label = stage.say("wizard-install");
        let button = stage.harness.get_by_role_and_label(Role::Button, &label).rect();
        assert!(button.right() <= 800.0 && button.bottom() <= 560.0, "{button:?}");
    }
}

#[test]
fn an_idle_window_does_not_ask_to_be_drawn() {
    let mut stage = Stage::new(Eye::blind(Language::English), Scene::of(scripted::laptop())).reach_install();
    scripted::half_way(&stage.installation().1);
    stage.harness.run();
    assert_eq!(stage.harness.run(), 1, "one pass, and no wish for another");
}

#[test]
fn window_settings_are_remembered() {
    let liked = Settings {
        language: Some(Language::Spanish),
        dark: Some(true),
        appearance: Appearance { text_percent: 130, high_contrast: false, still: true },
    };
    let scene = Scene { settings: liked, ..Scene::of(scripted::laptop()) };
    let mut stage = Stage::new(Eye::blind(Language::English), scene).reach_install();
    assert_eq!(stage.text.language(), Language::English, "what the command line says comes first");
    assert_eq!(stage.harness.ctx.theme(), Theme::Dark);
    assert!((stage.harness.ctx.zoom_factor() - 1.3).abs() < 0.001);
    assert!(stage.harness.ctx.style_of(Theme::Dark).animation_time == 0.0);
    assert_eq!(stage.desk.borrow().remembered, [], "nothing has changed");

    stage.click("wizard-theme-light");
    let changed = Settings { dark: Some(false), ..liked };
    assert_eq!(stage.desk.borrow().remembered, [changed]);
    assert_eq!(stage.harness.ctx.theme(), Theme::Light);
    let (request, outbox) = stage.installation();
    scripted::finish(&request, &outbox);
    stage.harness.run();
    assert_eq!(stage.desk.borrow().remembered, [changed, changed], "again, now that there is a place for it");
}

#[test]
fn larger_text_more_contrast_and_no_motion_are_one_button_away() {
    in_both_languages(|eye| {
        let mut stage = Stage::new(eye, Scene::of(scripted::laptop()));
        let before = (stage.harness.ctx.zoom_factor(), stage.harness.ctx.style_of(Theme::Light));
        stage.click("wizard-appearance");
        let (large, usual) = (stage.text.percent(1.3), stage.text.percent(1.0));
        stage.press(&large);
        stage.press(&stage.say("wizard-high-contrast"));
        stage.press(&stage.say("wizard-still"));
        let after = stage.harness.ctx.style_of(Theme::Light);
        assert!((stage.harness.ctx.zoom_factor() - 1.3).abs() < 0.001, "from {}", before.0);
        assert_ne!(after.visuals.panel_fill, before.1.visuals.panel_fill);
        assert!(after.animation_time == 0.0);
        // And back in the same way.
        stage.press(&stage.say("wizard-high-contrast"));
        stage.press(&stage.say("wizard-still"));
        stage.press(&usual);
        let back = stage.harness.ctx.style_of(Theme::Light);
        assert_eq!(back.visuals.panel_fill, before.1.visuals.panel_fill);
        assert!(back.animation_time > 0.0);
    });
}

#[test]
fn table_and_card_show_how_good_a_model_is() {
    in_both_languages(|eye| {
        let stage = Stage::new(eye, Scene::of(scripted::laptop())).reach_compatibility();
        let basic = format!("★★☆☆☆ {}", stage.say("plan-quality-basic"));
        assert!(stage.harness.query_all_by_label_contains(&basic).count() > 0, "the table");
        let stage = Stage::new(eye, Scene::of(scripted::laptop())).reach_profile();
        assert!(stage.harness.query_all_by_label_contains(&basic).count() > 0, "the card");
        let who = stage.say("plan-quality-independent");
        assert!(
            stage.harness.query_all_by_label_contains(&format!("%, {who}")).count() > 0,
            "the score that counts most, and who measured it"
        );
    });
}
