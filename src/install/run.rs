//! An installation from its first check to its receipt.
//!
//! 1. Take the lock of the home, open the journal, look at what is installed already, check the disks.
//! 2. Fetch the engine's archive and verify it; unpack it beside its place and move it there.
//! 3. Start the private server, or keep the one that runs with the very same settings.
//! 4. Pull the model, create `acolyte:latest` from it, read the parameters back.
//! 5. Load it and read back what the engine really does; when memory runs out, with fewer layers on the GPU.
//! 6. Measure.
//! 7. Have the server started at login.
//! 8. Write profile, consent and receipt: from here on the new profile is in force.
//!
//! Whatever was fetched or unpacked before is not fetched again, so running it a second time goes on where the first
//! one stopped. When it fails or is cancelled, the profile that was in force stays in force: its model and its server
//! are put back. Where there was none, the server is stopped, and what was fetched is kept. When it is killed, the next
//! run goes on from there as well, or [`crate::install::manage::undo`] takes it back.

use crate::control::Control;
use crate::install::egress_proxy::EgressProxy;
use crate::install::progress::Reporter;
use crate::install::state::documents::{Installed, PREVIOUS_MODEL, SERVED_MODEL, ServerFile, to_json};
use crate::install::state::journal::{Change, Journal, unfinished};
use crate::install::state::snapshot::Snapshot;
use crate::install::steps::server::Server;
use crate::install::steps::{aside, check, engine, finish, load, login, measure, model, server};
use crate::install::{
    Event, InstallError, Lock, Paths, Placements, Receipt, Request, SavedRequest, Step, Tried,
};
use crate::models::KvCacheType;
use crate::ollama::client::ClientError;
use crate::plan::Verdict;
use crate::platform::awake::keep_awake;
use crate::platform::files;
use crate::say;
use crate::text::Text;

/// An installation at work: what every step knows.
pub(super) struct Job<'a> {
    pub request: &'a Request,
    pub text: Text,
    pub paths: Paths,
    pub control: &'a Control,
    pub reporter: &'a Reporter<'a>,
    pub journal: Journal,
    /// What was in force when we began.
    pub previous: Option<Installed>,
    /// The server that was started for it.
    pub previous_server: Option<ServerFile>,
    /// Whether a server of ours ran when we began.
    pub server_ran: bool,
    /// Layers on the GPU, as far as they found room.
    pub gpu_layers: u32,
    /// The engine chooses the layers itself, because it was faster so.
    pub automatic: bool,
    /// Type of the KV cache, as far as it found room.
    pub kv_cache_type: KvCacheType,
    /// The engine's own placement beside ours, where they were compared.
    pub placements: Option<Placements>,
    /// Every attempt at loading.
    pub tried: Vec<Tried>,
    /// How the engine reaches its registry while it pulls; nothing of it is needed at any other time.
    pub egress_proxy: EgressProxy,
}

/// Carries a request out and tells what happens. Blocks for as long as it takes; `control` stops it within a second,
/// from any thread.
///
/// # Errors
/// [`InstallError`]; it was told as an event too. What was in force before still is.
pub fn run(
    request: &Request,
    text: Text,
    events: &dyn Fn(Event),
    control: &Control,
) -> Result<Receipt, InstallError> {
    let reporter = Reporter::new(events);
    let _awake = keep_awake(say!(text, "install-keeps-awake"));
    let outcome = runtime()?.block_on(install(request, text, &reporter, control));
    if let Err(error) = &outcome {
        let message = error.explain(text);
        if error.is_cancelled() { reporter.cancelled(message) } else { reporter.failed(message) }
    }
    outcome
}

/// One thread is enough: we wait for others.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, InstallError> {
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    built.map_err(|source| InstallError::Runtime { source })
}

async fn install(
    request: &Request,
    text: Text,
    reporter: &Reporter<'_>,
    control: &Control,
) -> Result<Receipt, InstallError> {
    reporter.started(Step::Check, say!(text, "install-checking"));
    if request.plan.verdict == Verdict::Refused {
        return Err(InstallError::Refused);
    }
    if request.plan.verdict == Verdict::Degraded && !request.agreement.limits {
        return Err(InstallError::ConsentMissing);
    }
    let paths = Paths::new(&request.options.home);
    let (_lock, journal) = open(&paths)?;
    let resumed = unfinished(journal.entries());
    // Of runs that were cut short only the first one began with something verified.
    let before = if resumed { Snapshot::load(&paths)? } else { None };
    if !resumed {
        aside::drop_stale(journal.entries())?;
    }
    let before = match before {
        Some(before) => before,
        None => Snapshot::keep(&paths, server::runs(&paths.engines()))?,
    };
    let mut job = Job {
        request,
        text,
        control,
        reporter,
        journal,
        previous: before.installed,
        previous_server: before.server,
        server_ran: before.server_ran,
        paths,
        gpu_layers: request.plan.gpu_layers(),
        automatic: false,
        kv_cache_type: request.plan.candidate.kv_cache_type,
        placements: None,
        tried: Vec::new(),
        egress_proxy: EgressProxy::default(),
    };
    job.journal.begin()?;
    let asked = job.paths.request();
    job.journal.write_file(&asked, &to_json(&asked, &SavedRequest::of(request))?)?;
    let plan = engine::plan(&job)?;
    check::run(&mut job, &plan)?;
    let outcome = match engine::run(&mut job, plan).await {
        Ok(engine) => with_engine(&mut job, &engine).await,
        Err(error) => {
            put_back(&mut job, None).await;
            Err(error)
        }
    };
    let receipt = outcome?;
    reporter.finished(say!(text, "install-finished"), &receipt);
    Ok(receipt)
}

async fn with_engine(job: &mut Job<'_>, engine: &engine::Engine) -> Result<Receipt, InstallError> {
    let mut server = match server::run(job, engine).await {
        Ok(server) => server,
        Err(error) => {
            put_back(job, None).await;
            return Err(error);
        }
    };
    let outcome = with_server(job, engine, &mut server).await;
    match &outcome {
        // From here on there is no way back, so what was kept for it may go.
        Ok(_) => {
            job.journal.end()?;
            tidy(job, engine, &server).await;
        }
        Err(_) => put_back(job, Some(&server)).await,
    }
    outcome
}

/// Removes what was only kept for the way back. What cannot be removed costs room and nothing else.
async fn tidy(job: &Job<'_>, engine: &engine::Engine, server: &Server) {
    model::drop_previous(server).await;
    if let Err(error) = Snapshot::forget(&job.paths)
        .map_err(InstallError::from)
        .and_then(|()| Ok(aside::drop_others(job, &engine.program)?))
    {
        tracing::warn!(%error, "what was kept for the way back could not be removed");
    }
}

async fn with_server(
    job: &mut Job<'_>,
    engine: &engine::Engine,
    server: &mut Server,
) -> Result<Receipt, InstallError> {
    model::pull(job, server).await?;
    model::keep_previous(job, server).await?;
    let loaded = match created_and_loaded(job, server).await {
        Err(InstallError::LoadFailed { .. } | InstallError::Engine(ClientError::Refused { .. }))
            if model::mend(job).await? =>
        {
            model::pull(job, server).await?;
            created_and_loaded(job, server).await?
        }
        outcome => outcome?,
    };
    let measured = measure::run(job, server, loaded).await?;
    let receipt = finish::receipt(job, engine, server, measured);
    let at_login = login::run(job, server).await?;
    finish::run(job, engine, server, &receipt, at_login)?;
    Ok(receipt)
}

async fn created_and_loaded(job: &mut Job<'_>, server: &mut Server) -> Result<load::Facts, InstallError> {
    model::create(job, server).await?;
    load::run(job, server).await
}

/// Runs what waits for the disk on a thread of its own.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, InstallError> + Send + 'static,
) -> Result<T, InstallError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|lost| Err(InstallError::Runtime { source: std::io::Error::other(lost) }))
}

/// Folders, lock and journal. Nothing else may change before the lock is held.
pub(super) fn open(paths: &Paths) -> Result<(Lock, Journal), InstallError> {
    let missing = files::missing_folders(&paths.llm());
    files::create_folders(&paths.llm())?;
    let lock = Lock::take(&paths.lock(), paths.home())?;
    let mut journal = Journal::open(&paths.journal())?;
    // The journal lies in these folders, so they alone are written down after they were made.
    for path in missing {
        journal.intend(Change::CreateFolder { path })?;
    }
    Ok((lock, journal))
}

/// After a failure: what was in force before is in force again, as well as that can be done. Where nothing was, the
/// server is stopped, so that nothing holds memory for an installation that does not exist.
async fn put_back(job: &mut Job<'_>, server: Option<&Server>) {
    if let Err(error) = model::put_previous_back(job, server).await {
        tracing::warn!(%error, "{PREVIOUS_MODEL} could not be put back as {SERVED_MODEL}");
    }
    if let Err(error) = Snapshot::restore_in_force(&job.paths) {
        tracing::warn!(%error, "the documents that were in force could not be put back");
    }
    if let Err(error) = aside::put_back_for(job).await {
        tracing::warn!(%error, "the engine that was there before could not be put back");
    }
    if let Err(error) = login::put_back(job) {
        tracing::warn!(%error, "the entry among the things started at login could not be put back");
    }
    if let Err(error) = server::put_back(job).await {
        tracing::warn!(%error, "the server that ran before could not be put back");
    }
}
