//! Sentences about what tuning tried and kept.

use std::time::Duration;

use crate::install::{
    OtherWork, TriedSetting, TuneDimension, TuneFailure, TuneOutcome, TuneTry, TuningEnd, TuningReport,
};
use crate::say;
use crate::sentences::tips::slowed;
use crate::text::Text;

impl TriedSetting {
    /// What a try changes.
    pub fn words(&self, changes: TuneDimension, text: Text) -> String {
        let options = self.options;
        match changes {
            TuneDimension::Start => say!(text, "install-tune-start"),
            TuneDimension::EngineDefaults => say!(text, "install-tune-defaults"),
            TuneDimension::Placement if self.automatic_layers => say!(text, "install-tune-placement"),
            TuneDimension::Placement => say!(text, "install-tune-fixed-placement"),
            TuneDimension::Experts => say!(text, "install-tune-experts", blocks = self.n_cpu_moe),
            TuneDimension::Draft => match options.draft_num_predict.unwrap_or(0) {
                0 => say!(text, "install-tune-no-draft"),
                tokens => say!(text, "install-tune-draft", tokens = tokens),
            },
            TuneDimension::Batch => {
                let tokens = text.count(options.num_batch.unwrap_or(0).into());
                say!(text, "install-tune-batch", tokens = tokens)
            }
            TuneDimension::Threads => {
                say!(text, "install-tune-threads", threads = options.num_thread.unwrap_or(0))
            }
            TuneDimension::Mmap if options.use_mmap == Some(true) => say!(text, "install-tune-mapped"),
            TuneDimension::Mmap => say!(text, "install-tune-not-mapped"),
        }
    }

    /// Everything in which it differs from another setting.
    fn differences(&self, other: &Self, text: Text) -> Vec<String> {
        let differs = |changes: TuneDimension| match changes {
            TuneDimension::Start | TuneDimension::EngineDefaults => false,
            TuneDimension::Placement => self.automatic_layers != other.automatic_layers,
            TuneDimension::Experts => !self.automatic_layers && self.n_cpu_moe != other.n_cpu_moe,
            TuneDimension::Draft => self.options.draft_num_predict != other.options.draft_num_predict,
            TuneDimension::Batch => {
                self.options.num_batch.is_some() && self.options.num_batch != other.options.num_batch
            }
            TuneDimension::Threads => {
                self.options.num_thread.is_some() && self.options.num_thread != other.options.num_thread
            }
            TuneDimension::Mmap => {
                self.options.use_mmap.is_some() && self.options.use_mmap != other.options.use_mmap
            }
        };
        let of = [
            TuneDimension::Placement,
            TuneDimension::Experts,
            TuneDimension::Draft,
            TuneDimension::Batch,
            TuneDimension::Threads,
            TuneDimension::Mmap,
        ];
        let mut words: Vec<String> = of
            .into_iter()
            .filter(|changes| differs(*changes))
            .map(|changes| self.words(changes, text))
            .collect();
        if self.kv_cache_type != other.kv_cache_type {
            words.push(say!(text, "install-tune-kv", kv = self.kv_cache_type.name()));
        }
        words
    }
}

impl TuneTry {
    /// What was tried and how it ended.
    pub fn words(&self, is_best: bool, text: Text) -> String {
        let what = self.setting.words(self.changes, text);
        let (empty, filled, tokens, prompt) = match &self.outcome {
            TuneOutcome::Measured(speed) => (
                text.figure(speed.empty_tokens_per_s),
                text.figure(speed.filled_tokens_per_s),
                text.count(speed.filled_tokens),
                text.figure(speed.prompt_tokens_per_s),
            ),
            TuneOutcome::Failed(failure) => {
                return say!(text, "install-tried-failed", what = what, why = failure.words(text));
            }
            TuneOutcome::Skipped => {
                return say!(
                    text,
                    "install-tried-failed",
                    what = what,
                    why = say!(text, "install-tune-skipped")
                );
            }
        };
        if is_best {
            return say!(
                text,
                "install-tried-best",
                what = what,
                empty = empty,
                filled = filled,
                tokens = tokens,
                prompt = prompt
            );
        }
        say!(
            text,
            "install-tried-measured",
            what = what,
            empty = empty,
            filled = filled,
            tokens = tokens,
            prompt = prompt
        )
    }
}

impl TuneFailure {
    /// Why a try failed.
    pub fn words(&self, text: Text) -> String {
        match self {
            Self::OutOfMemory => say!(text, "install-tune-failed-card"),
            Self::OutOfMainMemory => say!(text, "install-tune-failed-ram"),
            Self::RunnerEnded => say!(text, "install-tune-failed-runner"),
            Self::ServerEnded => say!(text, "install-tune-failed-server"),
            Self::AnswerCutShort => say!(text, "install-tune-failed-short"),
            Self::Silent { seconds } => say!(text, "install-tune-failed-silent", seconds = *seconds),
            Self::TimeLimit { seconds } => say!(text, "install-tune-failed-time", seconds = *seconds),
            Self::NothingWritten => say!(text, "install-tune-failed-nothing"),
            Self::PlacementUnknown => say!(text, "install-tune-failed-unknown"),
            Self::NotAsTold { message } | Self::Refused { message } => {
                say!(text, "install-tune-failed-said", message = message)
            }
        }
    }
}

impl OtherWork {
    /// What else ran.
    pub fn words(&self, text: Text) -> String {
        match self {
            Self::Processor { share } => {
                say!(text, "install-other-processor", share = text.percent(*share))
            }
            Self::GpuProgram { program, bytes } => {
                say!(text, "install-other-gpu-program", program = program, size = text.memory(*bytes))
            }
            Self::LessGpuMemory { bytes } => {
                say!(text, "install-other-gpu-memory", size = text.memory(*bytes))
            }
            Self::CardSlowed { gpu, by, temperature_c } => slowed(gpu, *by, *temperature_c, text),
            Self::OtherModel { model } => say!(text, "install-other-model", model = model),
        }
    }
}

impl TuningReport {
    /// What came of it, in sentences: how much faster, what is kept, how it ended, what else ran.
    pub fn summary(&self, text: Text) -> Vec<String> {
        let mut said = Vec::new();
        let (duration, tries) = (text.duration(self.seconds), self.tries.len());
        match (self.end, self.times_engine_defaults) {
            (TuningEnd::Off, _) => said.push(say!(text, "install-tuned-off")),
            (_, Some(times)) if times > 1.0 + self.noise_margin => {
                let percent = text.percent(times - 1.0);
                said.push(say!(
                    text,
                    "install-tuned-faster",
                    duration = duration,
                    tries = tries,
                    percent = percent
                ));
            }
            (_, Some(_)) => {
                said.push(say!(text, "install-tuned-equal", duration = duration, tries = tries));
            }
            (_, None) => said.push(say!(text, "install-tuned-alone", duration = duration, tries = tries)),
        }
        let start = self.tries.iter().find(|tried| tried.changes == TuneDimension::Start);
        if let (Some(kept), Some(start)) = (self.kept_try(), start) {
            let differences = kept.setting.differences(&start.setting, text);
            let what = match kept.changes {
                TuneDimension::EngineDefaults => kept.setting.words(kept.changes, text),
                _ if differences.is_empty() => start.setting.words(TuneDimension::Start, text),
                _ => differences.join(", "),
            };
            said.push(say!(text, "install-tuned-kept", what = what));
        }
        match self.end {
            TuningEnd::TimeUp => {
                let limit = text.duration(Duration::from_secs(self.limit_s).as_secs_f64());
                said.push(say!(text, "install-tuned-time-up", duration = limit));
            }
            TuningEnd::Skipped => said.push(say!(text, "install-tuned-skipped")),
            TuningEnd::Complete | TuningEnd::Off => {}
        }
        said.extend(self.other_work.iter().map(|work| work.words(text)));
        said
    }

    /// The summary and, indented, every try, for a terminal.
    pub fn receipt_lines(&self, text: Text) -> Vec<String> {
        let tries = self.tries_in_words(text).into_iter().map(|line| format!("  {line}"));
        self.summary(text).into_iter().chain(tries).collect()
    }

    /// Every try in a sentence.
    pub fn tries_in_words(&self, text: Text) -> Vec<String> {
        self.tries
            .iter()
            .enumerate()
            .map(|(i, tried)| tried.words(self.kept == Some(i) && self.end != TuningEnd::Off, text))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::{RunnerOptions, TriedSpeed};
    use crate::models::KvCacheType;
    use crate::text::Language;

    fn tried(changes: TuneDimension, num_batch: u32, outcome: TuneOutcome) -> TuneTry {
        let setting = TriedSetting {
            gpu_layers: 29,
            automatic_layers: false,
            n_cpu_moe: 0,
            kv_cache_type: KvCacheType::Q8_0,
            options: RunnerOptions { num_batch: Some(num_batch), ..RunnerOptions::default() },
        };
        TuneTry { changes, setting, in_force: RunnerOptions::default(), outcome, seconds: 5.0 }
    }

    fn speed(turn_s: f64) -> TuneOutcome {
        TuneOutcome::Measured(TriedSpeed {
            empty_tokens_per_s: 40.0,
            filled_tokens_per_s: 31.0,
            prompt_tokens_per_s: 900.0,
            filled_tokens: 4100,
            turn_s,
        })
    }

    fn report() -> TuningReport {
        let tries = vec![
            tried(TuneDimension::Start, 512, speed(10.0)),
            tried(TuneDimension::EngineDefaults, 512, speed(11.0)),
            tried(TuneDimension::Batch, 1024, TuneOutcome::Failed(TuneFailure::OutOfMainMemory)),
            tried(TuneDimension::Batch, 2048, speed(5.5)),
        ];
        TuningReport {
            end: TuningEnd::TimeUp,
            seconds: 61.0,
            limit_s: 180,
            noise_margin: 0.03,
            tries,
            kept: Some(3),
            times_engine_defaults: Some(2.0),
            other_work: vec![OtherWork::Processor { share: 0.4 }],
        }
    }

    #[test]
    fn the_summary_says_how_much_faster_what_is_kept_and_what_else_ran() {
        for (language, kept) in [(Language::English, "2,048"), (Language::Spanish, "2048")] {
            let said = report().summary(Text::new(language));
            assert_eq!(said.len(), 4, "{said:#?}");
            assert!(said[0].contains("100"), "{}", said[0]);
            assert!(said[1].replace(['.', '\u{a0}'], "").contains(kept), "{}", said[1]);
            assert!(said[3].contains("40"), "{}", said[3]);
        }
    }

    #[test]
    fn a_failed_try_says_why() {
        let tries = report().tries_in_words(Text::new(Language::English));
        assert!(tries[2].contains("1,024") && tries[2].contains("main memory ran out"), "{}", tries[2]);
        assert!(tries[3].contains("fastest") && !tries[0].contains("fastest"), "{tries:#?}");
    }

    #[test]
    fn equal_speed_is_not_called_faster() {
        let report = TuningReport { times_engine_defaults: Some(1.02), ..report() };
        assert!(report.summary(Text::new(Language::English))[0].contains("as fast as"));
    }
}
