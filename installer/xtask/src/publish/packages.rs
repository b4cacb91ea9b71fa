//! The packages of a release, by their list of checksums.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::{PublishError, at, content, read};
use crate::plan::{CHECKSUMS, Form, is_package};

/// The packages of a release.
#[derive(Clone, Debug)]
pub struct Packages {
    folder: PathBuf,
    version: String,
    /// Checksums by name.
    sums: BTreeMap<String, String>,
}

/// A package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its file name.
    pub name: String,
    /// SHA-256 in lower case.
    pub sha256: String,
}

impl Packages {
    /// Reads the list of checksums in a folder, and compares it with the files.
    ///
    /// # Errors
    /// When the list or a file cannot be read, a checksum is wrong, or a file is of another version.
    pub fn at(folder: &Path, version: &str) -> Result<Self, PublishError> {
        let path = folder.join(CHECKSUMS);
        let mut sums = BTreeMap::new();
        for line in read(&path)?.lines() {
            let (sha256, name) = line.split_once("  ").ok_or_else(|| content(&path, line))?;
            // Other files of a release, such as the list of components, have no version in their names.
            if is_package(name)
                && !["-{}-", "_{}-", "-{}."].iter().any(|form| name.contains(&form.replace("{}", version)))
            {
                return Err(content(&path, format!("{name} is not of version {version}")));
            }
            let file = folder.join(name);
            let bytes = std::fs::read(&file).map_err(at(&file))?;
            if hex::encode(Sha256::digest(&bytes)) != sha256 {
                return Err(content(&file, "it has another checksum than the list says"));
            }
            sums.insert(name.to_owned(), sha256.to_owned());
        }
        Ok(Self { folder: folder.to_owned(), version: version.to_owned(), sums })
    }

    /// The package of a form for a processor, named as Rust does; the packages for macOS are for all of them.
    ///
    /// # Errors
    /// When there is none.
    pub fn find(&self, form: Form, arch: &str) -> Result<Package, PublishError> {
        let name = form.file_name(&self.version, arch);
        match self.sums.get(&name) {
            Some(sha256) => Ok(Package { sha256: sha256.clone(), name }),
            None => Err(PublishError::NoPackage { name, form }),
        }
    }

    /// Size of a package in bytes.
    ///
    /// # Errors
    /// When the file is gone.
    pub fn bytes(&self, package: &Package) -> Result<u64, PublishError> {
        let path = self.folder.join(&package.name);
        Ok(std::fs::metadata(&path).map_err(at(&path))?.len())
    }
}
