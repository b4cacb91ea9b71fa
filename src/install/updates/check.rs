//! Compares what is installed with the list, with what this program pins, and with the model's registry.

use semver::Version;

use crate::control::Control;
use crate::install::blocking::runtime;
use crate::install::updates::fetch::fetch_list;
use crate::install::updates::found::{
    EngineUpdate, ModelUpdate, ProgramUpdate, Updates, is_newer_engine, is_newer_program, stored_weights,
};
use crate::install::updates::list::{UpdateList, Wordings};
use crate::install::updates::source::UpdateSource;
use crate::install::updates::state::UpdatesFile;
use crate::install::{InstallError, Installed, Paths, SavedRequest};
use crate::ollama::http;
use crate::ollama::http::HttpOptions;
use crate::ollama::registry::Remote;
use crate::ollama::release::{AssetRole, Release};
use crate::ollama::store::Store;
use crate::platform::clock::{rfc3339_now, since_1970};
use crate::untrusted::UntrustedText;

/// Asks now, and records that it was asked and what was found. What cannot be asked is named in [`Updates::problems`]; what
/// was found of it before stays.
///
/// # Errors
/// When nothing is installed, a document cannot be read or written, or the user cancels.
pub fn check_for_updates(
    paths: &Paths,
    source: &UpdateSource,
    control: &Control,
) -> Result<Updates, InstallError> {
    let Some(installed) = Installed::load(paths.home())? else {
        return Err(InstallError::NotInstalled { home: paths.home().to_owned() });
    };
    let request = SavedRequest::load(paths)?;
    let http = request.as_ref().map(|request| request.options.source.http.clone()).unwrap_or_default();
    let insecure = request.is_some_and(|request| request.options.insecure_registry);
    let mut file = UpdatesFile::load(paths)?;
    // Before the network is asked: what hangs or crashes must not be asked again today.
    file.asked_at = Some(rfc3339_now().into());
    file.save(paths)?;
    let now_s = since_1970().as_secs();
    let mut found = Updates::default();
    runtime()?.block_on(control.or_cancelled(async {
        match fetch_list(source, file.seen(source.least_serial), &http, now_s).await {
            Ok(Some((list, sha256))) => {
                (file.serial, file.list_sha256) = (list.serial, Some(sha256));
                found.program = program_update(&list);
                found.engine = engine_update(Some(&list), &installed);
            }
            Ok(None) => found.engine = engine_update(None, &installed),
            Err(error) => {
                found.problems.push(error.to_string().into());
                found.program = file.found.program.take();
                found.engine = file.found.engine.take().or_else(|| engine_update(None, &installed));
            }
        }
        match model_update(&installed, &http, insecure).await {
            Ok(update) => found.model = update,
            Err(problem) => {
                found.problems.push(problem);
                found.model = file.found.model.take();
            }
        }
    }))?;
    file.found = found.clone();
    file.save(paths)?;
    Ok(found.still_newer(&installed))
}

fn program_update(list: &UpdateList) -> Option<ProgramUpdate> {
    let program = &list.program;
    let page = program.page.as_str();
    let is_usable = page.starts_with("https://") && is_newer_program(&program.version);
    is_usable.then(|| {
        let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
        let here = program.files.iter().find(|file| file.os.name() == os && file.arch.runs_on(arch));
        ProgramUpdate {
            version: program.version.clone(),
            page: program.page.clone(),
            bytes: here.map(|file| file.bytes),
            changes: program.changes.clone(),
        }
    })
}

/// The newer of the engine of the list and the one that this program pins, if it is newer than the installed one.
fn engine_update(list: Option<&UpdateList>, installed: &Installed) -> Option<EngineUpdate> {
    let pinned = Release::built_in();
    let listed = list.and_then(|list| list.engine.as_ref()).filter(|engine| {
        let versions = (Version::parse(&engine.release.version), Version::parse(&pinned.version));
        matches!(versions, (Ok(listed), Ok(pinned)) if listed > pinned) && engine.release.is_valid()
    });
    let (release, changes, signed) = match listed {
        Some(engine) => (&engine.release, engine.changes.clone(), Some(Box::new(engine.release.clone()))),
        None => (pinned, Wordings::default(), None),
    };
    is_newer_engine(&release.version, installed).then(|| EngineUpdate {
        signed,
        version: release.version.as_str().into(),
        bytes: release
            .asset(AssetRole::Base, std::env::consts::OS, std::env::consts::ARCH)
            .ok()
            .and_then(|archive| archive.bytes),
        changes,
    })
}

async fn model_update(
    installed: &Installed,
    http: &HttpOptions,
    insecure: bool,
) -> Result<Option<ModelUpdate>, UntrustedText> {
    let tag = &installed.profile.base_model;
    let Some(stored) = stored_weights(installed).filter(|_| !tag.is_of_file()) else { return Ok(None) };
    let problem = |error: &dyn std::fmt::Display| UntrustedText::from(error.to_string());
    let client = http::client(http, tag.named_host()).map_err(|error| problem(&error))?;
    let remote = Remote::new(client, tag.clone(), insecure);
    let published = remote.manifest().await.map_err(|error| problem(&error))?.manifest;
    let Some(weights) = published.model_layer() else { return Ok(None) };
    let digest: UntrustedText = format!("sha256:{}", weights.sha256).into();
    if digest == stored {
        return Ok(None);
    }
    let store = Store::new(&installed.profile.models_dir);
    let missing = published.blobs().filter(|layer| !store.has_blob(layer));
    Ok(Some(ModelUpdate { model: tag.clone(), bytes: missing.map(|layer| layer.size).sum(), digest }))
}
