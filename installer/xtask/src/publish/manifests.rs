//! The manifests of package managers, from the templates in `installer/manifests`.

use std::path::{Path, PathBuf};

use super::packages::Packages;
use super::versions::Checkout;
use super::{PublishError, at, content, read, write};
use crate::plan::Form;

/// Folder of the templates. A template's name ends with `.in`; a folder or file is named after what is made of it.
pub const TEMPLATES: &str = "installer/manifests";

/// Packages by their name in templates: `@SETUP@` is the file name, `@SETUP_SHA256@` its checksum.
const PACKAGES: [(&str, Form, &str); 5] = [
    ("SETUP", Form::Setup, "x86_64"),
    ("ZIP", Form::PortableZip, "x86_64"),
    ("DMG", Form::Dmg, "any"),
    ("TAR_X86_64", Form::TarGz, "x86_64"),
    ("TAR_AARCH64", Form::TarGz, "aarch64"),
];

/// Fills the templates and writes the manifests into a folder; returns their paths.
///
/// # Errors
/// When a package is missing, a template names something unknown, or a file cannot be read or written.
pub fn make_manifests(
    checkout: &Checkout,
    packages: &Packages,
    repository: &str,
    output: &Path,
) -> Result<Vec<PathBuf>, PublishError> {
    let version = checkout.version.to_string();
    let mut facts = vec![
        ("VERSION".to_owned(), version.clone()),
        // In versions of Arch Linux `-` separates the package's own number.
        ("PKGVER".to_owned(), version.replace('-', "_")),
        ("REPOSITORY".to_owned(), repository.to_owned()),
        ("DOWNLOADS".to_owned(), format!("{repository}/releases/download/v{version}")),
    ];
    for (name, form, arch) in PACKAGES {
        let package = packages.find(form, arch)?;
        facts.push((format!("{name}_FOLDER"), package.name.trim_end_matches(".zip").to_owned()));
        facts.push((name.to_owned(), package.name));
        facts.push((format!("{name}_SHA256"), package.sha256));
    }
    let templates = checkout.root.join(TEMPLATES);
    let mut made = Vec::new();
    for template in files_below(&templates)? {
        let Some(name) = template.strip_prefix(&templates).ok().and_then(Path::to_str) else { continue };
        let Some(name) = name.strip_suffix(".in") else { continue };
        let path = output.join(name);
        write(&path, filled(&template, &read(&template)?, &facts)?.as_bytes())?;
        made.push(path);
    }
    Ok(made)
}

/// Replaces each `@NAME@`.
fn filled(template: &Path, text: &str, facts: &[(String, String)]) -> Result<String, PublishError> {
    let mut filled = text.to_owned();
    for (name, value) in facts {
        filled = filled.replace(&format!("@{name}@"), value);
    }
    let is_name = |part: &&str| {
        part.len() > 1
            && part.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    match filled.split('@').skip(1).find(is_name) {
        Some(unknown) => Err(content(template, format!("@{unknown}@ is not known"))),
        None => Ok(filled),
    }
}

fn files_below(folder: &Path) -> Result<Vec<PathBuf>, PublishError> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(at(folder))? {
        let path = entry.map_err(at(folder))?.path();
        if path.is_dir() {
            files.extend(files_below(&path)?);
        } else {
            files.push(path);
        }
    }
    files.sort_unstable();
    Ok(files)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn every_name_in_a_template_has_to_be_known() {
        let facts = [("VERSION".to_owned(), "1.2.0".to_owned())];
        let fill = |text: &str| filled(Path::new("x.in"), text, &facts).map_err(|error| error.to_string());
        assert_eq!(fill("v@VERSION@ of a@b.example").unwrap(), "v1.2.0 of a@b.example");
        assert!(fill("@VERSIONS@").unwrap_err().contains("@VERSIONS@"));
    }
}
