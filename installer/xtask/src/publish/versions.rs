//! Version, changelog and tag.

use std::path::{Path, PathBuf};

use semver::Version;

use super::{PublishError, content, read};

/// What the checkout says about its version.
#[derive(Clone, Debug)]
pub struct Checkout {
    /// Its root.
    pub root: PathBuf,
    /// The version in `Cargo.toml`.
    pub version: Version,
    /// Page of the repository, without a slash at the end; `None` while `Cargo.toml` has no `repository`.
    pub repository: Option<String>,
    /// Releases of the changelog, newest first.
    pub releases: Vec<ReleaseNotes>,
}

/// A section of the changelog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseNotes {
    /// The version; `None` for what is not released yet.
    pub version: Option<Version>,
    /// The date, `YYYY-MM-DD`; `None` if the heading has none.
    pub date: Option<String>,
    /// What follows the heading.
    pub text: String,
}

impl Checkout {
    /// Reads `Cargo.toml` and the changelog.
    ///
    /// # Errors
    /// When one cannot be read, has no version, or its releases are not in order.
    pub fn at(root: &Path) -> Result<Self, PublishError> {
        let manifest = root.join("Cargo.toml");
        let text = read(&manifest)?;
        let value = |key: &str| package_value(&text, key);
        let version = value("version").ok_or_else(|| content(&manifest, "has no version"))?;
        let version =
            Version::parse(&version).map_err(|error| content(&manifest, format!("{version}: {error}")))?;
        let changelog = root.join("CHANGELOG.md");
        let releases = releases(&read(&changelog)?).map_err(|why| content(&changelog, why))?;
        let newest = releases.iter().find_map(|release| release.version.as_ref());
        if newest.is_none_or(|newest| *newest > version) {
            return Err(content(
                &changelog,
                format!("its newest release is {newest:?}; Cargo.toml has {version}"),
            ));
        }
        let repository = value("repository").map(|url| url.trim_end_matches('/').to_owned());
        Ok(Self { root: root.to_owned(), version, repository, releases })
    }

    /// Checks that this checkout is the release of a tag: `vVERSION`, and the changelog begins with that version and its
    /// date. Returns what the release changes.
    ///
    /// # Errors
    /// When the tag is another, or the changelog is not finished.
    pub fn release_of(&self, tag: &str) -> Result<&ReleaseNotes, PublishError> {
        let version = &self.version;
        if tag != format!("v{version}") {
            return Err(PublishError::Tag { tag: tag.to_owned(), version: version.to_string() });
        }
        let unfinished = |why: String| content(&self.root.join("CHANGELOG.md"), why);
        match self.releases.first() {
            Some(first) if first.version.as_ref() == Some(version) && first.date.is_some() => Ok(first),
            Some(ReleaseNotes { version: Some(first), .. }) if first == version => {
                Err(unfinished(format!("the heading of {version} has no date: ## [{version}] - YYYY-MM-DD")))
            }
            _ => Err(unfinished(format!(
                "it does not begin with {version}: its first heading has to be ## [{version}] - YYYY-MM-DD"
            ))),
        }
    }

    /// Page of the repository: the one in `Cargo.toml`, else `OWNER/NAME` on GitHub.
    ///
    /// # Errors
    /// When there is neither, or both differ.
    pub fn repository(&self, given: Option<&str>) -> Result<String, PublishError> {
        let given = given.map(|name| format!("https://github.com/{}", name.trim_matches('/')));
        match (&self.repository, given) {
            (Some(own), Some(given)) if *own != given => {
                Err(content(&self.root.join("Cargo.toml"), format!("repository is {own}, not {given}")))
            }
            (Some(own), _) => Ok(own.clone()),
            (None, Some(given)) => Ok(given),
            (None, None) => Err(PublishError::NoRepository),
        }
    }
}

/// The root of the checkout that this program was built from.
pub fn root_of_this_checkout() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// A text of the table `[package]` of a `Cargo.toml`.
pub fn package_value(manifest: &str, key: &str) -> Option<String> {
    let package = manifest.split("\n[package]\n").nth(1).or_else(|| manifest.strip_prefix("[package]\n"))?;
    let table = package.split("\n[").next()?;
    let prefix = format!("{key} = \"");
    table.lines().find_map(|line| line.strip_prefix(&prefix)?.strip_suffix('"')).map(str::to_owned)
}

/// The sections of a changelog in the form of Keep a Changelog.
fn releases(text: &str) -> Result<Vec<ReleaseNotes>, String> {
    let mut releases: Vec<ReleaseNotes> = Vec::new();
    for section in text.split("\n## ").skip(1) {
        let (heading, text) = section.split_once('\n').unwrap_or((section, ""));
        let (name, rest) = heading
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(']'))
            .ok_or_else(|| format!("not a heading of a release: {heading}"))?;
        let version = match name {
            "Unreleased" if releases.is_empty() => None,
            name => Some(Version::parse(name).map_err(|error| format!("{name}: {error}"))?),
        };
        let date = rest.strip_prefix(" - ").map(str::to_owned);
        if date.as_deref().is_some_and(|date| !is_date(date)) || (date.is_none() && !rest.is_empty()) {
            return Err(format!("not a date: {rest}"));
        }
        let previous = releases.last().and_then(|release| release.version.as_ref());
        if let (Some(previous), Some(version)) = (previous, &version)
            && previous <= version
        {
            return Err(format!("{version} stands below {previous}: newest first"));
        }
        releases.push(ReleaseNotes { version, date, text: text.trim().to_owned() });
    }
    Ok(releases)
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [4, 2, 2] && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    /// A checkout with these two files.
    fn checkout(manifest: &str, changelog: &str) -> Result<Checkout, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
        std::fs::write(folder.path().join("CHANGELOG.md"), changelog).unwrap();
        Checkout::at(folder.path()).map_err(|error| error.to_string())
    }

    const MANIFEST: &str =
        "[workspace]\n\n[package]\nname = \"x\"\nversion = \"1.2.0\"\n\n[dependencies]\nversion = \"9\"\n";

    #[test]
    fn a_tag_is_that_of_the_version_and_of_the_newest_section() {
        let finished = "# Changelog\n\n## [1.2.0] - 2026-12-01\n\n- New.\n\n## [1.1.0]\n\n- Old.\n";
        let released = checkout(MANIFEST, finished).unwrap();
        assert_eq!(released.version, Version::new(1, 2, 0));
        assert_eq!(released.release_of("v1.2.0").unwrap().text, "- New.");
        for tag in ["1.2.0", "v1.2.1", "v1.2.0-rc.1", ""] {
            assert!(released.release_of(tag).is_err(), "{tag}");
        }
        for (changelog, why) in [
            ("## [Unreleased]\n\n- More.\n\n## [1.2.0] - 2026-12-01\n", "does not begin with 1.2.0"),
            ("## [1.2.0]\n", "has no date"),
            ("## [1.1.0] - 2026-12-01\n", "does not begin with 1.2.0"),
        ] {
            let unfinished = checkout(MANIFEST, &format!("# Changelog\n\n{changelog}")).unwrap();
            let refused = unfinished.release_of("v1.2.0").unwrap_err().to_string();
            assert!(refused.contains(why), "{refused}");
        }
    }

    #[test]
    fn a_changelog_that_contradicts_the_version_or_itself_is_refused() {
        for (changelog, why) in [
            ("## [1.3.0]\n", "Cargo.toml has 1.2.0"),
            ("", "Cargo.toml has 1.2.0"),
            ("## [1.1.0]\n\n## [1.2.0]\n", "newest first"),
            ("## [1.1.0] - yesterday\n", "not a date"),
            ("## [newest]\n", "newest"),
        ] {
            let refused = checkout(MANIFEST, &format!("# Changelog\n\n{changelog}")).unwrap_err();
            assert!(refused.contains(why), "{changelog}: {refused}");
        }
    }

    #[test]
    fn the_repository_is_that_of_the_manifest_or_given() {
        let with = |line: &str| {
            let manifest = MANIFEST.replace("name = \"x\"", &format!("name = \"x\"\n{line}"));
            checkout(&manifest, "# Changelog\n\n## [1.2.0]\n").unwrap()
        };
        let own = with("repository = \"https://github.com/acolyte/installer/\"");
        assert_eq!(own.repository(None).unwrap(), "https://github.com/acolyte/installer");
        assert!(own.repository(Some("acolyte/installer")).is_ok());
        assert!(own.repository(Some("someone/else")).is_err());
        assert!(matches!(with("").repository(None), Err(PublishError::NoRepository)));
        assert_eq!(with("").repository(Some("a/b")).unwrap(), "https://github.com/a/b");
    }
}
