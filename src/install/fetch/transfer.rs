//! The state of a download: which address, how many connections, what to try next.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::Client;
use tokio::time::MissedTickBehavior;

use crate::control::Control;
use crate::install::fetch::connection::{Errand, Opened, UNKNOWN_END};
use crate::install::fetch::crew::Crew;
use crate::install::fetch::mirrors::{Mirrors, Next};
use crate::install::fetch::partial::{Places, Sidecar};
use crate::install::fetch::problem::Problem;
use crate::install::fetch::ranges::{Span, Spans};
use crate::install::fetch::rate::{Limiter, Meter};
use crate::install::fetch::sink::Sink;
use crate::install::fetch::widening::Widening;
use crate::install::fetch::{DownloadError, DownloadRequest, Progress, Waiting, verifies};
use crate::platform::files;

const TICK: Duration = Duration::from_millis(100);
const LOOK_AT_DISK_EVERY: Duration = Duration::from_secs(2);
/// Silence that is worth mentioning.
const SILENCE_SHOWN: Duration = Duration::from_secs(3);
/// Whole files that may be wrong before the download fails.
const MOST_WRONG_FILES: u32 = 2;

/// See [`super::download`].
pub async fn run(
    client: &Client,
    request: &DownloadRequest,
    progress: &dyn Fn(Progress),
    control: &Control,
) -> Result<PathBuf, DownloadError> {
    control.check()?;
    if verifies(&request.dest, request.bytes, request.sha256, control).await? {
        if let Some(tail) = &request.tail {
            tail.begin(&request.dest).map_err(|error| DownloadError::io(&request.dest, error))?;
            tail.verified(files::length(&request.dest));
        }
        return Ok(request.dest.clone());
    }
    if let Some(folder) = request.dest.parent() {
        std::fs::create_dir_all(folder).map_err(|error| DownloadError::io(folder, error))?;
    }
    let mut transfer = Transfer::open(client, request, progress, control)?;
    let outcome = transfer.until_published().await;
    transfer.sink.stop().await;
    outcome
}

struct Transfer<'a> {
    client: &'a Client,
    request: &'a DownloadRequest,
    progress: &'a dyn Fn(Progress),
    control: &'a Control,
    limiter: Option<Arc<Limiter>>,
    places: Places,
    sink: Sink,
    /// What was handed to the sink, or was there before.
    sent: Spans,
    total: Option<u64>,
    mirrors: Mirrors,
    meter: Meter,
}

/// How an attempt at one address ended.
enum Ended {
    Complete,
    Paused,
    Failed { problem: Problem, brought: bool, lanes: usize },
}

impl<'a> Transfer<'a> {
    fn open(
        client: &'a Client,
        request: &'a DownloadRequest,
        progress: &'a dyn Fn(Progress),
        control: &'a Control,
    ) -> Result<Self, DownloadError> {
        let places = Places::of(&request.dest);
        let sidecar = Sidecar::load(&places, request.sha256, request.bytes);
        let (sent, total) = (sidecar.done.clone(), request.bytes.or(sidecar.bytes));
        let sink = Sink::open(places.clone(), sidecar, request.tail.clone())
            .map_err(|(path, error)| DownloadError::io(&path, error))?;
        let limiter = request.max_bytes_per_s.map(|rate| Arc::new(Limiter::new(rate)));
        // A rate that is held down gains nothing from more connections.
        let most_lanes = if limiter.is_some() { 1 } else { request.max_connections.max(1) };
        let mirrors = Mirrors::new(&request.urls, request.patience, most_lanes);
        let meter = Meter::default();
        Ok(Self { client, request, progress, control, limiter, places, sink, sent, total, mirrors, meter })
    }

    async fn until_published(&mut self) -> Result<PathBuf, DownloadError> {
        let mut wrong_files = 0;
        loop {
            self.fetch_all().await?;
            self.report(0, Some(Waiting::Check));
            let hash = self.control.or_cancelled(self.sink.finish()).await?;
            let hash = hash.map_err(|error| DownloadError::io(&self.places.partial, error))?;
            if hash == self.request.sha256 {
                self.report(0, None);
                return self.publish();
            }
            let (expected, actual) = (self.request.sha256, hash);
            tracing::warn!(%expected, %actual, "the downloaded file is not what it must be");
            self.start_over().await?;
            wrong_files += 1;
            if wrong_files >= MOST_WRONG_FILES {
                let address = self.mirrors.current().map(|mirror| mirror.url.to_string()).unwrap_or_default();
                return Err(DownloadError::CheckSum { address, expected, actual });
            }
            if self.mirrors.are_several() {
                self.mirrors.strike(Problem::CheckSum { expected, actual });
            }
        }
    }

    /// Ends when everything was handed to the sink.
    async fn fetch_all(&mut self) -> Result<(), DownloadError> {
        if let Some(total) = self.total {
            self.check_space(total, self.sent.total())?;
        }
        while !self.total.is_some_and(|total| self.sent.covers(total)) {
            if self.control.is_paused() {
                self.report(0, Some(Waiting::Resume));
                self.control.until_resumed().await?;
                self.meter.reset();
            }
            self.control.check()?;
            match self.attempt().await? {
                Ended::Complete => break,
                Ended::Paused => {}
                Ended::Failed { problem, brought, lanes } => self.judge(problem, brought, lanes).await?,
            }
        }
        Ok(())
    }

    /// What a failed attempt means: start over, ask otherwise, wait, go elsewhere.
    async fn judge(&mut self, problem: Problem, brought: bool, lanes: usize) -> Result<(), DownloadError> {
        tracing::info!(host = self.host(), %problem, lanes, "an attempt at downloading failed");
        match self.mirrors.judge(&problem, brought, lanes) {
            Next::Again => Ok(()),
            Next::StartOver => self.start_over().await,
            Next::Wait(wait) => self.back_off(problem, wait).await,
        }
    }

    async fn back_off(&self, problem: Problem, wait: Duration) -> Result<(), DownloadError> {
        let until = Instant::now() + wait;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || self.control.is_paused() {
                return Ok(());
            }
            let waiting = Waiting::Retry {
                host: self.host(),
                problem: problem.clone(),
                seconds: left.as_secs_f64().ceil() as u64,
            };
            self.report(0, Some(waiting));
            let nap = tokio::time::sleep(left.min(Duration::from_secs(1)));
            self.control
                .or_cancelled(async {
                    tokio::select! {
                        () = nap => {}
                        () = self.control.paused() => {}
                    }
                })
                .await?;
        }
    }

    /// Fetches what is missing from the current address until it is all there, or something stops that.
    async fn attempt(&mut self) -> Result<Ended, DownloadError> {
        let Some(mirror) = self.mirrors.current() else { return Err(self.unavailable()) };
        let Some(inlet) = self.sink.inlet() else { return Err(self.sink_failed().await) };
        let errand = Arc::new(Errand {
            client: self.client.clone(),
            policy: self.request.policy.clone(),
            url: mirror.url.clone(),
            bytes: self.total,
            ranged: mirror.ranged,
            patience: self.request.patience.silence,
            limiter: self.limiter.clone(),
        });
        let before = self.sent.total();
        let mut crew = Crew::new(errand, inlet);
        let mut widening = Widening::new(mirror.most_lanes);
        let outcome = self.supervise(&mut crew, &mut widening).await;
        crew.dismiss(&mut self.sent).await;
        drop(crew);
        match outcome? {
            Ended::Failed { problem, lanes, .. } => {
                Ok(Ended::Failed { problem, brought: self.sent.total() > before, lanes })
            }
            ended => Ok(ended),
        }
    }

    async fn supervise(&mut self, crew: &mut Crew, widening: &mut Widening) -> Result<Ended, DownloadError> {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut answered = false;
        let mut last_done = 0;
        let mut last_news = Instant::now();
        let mut looked_at_disk = Instant::now();
        crew.send_out(self.first_span(), self.validator());
        loop {
            tokio::select! {
                biased;
                () = self.control.token().cancelled() => self.control.check()?,
                () = self.control.paused() => return Ok(Ended::Paused),
                Some(opened) = crew.opened.recv() => {
                    answered = true;
                    self.note(&opened)?;
                    if !opened.ranged {
                        widening.stop();
                    }
                }
                Some(ended) = crew.tasks.join_next() => {
                    let (id, result) = ended.map_err(|error| {
                        DownloadError::io(&self.places.partial, std::io::Error::other(error))
                    })?;
                    crew.come_home(id, &mut self.sent);
                    if crew.inlet.is_closed() {
                        return Err(self.sink_failed().await);
                    }
                    if let Some(ended) = self.after_lane(result, crew, widening) {
                        return Ok(ended);
                    }
                }
                _ = ticks.tick() => {
                    let now = Instant::now();
                    let done = self.done(crew);
                    self.meter.note(now, done);
                    if done != last_done {
                        (last_done, last_news) = (done, now);
                    }
                    let silence = now.duration_since(last_news);
                    let waiting = (silence >= SILENCE_SHOWN).then(|| {
                        let (host, seconds) = (self.host(), silence.as_secs());
                        if answered { Waiting::Data { host, seconds } } else { Waiting::Answer { host, seconds } }
                    });
                    self.report_done(done, crew.lanes.len(), waiting);
                    if now.duration_since(looked_at_disk) >= LOOK_AT_DISK_EVERY {
                        looked_at_disk = now;
                        self.check_space(self.total.unwrap_or(done), done)?;
                    }
                    let left = self.total.map(|total| total.saturating_sub(done));
                    if answered && widening.wants_more(now, done, left, crew.lanes.len()) {
                        self.widen(crew, widening.target());
                    }
                }
            }
        }
    }

    /// What the end of one lane means for the others; `Some` when it ends the attempt.
    fn after_lane(
        &mut self,
        result: Result<(), Problem>,
        crew: &mut Crew,
        widening: &mut Widening,
    ) -> Option<Ended> {
        match result {
            Ok(()) => {
                // Of a file of unknown length the end is where the server stopped.
                if self.total.is_none() {
                    let total = self.sent.prefix();
                    self.total = Some(total);
                    self.sink.shared().note_length(total);
                }
                if self.total.is_some_and(|total| self.sent.covers(total)) {
                    return Some(Ended::Complete);
                }
                self.widen(crew, widening.target().max(1));
                crew.lanes.is_empty().then_some(Ended::Failed {
                    problem: Problem::CutShort,
                    brought: false,
                    lanes: 1,
                })
            }
            Err(problem) => {
                let lanes = crew.lanes.len() + 1;
                let others_go_on = lanes > 1 && problem.is_passing() && !matches!(problem, Problem::Changed);
                if others_go_on {
                    tracing::info!(%problem, lanes, "one of several connections failed");
                    widening.limit_to(crew.lanes.len());
                    return None;
                }
                Some(Ended::Failed { problem, brought: false, lanes })
            }
        }
    }

    fn note(&mut self, opened: &Opened) -> Result<(), DownloadError> {
        let shared = self.sink.shared();
        if let Some(validator) = &opened.validator {
            shared.note_validator(&self.address(), validator);
        }
        if let (None, Some(bytes)) = (self.total, opened.bytes) {
            shared.note_length(bytes);
            self.total = Some(bytes);
            self.check_space(bytes, self.sent.total())?;
        }
        Ok(())
    }

    /// The first gap; everything where the server knows no ranges.
    fn first_span(&self) -> Span {
        let whole = Span { start: 0, end: self.total.unwrap_or(UNKNOWN_END) };
        if self.mirrors.current().is_some_and(|mirror| !mirror.ranged) {
            return whole;
        }
        match self.total {
            Some(total) => self.sent.missing(total).first().copied().unwrap_or(whole),
            None => Span { start: self.sent.prefix(), end: UNKNOWN_END },
        }
    }

    /// Sends out lanes until there are so many: into gaps first, then into the second half of the longest stretch.
    fn widen(&self, crew: &mut Crew, target: usize) {
        let Some(total) = self.total else { return };
        while crew.lanes.len() < target {
            let mut taken = self.sent.clone();
            for lane in crew.lanes.values() {
                taken.add(Span { start: lane.start, end: lane.end() });
            }
            let span = match taken.missing(total).first() {
                Some(gap) => *gap,
                None => match crew.split_longest() {
                    Some(half) => half,
                    None => return,
                },
            };
            crew.send_out(span, self.validator());
        }
    }

    fn validator(&self) -> Option<String> {
        self.sink.shared().validator(&self.address())
    }

    fn done(&self, crew: &Crew) -> u64 {
        let mut done = self.sent.clone();
        for lane in crew.lanes.values() {
            done.add(lane.sent());
        }
        done.total()
    }

    fn report(&self, connections: usize, waiting_for: Option<Waiting>) {
        self.report_done(self.sent.total(), connections, waiting_for);
    }

    fn report_done(&self, bytes_done: u64, connections: usize, waiting_for: Option<Waiting>) {
        let bytes_per_s = self.meter.bytes_per_s();
        let left = self.total.map(|total| total.saturating_sub(bytes_done) as f64);
        let seconds_left = left.filter(|_| bytes_per_s > 0.0).map(|left| left / bytes_per_s);
        let bytes_total = self.total;
        (self.progress)(Progress {
            bytes_done,
            bytes_total,
            bytes_per_s,
            seconds_left,
            connections,
            waiting_for,
        });
    }

    fn host(&self) -> String {
        self.mirrors.current().and_then(|mirror| mirror.url.host_str()).unwrap_or_default().to_owned()
    }

    fn address(&self) -> String {
        self.mirrors.current().map(|mirror| mirror.url.to_string()).unwrap_or_default()
    }

    /// Throws everything away that has come.
    async fn start_over(&mut self) -> Result<(), DownloadError> {
        self.sink.stop().await;
        self.places.remove().map_err(|(path, error)| DownloadError::io(&path, error))?;
        let sidecar = Sidecar::load(&self.places, self.request.sha256, self.request.bytes);
        self.total = self.request.bytes;
        self.sent = Spans::default();
        self.meter.reset();
        self.sink = Sink::open(self.places.clone(), sidecar, self.request.tail.clone())
            .map_err(|(path, error)| DownloadError::io(&path, error))?;
        Ok(())
    }

    fn publish(&self) -> Result<PathBuf, DownloadError> {
        let (partial, dest) = (&self.places.partial, &self.request.dest);
        if let Some(tail) = &self.request.tail {
            tail.verified(files::length(partial));
        } else {
            // On the disk before it has its name: a name that survives a power cut must mean the whole file. One that is
            // read while it comes is hardly needed any more, and is hashed again if it is.
            let file = std::fs::File::options().write(true).open(partial);
            file.and_then(|file| file.sync_all()).map_err(|error| DownloadError::io(partial, error))?;
        }
        std::fs::rename(partial, dest).map_err(|error| DownloadError::io(dest, error))?;
        self.places.remove().map_err(|(path, error)| DownloadError::io(&path, error))?;
        Ok(dest.clone())
    }

    fn check_space(&self, total: u64, there: u64) -> Result<(), DownloadError> {
        let folder = self.request.dest.parent().unwrap_or(&self.request.dest);
        let needed = total.saturating_sub(there);
        match (self.request.free_space)(folder) {
            Ok(free) if free < needed => Err(DownloadError::DiskFull {
                path: self.request.dest.clone(),
                missing_bytes: Some(needed - free),
            }),
            Ok(_) => Ok(()),
            // Some file systems do not tell; a full disk is then noticed when it is full.
            Err(error) => {
                tracing::debug!(%error, "free space unknown");
                Ok(())
            }
        }
    }

    /// The sink has given up: its own word.
    async fn sink_failed(&mut self) -> DownloadError {
        match self.sink.finish().await {
            Err(error) => DownloadError::io(&self.places.partial, error),
            Ok(_) => {
                DownloadError::io(&self.places.partial, std::io::Error::other("it was closed too early"))
            }
        }
    }

    fn unavailable(&self) -> DownloadError {
        let file = self.request.dest.file_name().unwrap_or_default().to_string_lossy().into_owned();
        DownloadError::Unavailable { file, tried: self.mirrors.problems() }
    }
}
