//! The list of components (SBOM, CycloneDX) of a release.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use super::versions::Checkout;
use super::{PublishError, content, read};

/// Checks that a list of components names every package that the programs are built from on any system, with its version.
/// Returns how many. It may name others of `Cargo.lock`: cargo-cyclonedx counts features that only tests turn on.
///
/// # Errors
/// When the list cannot be read, is not CycloneDX, lacks a package, or names an unknown one.
pub fn check_components(checkout: &Checkout, list: &Path) -> Result<usize, PublishError> {
    let named = components(&read(list)?).map_err(|why| content(list, why))?;
    let used = used_packages(&checkout.root)?;
    let locked = locked_packages(&read(&checkout.root.join("Cargo.lock"))?);
    let missing: Vec<&String> = used.difference(&named).collect();
    let unknown: Vec<&String> = named.difference(&locked).collect();
    if !missing.is_empty() || !unknown.is_empty() {
        return Err(content(
            list,
            format!("it lacks {missing:?}, and names {unknown:?}, which nothing uses"),
        ));
    }
    Ok(used.len())
}

/// The components of a CycloneDX document, as `NAME VERSION`.
fn components(text: &str) -> Result<BTreeSet<String>, String> {
    let document: serde_json::Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if document["bomFormat"] != "CycloneDX" {
        return Err("it is not CycloneDX".to_owned());
    }
    let components = document["components"].as_array().ok_or("it has no components")?;
    let mut names = BTreeSet::new();
    for component in components {
        let (name, version) = (component["name"].as_str(), component["version"].as_str());
        let (Some(name), Some(version)) = (name, version) else {
            return Err(format!("a component has no name or no version: {component}"));
        };
        if component["purl"].as_str().is_none_or(|purl| !purl.starts_with("pkg:cargo/")) {
            return Err(format!("{name} has no address of its package"));
        }
        names.insert(format!("{name} {version}"));
    }
    Ok(names)
}

/// The packages of a `Cargo.lock`.
fn locked_packages(text: &str) -> BTreeSet<String> {
    let value = |package: &str, key: &str| {
        let prefix = format!("{key} = \"");
        package.lines().find_map(|line| line.strip_prefix(&prefix)?.strip_suffix('"').map(str::to_owned))
    };
    let packages = text.split("[[package]]").skip(1);
    packages
        .filter_map(|package| Some(format!("{} {}", value(package, "name")?, value(package, "version")?)))
        .collect()
}

/// The packages that the programs are built from, on any system.
fn used_packages(root: &Path) -> Result<BTreeSet<String>, PublishError> {
    let failed = |why: String| PublishError::Tool { program: "cargo tree", why };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "--locked", "--edges", "normal,build", "--target", "all", "--prefix", "none"])
        .args(["--format", "{p}"])
        .current_dir(root)
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    // The first line is the program itself.
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let package = |line: &str| {
        let mut words = line.split(' ');
        Some(format!("{} {}", words.next()?, words.next()?.strip_prefix('v')?))
    };
    Ok(lines.lines().skip(1).filter_map(package).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_list_without_addresses_or_components_is_refused() {
        let one = r#"{"bomFormat": "CycloneDX", "components": [
            {"name": "tar", "version": "0.4.46", "purl": "pkg:cargo/tar@0.4.46"}]}"#;
        assert_eq!(components(one).unwrap(), BTreeSet::from(["tar 0.4.46".to_owned()]));
        for other in [
            one.replace("CycloneDX", "SPDX"),
            one.replace("pkg:cargo/", ""),
            one.replace("components", "parts"),
            one.replace(r#""version": "0.4.46","#, ""),
        ] {
            assert!(components(&other).is_err(), "{other}");
        }
    }
}
