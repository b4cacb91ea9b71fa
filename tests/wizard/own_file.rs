//! A model in a file on this computer: picked in a dialog, dropped onto the window, and taken up again.

use std::path::Path;
use std::sync::Arc;

use acolyte::install::{SavedPath, SavedRequest};
use acolyte::models::{
    Catalogue, LocalFilePart, LocalModelFile, Model, ModelFile, ModelName, ModelSource, ModelTag,
};
use acolyte::wizard::backend::{Message, ModelReference, PathField};
use acolyte::wizard::flow::Page;
use eframe::egui::DroppedFile;

use super::scripted::{self, Scene};
use super::stage::{Eye, Stage, in_both_languages};

const FILE: &str = "/media/usb/Mine.gguf";

fn tag() -> ModelTag {
    ModelTag::of_file("Mine", "0123456789ab")
}

/// The model in the file.
fn model() -> Arc<Model> {
    let listed = Catalogue::built_in().find("qwen2.5-coder:3b").unwrap();
    let part = LocalFilePart { path: FILE.into(), bytes: listed.download_bytes, modified: None };
    Arc::new(Model {
        name: ModelName::Tag(tag()),
        file: ModelFile { source: ModelSource::File, sha256: None },
        local: Some(LocalModelFile { parts: vec![part], has_chat_template: false }),
        ..(*listed).clone()
    })
}

/// Answers the lookup of the file.
fn find(stage: &mut Stage) {
    let (reference, outbox) = stage.desk.borrow().lookups.last().unwrap().clone();
    assert!(
        matches!(&reference, ModelReference::File(path) | ModelReference::Saved(path, _) if path == Path::new(FILE)),
        "{reference:?}"
    );
    outbox.send(Message::ModelFound { reference, model: Ok(model()) });
    stage.harness.run();
}

fn stage(eye: Eye) -> Stage {
    Stage::new(eye, Scene::of(scripted::laptop())).reach_profile()
}

#[test]
fn a_picked_file_is_planned_and_installed() {
    in_both_languages(|eye| {
        let mut stage = stage(eye);
        stage.click("wizard-advanced");
        stage.scroll_to("wizard-advanced-reference");
        stage.click("wizard-advanced-model-file");
        let (field, outbox) = stage.desk.borrow().pickers[0].clone();
        assert_eq!(field, PathField::ModelFile);
        outbox.send(Message::PathPicked(field, Some(FILE.into())));
        stage.harness.run();
        assert!(stage.sees(&stage.say("wizard-advanced-looking-up")));
        find(&mut stage);
        let size = stage.text.file_size(model().download_bytes);
        assert!(stage.sees(&stage.text.say("wizard-in-a-file", &[("size", size.clone().into())])));
        assert!(stage.sees(&stage.say("plan-reason-no-chat-template")), "what is doubtful is said");
        stage.click("wizard-continue");
        if matches!(stage.harness.state().page(), Page::Consent(_)) {
            stage.tick_consent();
            stage.click("wizard-continue");
        }
        assert!(matches!(stage.harness.state().page(), Page::Summary(_)));
        assert!(stage.sees(&stage.text.say("plan-file-of-user", &[("path", FILE.into())])));
        assert!(stage.sees(&stage.text.say("plan-copied-from-file", &[("size", size.into())])));
        assert!(stage.sees("Mine"), "the name of the file, not the engine's");
        stage.click("wizard-install");
        assert!(stage.sees(&stage.say("wizard-step-copy")) && !stage.sees(&stage.say("wizard-step-pull")));
        let request = stage.installation().0;
        assert_eq!(SavedRequest::of(&request).model_file, Some(SavedPath(FILE.into())));
    });
}

#[derive(Debug)]
struct Dropped;

impl DroppedFile for Dropped {
    fn path(&self) -> &Path {
        Path::new(FILE)
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("the window does not read it".to_owned())
    }
}

#[test]
fn a_dropped_file_is_looked_up() {
    let mut stage = stage(Eye::blind(acolyte::text::Language::English));
    stage.harness.input_mut().dropped_files.push(Arc::new(Dropped));
    stage.harness.run();
    assert_eq!(stage.desk.borrow().lookups.len(), 1);
    find(&mut stage);
    let Page::Profile(page) = stage.harness.state().page() else { panic!("another page") };
    assert_eq!(page.choice.plan.candidate.model.tag(), Some(&tag()));
}

#[test]
fn an_interrupted_installation_from_a_file_gets_its_setting_again() {
    let eye = Eye::blind(acolyte::text::Language::English);
    let request = Stage::new(eye, Scene::of(scripted::laptop())).reach_install().installation().0;
    let mut unfinished = scripted::interrupted(&request);
    let saved = unfinished.request.as_mut().unwrap();
    saved.profile = "custom".into();
    saved.model = tag();
    saved.model_file = Some(SavedPath(FILE.into()));
    saved.num_batch = 1024;
    let mut stage = Stage::new(eye, Scene { unfinished: Some(unfinished), ..Scene::of(scripted::laptop()) });
    stage.click("wizard-ask-interrupted-continue");
    find(&mut stage);
    let Page::Profile(page) = stage.harness.state().page() else { panic!("another page") };
    let candidate = &page.choice.plan.candidate;
    assert_eq!((candidate.model.tag(), candidate.num_batch), (Some(&tag()), 1024));
}
