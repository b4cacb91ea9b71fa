//! The state machine of a download: which mirror, how many connections, what to try next.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::MissedTickBehavior;

use crate::control::Control;
use crate::install::fetch::connection::{Opened, RemoteFile, UNKNOWN_END};
use crate::install::fetch::mirrors::{Mirrors, RetryDecision};
use crate::install::fetch::partial::{PartialPaths, Sidecar};
use crate::install::fetch::problem::TransferProblem;
use crate::install::fetch::ramp_up::RampUp;
use crate::install::fetch::ranges::{ByteSpan, Spans};
use crate::install::fetch::rate::{Limiter, Meter};
use crate::install::fetch::request::{
    DownloadError, DownloadProgress, DownloadRequest, DownloadWait, verifies,
};
use crate::install::fetch::workers::Workers;
use crate::install::fetch::writer::FileWriter;
use crate::ollama::http::HttpClient;
use crate::platform::files;

const TICK: Duration = Duration::from_millis(100);
const DISK_CHECK_INTERVAL: Duration = Duration::from_secs(2);
/// Report a stall after this long without data.
const STALL_REPORTED_AFTER: Duration = Duration::from_secs(3);
/// The download fails after this many complete files with a wrong checksum.
const MAX_WRONG_FILES: u32 = 2;

/// See [`super::download`].
///
/// # Errors
/// When no mirror provides the file, its checksum is another one, the disk is full, or the user cancels.
pub async fn run(
    client: &HttpClient,
    request: &DownloadRequest,
    progress: &dyn Fn(DownloadProgress),
    control: &Control,
) -> Result<PathBuf, DownloadError> {
    control.check()?;
    if verifies(&request.dest, request.bytes, request.sha256, control).await? {
        if let Some(growing_file) = &request.growing_file {
            growing_file.begin(&request.dest).map_err(|error| DownloadError::io(&request.dest, error))?;
            growing_file.verified(files::length(&request.dest));
        }
        return Ok(request.dest.clone());
    }
    if let Some(folder) = request.dest.parent() {
        files::create_folders(folder).map_err(DownloadError::File)?;
    }
    let mut transfer = Transfer::open(client, request, progress, control)?;
    let outcome = transfer.until_published().await;
    transfer.writer.stop().await;
    outcome
}

struct Transfer<'a> {
    client: &'a HttpClient,
    request: &'a DownloadRequest,
    progress: &'a dyn Fn(DownloadProgress),
    control: &'a Control,
    limiter: Option<Arc<Limiter>>,
    paths: PartialPaths,
    writer: FileWriter,
    /// Bytes passed to the writer or present before.
    sent: Spans,
    total: Option<u64>,
    mirrors: Mirrors,
    meter: Meter,
}

/// How an attempt at one address ended.
enum Ended {
    Complete,
    Paused,
    Failed { problem: TransferProblem, brought: bool, segments: usize },
}

impl<'a> Transfer<'a> {
    fn open(
        client: &'a HttpClient,
        request: &'a DownloadRequest,
        progress: &'a dyn Fn(DownloadProgress),
        control: &'a Control,
    ) -> Result<Self, DownloadError> {
        let paths = PartialPaths::of(&request.dest);
        let sidecar = Sidecar::load(&paths, request.sha256, request.bytes);
        let (sent, total) = (sidecar.done.clone(), request.bytes.or(sidecar.bytes));
        let writer = FileWriter::open(paths.clone(), sidecar, request.growing_file.clone())
            .map_err(|(path, error)| DownloadError::io(&path, error))?;
        let limiter = request.max_bytes_per_s.map(|rate| Arc::new(Limiter::new(rate)));
        // A limited rate gains nothing from more connections.
        let most_segments = if limiter.is_some() { 1 } else { request.max_connections.max(1) };
        let mirrors = Mirrors::new(&request.urls, request.retry_policy, most_segments);
        let meter = Meter::default();
        Ok(Self { client, request, progress, control, limiter, paths, writer, sent, total, mirrors, meter })
    }

    async fn until_published(&mut self) -> Result<PathBuf, DownloadError> {
        let mut wrong_files = 0;
        loop {
            self.fetch_all().await?;
            self.report(0, Some(DownloadWait::Check));
            let hash = self.control.or_cancelled(self.writer.finish()).await?;
            let hash = hash.map_err(|error| DownloadError::io(&self.paths.partial, error))?;
            if hash == self.request.sha256 {
                self.report(0, None);
                return self.publish();
            }
            let (expected, actual) = (self.request.sha256, hash);
            tracing::warn!(%expected, %actual, "the downloaded file has a wrong checksum");
            self.start_over().await?;
            wrong_files += 1;
            if wrong_files >= MAX_WRONG_FILES {
                let address = self.mirrors.current().map(|mirror| mirror.url.to_string()).unwrap_or_default();
                return Err(DownloadError::CheckSum { address, expected, actual });
            }
            if self.mirrors.are_several() {
                self.mirrors.record_failure(TransferProblem::CheckSum { expected, actual });
            }
        }
    }

    /// Returns when every byte was passed to the writer.
    async fn fetch_all(&mut self) -> Result<(), DownloadError> {
        if let Some(total) = self.total {
            self.request.check_space(total, self.sent.total())?;
        }
        while !self.total.is_some_and(|total| self.sent.covers(total)) {
            if self.control.is_paused() {
                self.report(0, Some(DownloadWait::Resume));
                self.control.until_resumed().await?;
                self.meter.reset();
            }
            self.control.check()?;
            match self.attempt().await? {
                Ended::Complete => break,
                Ended::Paused => {}
                Ended::Failed { problem, brought, segments } => {
                    self.decide_after_failure(problem, brought, segments).await?
                }
            }
        }
        Ok(())
    }

    /// Decides after a failed attempt: restart, request differently, wait, or switch mirrors.
    async fn decide_after_failure(
        &mut self,
        problem: TransferProblem,
        brought: bool,
        segments: usize,
    ) -> Result<(), DownloadError> {
        tracing::info!(host = self.host(), %problem, segments, "an attempt at downloading failed");
        match self.mirrors.decide_after_failure(&problem, brought, segments) {
            RetryDecision::Again => Ok(()),
            RetryDecision::StartOver => self.start_over().await,
            RetryDecision::Wait(wait) => self.back_off(problem, wait).await,
        }
    }

    async fn back_off(&self, problem: TransferProblem, wait: Duration) -> Result<(), DownloadError> {
        let until = Instant::now() + wait;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || self.control.is_paused() {
                return Ok(());
            }
            let waiting = DownloadWait::Retry {
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

    /// Downloads what is missing from the current mirror until it is complete or fails.
    async fn attempt(&mut self) -> Result<Ended, DownloadError> {
        let Some(mirror) = self.mirrors.current() else { return Err(self.unavailable()) };
        let Some(chunks) = self.writer.chunks() else { return Err(self.writer_failed().await) };
        let remote = Arc::new(RemoteFile {
            client: self.client.clone(),
            policy: self.request.policy.clone(),
            url: mirror.url.clone(),
            bytes: self.total,
            ranged: mirror.ranged,
            silence_limit: self.request.retry_policy.silence,
            limiter: self.limiter.clone(),
        });
        let before = self.sent.total();
        let mut workers = Workers::new(remote, chunks);
        let mut ramp_up = RampUp::new(mirror.most_segments);
        let outcome = self.supervise(&mut workers, &mut ramp_up).await;
        workers.stop_all(&mut self.sent).await;
        drop(workers);
        match outcome? {
            Ended::Failed { problem, segments, .. } => {
                Ok(Ended::Failed { problem, brought: self.sent.total() > before, segments })
            }
            ended => Ok(ended),
        }
    }

    async fn supervise(
        &mut self,
        workers: &mut Workers,
        ramp_up: &mut RampUp,
    ) -> Result<Ended, DownloadError> {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut answered = false;
        let mut last_done = 0;
        let mut last_news = Instant::now();
        let mut looked_at_disk = Instant::now();
        workers.start(self.first_span(), self.validator());
        loop {
            tokio::select! {
                biased;
                () = self.control.token().cancelled() => self.control.check()?,
                () = self.control.paused() => return Ok(Ended::Paused),
                Some(opened) = workers.opened.recv() => {
                    answered = true;
                    self.note(&opened)?;
                    if !opened.ranged {
                        ramp_up.stop();
                    }
                }
                Some(ended) = workers.tasks.join_next() => {
                    let (id, result) = ended.map_err(|error| {
                        DownloadError::io(&self.paths.partial, std::io::Error::other(error))
                    })?;
                    workers.finish(id, &mut self.sent);
                    if workers.chunks.is_closed() {
                        return Err(self.writer_failed().await);
                    }
                    if let Some(ended) = self.after_segment(result, workers, ramp_up) {
                        return Ok(ended);
                    }
                }
                _ = ticks.tick() => {
                    let now = Instant::now();
                    let done = workers.bytes_done(&self.sent);
                    self.meter.note(now, done);
                    if done != last_done {
                        (last_done, last_news) = (done, now);
                    }
                    let silence = now.duration_since(last_news);
                    let waiting = (silence >= STALL_REPORTED_AFTER).then(|| {
                        let (host, seconds) = (self.host(), silence.as_secs());
                        if answered { DownloadWait::Data { host, seconds } } else { DownloadWait::Answer { host, seconds } }
                    });
                    self.report_done(done, workers.segments.len(), waiting);
                    if now.duration_since(looked_at_disk) >= DISK_CHECK_INTERVAL {
                        looked_at_disk = now;
                        self.request.check_space(self.total.unwrap_or(done), done)?;
                    }
                    let left = self.total.map(|total| total.saturating_sub(done));
                    if answered && ramp_up.wants_more(now, done, left, workers.segments.len()) {
                        self.add_workers(workers, ramp_up.target());
                    }
                }
            }
        }
    }

    /// Handles the end of one segment; `Some` when it ends the attempt.
    fn after_segment(
        &mut self,
        result: Result<(), TransferProblem>,
        workers: &mut Workers,
        ramp_up: &mut RampUp,
    ) -> Option<Ended> {
        match result {
            Ok(()) => {
                // A file of unknown size ends where the server stops.
                if self.total.is_none() {
                    let total = self.sent.prefix();
                    self.total = Some(total);
                    self.writer.shared().record_length(total);
                }
                if self.total.is_some_and(|total| self.sent.covers(total)) {
                    return Some(Ended::Complete);
                }
                self.add_workers(workers, ramp_up.target().max(1));
                workers.segments.is_empty().then_some(Ended::Failed {
                    problem: TransferProblem::EndedEarly,
                    brought: false,
                    segments: 1,
                })
            }
            Err(problem) => {
                let segments = workers.segments.len() + 1;
                let others_go_on =
                    segments > 1 && problem.is_temporary() && !matches!(problem, TransferProblem::Changed);
                if others_go_on {
                    tracing::info!(%problem, segments, "one of several connections failed");
                    ramp_up.limit_to(workers.segments.len());
                    return None;
                }
                Some(Ended::Failed { problem, brought: false, segments })
            }
        }
    }

    fn note(&mut self, opened: &Opened) -> Result<(), DownloadError> {
        let shared = self.writer.shared();
        if let Some(validator) = &opened.validator {
            shared.record_validator(&self.address(), validator);
        }
        if let (None, Some(bytes)) = (self.total, opened.bytes) {
            shared.record_length(bytes);
            self.total = Some(bytes);
            self.request.check_space(bytes, self.sent.total())?;
        }
        Ok(())
    }

    /// The first gap; the whole file where the server does not support ranges.
    fn first_span(&self) -> ByteSpan {
        let whole = ByteSpan { start: 0, end: self.total.unwrap_or(UNKNOWN_END) };
        if self.mirrors.current().is_some_and(|mirror| !mirror.ranged) {
            return whole;
        }
        match self.total {
            Some(total) => self.sent.missing(total).first().copied().unwrap_or(whole),
            None => ByteSpan { start: self.sent.prefix(), end: UNKNOWN_END },
        }
    }

    /// Starts workers up to `target`, once the size is known.
    fn add_workers(&self, workers: &mut Workers, target: usize) {
        if let Some(total) = self.total {
            workers.start_up_to(target, &self.sent, total, self.validator().as_deref());
        }
    }

    fn validator(&self) -> Option<String> {
        self.writer.shared().validator(&self.address())
    }

    fn report(&self, connections: usize, waiting_for: Option<DownloadWait>) {
        self.report_done(self.sent.total(), connections, waiting_for);
    }

    fn report_done(&self, bytes_done: u64, connections: usize, waiting_for: Option<DownloadWait>) {
        let bytes_per_s = self.meter.bytes_per_s();
        let left = self.total.map(|total| total.saturating_sub(bytes_done) as f64);
        let seconds_left = left.filter(|_| bytes_per_s > 0.0).map(|left| left / bytes_per_s);
        let bytes_total = self.total;
        (self.progress)(DownloadProgress {
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

    /// Discards what was downloaded.
    async fn start_over(&mut self) -> Result<(), DownloadError> {
        self.writer.stop().await;
        self.paths.remove().map_err(|(path, error)| DownloadError::io(&path, error))?;
        let sidecar = Sidecar::load(&self.paths, self.request.sha256, self.request.bytes);
        self.total = self.request.bytes;
        self.sent = Spans::default();
        self.meter.reset();
        self.writer = FileWriter::open(self.paths.clone(), sidecar, self.request.growing_file.clone())
            .map_err(|(path, error)| DownloadError::io(&path, error))?;
        Ok(())
    }

    fn publish(&self) -> Result<PathBuf, DownloadError> {
        let (partial, dest) = (&self.paths.partial, &self.request.dest);
        if let Some(growing_file) = &self.request.growing_file {
            growing_file.verified(files::length(partial));
        } else {
            // Sync before the rename: after a power cut the final name must mean a complete file. A followed file is
            // rarely needed again, and is hashed again if it is.
            let file = files::open_own(std::fs::File::options().write(true), partial);
            file.and_then(|file| files::sync(&file)).map_err(|error| DownloadError::io(partial, error))?;
        }
        files::rename(partial, dest).map_err(|error| DownloadError::io(dest, error))?;
        self.paths.remove().map_err(|(path, error)| DownloadError::io(&path, error))?;
        Ok(dest.clone())
    }

    /// The error of the writer.
    async fn writer_failed(&mut self) -> DownloadError {
        match self.writer.finish().await {
            Err(error) => DownloadError::io(&self.paths.partial, error),
            Ok(_) => DownloadError::io(&self.paths.partial, std::io::Error::other("it was closed too early")),
        }
    }

    fn unavailable(&self) -> DownloadError {
        let file = self.request.dest.file_name().unwrap_or_default().to_string_lossy().into_owned();
        DownloadError::Unavailable { file, tried: self.mirrors.problems() }
    }
}
