//! Newer versions in the window: the choice on the first page, and what Manage shows and installs.

use acolyte::install::EngineChoice;
use acolyte::install::updates::{EngineUpdate, ModelUpdate, ProgramUpdate, Updates};
use acolyte::models::ModelTag;
use acolyte::ollama::release::Release;
use acolyte::text::Language;
use acolyte::wizard::backend::KnownUpdates;
use acolyte::wizard::flow::Page;
use eframe::egui::accesskit::Toggled;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use semver::Version;

use super::scripted::{self, Scene};
use super::stage::{Eye, Stage, in_both_languages};

/// A newer program, engine and model.
pub fn all() -> Updates {
    let release = Release { version: "0.99.1".to_owned(), ..Release::built_in().clone() };
    Updates {
        program: Some(ProgramUpdate {
            version: Version::new(9, 0, 0),
            page: "https://example.org/acolyte".into(),
            bytes: Some(12_000_000),
            changes: serde_json::from_str(r#"{"en": "New models.", "es": "Modelos nuevos."}"#).unwrap(),
        }),
        engine: Some(EngineUpdate {
            version: release.version.as_str().into(),
            signed: Some(Box::new(release)),
            bytes: Some(1_900_000_000),
            changes: serde_json::from_str(r#"{"en": "Faster.", "es": "Más rápido."}"#).unwrap(),
        }),
        model: Some(ModelUpdate {
            model: ModelTag::parse("qwen2.5-coder:7b").unwrap(),
            bytes: 4_700_000_000,
            digest: "sha256:1".into(),
        }),
        problems: Vec::new(),
    }
}

/// A machine with an installation, for which this is known.
pub fn scene(eye: Eye, updates: KnownUpdates) -> Scene {
    let request = Stage::new(eye, Scene::of(scripted::laptop())).reach_install().installation().0;
    let installation = Some(scripted::installation(&request, eye.language));
    Scene { installation, updates, ..Scene::of(scripted::laptop()) }
}

#[test]
fn nothing_is_looked_for_unless_the_user_ticks_it_on_the_first_page() {
    let request = |ticks: usize| {
        let mut stage = Stage::new(Eye::blind(Language::English), Scene::of(scripted::laptop()));
        for _ in 0..ticks {
            stage.tick("wizard-updates-daily");
        }
        stage.reach_install().installation().0.options.daily_updates
    };
    assert_eq!(request(0), None);
    assert_eq!(request(1), Some(true));
    assert_eq!(request(2), Some(false));
}

#[test]
fn manage_shows_what_is_newer_with_what_it_changes_and_its_size() {
    in_both_languages(|eye| {
        let known = KnownUpdates { daily: true, updates: all() };
        let mut stage = Stage::new(eye, scene(eye, known.clone()));
        let installed = stage.installed();
        let lines = [
            known.updates.program.as_ref().unwrap().words(stage.text),
            known.updates.engine.as_ref().unwrap().words(&installed, stage.text),
            known.updates.model.as_ref().unwrap().words(stage.text),
        ];
        for line in lines {
            assert!(stage.sees(&line), "{line}");
        }
        assert_eq!(stage.desk.borrow().looks, [false], "as it is known; asked again only if that is due");
        stage.click("wizard-updates-page");
        assert_eq!(stage.desk.borrow().links, ["https://example.org/acolyte"]);
        stage.click("wizard-updates-look");
        assert_eq!(stage.desk.borrow().looks, [false, true]);
    });
}

#[test]
fn engine_and_model_are_installed_on_request_with_the_choices_made_before() {
    let eye = Eye::blind(Language::English);
    let known = KnownUpdates { daily: false, updates: all() };
    let mut stage = Stage::new(eye, scene(eye, known));
    stage.click("wizard-updates-install");
    assert!(matches!(stage.harness.state().page(), Page::Install(_)), "{}", stage.harness.state().heading());
    let request = stage.installation().0;
    assert!(
        matches!(&request.options.source.choice, EngineChoice::Signed(release) if release.version == "0.99.1")
    );
    assert!(request.options.refresh_model);
}

#[test]
fn where_nothing_is_newer_there_is_nothing_to_install() {
    in_both_languages(|eye| {
        let mut stage = Stage::new(eye, scene(eye, KnownUpdates::default()));
        assert!(stage.sees(&stage.say("wizard-updates-none-known")));
        assert!(!stage.sees(&stage.say("wizard-updates-install")));
        stage.tick("wizard-updates-daily");
        let label = stage.say("wizard-updates-daily");
        let tick = stage.harness.get_by_label(&label);
        assert_eq!(tick.accesskit_node().toggled(), Some(Toggled::True));
    });
}
