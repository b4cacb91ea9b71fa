//! `acolyte models`: the models on the drive, and removing one that nothing uses.

use serde::Serialize;

use crate::SCHEMA;
use crate::cli::args::ModelsArgs;
use crate::cli::ask::agrees;
use crate::cli::output::{columns, print, print_json};
use crate::cli::{Failure, Session};
use crate::install::InstallError;
use crate::install::manage::{ModelOnDrive, remove_model, stored_models};
use crate::models::ModelTag;
use crate::say;
use crate::sentences::models_table;
use crate::untrusted::UntrustedText;

/// What `acolyte models --json` prints.
#[derive(Debug, Serialize)]
struct ModelsJson<'a> {
    schema: u32,
    /// After the removal.
    models: &'a [ModelOnDrive],
    /// `null` if nothing was to be removed.
    freed_bytes: Option<u64>,
}

/// Runs the command.
///
/// # Errors
/// When nothing is installed, or the model to be removed is used, not ours, or not there.
pub fn run(args: &ModelsArgs, session: &Session) -> Result<u8, Failure> {
    let text = session.text;
    let failed = |error: InstallError| Failure::of_install(error, text);
    let mut models = stored_models(&session.home).map_err(failed)?;
    let mut freed_bytes = None;
    if let Some(reference) = &args.remove {
        let tag = ModelTag::parse(reference).ok().filter(|tag| models.iter().any(|model| model.tag == *tag));
        let Some(tag) = tag else {
            let reference = UntrustedText::new(reference);
            return Err(Failure::failed(say!(text, "models-missing", model = reference)));
        };
        let size = text.file_size(size_of(&models, &tag));
        if !agrees(args.yes, &say!(text, "models-ask", model = tag.shown(), size = size), session)? {
            return Ok(1);
        }
        let freed = remove_model(&session.home, &tag).map_err(failed)?;
        freed_bytes = Some(freed);
        models = stored_models(&session.home).map_err(failed)?;
        if !args.json {
            let size = text.file_size(freed);
            session.tell(&say!(text, "models-removed", model = tag.shown(), size = size));
            return Ok(0);
        }
    }
    if args.json {
        print_json(&ModelsJson { schema: SCHEMA, models: &models, freed_bytes })?;
    } else {
        print(&models_table(&models, text, columns()))?;
    }
    Ok(0)
}

fn size_of(models: &[ModelOnDrive], tag: &ModelTag) -> u64 {
    models.iter().filter(|model| model.tag == *tag).map(|model| model.bytes).sum()
}
