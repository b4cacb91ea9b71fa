//! The packages for macOS: `installer/macos/package.sh` makes them.

use std::path::Path;
use std::process::Command;

use crate::error::DistError;
use crate::release::Release;
use crate::tool;

/// Makes app, zip and disk image; with `only_bundle` the app alone, unsigned.
///
/// # Errors
/// When the script fails; it printed why.
pub fn make(
    release: &Release,
    binaries: Option<&Path>,
    identity: Option<&str>,
    only_bundle: bool,
) -> Result<(), DistError> {
    let mut script = Command::new("bash");
    script
        .arg(release.root.join("installer/macos/package.sh"))
        .arg("--output")
        .arg(&release.output)
        .arg("--universal");
    if let Some(folder) = binaries {
        script.arg("--binaries").arg(folder);
    }
    if let Some(identity) = identity {
        script.args(["--identity", identity]);
    }
    if only_bundle {
        script.arg("--bundle-only");
    }
    tool::run(&mut script)?;
    // One list has the checksums of all packages.
    for form in crate::plan::System::MacOs.forms() {
        let path = release.output.join(format!("{}.sha256", form.file_name(&release.version, "")));
        if path.exists() {
            std::fs::remove_file(&path).map_err(crate::error::at(&path))?;
        }
    }
    Ok(())
}
