//! `acolyte status`: what is installed, whether it runs, what was predicted and measured.

use serde::Serialize;

use crate::SCHEMA;
use crate::cli::args::StatusArgs;
use crate::cli::output::{print, print_json};
use crate::cli::update::DailyLook;
use crate::cli::{Failure, Session};
use crate::install::keep::KeptFile;
use crate::install::manage::{self, Health, OrphanedRunner, ServedModel, UnusedModel};
use crate::install::state::documents::SERVED_MODEL;
use crate::install::updates::Updates;
use crate::install::{InstallError, Paths, ProfileFile, Receipt};
use crate::monitor::loaded_share;
use crate::ollama::replies::Loaded;
use crate::platform::clock;
use crate::platform::listening::Listener;
use crate::say;
use crate::sentences::monitor::{processor_split, until};
use crate::sentences::profile_title;
use crate::text::Text;
use crate::untrusted::UntrustedText;

/// What `acolyte status --json` prints.
#[derive(Debug, Serialize)]
struct StatusJson<'a> {
    schema: u32,
    home: String,
    installed: bool,
    /// Whether the last installation was interrupted.
    unfinished: bool,
    profile: Option<&'a ProfileFile>,
    server: ServerJson<'a>,
    model: ModelJson,
    unused_models: &'a [UnusedModel],
    /// What is kept of this program on the computer.
    kept: Option<&'a KeptFile>,
    /// What is known to be newer.
    updates: Option<&'a Updates>,
    receipt: Option<&'a Receipt>,
}

#[derive(Debug, Serialize)]
struct ServerJson<'a> {
    running: bool,
    answers: bool,
    port: Option<u16>,
    version: Option<&'a str>,
    /// The version it reports, where that is not the one that was measured.
    other_version: Option<&'a str>,
    /// Whether the system confirms that our server is the one that listens.
    confirmed: bool,
    /// Who listens on the port in the server's place.
    stranger: Option<StrangerJson<'a>>,
    /// Processes whose server was killed, and which keep their memory.
    orphans: &'a [OrphanedRunner],
}

#[derive(Debug, Serialize)]
struct StrangerJson<'a> {
    pid: Option<u32>,
    name: Option<&'a str>,
    user: Option<String>,
}

#[derive(Debug, Serialize)]
struct ModelJson {
    loaded: bool,
    /// Whether it is the measured one.
    state: ServedModel,
    context_tokens: Option<u64>,
    size_bytes: Option<u64>,
    size_vram_bytes: Option<u64>,
    /// Share of its memory on cards, 0 to 1; `None` where the engine's figures are unreliable.
    gpu_share: Option<f64>,
    /// The same as the engine's own list shows it: `75%/25% GPU/CPU`.
    processor: Option<String>,
    /// When it is unloaded unless it is asked again, RFC 3339.
    expires_at: Option<UntrustedText>,
}

/// Runs the command. The exit code is 0 when something is installed, 1 when not.
///
/// # Errors
/// When a document of the installation cannot be read.
pub fn run(args: &StatusArgs, session: &Session) -> Result<u8, Failure> {
    let explain = |error: InstallError| Failure::of_install(error, session.text);
    let daily_look = DailyLook::begin(session);
    let health = manage::health(&session.home).map_err(explain)?;
    let unused = manage::unused_models(&session.home).map_err(explain)?;
    let kept = KeptFile::load(&Paths::new(&session.home)).map_err(|error| explain(error.into()))?;
    if args.json {
        let updates = health.installed.as_ref().map(|installed| daily_look.known(installed));
        print_json(&json(&health, &unused, kept.as_ref(), updates.as_ref(), session))?;
    } else {
        print(&words(&health, &unused, session))?;
        if let Some(difference) = kept.and_then(|kept| kept.difference(session.text)) {
            print(&format!("{difference}\n"))?;
        }
        if let Some(installed) = &health.installed {
            let updates = daily_look.known(installed);
            let mut lines = updates.lines(installed, session.text);
            if updates.engine.is_some() || updates.model.is_some() {
                lines.push(say!(session.text, "updates-hint"));
            }
            print(&lines.iter().map(|line| format!("{line}\n")).collect::<String>())?;
        }
    }
    Ok(u8::from(health.installed.is_none()))
}

fn json<'a>(
    health: &'a Health,
    unused: &'a [UnusedModel],
    kept: Option<&'a KeptFile>,
    updates: Option<&'a Updates>,
    session: &Session,
) -> StatusJson<'a> {
    let loaded = health.loaded.as_ref();
    let gpu_share = loaded.and_then(|model| share_of(model, session));
    StatusJson {
        schema: SCHEMA,
        home: session.home.display().to_string(),
        installed: health.installed.is_some(),
        unfinished: health.unfinished,
        profile: health.installed.as_ref().map(|installed| &installed.profile),
        server: ServerJson {
            running: health.running,
            answers: health.version.is_some(),
            port: health.installed.as_ref().map(|installed| installed.profile.port),
            version: health.version.as_deref(),
            other_version: health.other_version.as_deref(),
            confirmed: health.listener == Listener::Ours,
            stranger: match &health.listener {
                Listener::Other(owner) => Some(StrangerJson {
                    pid: owner.pid,
                    name: owner.name.as_deref(),
                    user: owner.user.as_ref().map(ToString::to_string),
                }),
                Listener::Nobody | Listener::Ours | Listener::Unknown => None,
            },
            orphans: &health.orphans,
        },
        model: ModelJson {
            loaded: loaded.is_some(),
            state: health.model,
            context_tokens: loaded.map(|model| model.context_length),
            size_bytes: loaded.map(|model| model.size),
            size_vram_bytes: loaded.map(|model| model.size_vram),
            gpu_share,
            processor: gpu_share.map(processor_split),
            expires_at: loaded.map(|model| model.expires_at.clone()),
        },
        unused_models: unused,
        kept,
        updates,
        receipt: health.installed.as_ref().and_then(|installed| installed.receipt.as_ref()),
    }
}

fn share_of(model: &Loaded, session: &Session) -> Option<f64> {
    loaded_share(model, &Paths::new(&session.home).server_log())
}

/// The message for a model in memory: where it is, its size, its context, until when.
fn in_memory(model: &Loaded, session: &Session) -> String {
    let text = session.text;
    let context = text.count(model.context_length);
    let Some(share) = share_of(model, session) else {
        return say!(text, "install-status-loaded", context = context);
    };
    let until = until(model.expires_at_s(), clock::since_1970().as_secs(), text);
    say!(
        text,
        "install-status-split",
        processor = processor_split(share),
        size = text.memory(model.size),
        context = context,
        until = until
    )
}

/// The message for a server that does not run.
pub fn stopped(autostart: bool, text: Text) -> String {
    if autostart {
        say!(text, "install-status-stopped")
    } else {
        say!(text, "install-status-stopped-by-hand")
    }
}

/// The message if another program listens on the server's port, or the listener is unknown.
pub fn about_listener(listener: &Listener, port: u16, text: Text) -> Option<String> {
    let port = port.to_string();
    match listener {
        Listener::Other(owner) => {
            Some(say!(text, "install-status-port-taken", by = owner.describe(text), port = port))
        }
        Listener::Unknown => Some(say!(text, "install-server-unconfirmed", port = port)),
        Listener::Ours | Listener::Nobody => None,
    }
}

/// The message for a process whose server was killed.
fn about_orphan(orphan: &OrphanedRunner, text: Text) -> String {
    let (pid, size) = (orphan.pid.to_string(), text.memory(orphan.bytes()));
    say!(text, "install-status-orphan", pid = pid, size = size)
}

/// The message for a served model that differs from the measured one.
pub fn changed_model(model: ServedModel, text: Text) -> Option<String> {
    match model {
        ServedModel::Changed => {
            Some(say!(text, "install-status-model-changed", model = SERVED_MODEL.as_str()))
        }
        ServedModel::Missing => {
            Some(say!(text, "install-status-model-missing", model = SERVED_MODEL.as_str()))
        }
        ServedModel::Unknown | ServedModel::AsMeasured => None,
    }
}

fn words(health: &Health, unused: &[UnusedModel], session: &Session) -> String {
    let text = session.text;
    let home = UntrustedText::path(&session.home);
    let mut lines = Vec::new();
    match &health.installed {
        None => lines.push(say!(text, "install-status-none", home = home)),
        Some(installed) => {
            let profile = &installed.profile;
            lines.push(say!(
                text,
                "install-status-profile",
                profile = profile_title(&profile.profile, text),
                model = profile.base_model.shown(),
                context = text.count(profile.context_tokens.into()),
                kv = profile.kv_cache_type.name(),
                layers = profile.gpu_layers,
                total = profile.total_layers
            ));
            if profile.n_cpu_moe > 0 {
                let total = profile.total_layers.saturating_sub(1);
                let blocks = profile.n_cpu_moe;
                lines.push(say!(text, "install-status-experts", blocks = blocks, total = total));
            }
            if !profile.set_by_hand.is_empty() {
                lines.push(profile.set_by_hand.words(text));
            }
            if profile.vulkan_only {
                lines.push(say!(text, "install-status-vulkan-only"));
            }
            if !profile.pinned_memory {
                lines.push(say!(text, "install-status-not-pinned"));
            }
            lines.extend(about_listener(&health.listener, profile.port, text));
            lines.push(match (&health.version, &health.other_version) {
                (Some(version), _) => say!(
                    text,
                    "install-status-running",
                    version = version.as_str(),
                    port = profile.port.to_string()
                ),
                (None, Some(found)) => say!(
                    text,
                    "install-server-other-version",
                    port = profile.port.to_string(),
                    found = found,
                    expected = installed.measured_version()
                ),
                (None, None) if health.running => {
                    say!(text, "install-status-silent", port = profile.port.to_string())
                }
                (None, None) => stopped(profile.autostart, text),
            });
            lines.push(match &health.loaded {
                Some(model) => in_memory(model, session),
                None => say!(text, "install-status-not-loaded"),
            });
            lines.extend(health.orphans.iter().map(|orphan| about_orphan(orphan, text)));
            lines.extend(changed_model(health.model, text));
            if let Some(receipt) = &installed.receipt {
                let speed = receipt.measured.decode_tokens_per_s;
                let speed = speed.map_or_else(|| say!(text, "install-unknown"), |speed| text.figure(speed));
                let promised = text.range(receipt.predicted.decode_tokens_per_s);
                let at = receipt.written_at.as_str();
                lines.push(say!(text, "install-status-receipt", speed = speed, promised = promised, at = at));
                let other_work = receipt.tuning.iter().flat_map(|tuning| &tuning.other_work);
                lines.extend(other_work.map(|work| work.words(text)));
            }
            lines.extend(profile.banner_in(text));
        }
    }
    if health.unfinished {
        lines.push(say!(text, "install-status-unfinished"));
    }
    for model in unused {
        let size = text.file_size(model.bytes);
        lines.push(say!(text, "install-status-unused", model = model.tag.shown(), size = size));
    }
    lines.join("\n") + "\n"
}
