//! Graphics memory, speed of answers and the server's log on the Manage page.

use std::time::{Duration, Instant};

use acolyte::GIB;
use acolyte::monitor::{AnswerTiming, CardSample, ModelSample, PlacementLoss, Sample, VramUse};
use acolyte::text::Language;
use acolyte::wizard::backend::{LiveLook, LiveWatch, Message, Outbox};
use eframe::egui::ViewportId;
use eframe::egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::scripted;
use super::settings::manage;
use super::stage::{Eye, Stage, in_both_languages};

const GPU: &str = "GeForce RTX 4060 Laptop";

/// A card of 8 GiB at a moment, half of whose used memory is the model's.
fn look(at: Instant, used_bytes: u64) -> LiveLook {
    let memory = VramUse { adapter: 0, gpu: GPU.into(), used_bytes, total_bytes: 8 * GIB };
    let answers = [51.59, 20.0].map(|tokens_per_s| AnswerTiming { tokens_per_s, tokens: 10 });
    let model = ModelSample {
        gpu_layers: Some(25),
        total_layers: Some(29),
        context_tokens: Some(32_768),
        context_used_tokens: Some(7_650),
        answers: answers.to_vec(),
        ..ModelSample::default()
    };
    let gpus = vec![CardSample { memory, model_bytes: Some(used_bytes / 2) }];
    let log = vec![
        "[GIN] 2026/11/23 - 10:24:02 | 200 |  1.82s | 127.0.0.1 | POST \"/api/chat\"".to_owned(),
        "slot      release: id  0 | task 60 | stop processing: n_tokens = 7650".to_owned(),
    ];
    LiveLook { sample: Sample { at, gpus, model: Some(model) }, is_blind: false, log }
}

/// The watch that the page began last.
fn watch(stage: &Stage) -> (LiveWatch, Outbox) {
    stage.desk.borrow().watches.last().expect("nothing is watched").clone()
}

fn send(stage: &mut Stage, look: LiveLook) {
    watch(stage).1.send(Message::Looked(Box::new(look)));
    stage.harness.run();
}

/// The page after five minutes, in which the card has filled from 2 to 6 GiB.
pub fn watched(mut stage: Stage) -> Stage {
    let begun = Instant::now();
    for second in (0..=300).step_by(10) {
        let used = if second < 120 { 2 * GIB } else { 6 * GIB };
        let (_, outbox) = watch(&stage);
        outbox.send(Message::Looked(Box::new(look(begun + Duration::from_secs(second), used))));
    }
    stage.harness.run();
    stage
}

#[test]
fn memory_speed_and_log_are_shown_and_told() {
    in_both_languages(|eye| {
        let mut stage = watched(manage(eye));
        let text = stage.text;
        let bar = stage
            .harness
            .query_all_by_role(Role::Meter)
            .find(|bar| bar.accesskit_node().label().is_some_and(|label| label.contains(GPU)))
            .expect("a bar of the card");
        let bar = bar.accesskit_node();
        let range = (bar.min_numeric_value(), bar.max_numeric_value());
        assert_eq!((bar.numeric_value(), range), (Some(75.0), (Some(0.0), Some(100.0))));
        let model = text.say("live-bar-model", &[("size", text.memory(3 * GIB).into())]);
        assert!(bar.label().is_some_and(|label| label.contains(&model)), "{:?}", bar.label());
        let graph = text.say(
            "live-graph",
            &[
                ("gpu", GPU.into()),
                ("span", text.duration(300.0).into()),
                ("low", text.percent(0.25).into()),
                ("high", text.percent(0.75).into()),
                ("now", text.percent(0.75).into()),
            ],
        );
        stage.harness.get_by_role_and_label(Role::Image, &graph);
        let speeds = ["51.6 · 20.0", "51,6 · 20,0"].iter().filter(|speeds| stage.sees(speeds)).count();
        assert_eq!(speeds, 1);
        assert!(stage.sees(&stage.say("live-measured")));
        let title = stage.say("live-log");
        let log = stage.harness.get_by_role_and_label(Role::MultilineTextInput, &title);
        assert!(log.value().is_some_and(|log| log.contains("/api/chat") && log.contains("n_tokens = 7650")));
        stage.click("live-open-logs");
        let opened = stage.desk.borrow().opened.last().cloned();
        assert_eq!(opened, Some("/home/ana/.acolyte/logs".into()));
    });
}

#[test]
fn the_page_is_watched_once_and_until_it_is_left() {
    let mut stage = manage(Eye::blind(Language::English));
    let (watch, _) = watch(&stage);
    assert!(!watch.is_stopped());
    stage.click("wizard-check-again");
    assert_eq!(stage.desk.borrow().watches.len(), 1);
    stage.click("wizard-change-profile");
    assert!(watch.is_stopped());

    let stage = manage(Eye::blind(Language::English));
    let watch = stage.desk.borrow().watches[0].0.clone();
    assert!(!watch.is_stopped());
    drop(stage);
    assert!(watch.is_stopped(), "the window was closed");
}

#[test]
fn an_installation_that_is_read_again_keeps_its_graph() {
    let mut stage = watched(manage(Eye::blind(Language::English)));
    let graph = |stage: &Stage| stage.harness.get_by_role(Role::Image).accesskit_node().label();
    let before = graph(&stage);
    let installation = {
        let request = Stage::new(Eye::blind(Language::English), scripted::Scene::of(scripted::laptop()))
            .reach_install()
            .installation()
            .0;
        scripted::installation(&request, Language::English)
    };
    let outbox = watch(&stage).1;
    outbox.send(Message::Installation(Ok(Some(installation))));
    stage.harness.run();
    assert_eq!(graph(&stage), before);
    let watches: Vec<bool> =
        stage.desk.borrow().watches.iter().map(|(watch, _)| watch.is_stopped()).collect();
    assert_eq!(watches, [false]);
}

#[test]
fn no_frame_is_drawn_between_two_looks() {
    let mut stage = watched(manage(Eye::blind(Language::English)));
    let now = Instant::now() + Duration::from_secs(600);
    for second in [0, 2, 4] {
        // Fails if the page wants frame after frame.
        send(&mut stage, look(now + Duration::from_secs(second), GIB));
        let viewport = &stage.harness.output().viewport_output[&ViewportId::ROOT];
        assert_eq!(viewport.repaint_delay, Duration::MAX);
    }
}

#[test]
fn a_card_that_is_not_known_is_said_in_words() {
    in_both_languages(|eye| {
        let mut stage = manage(eye);
        assert!(stage.sees(&stage.say("live-waiting")) && stage.sees(&stage.say("live-log-empty")));
        let empty = |is_blind| LiveLook {
            sample: Sample { at: Instant::now(), gpus: Vec::new(), model: None },
            is_blind,
            log: Vec::new(),
        };
        send(&mut stage, empty(true));
        assert!(stage.sees(&stage.say("live-blind")) && stage.sees(&stage.say("monitor-none-loaded")));
        send(&mut stage, empty(false));
        assert!(stage.sees(&stage.say("monitor-no-answer")) && !stage.sees(&stage.say("live-blind")));
    });
}

#[test]
fn layers_that_have_left_the_card_are_said() {
    in_both_languages(|eye| {
        let mut stage = watched(manage(eye));
        let loss = PlacementLoss::LayersLeft { layers: 4, total: 29 };
        assert!(!stage.sees(&loss.explain(stage.text)));
        let mut look = look(Instant::now() + Duration::from_secs(400), 6 * GIB);
        look.sample.model.as_mut().expect("a model").loss = Some(loss);
        send(&mut stage, look);
        assert!(stage.sees(&loss.explain(stage.text)));
    });
}
