//! What the engine does, read from its log while it grows: the last load, the context in use, the speed of answers.

use std::collections::VecDeque;
use std::path::Path;

use serde::Serialize;

use crate::ollama::evidence::{LoadEvidence, LoadReader, gpu_share};
use crate::ollama::replies::Loaded;
use crate::ollama::server::{LogFollower, rotated_logs};

/// Number of answers that are kept.
const ANSWERS_KEPT: usize = 20;

/// An answer, as the engine timed it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct AnswerTiming {
    /// Tokens written per second.
    pub tokens_per_s: f64,
    /// Number of tokens.
    pub tokens: u64,
}

/// The engine's log, followed.
#[derive(Clone, Debug)]
pub struct EngineLog {
    follower: LogFollower,
    facts: LogFacts,
}

/// What was read so far.
#[derive(Clone, Debug, Default)]
struct LogFacts {
    load: LoadReader,
    loads: u64,
    context_used_tokens: Option<u32>,
    answers: VecDeque<AnswerTiming>,
}

impl EngineLog {
    /// Reads what is there; also the rotated log, when the last load is in it. A log that cannot be read tells nothing.
    pub fn open(log: &Path) -> Self {
        let mut this = Self { follower: LogFollower::from_start(log), facts: LogFacts::default() };
        this.update();
        if this.facts.loads == 0
            && let Some(old) = rotated_logs(log).get(2)
        {
            let mut facts = LogFacts::default();
            let _unreadable = LogFollower::from_start(old).read(|line| facts.push(line));
            this = Self { follower: LogFollower::from_start(log), facts };
            this.update();
        }
        this
    }

    /// Reads what was added. Returns whether anything was.
    pub fn update(&mut self) -> bool {
        let facts = &mut self.facts;
        self.follower.read(|line| facts.push(line)).unwrap_or(false)
    }

    /// Number of loads since the log was opened.
    pub fn loads(&self) -> u64 {
        self.facts.loads
    }

    /// The last load.
    pub fn load(&self) -> &LoadEvidence {
        self.facts.load.evidence()
    }

    /// Tokens of context that the last request takes; `None` before the first request of a load.
    pub fn context_used_tokens(&self) -> Option<u32> {
        self.facts.context_used_tokens
    }

    /// The last answers, the latest last.
    pub fn answers(&self) -> impl DoubleEndedIterator<Item = &AnswerTiming> {
        self.facts.answers.iter()
    }
}

/// Share of a loaded model's memory on cards, 0 to 1, by what the engine tells of it and by its log; `None` where those are
/// unreliable.
pub fn loaded_share(loaded: &Loaded, log: &Path) -> Option<f64> {
    gpu_share(loaded, EngineLog::open(log).load())
}

impl LogFacts {
    fn push(&mut self, line: &str) {
        let Some(slot) = line.strip_prefix("slot ") else {
            if self.load.push(line) {
                self.loads += 1;
                self.context_used_tokens = None;
            }
            return;
        };
        // `new prompt, n_ctx_slot = …` is of the load too.
        self.load.push(line);
        if let Some(timing) = answer_timing(slot) {
            self.answers.push_back(timing);
            if self.answers.len() > ANSWERS_KEPT {
                self.answers.pop_front();
            }
        } else if ["operator()", "print_timing", "release"].iter().any(|of| slot.trim_start().starts_with(of))
        {
            let tokens = slot.rsplit_once("n_tokens = ").and_then(|(_, rest)| number(rest));
            self.context_used_tokens = tokens.or(self.context_used_tokens);
        }
    }
}

/// `print_timing: id  0 | task 0 |        eval time =     213.22 ms /    12 tokens (   19.38 ms per token,    51.59 tokens per second)`
fn answer_timing(slot: &str) -> Option<AnswerTiming> {
    let (of, rest) = slot.split_once("eval time =")?;
    if !of.starts_with("print_timing") || of.trim_end().ends_with("prompt") {
        return None;
    }
    let tokens = rest.split_once('/').and_then(|(_, rest)| number(rest))?;
    let speed = rest.split_once("per token,")?.1.trim().strip_suffix("tokens per second)")?;
    let tokens_per_s: f64 = speed.trim().parse().ok()?;
    // A single token is the prompt's, and took no time.
    let timed = tokens > 1 && tokens_per_s > 0.0 && tokens_per_s < 1e6;
    timed.then_some(AnswerTiming { tokens_per_s, tokens: tokens.into() })
}

fn number(text: &str) -> Option<u32> {
    let text = text.trim_start();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    text[..digits].parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::fs::OpenOptions;
    use std::io::Write as _;

    const REAL: &str = include_str!("../../tests/fixtures/ollama/server-log-load-q8_0-cpu.log");
    const CUDA: &str = include_str!("../../tests/fixtures/ollama/made-up-cuda-partial.log");

    /// As the engine logs a long prompt and the end of an answer (b10488).
    const REQUEST: &str = "\
        slot   operator(): id  0 | task 60 | new prompt, n_ctx_slot = 32768, n_keep = 4, task.n_tokens = 7631\n\
        slot print_timing: id  0 | task 60 | prompt processing, n_tokens =   1024, progress = 0.13, t =   6.18 s / 165.80 tokens per second\n\
        slot create_check: id  0 | task 60 | created context checkpoint 1 of 32 (pos_min = 7118, pos_max = 7118, n_tokens = 7119, size = 5.182 MiB)\n";
    const END: &str = "\
        slot print_timing: id  0 | task 60 | prompt eval time =   51364.07 ms /  7631 tokens (    6.73 ms per token,   148.57 tokens per second)\n\
        slot print_timing: id  0 | task 60 |        eval time =    1000.00 ms /    20 tokens (   50.00 ms per token,    20.00 tokens per second)\n\
        slot      release: id  0 | task 60 | stop processing: n_tokens = 7650, truncated = 0\n";

    #[test]
    fn load_context_and_speed_are_read_as_they_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.log");
        let write = |text: &str| {
            let mut log = OpenOptions::new().create(true).append(true).open(&path).unwrap();
            log.write_all(text.as_bytes()).unwrap();
        };
        write(REAL);
        let mut log = EngineLog::open(&path);
        assert_eq!((log.loads(), log.load().context_tokens), (1, Some(32_768)));
        assert_eq!(log.context_used_tokens(), Some(13));
        let speeds = |log: &EngineLog| log.answers().map(|answer| answer.tokens_per_s).collect::<Vec<_>>();
        assert_eq!(speeds(&log), [51.59]);
        write(REQUEST);
        assert!(log.update() && !log.update());
        assert_eq!(log.context_used_tokens(), Some(1024), "a checkpoint does not count");
        write(END);
        write(
            "slot print_timing: id  0 | task 61 |        eval time =       0.00 ms /     1 tokens (    0.00 ms per token,      inf tokens per second)\n",
        );
        log.update();
        assert_eq!(log.context_used_tokens(), Some(7650));
        assert_eq!(log.answers().next_back(), Some(&AnswerTiming { tokens_per_s: 20.0, tokens: 20 }));
        write(CUDA);
        log.update();
        assert_eq!((log.loads(), log.load().offloaded), (2, Some((25, 29))));
        assert_eq!(speeds(&log), [51.59, 20.0], "answers outlast a load");
    }

    #[test]
    fn a_load_before_the_rotation_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.log");
        std::fs::write(folder.path().join("server.log.1"), CUDA).unwrap();
        std::fs::write(&path, END).unwrap();
        let log = EngineLog::open(&path);
        assert_eq!((log.load().offloaded, log.context_used_tokens()), (Some((25, 29)), Some(7650)));
    }
}
