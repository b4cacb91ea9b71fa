//! Which of the engines on this computer is reused.

use std::path::Path;

use super::engine::{InstalledEngine, examine};
use crate::install::engine_manifest::EngineManifest;
use crate::machine::FoundEngine;
use crate::ollama::release::parse_version;

/// The newest of the detected engines that can be reused. Those under `own` are ours already; if the pinned release is
/// among them, no other is needed.
pub fn installed_engine(engines: &[FoundEngine], minimum: &str, own: &Path) -> Option<InstalledEngine> {
    if EngineManifest::load(&own.join(minimum)).is_some_and(|manifest| manifest.is_of_a_release()) {
        return None;
    }
    let usable =
        engines.iter().filter(|engine| engine.path.as_ref().is_none_or(|path| !path.starts_with(own)));
    let usable = usable.filter_map(|engine| match examine(engine, minimum) {
        Ok(found) => Some(found),
        Err(reason) => {
            tracing::info!(%reason, kind = ?engine.kind, "an installed engine is not reused");
            None
        }
    });
    usable.max_by(|a, b| parse_version(&a.version).cmp(&parse_version(&b.version)))
}
