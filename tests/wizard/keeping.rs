//! The tick that keeps this program on the computer, and what Manage says of the kept copy.

use acolyte::install::InstallError;
use acolyte::install::keep::KeptFile;
use acolyte::install::manage::keep::KeepPreview;
use acolyte::install::manage::kept::Kept;
use acolyte::text::Language;
use acolyte::wizard::backend::{ManageAction, Message};
use acolyte::wizard::flow::Page;
use eframe::egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;

use super::scripted::{self, Scene};
use super::stage::{Eye, Stage};

fn at_summary(language: Language, keep: KeepPreview) -> Stage {
    let scene = Scene { keep, ..Scene::of(scripted::laptop()) };
    Stage::new(Eye::blind(language), scene).reach_summary()
}

#[test]
fn the_tick_is_on_names_each_file_and_can_be_taken_off() {
    for language in Language::ALL {
        for ticked in [true, false] {
            let mut stage = at_summary(language, scripted::keep_preview());
            let label = stage.say("wizard-keep");
            if !ticked {
                stage.harness.get_by_role_and_label(Role::CheckBox, &label).click_accesskit();
                stage.harness.run();
            }
            stage.click("wizard-install");
            assert_eq!(stage.desk.borrow().keeps, [ticked]);
        }
        let preview = scripted::keep_preview();
        let changes = preview.changes(acolyte::text::Text::new(language)).join(" ");
        for path in preview.profile_files.iter().chain(&preview.menu_entry) {
            assert!(changes.contains(path.to_str().unwrap()), "{changes}");
        }
    }
}

#[test]
fn a_newer_copy_is_never_replaced() {
    let newer = KeepPreview { newer_kept: Some("99.0.0".to_owned()), ..scripted::keep_preview() };
    let mut stage = at_summary(Language::English, newer);
    let label = stage.say("wizard-keep");
    assert!(stage.harness.query_by_role_and_label(Role::CheckBox, &label).is_none());
    stage.click("wizard-install");
    assert_eq!(stage.desk.borrow().keeps, [false]);
}

#[test]
fn the_last_page_says_whether_it_is_kept() {
    for language in Language::ALL {
        let mut stage = Stage::new(Eye::blind(language), Scene::of(scripted::laptop())).reach_install();
        let (request, outbox) = stage.installation();
        let kept = Kept { version: "0.1.0".to_owned(), ..Kept::default() };
        let words = kept.lines(stage.text).join("\n");
        outbox.send(Message::ProgramKept(Ok(Box::new(kept))));
        outbox.send(Message::InstallEnded(Ok(Box::new(scripted::receipt(&request)))));
        stage.harness.run();
        assert!(matches!(stage.harness.state().page(), Page::Result(_)) && stage.sees(&words), "{words}");

        let mut stage = Stage::new(Eye::blind(language), Scene::of(scripted::laptop())).reach_install();
        let (request, outbox) = stage.installation();
        let error = InstallError::NewerIsKept { version: "99.0.0".into() };
        let cause = error.explain(stage.text);
        outbox.send(Message::ProgramKept(Err(error.into())));
        outbox.send(Message::InstallEnded(Ok(Box::new(scripted::receipt(&request)))));
        stage.harness.run();
        let words = acolyte::say!(stage.text, "keep-failed-after-install", cause = cause);
        assert!(stage.sees(&words), "{words}");
    }
}

#[test]
fn a_newer_download_offers_to_replace_the_kept_copy() {
    for language in Language::ALL {
        let request =
            Stage::new(Eye::blind(language), Scene::of(scripted::laptop())).reach_install().installation().0;
        let with_version = |version: &str| {
            let mut installation = scripted::installation(&request, language);
            installation.kept = Some(KeptFile { version: version.into(), ..KeptFile::of_this_version() });
            let scene = Scene { installation: Some(installation), ..Scene::of(scripted::laptop()) };
            Stage::new(Eye::blind(language), scene)
        };
        let mut stage = with_version("0.0.9");
        let label = stage.say("wizard-keep-replace");
        stage.harness.get_by_role_and_label(Role::Button, &label).click_accesskit();
        stage.harness.run();
        let (action, outbox) = stage.desk.borrow().actions.pop().unwrap();
        assert_eq!(action, ManageAction::Keep);
        // It is read again, and is this one now.
        stage.desk.borrow().kept = Some(Some(KeptFile::of_this_version()));
        outbox.send(Message::Managed(action, Ok(())));
        stage.harness.run();
        assert!(stage.harness.query_by_role_and_label(Role::Button, &label).is_none(), "it is this one now");

        for other in [env!("CARGO_PKG_VERSION"), "99.0.0"] {
            let stage = with_version(other);
            assert!(stage.harness.query_by_role_and_label(Role::Button, &label).is_none(), "{other}");
        }
    }
}

#[test]
fn manage_keeps_the_program_and_removes_it_again() {
    for language in Language::ALL {
        let request =
            Stage::new(Eye::blind(language), Scene::of(scripted::laptop())).reach_install().installation().0;
        let scene = Scene {
            installation: Some(scripted::installation(&request, language)),
            ..Scene::of(scripted::laptop())
        };
        let mut stage = Stage::new(Eye::blind(language), scene);
        let preview = scripted::keep_preview().changes(stage.text).join(", ");
        assert!(stage.harness.query_by_label_contains(&preview).is_some(), "it is said before");
        for (key, wanted, kept) in [
            ("wizard-keep", ManageAction::Keep, Some(KeptFile::of_this_version())),
            ("wizard-kept-remove", ManageAction::RemoveKept, None),
        ] {
            let label = stage.say(key);
            stage.harness.get_by_role_and_label(Role::Button, &label).click_accesskit();
            stage.harness.run();
            let (action, outbox) = stage.desk.borrow().actions.last().cloned().unwrap();
            assert_eq!(action, wanted);
            stage.desk.borrow().kept = Some(kept);
            outbox.send(Message::Managed(action, Ok(())));
            stage.harness.run();
            assert!(stage.harness.query_by_role_and_label(Role::Button, &label).is_none(), "{key}");
        }
    }
}

/// The button of Windows' list of installed apps opens the window with the question.
#[test]
fn the_window_can_open_with_the_question_whether_to_remove() {
    let request = Stage::new(Eye::blind(Language::English), Scene::of(scripted::laptop()))
        .reach_install()
        .installation()
        .0;
    for asks in [true, false] {
        let installation = Some(scripted::installation(&request, Language::English));
        let scene = Scene { installation, asks_to_remove: asks, ..Scene::of(scripted::laptop()) };
        let stage = Stage::new(Eye::blind(Language::English), scene);
        let question = stage.say("wizard-ask-remove-keep");
        let is_asked = stage.harness.query_by_role_and_label(Role::CheckBox, &question).is_some();
        assert_eq!(is_asked, asks);
    }
}
