//! What goes into the programs for Windows and into their zip.

use resvg::usvg::roxmltree::Document;

use crate::{PROGRAMS, at, text_of};

#[test]
fn the_manifest_requests_no_rights_and_the_needed_settings() {
    let text = text_of("installer/windows/acolyte.manifest");
    let document = Document::parse(&text).unwrap();
    let node = |tag: &str| {
        let found = document.descendants().find(|node| node.tag_name().name() == tag);
        found.unwrap_or_else(|| panic!("{tag} is missing"))
    };
    assert_eq!(node("requestedExecutionLevel").attribute("level"), Some("asInvoker"));
    assert_eq!(node("longPathAware").text(), Some("true"));
    assert_eq!(node("activeCodePage").text(), Some("UTF-8"));
    // What winit asks for when the window opens.
    assert!(node("dpiAwareness").text().unwrap().starts_with("PerMonitorV2"));
    // Windows 10 and 11.
    assert_eq!(node("supportedOS").attribute("Id"), Some("{8e0f7a12-bfb3-4fe8-b9a5-48fd50a15a9a}"));
}

#[test]
fn each_program_gets_its_resources_and_is_packed() {
    let (build, package) = (text_of("build.rs"), text_of("installer/windows/package.ps1"));
    for program in PROGRAMS {
        assert!(build.contains(&format!("(\"{program}\", \"")), "build.rs: {program}");
        assert!(package.contains(&format!("'{program}.exe'")), "package.ps1: {program}");
    }
    for constant in ["ICON", "MANIFEST"] {
        let line = build.lines().find(|line| line.starts_with(&format!("const {constant}: "))).unwrap();
        let path = line.split('"').nth(1).unwrap();
        assert!(at(path).is_file(), "{path}");
    }
}

/// A fresh Windows has no vcruntime140.dll, a cross build is not for the computer that packs it, and anybody can compare the
/// zip with one of their own.
#[test]
fn the_programs_need_no_runtime_and_the_zip_is_made_of_their_facts() {
    let config = text_of(".cargo/config.toml");
    let section = config.split("[target.").find(|part| part.contains("target_env = \"msvc\"")).unwrap();
    assert!(section.contains("target-feature=+crt-static"), "{section}");

    let package = text_of("installer/windows/package.ps1");
    assert!(package.contains("$arch = Get-Architecture (Join-Path $built"), "the program's own header");
    assert!(!package.contains("PROCESSOR_ARCHITECTURE") && !package.contains("Compress-Archive"));
    assert!(package.contains("$entry.LastWriteTime = $time") && package.contains("[Array]::Sort($files"));

    let build = text_of("build.rs");
    assert!(
        build.contains(".set(\"CompanyName\", \"ACOLYTE\")"),
        "who made it, in Explorer and the firewall"
    );
}
