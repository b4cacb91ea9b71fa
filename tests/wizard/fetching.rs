//! Engine and network in the advanced settings, and on the summary.

use acolyte::install::reuse::InstalledEngine;
use acolyte::install::{EngineChoice, EngineSource};
use acolyte::ollama::http::HttpOptions;
use acolyte::ollama::release::Release;
use acolyte::text::Language;
use acolyte::wizard::backend::{Message, PathField, WorkerError};
use eframe::egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::scripted::{self, Scene};
use super::stage::{Eye, Stage};

/// Started with `--ollama newest`.
pub fn newest_scene() -> Scene {
    Scene { wants_newest: true, ..Scene::of(scripted::laptop()) }
}

/// An Ollama is on this machine.
pub fn here_scene() -> Scene {
    let engine = InstalledEngine {
        version: "0.33.1".to_owned(),
        program: "/usr/local/bin/ollama".into(),
        bytes: 4_000_000_000,
    };
    Scene { reusable_engine: Some(engine), ..Scene::of(scripted::laptop()) }
}

fn answer(stage: &mut Stage, found: Result<Box<Release>, WorkerError>) {
    let (_, outbox) = stage.desk.borrow().newest.last().expect("it was looked for").clone();
    outbox.send(Message::NewestFound(found));
    stage.harness.run();
}

pub fn newest_found(stage: &mut Stage) {
    let mut release = Release::built_in().clone();
    release.version = "0.35.1".to_owned();
    answer(stage, Ok(Box::new(release)));
}

pub fn newest_missing(stage: &mut Stage) {
    let why = "The newest release cannot be found: github.com (no connection).";
    answer(stage, Err(scripted::error(why)));
}

fn summary(mut stage: Stage) -> Stage {
    stage.click("wizard-continue");
    stage.tick_consent();
    stage.click("wizard-continue");
    stage
}

#[test]
fn the_newest_release_is_awaited_and_marked_less_certain() {
    for language in Language::ALL {
        let mut stage = Stage::new(Eye::blind(language), newest_scene()).reach_profile();
        assert!(stage.is_disabled("wizard-continue"), "what will be installed is not known yet");
        newest_found(&mut stage);
        let mut stage = summary(stage);
        assert!(stage.sees("Ollama 0.35.1"));
        assert!(stage.sees(&stage.say("source-newest")));
        stage.click("wizard-install");
        let source = stage.installation().0.options.source;
        assert!(matches!(source.choice, EngineChoice::Newest(release) if release.version == "0.35.1"));
    }
}

#[test]
fn without_the_newest_release_the_pinned_one_is_offered_with_the_reason() {
    let mut stage = Stage::new(Eye::blind(Language::English), newest_scene()).reach_profile();
    newest_missing(&mut stage);
    stage.click("wizard-advanced");
    assert!(stage.sees("github.com (no connection)") && stage.sees("0.32.15"));
    let mut stage = summary(stage);
    assert!(stage.sees(&stage.say("source-pinned")));
    stage.click("wizard-install");
    assert_eq!(stage.installation().0.options.source.choice, EngineChoice::Pinned);
}

#[test]
fn an_installed_ollama_is_offered_first_and_not_downloaded() {
    let mut stage = Stage::new(Eye::blind(Language::English), here_scene()).reach_summary();
    assert!(stage.sees("Ollama 0.33.1") && stage.sees(&stage.say("plan-already-here")));
    assert!(stage.sees("/usr/local/bin/ollama"));
    stage.click("wizard-install");
    assert!(matches!(stage.installation().0.options.source.choice, EngineChoice::Installed(_)));
}

#[test]
fn network_settings_are_validated_and_used() {
    for language in Language::ALL {
        let mut stage = Stage::new(Eye::blind(language), Scene::of(scripted::laptop())).reach_profile();
        stage.click("wizard-advanced");
        for (field, wrong, says, right) in [
            ("wizard-network-proxy", "ftp://proxy", "wizard-network-proxy-wrong", "ana:s3cret@proxy:3128"),
            ("wizard-network-rate", "fast", "wizard-network-rate-wrong", "5M"),
            (
                "wizard-engine-mirror",
                "mirror",
                "wizard-engine-mirror-wrong",
                "https://a.example/x http://b.example",
            ),
            ("wizard-network-ca", "ca.pem", "wizard-folder-not-absolute", "/etc/ca.pem"),
        ] {
            stage.type_into(field, wrong);
            assert!(stage.sees(&stage.say(says)), "{field}");
            assert!(stage.is_disabled("wizard-continue"), "{field}");
            stage.type_into(field, right);
            assert!(!stage.sees(&stage.say(says)), "{field}");
            assert!(!stage.is_disabled("wizard-continue"), "{field}");
        }
        let mut stage = summary(stage);
        stage.click("wizard-install");
        let source = stage.installation().0.options.source;
        assert_eq!(source.max_bytes_per_s, Some(5 << 20));
        assert_eq!(source.mirrors, ["https://a.example/x", "http://b.example"]);
        assert_eq!(source.http.ca_file, Some("/etc/ca.pem".into()));
        let proxy = source.http.proxy.unwrap();
        assert_eq!(proxy.with_secrets().password(), Some("s3cret"));
        assert_eq!(proxy.to_string(), "http://proxy:3128");
    }
}

#[test]
fn an_archive_is_picked_with_the_systems_dialog() {
    let mut stage = Stage::new(Eye::blind(Language::English), Scene::of(scripted::laptop())).reach_profile();
    stage.click("wizard-advanced");
    stage.scroll_to("wizard-engine-archive");
    let label = stage.text.say("wizard-browse-for", &[("what", stage.say("wizard-engine-archive").into())]);
    stage.click_label(&label);
    let (of, outbox) = stage.desk.borrow().pickers[0].clone();
    assert_eq!(of, PathField::Archive);
    outbox.send(Message::PathPicked(of, Some("/media/usb/ollama.tar.zst".into())));
    stage.harness.run();
    let mut stage = summary(stage);
    assert!(stage.sees(&stage.say("plan-already-here")));
    stage.click("wizard-install");
    let archives = stage.installation().0.options.source.archives;
    assert_eq!(archives, [std::path::PathBuf::from("/media/usb/ollama.tar.zst")]);
}

#[test]
fn a_proxy_of_the_command_line_keeps_its_password_without_showing_it() {
    let http = HttpOptions { proxy: Some("ana:s3cret@proxy:3128".parse().unwrap()), ca_file: None };
    let source = EngineSource { http, ..EngineSource::default() };
    let scene = Scene { source, ..Scene::of(scripted::laptop()) };
    let mut stage = Stage::new(Eye::blind(Language::English), scene).reach_profile();
    stage.click("wizard-advanced");
    let label = stage.say("wizard-network-proxy");
    let field = stage.harness.get_by_role_and_label(Role::TextInput, &label);
    assert_eq!(field.accesskit_node().value().as_deref(), Some("http://proxy:3128"));
    let mut stage = summary(stage);
    stage.click("wizard-install");
    let proxy = stage.installation().0.options.source.http.proxy.unwrap();
    assert_eq!(proxy.with_secrets().password(), Some("s3cret"));
}
