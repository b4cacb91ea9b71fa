//! Checks the message files for `say!`, and embeds icon, version and manifest into the programs for Windows.

#[path = "build/messages.rs"]
mod messages;

use std::env;
use std::io;
use std::path::PathBuf;

use winresource::WindowsResource;

/// The programs and their descriptions in Explorer, the task manager and the firewall.
const PROGRAMS: [(&str, &str); 2] =
    [("acolyte-installer", "ACOLYTE installer"), ("acolyte", "ACOLYTE in the terminal")];
/// The message files, relative to the root of the package.
const LOCALES: &str = "assets/locales";
/// Resources of the programs for Windows, relative to the root of the package.
const ICON: &str = "assets/icons/app.ico";
const MANIFEST: &str = "installer/windows/acolyte.manifest";
/// Windows language id of English (United States).
const LANGUAGE: u16 = 0x0409;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed={LOCALES}");
    let (root, out) = (PathBuf::from(variable("CARGO_MANIFEST_DIR")), PathBuf::from(variable("OUT_DIR")));
    if let Err(mistake) = messages::generate(&root.join(LOCALES), &out.join("messages.rs")) {
        println!("cargo::error={mistake}");
    }
    if variable("CARGO_CFG_TARGET_OS") != "windows" {
        return;
    }
    println!("cargo::rerun-if-changed={ICON}");
    println!("cargo::rerun-if-changed={MANIFEST}");
    for tool in ["RC_PATH", "WINDRES", "AR", "CROSS_COMPILE"] {
        println!("cargo::rerun-if-env-changed={tool}");
    }
    for (program, description) in PROGRAMS {
        let Err(error) = embed(program, description) else { continue };
        let tool = if variable("CARGO_CFG_TARGET_ENV") == "msvc" {
            "rc.exe of the Windows SDK (elsewhere llvm-rc; RC_PATH names another)"
        } else {
            "windres of mingw-w64 (WINDRES names another)"
        };
        let what = format!("{program}.exe would have no icon, version and manifest: {error}; install {tool}");
        // Optional for checks and tests, required for a release.
        let level = if variable("PROFILE") == "release" { "error" } else { "warning" };
        println!("cargo::{level}={what}");
    }
}

fn embed(program: &str, description: &str) -> io::Result<()> {
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let mut resource = WindowsResource::new();
    resource
        .set_language(LANGUAGE)
        .set_icon(&root.join(ICON).display().to_string())
        .set_manifest_file(&root.join(MANIFEST).display().to_string())
        .set("ProductName", "ACOLYTE")
        .set("CompanyName", "ACOLYTE")
        .set("FileDescription", description)
        .set("InternalName", program)
        .set("OriginalFilename", &format!("{program}.exe"))
        .set("LegalCopyright", &variable("CARGO_PKG_LICENSE"));
    resource.compile_for(program)
}

/// A variable that Cargo sets; empty where it does not.
fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}
