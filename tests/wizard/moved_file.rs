//! The model's file is read before the summary: while it is, when it is another one than the catalogue's, and when it
//! cannot be.

use std::sync::Arc;

use acolyte::install::{InstallError, PublishedModel};
use acolyte::models::{Block, Model, ModelSource};
use acolyte::ollama::registry::{RegistryError, UnreachableCause};
use acolyte::plan::Verdict;
use acolyte::wizard::backend::Message;
use acolyte::wizard::flow::Page;

use super::scripted::{self, Scene, ScriptedFile, file_of};
use super::stage::{Eye, Stage, in_both_languages};

/// On the summary, while the file is being read.
fn reading(eye: Eye, scene: Scene) -> Stage {
    Stage::new(eye, Scene { file: ScriptedFile::Waits, ..scene }).reach_summary()
}

fn answer(stage: &mut Stage, change: impl FnOnce(&mut Model), problem: Option<RegistryError>) {
    let (options, asked, _, outbox) = stage.desk.borrow().reads.pop().expect("the file is being read");
    let problem = problem.map(Arc::new);
    let model = if problem.is_some() { Arc::clone(&asked) } else { file_of(&asked, change) };
    let published = Ok(PublishedModel { model, problem });
    outbox.send(Message::ModelRead { options, asked, published });
    stage.harness.run();
}

/// Makes every block this many times as large.
fn grow(model: &mut Model, times: u64) {
    for Block { bytes, expert_bytes, .. } in &mut model.architecture.blocks {
        *bytes *= times;
        *expert_bytes *= times;
    }
    model.download_bytes *= times;
}

fn plan_of(stage: &Stage) -> acolyte::plan::Plan {
    match stage.harness.state().page() {
        Page::Summary(page) => page.profile.choice.plan.clone(),
        Page::Consent(page) => page.profile.choice.plan.clone(),
        _ => panic!("neither summary nor consent"),
    }
}

#[test]
fn install_waits_until_the_file_is_known() {
    in_both_languages(|eye| {
        let mut stage = reading(eye, Scene::of(scripted::workstation()));
        assert!(stage.is_disabled("wizard-install"));
        let host = [("host", "registry.ollama.ai".into())];
        assert!(stage.sees(&stage.text.say("plan-file-reading", &host)));
        stage.click("wizard-install");
        assert!(matches!(stage.harness.state().page(), Page::Summary(_)));
        answer(&mut stage, |_| (), None);
        assert!(!stage.sees(&stage.text.say("plan-file-reading", &host)));
        assert!(stage.sees("SHA-256"), "which file it is");
        stage.click("wizard-install");
        let plan = stage.installation().0.plan;
        assert_eq!(plan.candidate.model.file.source, ModelSource::Registry);
    });
}

#[test]
fn a_changed_file_is_said_with_both_figures_and_is_what_is_installed() {
    in_both_languages(|eye| {
        let mut stage = reading(eye, Scene::of(scripted::workstation()));
        let listed = plan_of(&stage).candidate.model.download_bytes;
        answer(&mut stage, |model| model.download_bytes += 1_000_000_000, None);
        for bytes in [listed, listed + 1_000_000_000] {
            assert!(stage.sees(&stage.text.file_size(bytes)), "{bytes}");
        }
        stage.click("wizard-install");
        let plan = stage.installation().0.plan;
        assert_eq!(plan.disk_needs.model_download_bytes, listed + 1_000_000_000);
    });
}

#[test]
fn a_file_that_no_longer_fits_cannot_be_installed() {
    in_both_languages(|eye| {
        let mut stage = reading(eye, Scene::of(scripted::workstation()));
        answer(&mut stage, |model| grow(model, 20), None);
        let plan = plan_of(&stage);
        assert_eq!(plan.verdict, Verdict::Refused);
        assert!(stage.sees(&plan.reasons[0].text(stage.text)));
        assert!(stage.is_disabled("wizard-install"));
        stage.click("wizard-choose-another");
        assert!(matches!(stage.harness.state().page(), Page::Profile(_)));
    });
}

#[test]
fn more_to_consent_to_is_asked_for_the_new_plan() {
    in_both_languages(|eye| {
        let mut stage = reading(eye, Scene::of(scripted::workstation()));
        assert_eq!(plan_of(&stage).verdict, Verdict::Compatible);
        answer(&mut stage, |model| grow(model, 2), None);
        assert!(matches!(stage.harness.state().page(), Page::Consent(_)));
        let plan = plan_of(&stage);
        assert_eq!(plan.verdict, Verdict::Degraded);
        assert!(stage.sees(&stage.say("wizard-file-other-limits")));
        assert!(stage.sees(&plan.reasons[0].text(stage.text)));
        stage.tick_consent();
        stage.click("wizard-continue");
        assert!(stage.desk.borrow().reads.is_empty(), "the file is known");
        stage.click("wizard-install");
        assert_eq!(stage.installation().0.consent(), plan.consent.as_ref());
    });
}

#[test]
fn an_unreachable_registry_leaves_the_catalogues_figures_and_says_so() {
    in_both_languages(|eye| {
        let mut stage = reading(eye, Scene::of(scripted::workstation()));
        let problem = RegistryError::Unreachable {
            host: "registry.ollama.ai".to_owned(),
            cause: UnreachableCause::Slow { seconds: 5 },
            encrypted: false,
        };
        let said = stage.text.say("plan-file-not-read", &[("problem", problem.explain(stage.text).into())]);
        answer(&mut stage, |_| (), Some(problem));
        assert!(stage.sees(&said));
        stage.click("wizard-install");
        assert_eq!(stage.installation().0.plan.candidate.model.file.source, ModelSource::Catalogue);
    });
}

#[test]
fn a_model_that_the_registry_does_not_have_cannot_be_installed() {
    in_both_languages(|eye| {
        let mut stage = reading(eye, Scene::of(scripted::workstation()));
        let tag = plan_of(&stage).candidate.model.tag().unwrap().clone();
        answer(&mut stage, |_| (), Some(RegistryError::NotFound { tag }));
        assert!(stage.is_disabled("wizard-install"));
    });
}

#[test]
fn leaving_the_page_cancels_the_reading_and_its_answer_is_ignored() {
    in_both_languages(|eye| {
        let mut stage = reading(eye, Scene::of(scripted::workstation()));
        let (options, asked, control, outbox) = stage.desk.borrow().reads.pop().unwrap();
        assert!(!control.is_cancelled());
        stage.click("wizard-back");
        assert!(control.is_cancelled());
        stage.click("wizard-continue");
        let late = PublishedModel { model: file_of(&asked, |model| grow(model, 20)), problem: None };
        let mut other = options;
        other.models_dir = "/elsewhere".into();
        outbox.send(Message::ModelRead { options: other, asked, published: Ok(late) });
        stage.harness.run();
        assert!(stage.is_disabled("wizard-install"), "the new reading is still awaited");
        assert_eq!(plan_of(&stage).candidate.model.file.source, ModelSource::Catalogue);
    });
}

#[test]
fn a_resumed_installation_goes_on_when_the_file_is_known() {
    in_both_languages(|eye| {
        let scene = Scene { file: ScriptedFile::Waits, ..super::resuming::scene(eye) };
        let mut stage = Stage::new(eye, scene);
        stage.click("wizard-ask-interrupted-continue");
        assert!(matches!(stage.harness.state().page(), Page::Summary(_)));
        assert!(!stage.sees(&stage.say("wizard-resume-choose")));
        answer(&mut stage, |_| (), None);
        assert!(matches!(stage.harness.state().page(), Page::Install(_)));
        assert_eq!(stage.desk.borrow().installs.len(), 1);
    });
}

#[test]
fn a_file_that_was_replaced_during_the_installation_is_shown_before_it_is_installed() {
    in_both_languages(|eye| {
        let mut stage = Stage::new(eye, Scene::of(scripted::workstation())).reach_install();
        let (request, outbox) = stage.installation();
        let error = InstallError::ModelReplaced { model: request.model };
        let said = error.explain(stage.text);
        outbox.send(Message::InstallEnded(Err(error.into())));
        stage.harness.run();
        assert!(matches!(stage.harness.state().page(), Page::Summary(_)));
        assert!(stage.sees(&said));
        let plan = plan_of(&stage);
        assert_eq!(plan.candidate.model.file.source, ModelSource::Registry, "it was read again");
        assert_eq!(stage.desk.borrow().installs.len(), 1, "nothing is installed unseen");
        stage.click("wizard-install");
        assert_eq!(stage.desk.borrow().installs.len(), 2);
    });
}
