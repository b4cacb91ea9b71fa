//! Looks at the cards, the model and the server's log while a page shows them.
//!
//! A look is sent when it found something new, and the next one is taken only after the window has drawn it, so that a
//! hidden or minimized window costs nothing.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use super::look::{LiveLook, LiveWatch};
use super::message::{Message, Outbox};
use crate::doctor::redact::Secrets;
use crate::hardware::DetectOptions;
use crate::install::{Installed, Paths};
use crate::monitor::{Sample, Sampler};
use crate::ollama::server::LogFollower;

/// Time between two looks at the engine's log.
const INTERVAL: Duration = Duration::from_secs(2);
/// While no model is in memory, only one in so many looks asks the driver.
const IDLE_LOOKS: u32 = 5;
/// A graph moves on at least this often, even when nothing changes.
const LONGEST_SILENCE: Duration = Duration::from_secs(10);
/// Number of lines of the server's log that are shown.
const LOG_LINES: usize = 12;

/// Looks at an installation until the watch is stopped.
pub(super) fn watch_installation(home: &Path, watch: &LiveWatch, outbox: &Outbox) {
    // Of a folder that is not ours, no log is shown.
    if let Ok(Some(_)) = Installed::load(home) {
        let mut looker = Looker::of(DetectOptions::new(home.to_owned()));
        send_looks(watch, INTERVAL, || looker.look(), outbox);
    }
}

/// Sends what `look` finds new, until the watch is stopped.
fn send_looks(
    watch: &LiveWatch,
    interval: Duration,
    mut look: impl FnMut() -> Option<LiveLook>,
    outbox: &Outbox,
) {
    loop {
        if let Some(found) = look() {
            if watch.is_stopped() {
                return;
            }
            watch.sent();
            outbox.send(Message::Looked(Box::new(found)));
        }
        if !watch.wait(interval) {
            return;
        }
    }
}

/// Takes looks, and keeps what was sent last.
struct Looker {
    sampler: Sampler,
    log: LogFollower,
    lines: VecDeque<String>,
    secrets: Secrets,
    looks: u32,
    last: Option<Sample>,
}

impl Looker {
    fn of(options: DetectOptions) -> Self {
        Self {
            log: LogFollower::from_start(&Paths::new(&options.home).server_log()),
            sampler: Sampler::waiting(options),
            lines: VecDeque::new(),
            secrets: Secrets::of_this_machine(),
            looks: 0,
            last: None,
        }
    }

    /// What is new; `None` when nothing is.
    fn look(&mut self) -> Option<LiveLook> {
        let lines = &mut self.lines;
        let read = self.log.read(|line| {
            lines.push_back(line.to_owned());
            if lines.len() > LOG_LINES {
                lines.pop_front();
            }
        });
        // A log that cannot be read has no lines.
        let has_grown = read.unwrap_or(false);
        let is_loaded = self.sampler.follow_engine();
        let is_due = is_loaded || self.looks.is_multiple_of(IDLE_LOOKS);
        self.looks = self.looks.wrapping_add(1);
        if !is_due && !has_grown {
            return None;
        }
        let sample = self.sampler.sample();
        if !has_grown && self.last.as_ref().is_some_and(|last| !is_news(last, &sample)) {
            return None;
        }
        self.last = Some(sample.clone());
        let log = self.lines.iter().map(|line| self.secrets.line(line)).collect();
        Some(LiveLook { sample, is_blind: self.sampler.is_blind(), log })
    }
}

/// Whether a graph that shows one sample needs the other.
fn is_news(last: &Sample, now: &Sample) -> bool {
    let same = Sample { at: last.at, ..now.clone() } == *last;
    !same || now.at.saturating_duration_since(last.at) >= LONGEST_SILENCE
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::{Receiver, channel};
    use std::thread::{self, JoinHandle};
    use std::time::Instant;

    use super::*;

    fn empty_look() -> LiveLook {
        let sample = Sample { at: Instant::now(), gpus: Vec::new(), model: None };
        LiveLook { sample, is_blind: true, log: Vec::new() }
    }

    /// A thread whose every look finds something; it returns the number of looks.
    fn started(watch: &LiveWatch) -> (JoinHandle<u32>, Receiver<Message>) {
        let (sender, inbox) = channel();
        let outbox = Outbox::new(sender, Arc::new(|| ()));
        let watch = watch.clone();
        let thread = thread::spawn(move || {
            let mut looks = 0;
            let look = || {
                looks += 1;
                Some(empty_look())
            };
            send_looks(&watch, Duration::ZERO, look, &outbox);
            looks
        });
        (thread, inbox)
    }

    #[test]
    fn no_look_is_taken_before_the_last_one_is_drawn() {
        let watch = LiveWatch::default();
        let (thread, inbox) = started(&watch);
        for _ in 0..3 {
            assert!(matches!(inbox.recv().unwrap(), Message::Looked(_)));
            watch.drawn();
        }
        assert!(matches!(inbox.recv().unwrap(), Message::Looked(_)));
        // The fourth look is not drawn, so that the thread waits here.
        watch.stop();
        assert_eq!(thread.join().unwrap(), 4);
        assert!(inbox.recv().is_err(), "the thread has ended, and has sent nothing else");
    }

    #[test]
    fn a_stopped_watch_takes_no_second_look_and_sends_nothing() {
        let watch = LiveWatch::default();
        watch.stop();
        let (thread, inbox) = started(&watch);
        assert_eq!(thread.join().unwrap(), 1);
        assert!(inbox.recv().is_err());
    }

    #[test]
    fn stopping_ends_a_long_wait_at_once() {
        let watch = LiveWatch::default();
        let waiting = watch.clone();
        let thread = thread::spawn(move || waiting.wait(Duration::from_secs(3600)));
        watch.stop();
        assert!(!thread.join().unwrap());
    }

    #[test]
    fn a_look_has_the_last_lines_of_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().to_owned();
        let log = Paths::new(&home).server_log();
        std::fs::create_dir_all(log.parent().unwrap()).unwrap();
        let lines = |count: usize| (0..count).map(|n| format!("line {n}\n")).collect::<String>();
        std::fs::write(&log, lines(20)).unwrap();
        // No driver is asked: its child process cannot be started.
        let probe_program = Some(home.join("none"));
        let mut looker = Looker::of(DetectOptions { probe_program, ..DetectOptions::new(home) });
        let first = looker.look().unwrap();
        assert_eq!((first.log.len(), first.log.last().map(String::as_str)), (LOG_LINES, Some("line 19")));
        assert_eq!(first.sample.model, None);
        std::fs::write(&log, lines(21)).unwrap();
        let second = looker.look().unwrap();
        assert_eq!((second.log.len(), second.log.last().map(String::as_str)), (LOG_LINES, Some("line 20")));
    }

    #[test]
    fn an_unchanged_sample_is_news_only_after_a_while() {
        let at = Instant::now();
        let sample = |after_s, n_cpu_moe: Option<u32>| Sample {
            at: at + Duration::from_secs(after_s),
            gpus: Vec::new(),
            model: n_cpu_moe.map(|n_cpu_moe| crate::monitor::ModelSample { n_cpu_moe, ..Default::default() }),
        };
        assert!(!is_news(&sample(0, None), &sample(2, None)));
        assert!(is_news(&sample(0, None), &sample(10, None)));
        assert!(is_news(&sample(0, None), &sample(2, Some(0))));
        assert!(is_news(&sample(0, Some(0)), &sample(2, Some(1))));
    }
}
