//! Tuning in the window: while installing, and of what is installed.

use acolyte::install::event::Activity;
use acolyte::install::{
    RunnerOptions, Step, StepState, TriedSetting, TriedSpeed, TuneDimension, TuneOutcome, TuneTry, TuningEnd,
    TuningReport,
};
use acolyte::models::KvCacheType;
use acolyte::text::Language;
use acolyte::wizard::backend::Message;

use super::scripted::{self, Scene};
use super::stage::{Eye, Stage};

fn setting(num_batch: u32) -> TriedSetting {
    TriedSetting {
        gpu_layers: 29,
        automatic_layers: false,
        n_cpu_moe: 0,
        kv_cache_type: KvCacheType::Q8_0,
        options: RunnerOptions { num_batch: Some(num_batch), ..RunnerOptions::default() },
    }
}

fn tuning(num_batch: u32) -> Activity {
    Activity::Tuning { number: 3, changes: TuneDimension::Batch, setting: setting(num_batch) }
}

fn report() -> TuningReport {
    let speed = |turn_s| TriedSpeed {
        empty_tokens_per_s: 40.0,
        filled_tokens_per_s: 30.0,
        prompt_tokens_per_s: 900.0,
        filled_tokens: 8000,
        turn_s,
    };
    let tried = |changes, num_batch, turn_s| TuneTry {
        changes,
        setting: setting(num_batch),
        in_force: RunnerOptions::default(),
        outcome: TuneOutcome::Measured(speed(turn_s)),
        seconds: 10.0,
    };
    TuningReport {
        end: TuningEnd::Skipped,
        seconds: 40.0,
        limit_s: 180,
        noise_margin: 0.03,
        tries: vec![tried(TuneDimension::Start, 512, 10.0), tried(TuneDimension::Batch, 1024, 8.0)],
        kept: Some(1),
        times_engine_defaults: None,
        other_work: Vec::new(),
    }
}

#[test]
fn the_rest_of_the_tuning_can_be_skipped_while_installing() {
    for language in Language::ALL {
        let mut stage = Stage::new(Eye::blind(language), Scene::of(scripted::laptop())).reach_install();
        let (_, control, outbox) = stage.desk.borrow().installs.last().cloned().unwrap();
        let send = |activity| {
            let event = scripted::event(Step::Measure, StepState::Running, activity);
            outbox.send(Message::InstallEvent(event));
        };
        assert!(!stage.sees(&stage.say("wizard-skip-tuning")), "nothing is tuned yet");
        send(tuning(1024));
        send(Activity::StillMeasuring { seconds: 5.0 });
        stage.harness.run();
        stage.click("wizard-skip-tuning");
        assert!(control.is_tuning_skipped() && !control.is_cancelled());
        assert!(stage.is_disabled("wizard-skip-tuning"));
        send(Activity::MeasuringSpeed);
        stage.harness.run();
        assert!(!stage.sees(&stage.say("wizard-skip-tuning")) && stage.sees(&stage.say("wizard-pause")));
    }
}

#[test]
fn the_result_page_says_what_was_tried_and_kept() {
    for language in Language::ALL {
        let mut stage = Stage::new(Eye::blind(language), Scene::of(scripted::laptop())).reach_install();
        let (request, outbox) = stage.installation();
        let mut receipt = scripted::receipt(&request);
        receipt.tuning = Some(report());
        outbox.send(Message::InstallEnded(Ok(Box::new(receipt))));
        stage.harness.run();
        for line in report().summary(stage.text).into_iter().chain(report().tries_in_words(stage.text)) {
            assert!(stage.sees(&line), "{line}");
        }
    }
}

#[test]
fn an_installation_is_tuned_shown_step_by_step_skipped_and_cancelled() {
    for language in Language::ALL {
        let eye = Eye::blind(language);
        let request = Stage::new(eye, Scene::of(scripted::laptop())).reach_install().installation().0;
        let installation = Some(scripted::installation(&request, language));
        let mut stage = Stage::new(eye, Scene { installation, ..Scene::of(scripted::laptop()) });
        stage.click("wizard-manage-tune");
        let (control, outbox) = stage.desk.borrow().tunings[0].clone();
        assert!(stage.is_disabled("wizard-manage-stop") && stage.is_disabled("wizard-manage-repair"));
        let event = scripted::event(Step::Measure, StepState::Running, tuning(2048));
        outbox.send(Message::TuneEvent(event));
        stage.harness.run();
        assert!(stage.sees(&tuning(2048).words(stage.text)));
        stage.click("wizard-skip-tuning");
        assert!(control.is_tuning_skipped() && !control.is_cancelled());
        // Closing the window restores the setting before first.
        assert!(!stage.harness.state_mut().may_close());
        assert!(control.is_cancelled());
        outbox.send(Message::TuneEnded(Ok(())));
        stage.harness.run();
        assert!(stage.harness.state().wants_to_close());
        assert!(!stage.sees(&stage.say("wizard-skip-tuning")));
        assert!(!stage.is_disabled("wizard-manage-tune"));
    }
}
