//! What is shipped beside the programs agrees with them: icons, and the data of the packages.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod icons;

use std::path::PathBuf;

/// A file of the repository.
fn at(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}
