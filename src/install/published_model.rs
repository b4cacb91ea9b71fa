//! The file of a model as it is now, read before the user decides and before anything changes.
//!
//! 1. A model that the served one was made of, or that only our server put into its store, is used as it is there, so its
//!    header is read from the disk.
//! 2. Otherwise the registry is asked for the manifest and the header of the weights, within a time limit.
//! 3. Without an answer the model in the store is used, else the catalogue's figures, and the reason is kept.

use std::path::Path;
use std::sync::Arc;

use crate::control::{Cancelled, Control};
use crate::install::change::journal::{Journal, changes};
use crate::install::change::rollback::is_ours;
use crate::install::{InstallOptions, Installed, Paths, SavedRequest};
use crate::models::gguf::Header;
use crate::models::{LocalFilePart, LocalModelFile, Model, ModelName, ModelSource, ModelTag};
use crate::ollama::lookup::{LookupError, file_to_install};
use crate::ollama::manifest::LayerParameters;
use crate::ollama::registry::{ReadLimits, RegistryError, fetch_model_within, model_of};
use crate::ollama::store::Store;
use crate::platform::regular;

/// A model with the figures of the file that will be used.
#[derive(Clone, Debug)]
pub struct PublishedModel {
    /// The model; unchanged where no file could be read.
    pub model: Arc<Model>,
    /// Why the file in the registry was not read, if it was wanted.
    pub problem: Option<Arc<RegistryError>>,
}

impl PublishedModel {
    /// Without a file: the figures are those that were known before.
    pub fn unread(model: Arc<Model>) -> Self {
        Self { model, problem: None }
    }

    /// The registry's refusal, if it answered that it does not serve this model.
    pub fn refusal(&self) -> Option<&RegistryError> {
        self.problem
            .as_deref()
            .filter(|error| matches!(error, RegistryError::NotFound { .. } | RegistryError::Refused { .. }))
    }
}

/// Whether the figures of a model are to be read from its file: those of the catalogue only.
pub fn is_to_be_read(model: &Model) -> bool {
    model.file.source == ModelSource::Catalogue && model.tag().is_some()
}

/// Reads the file of a model that an installation with these options would use. Blocks for at most 15 s; call it on a worker
/// thread.
///
/// # Errors
/// When `control` was cancelled.
pub fn read_published_model(
    options: &InstallOptions,
    model: &Arc<Model>,
    control: &Control,
) -> Result<PublishedModel, Cancelled> {
    read_within(options, model, ReadLimits::WHILE_WAITING, control)
}

fn read_within(
    options: &InstallOptions,
    model: &Arc<Model>,
    limits: ReadLimits,
    control: &Control,
) -> Result<PublishedModel, Cancelled> {
    let Some(tag) = model.tag().filter(|_| is_to_be_read(model)) else {
        return Ok(PublishedModel::unread(Arc::clone(model)));
    };
    let read =
        |found: Model, problem| PublishedModel { model: Arc::new(found.with_facts_of(model)), problem };
    let stored = stored_model(options, tag);
    if !options.refresh_model
        && is_kept(options, tag)
        && let Some(stored) = stored
    {
        return Ok(read(stored, None));
    }
    let http = &options.source.http;
    Ok(match fetch_model_within(tag, options.insecure_registry, http, limits, control)? {
        Ok(fetched) => read(fetched, None),
        Err(error) => {
            tracing::info!(%error, "the file of the model was not read");
            let problem = Some(Arc::new(error));
            match stored {
                Some(stored) => read(stored, problem),
                None => PublishedModel { model: Arc::clone(model), problem },
            }
        }
    })
}

/// The model of an earlier request that was to be installed from a file: read from the file or, where that is gone, from the
/// copy in the model store.
///
/// # Errors
/// When the file cannot be read and there is no copy.
pub fn model_of_saved_file(request: &SavedRequest, file: &Path) -> Result<Arc<Model>, LookupError> {
    let read = file_to_install(file);
    match &read {
        Err(LookupError::File(error)) if error.is_missing() => {
            let stored = stored_model(&request.options, &request.model);
            let with_path = |model: Model| {
                let part =
                    LocalFilePart { path: file.to_owned(), bytes: model.download_bytes, modified: None };
                let local = model.local.map(|local| LocalModelFile { parts: vec![part], ..local });
                Arc::new(Model { local, ..model })
            };
            stored.map_or(read, |stored| Ok(with_path(stored)))
        }
        _ => read,
    }
}

/// The model in the installation's store, if it is complete and its header can be read.
pub fn stored_model(options: &InstallOptions, tag: &ModelTag) -> Option<Model> {
    let store = Store::new(&options.models_dir);
    let manifest = store.manifest(tag).filter(|_| store.has(tag))?.manifest;
    let file = regular::open(&store.blob(manifest.model_layer()?.sha256)).ok()?;
    let header = Header::read(std::io::BufReader::new(file)).ok()?;
    let parameters = manifest.parameters_layer().filter(|layer| layer.size <= LayerParameters::MAX_BYTES);
    let parameters = parameters.and_then(|layer| regular::read(&store.blob(layer.sha256), layer.size).ok());
    let parameters = LayerParameters::parse(&parameters.unwrap_or_default());
    let name = ModelName::Tag(tag.clone());
    let model = model_of(&header, &manifest, &parameters, name, ModelSource::Store).ok()?;
    let local = tag.is_of_file().then(|| LocalModelFile {
        parts: store.imported_files(tag).into_iter().map(LocalFilePart::from).collect(),
        has_chat_template: header.has_chat_template(),
    });
    Some(Model { local: local.filter(|local| !local.parts.is_empty()), ..model })
}

/// Whether the installation uses the model in its store as it is: the served model was made of it, or our server alone
/// filled the store.
fn is_kept(options: &InstallOptions, tag: &ModelTag) -> bool {
    let Some(stored) = Store::new(&options.models_dir).manifest(tag) else { return false };
    let installed = Installed::load(&options.home).ok().flatten();
    let was_served = installed
        .and_then(|installed| installed.profile.was_made_of(tag, &options.models_dir, &stored.manifest));
    was_served.unwrap_or_else(|| {
        Journal::read(&Paths::new(&options.home))
            .is_ok_and(|entries| is_ours(&changes(&entries), &options.models_dir))
    })
}

#[cfg(test)]
mod tests;
