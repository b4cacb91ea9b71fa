#![allow(clippy::unwrap_used)]

use super::*;

const SMALL: &str = "schema: 1\nversion: \"9.9\"\nassets:\n  - os: linux\n    arch: x86_64\n    name: a.tar.zst\n    \
                     bytes: 10\n    sha256: 50539c5fe9bf85887733355098dcdb266b433cb8c73fa180713417e9ed6e42bb\n";

fn parse(text: &str) -> Result<Release, ReleaseError> {
    Release::parse(text, Path::new("r.yaml"))
}

#[test]
fn the_built_in_release_has_archives_for_every_system() {
    let release = Release::built_in();
    assert_eq!(release.version, "0.32.15");
    for os in ["linux", "macos", "windows"] {
        for arch in ["x86_64", "aarch64"] {
            let asset = release.asset(AssetRole::Base, os, arch).unwrap();
            let url = release.url(asset, None).unwrap();
            assert!(
                url.as_str().starts_with("https://github.com/ollama/ollama/releases/download/v0.32.15/"),
                "{url}"
            );
        }
    }
    let mac = |arch| release.asset(AssetRole::Base, "macos", arch).unwrap().name.clone();
    assert_eq!(mac("x86_64"), mac("aarch64"), "one archive serves both");
    assert!(matches!(release.asset(AssetRole::Base, "freebsd", "x86_64"), Err(ReleaseError::NoAsset { .. })));
}

#[test]
fn a_mirror_replaces_the_address() {
    let release = parse(SMALL).unwrap();
    let asset = &release.assets[0];
    assert_eq!(
        release.url(asset, Some("http://127.0.0.1:1/x/")).unwrap().as_str(),
        "http://127.0.0.1:1/x/a.tar.zst"
    );
    assert!(matches!(release.url(asset, None), Err(ReleaseError::NoAddress)));
    assert!(matches!(release.url(asset, Some("ftp://x")), Err(ReleaseError::BadAddress { .. })));
    assert!(matches!(release.url(asset, Some("mirror")), Err(ReleaseError::BadAddress { .. })));
    assert_eq!(asset.sha256.to_string()[..6], *"50539c");
}

#[test]
fn json_is_accepted() {
    let sha256 = "5".repeat(64);
    let json = format!(
        "{{\"schema\": 1, \"version\": \"1.2\", \"assets\": [{{\"os\": \"linux\", \"arch\": \"amd64\", \
         \"name\": \"b.tgz\", \"bytes\": null, \"sha256\": \"{sha256}\", \"role\": \"base\"}}]}}"
    );
    let release = parse(&json).unwrap();
    assert_eq!(release.asset(AssetRole::Base, "linux", "x86_64").unwrap().bytes, None);
}

#[test]
fn errors_name_file_line_and_key() {
    let cases = [
        (SMALL.replace("bytes: 10", "byts: 10"), "byts", "7"),
        (SMALL.replace("schema: 1", "schema: 2"), "schema", "line 1"),
        (SMALL.replace("\"9.9\"", "\"../9\""), "version", "line 2"),
        (SMALL.replace("a.tar.zst", "x/a.tar.zst"), "assets[0].name", "line 6"),
        (SMALL.replace("a.tar.zst", "a.rar"), "assets[0].name", "line 6"),
        (SMALL.replace("50539", "5053X"), "sha256", "line 8"),
        (SMALL.replace("os: linux", "os: beos"), "beos", "4"),
        (SMALL.replace("    arch: x86_64\n", ""), "arch", "r.yaml"),
    ];
    for (text, key, line) in cases {
        let message = parse(&text).unwrap_err().to_string();
        assert!(message.contains("r.yaml") && message.contains(key) && message.contains(line), "{message}");
    }
}

/// Searching the text for the value would find the first line that contains it.
#[test]
fn the_line_is_that_of_the_value_and_not_of_an_equal_text_before_it() {
    let text = SMALL.replace("bytes: 10", "bytes: 0");
    let text = format!("# a.tar.zst is the archive\n{text}");
    let error = parse(&text).unwrap_err();
    let expected = text.lines().position(|line| line.contains("bytes: 0")).unwrap() as u64 + 1;
    assert!(matches!(error, ReleaseError::Value { line, .. } if line == expected), "{error}");
}

#[test]
fn two_archives_for_one_system_are_refused() {
    let twice = format!("{SMALL}{}", &SMALL[SMALL.find("  - os").unwrap()..].replace("x86_64", "any"));
    assert!(parse(&twice).unwrap_err().to_string().contains("second archive"));
}

#[test]
fn versions_are_ordered() {
    let version = |text| parse_version(text).unwrap();
    assert!(version("0.32.15") > version("0.32.9"));
    assert!(version("0.32.15") < version("0.33.0-rc1"));
    assert!(version("0.33.0-rc1") < version("0.33.0-rc2") && version("0.33.0-rc2") < version("0.33.0"));
    assert_eq!(version("0.33"), version("0.33.0"));
    for other in ["latest", "1", "1.2.3.4", ""] {
        assert_eq!(parse_version(other), None, "{other}");
    }
}

#[test]
fn versions_are_the_same_however_they_are_written() {
    for (one, other, same) in [
        ("0.32.15", "0.32.15", true),
        ("v0.5", "0.5.0", true),
        ("0.32.15", "0.32.16", false),
        ("0.33.0-rc1", "0.33.0", false),
        ("0.32.15", "6.6.6-stranger", false),
        ("custom", " custom\n", true),
        ("custom", "", false),
    ] {
        assert_eq!(is_same_version(one, other), same, "{one} {other}");
    }
}
