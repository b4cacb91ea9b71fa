//! The facts of a release: version, date, folders.

use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest as _, Sha256};

use crate::error::{DistError, at};
use crate::plan::{CHECKSUMS, Form, System, is_package};
use crate::publish::versions::{package_value, root_of_this_checkout};
use crate::tool;

/// A release of this checkout.
pub struct Release {
    /// The root of the repository.
    pub root: PathBuf,
    /// Version of the programs.
    pub version: String,
    /// Seconds since 1970: the date of everything in the packages.
    pub epoch: u64,
    /// Where packages go.
    pub output: PathBuf,
}

impl Release {
    /// The release of the checkout that this program was built from.
    ///
    /// # Errors
    /// When `Cargo.toml` cannot be read, or neither `SOURCE_DATE_EPOCH` nor git tells a date.
    pub fn of_this_checkout(output: &Path) -> Result<Self, DistError> {
        let output = std::path::absolute(output).map_err(at(output))?;
        let root = root_of_this_checkout();
        let manifest = root.join("Cargo.toml");
        let text = std::fs::read_to_string(&manifest).map_err(at(&manifest))?;
        let wrong = |why: &str| DistError::Program { path: manifest.clone(), why: why.to_owned() };
        let version = package_value(&text, "version").ok_or_else(|| wrong("has no version"))?;
        let date = match std::env::var("SOURCE_DATE_EPOCH") {
            Ok(date) => date,
            Err(_) => {
                tool::output(Command::new("git").args(["log", "-1", "--format=%ct"]).current_dir(&root))?
            }
        };
        let epoch = date.trim().parse().map_err(|_| wrong("SOURCE_DATE_EPOCH is not a number of seconds"))?;
        Ok(Self { root, version, epoch, output })
    }

    /// A folder or file of `target`.
    pub fn target(&self, path: &str) -> PathBuf {
        self.root.join("target").join(path)
    }

    /// Where a package goes. An earlier one is removed.
    ///
    /// # Errors
    /// When the earlier one cannot be removed.
    pub fn package(&self, form: Form, arch: &str) -> Result<PathBuf, DistError> {
        let path = self.output.join(form.file_name(&self.version, arch));
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(at(&path)(error)),
            _ => Ok(path),
        }
    }

    /// Creates the folder of the packages.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn prepare(&self) -> Result<(), DistError> {
        std::fs::create_dir_all(&self.output).map_err(at(&self.output))
    }

    /// Prints the packages of these systems, a line each: the file, and what makes it.
    pub fn print_plan(&self, systems: &[System]) {
        for form in systems.iter().flat_map(|system| system.forms()) {
            println!("{}\t{}", form.file_name(&self.version, std::env::consts::ARCH), form.tool());
        }
        println!("{CHECKSUMS}\tthis command");
    }

    /// Writes the checksums of all packages in the folder, in the form that `sha256sum --check` reads.
    ///
    /// # Errors
    /// When a package cannot be read, or the list not be written.
    pub fn write_checksums(&self) -> Result<(), DistError> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.output).map_err(at(&self.output))? {
            let name = entry.map_err(at(&self.output))?.file_name().to_string_lossy().into_owned();
            names.extend(Some(name).filter(|name| is_package(name)));
        }
        names.sort_unstable();
        let mut list = String::new();
        for name in names {
            let path = self.output.join(&name);
            let bytes = std::fs::read(&path).map_err(at(&path))?;
            list += &format!("{}  {name}\n", hex::encode(Sha256::digest(&bytes)));
            println!("{:>9} KB  {}", bytes.len().div_ceil(1000), path.display());
        }
        let path = self.output.join(CHECKSUMS);
        std::fs::write(&path, list).map_err(at(&path))
    }
}
