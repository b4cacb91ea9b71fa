//! `acolyte monitor`: how full the graphics memory is, what the model does, and an alert before the model runs out of it.
//!
//! On a terminal it draws, and redraws in place; otherwise it prints lines, or JSON.

pub mod desktop;
mod draw;
mod screen;

use std::collections::VecDeque;
use std::time::Duration;

use serde::Serialize;

use crate::SCHEMA;
use crate::cli::args::MonitorArgs;
use crate::cli::interrupt::{INTERRUPTED, InterruptiblePause};
use crate::cli::output::{print, print_line_of_json};
use crate::cli::status::about_listener;
use crate::cli::{Failure, Session};
use crate::hardware::DetectOptions;
use crate::install::manage;
use crate::monitor::{Alert, AlertWatch, Sample, SampleHistory, Sampler};
use crate::platform::listening::Listener;
use crate::say;

use desktop::DesktopAlerts;
use screen::Screen;

/// Time that the graph covers.
const SPAN: Duration = Duration::from_secs(300);
/// Seconds between two looks.
const DRAWN_INTERVAL_S: u64 = 2;
const PRINTED_INTERVAL_S: u64 = 10;
/// Number of messages that a frame shows.
const MESSAGES_SHOWN: usize = 4;
/// Who listens on the server's port is asked this often: elsewhere than on Linux that starts a program.
const LISTENER_EVERY: Duration = Duration::from_secs(30);

/// One check, as `--json` prints it.
#[derive(Serialize)]
struct MonitorJson<'a> {
    schema: u32,
    #[serde(flatten)]
    sample: &'a Sample,
    /// What changed since the last check, in the user's language.
    alerts: &'a [String],
}

/// How samples are shown.
enum MonitorView {
    Json,
    Lines,
    Drawing { screen: Screen, history: SampleHistory, messages: VecDeque<String> },
}

/// Runs the command: until it is interrupted, or once. With `--once` the exit code is 10 when memory is nearly full.
///
/// # Errors
/// When no graphics card reports its memory use, or the output cannot be written.
pub fn run(args: &MonitorArgs, session: &Session) -> Result<u8, Failure> {
    session.require_own_home()?;
    let pause = InterruptiblePause::new()?;
    let mut sampler = Sampler::start(DetectOptions::new(session.home.clone()));
    if sampler.is_blind() {
        return Err(Failure::failed(say!(session.text, "monitor-nothing-to-watch")));
    }
    let mut view = MonitorView::new(args);
    let usual_s =
        if matches!(view, MonitorView::Drawing { .. }) { DRAWN_INTERVAL_S } else { PRINTED_INTERVAL_S };
    let interval = Duration::from_secs(args.interval.unwrap_or(usual_s));
    let mut desktop = (!args.once && !args.no_notify).then(|| DesktopAlerts::of(&session.home, session.text));
    let mut watch = AlertWatch::default();
    let mut listener = ListenerWatch::default();
    loop {
        let sample = sampler.sample();
        let alerts = watch.update(&sample);
        let mut words: Vec<String> = alerts.iter().map(|alert| alert.explain(session.text)).collect();
        words.extend(listener.update(session)?);
        if let Some(desktop) = &mut desktop {
            alerts.iter().for_each(|alert| desktop.raise(alert));
            words.extend(desktop.messages());
        }
        if args.once && sample.gpus.is_empty() {
            return Err(Failure::failed(say!(session.text, "monitor-no-answer")));
        }
        view.show(sample, words, session)?;
        if args.once {
            let critical = alerts.iter().any(|alert| matches!(alert, Alert::Critical(_)));
            return Ok(if critical { 10 } else { 0 });
        }
        if pause.wait(interval) {
            return Ok(INTERRUPTED);
        }
    }
}

impl MonitorView {
    fn new(args: &MonitorArgs) -> Self {
        if args.json {
            return Self::Json;
        }
        match Screen::of_terminal().filter(|_| !args.once) {
            Some(screen) => {
                Self::Drawing { screen, history: SampleHistory::of_last(SPAN), messages: VecDeque::new() }
            }
            None => Self::Lines,
        }
    }

    fn show(&mut self, sample: Sample, words: Vec<String>, session: &Session) -> Result<(), Failure> {
        let text = session.text;
        match self {
            Self::Json => {
                print_line_of_json(&MonitorJson { schema: SCHEMA, sample: &sample, alerts: &words })
            }
            Self::Lines => {
                for card in &sample.gpus {
                    print(&format!("{}\n", card.memory.words(text)))?;
                }
                if sample.model.is_some() {
                    for line in draw::of_model(sample.model.as_ref(), text) {
                        print(&format!("{line}\n"))?;
                    }
                }
                words.iter().for_each(|alert| session.tell(alert));
                Ok(())
            }
            Self::Drawing { screen, history, messages } => {
                history.push(sample);
                messages.extend(words);
                while messages.len() > MESSAGES_SHOWN {
                    messages.pop_front();
                }
                let (columns, _) = Screen::size();
                screen.draw(&draw::frame(history, SPAN, messages.make_contiguous(), columns, text))
            }
        }
    }
}

/// Tells when another program listens on the server's port.
#[derive(Default)]
struct ListenerWatch {
    last: Option<(u16, Listener)>,
    asked: Option<std::time::Instant>,
}

impl ListenerWatch {
    fn update(&mut self, session: &Session) -> Result<Option<String>, Failure> {
        if self.asked.is_some_and(|asked| asked.elapsed() < LISTENER_EVERY) {
            return Ok(None);
        }
        self.asked = Some(std::time::Instant::now());
        let found = manage::port_listener(&session.home).map_err(|e| Failure::of_install(e, session.text))?;
        if found == self.last {
            return Ok(None);
        }
        let alert = |(port, listener): &(u16, Listener)| about_listener(listener, *port, session.text);
        let words = found.as_ref().and_then(alert);
        self.last = found;
        Ok(words)
    }
}
