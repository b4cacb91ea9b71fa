//! Pictures of every page, for review: `ACOLYTE_PICTURES=FOLDER cargo test --test wizard pictures`. With
//! `ACOLYTE_PICTURES_OF=PART`, only those whose name (`PAGE-LANGUAGE-THEME-SCALE-WIDTH`) contains this part.

use acolyte::plan::Tip;
use acolyte::text::Language;
use eframe::egui::Theme;

use super::scripted::{self, Scene};
use super::stage::{Eye, Stage};

#[test]
fn pictures() {
    let Some(folder) = std::env::var_os("ACOLYTE_PICTURES").map(std::path::PathBuf::from) else {
        eprintln!("no pictures: ACOLYTE_PICTURES names no folder");
        return;
    };
    let only = std::env::var("ACOLYTE_PICTURES_OF").unwrap_or_default();
    std::fs::create_dir_all(&folder).unwrap();
    for eye in eyes() {
        let theme = if eye.theme == Theme::Dark { "dark" } else { "light" };
        let (tag, scale, width) = (eye.language.tag(), eye.pixels_per_point, eye.size.0);
        for (page, stage) in PAGES {
            let name = format!("{page}-{tag}-{theme}-{scale}x-{width}");
            if !name.contains(&only) {
                continue;
            }
            let mut stage = stage(eye);
            // Remove the pointer, so that nothing is drawn as hovered.
            stage.harness.remove_cursor();
            stage.harness.run();
            stage.harness.render().unwrap().save(folder.join(format!("{name}.png"))).unwrap();
        }
    }
}

/// The smallest window, the initial one and a laptop's screen, in every language, theme and scale.
fn eyes() -> impl Iterator<Item = Eye> {
    let sizes = [(800.0, 560.0), (1040.0, 700.0), (1366.0, 768.0)];
    let of = move |language, theme, pixels_per_point| {
        sizes.map(|size| Eye { language, theme, size, pixels_per_point, paints: true })
    };
    let themes = [Theme::Light, Theme::Dark];
    Language::ALL.into_iter().flat_map(move |language| {
        themes
            .into_iter()
            .flat_map(move |theme| [1.0, 2.0].into_iter().flat_map(move |scale| of(language, theme, scale)))
    })
}

pub type Way = fn(Eye) -> Stage;

pub const PAGES: &[(&str, Way)] = &[
    ("1-welcome", |eye| Stage::new(eye, Scene::of(scripted::laptop()))),
    ("2-hardware", |eye| Stage::new(eye, Scene::of(scripted::laptop())).reach_hardware()),
    ("2-hardware-none", |eye| Stage::new(eye, Scene::of(scripted::office_machine())).reach_hardware()),
    ("2-hardware-troubled", |eye| Stage::new(eye, Scene::of(scripted::troubled_desktop())).reach_hardware()),
    ("2-hardware-asking", |eye| {
        Stage::new(eye, Scene { detection_waits: true, ..Scene::of(scripted::laptop()) }).reach_hardware()
    }),
    ("2-hardware-report", |eye| {
        let mut stage = Stage::new(eye, Scene::of(scripted::laptop())).reach_hardware();
        stage.click("wizard-save-report");
        stage
    }),
    ("3-compatibility", |eye| Stage::new(eye, Scene::of(scripted::laptop())).reach_compatibility()),
    ("3-compatibility-refused", |eye| {
        Stage::new(eye, Scene::of(scripted::office_machine())).reach_compatibility()
    }),
    ("3-compatibility-good", |eye| Stage::new(eye, Scene::of(scripted::workstation())).reach_compatibility()),
    ("3-compatibility-models", |eye| {
        let mut stage = Stage::new(eye, Scene::of(scripted::workstation())).reach_compatibility();
        stage.click("wizard-tab-models");
        stage
    }),
    ("3-compatibility-reference", |eye| {
        let mut stage = Stage::new(eye, Scene::of(scripted::laptop())).reach_compatibility();
        stage.click("wizard-compare-reference");
        stage
    }),
    ("4-profile", |eye| Stage::new(eye, Scene::of(scripted::laptop())).reach_profile()),
    ("4-profile-advanced", |eye| {
        let mut stage = Stage::new(eye, Scene::of(scripted::laptop())).reach_profile();
        stage.click("wizard-advanced");
        stage
    }),
    ("4-profile-engine-and-network", |eye| {
        let mut stage = Stage::new(eye, super::fetching::newest_scene()).reach_profile();
        super::fetching::newest_missing(&mut stage);
        stage.click("wizard-advanced");
        stage.type_into("wizard-network-proxy", "ftp://proxy");
        stage.type_into("wizard-network-rate", "5M");
        stage.scroll_to("wizard-network-rate");
        stage
    }),
    ("5-consent", |eye| {
        let mut stage = Stage::new(eye, Scene::of(scripted::laptop())).reach_consent();
        stage.tick_consent();
        stage
    }),
    ("6-summary", |eye| Stage::new(eye, Scene::of(scripted::laptop())).reach_summary()),
    ("6-summary-newest", |eye| {
        let mut stage = Stage::new(eye, super::fetching::newest_scene()).reach_profile();
        super::fetching::newest_found(&mut stage);
        stage.click("wizard-continue");
        stage.tick_consent();
        stage.click("wizard-continue");
        stage
    }),
    ("6-summary-here", |eye| Stage::new(eye, super::fetching::here_scene()).reach_summary()),
    ("7-install", |eye| {
        let stage = Stage::new(eye, Scene::of(scripted::laptop())).reach_install();
        scripted::half_way(&stage.installation().1);
        stage
    }),
    ("7-install-cancel", |eye| {
        let mut stage = Stage::new(eye, Scene::of(scripted::laptop())).reach_install();
        scripted::half_way(&stage.installation().1);
        stage.harness.run();
        stage.click("wizard-cancel");
        stage
    }),
    ("7-install-failed", |eye| {
        let mut stage = Stage::new(eye, Scene::of(scripted::laptop())).reach_install();
        scripted::half_way(&stage.installation().1);
        scripted::fail_with(&stage.installation().1, scripted::disk_short());
        stage.harness.run();
        stage.click("wizard-show-log");
        stage
    }),
    ("8-result", |eye| {
        let mut stage = Stage::new(eye, Scene::of(scripted::laptop())).reach_install();
        let (request, outbox) = stage.installation();
        scripted::finish(&request, &outbox);
        stage.harness.run();
        stage.ask("Write a Rust function that reverses the words of a sentence.");
        let outbox = stage.desk.borrow().questions[0].1.clone();
        scripted::answer(
            &outbox,
            "fn reverse_words(sentence: &str) -> String {\n    sentence.split_whitespace().rev().collect::<Vec<_>>().join(\" \")\n}",
        );
        stage
    }),
    ("8-result-arrived", |eye| {
        let stage = Stage::new(eye, Scene::of(scripted::laptop())).reach_install();
        let (request, outbox) = stage.installation();
        scripted::finish(&request, &outbox);
        stage
    }),
    ("1-welcome-interrupted", |eye| Stage::new(eye, super::resuming::scene(eye))),
    ("7-install-four-bits", |eye| {
        let mut stage = Stage::new(eye, Scene::of(scripted::laptop())).reach_install();
        scripted::half_way(&stage.installation().1);
        stage.installation().1.send(scripted::out_of_memory());
        stage.harness.run();
        stage
    }),
    ("9-manage-settings", |eye| super::settings::on_processor(eye)),
    ("9-manage-update", |eye| {
        let stage = Stage::new(eye, Scene::of(scripted::laptop())).reach_install();
        let mut installation = scripted::installation(&stage.installation().0, eye.language);
        installation.installed.profile.engine_version = "0.31.0".into();
        Stage::new(eye, Scene { installation: Some(installation), ..Scene::of(scripted::laptop()) })
    }),
    ("9-manage", |eye| {
        let stage = Stage::new(eye, Scene::of(scripted::laptop())).reach_install();
        let installation = scripted::installation(&stage.installation().0, eye.language);
        let tips = vec![Tip::PlugIn];
        let scene = Scene { installation: Some(installation), tips, ..Scene::of(scripted::laptop()) };
        super::live::watched(Stage::new(eye, scene))
    }),
];
