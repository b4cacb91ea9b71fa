//! The signed bundle for macOS, made here of programs that do nothing: Zig compiles them for both processors, rcodesign signs
//! them as `installer/macos/package.sh` lets codesign do it. `bash .ci/macos-tools` installs both.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Command;

use plist::Value;
use sha2::{Digest as _, Sha256};

use crate::code_signature::{AD_HOC, INFO_PLIST, RESOURCES, RUNTIME, slices, verified};
use crate::scripts::printed;
use crate::{PROGRAMS, at};

/// Zig and rcodesign.
fn tools() -> Option<(PathBuf, PathBuf)> {
    let tools = [at("target/tools/zig/ziglang/zig"), at("target/tools/bin/rcodesign")];
    if let Some(missing) = tools.iter().find(|tool| !tool.is_file()) {
        eprintln!("skipped: {} is not installed (bash .ci/macos-tools installs it)", missing.display());
        return None;
    }
    let [zig, rcodesign] = tools;
    Some((zig, rcodesign))
}

/// A signed bundle.
fn bundle(folder: &Path, zig: &Path, rcodesign: &Path) -> PathBuf {
    let source = folder.join("program.c");
    std::fs::write(&source, "int main(void) { return 0; }\n").unwrap();
    let built = ["aarch64", "x86_64"].map(|arch| {
        let program = folder.join(arch);
        let mut compile = Command::new(zig);
        compile.args(["cc", "-target", &format!("{arch}-macos.11.0"), "-o"]).arg(&program).arg(&source);
        printed(compile.env("ZIG_GLOBAL_CACHE_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("zig")));
        program
    });
    let binaries = folder.join("binaries");
    std::fs::create_dir(&binaries).unwrap();
    for program in PROGRAMS {
        let mut universal = Command::new(rcodesign);
        printed(universal.args(["macho-universal-create", "-o"]).arg(binaries.join(program)).args(&built));
    }
    let mut package = Command::new("bash");
    package.arg(at("installer/macos/package.sh")).arg("--bundle-only").arg("--binaries").arg(&binaries);
    printed(package.arg("--output").arg(folder));
    let app = folder.join("ACOLYTE Installer.app");
    let mut sign = Command::new(rcodesign);
    sign.args(["sign", "--code-signature-flags", "runtime"]);
    sign.args(["--code-signature-flags", "Contents/MacOS/acolyte:runtime"]);
    printed(sign.arg(&app));
    app
}

#[test]
fn the_signature_covers_both_programs_and_every_file_of_the_bundle() {
    let Some((zig, rcodesign)) = tools() else { return };
    let folder = tempfile::Builder::new().prefix("with space ").tempdir().unwrap();
    let contents = bundle(folder.path(), &zig, &rcodesign).join("Contents");
    let read = |path: &str| std::fs::read(contents.join(path)).unwrap();
    let list = Value::from_reader(Cursor::new(read("Info.plist"))).unwrap();
    let bundle_id = list.as_dictionary().unwrap()["CFBundleIdentifier"].as_string().unwrap().to_owned();

    for (program, identifier) in PROGRAMS.into_iter().zip([bundle_id.as_str(), "acolyte"]) {
        let file = read(&format!("MacOS/{program}"));
        let both = slices(&file).expect("a universal program");
        assert_eq!(both.len(), 2, "{program}: for both processors");
        for slice in both {
            let directory = verified(slice).unwrap_or_else(|why| panic!("{program}: {why}"));
            assert_eq!(directory.identifier, identifier, "{program}");
            assert_eq!(
                directory.flags & (AD_HOC | RUNTIME),
                AD_HOC | RUNTIME,
                "{program}: {:x}",
                directory.flags
            );
            if identifier == bundle_id {
                for (slot, path) in [(INFO_PLIST, "Info.plist"), (RESOURCES, "_CodeSignature/CodeResources")]
                {
                    assert_eq!(directory.slot(slot), Some(&Sha256::digest(read(path))[..]), "{path}");
                }
            }
            // A check that accepts everything would accept this too.
            let mut changed = slice.to_vec();
            changed[40_usize.min(slice.len() - 1)] ^= 1;
            assert_eq!(verified(&changed), Err("page 0 was changed".to_owned()));
        }
    }

    let resources = Value::from_reader(Cursor::new(read("_CodeSignature/CodeResources"))).unwrap();
    let files = resources.as_dictionary().unwrap()["files2"].as_dictionary().unwrap();
    let mut covered = 0;
    for path in
        ["Resources/app.icns", "Resources/LICENSE-MIT", "Resources/LICENSE-APACHE", "Resources/Inter-OFL.txt"]
    {
        let hash = files[path].as_dictionary().unwrap()["hash2"].as_data().unwrap();
        assert_eq!(hash, &Sha256::digest(read(path))[..], "{path}");
        covered += 1;
    }
    assert!(files["MacOS/acolyte"].as_dictionary().unwrap().contains_key("cdhash"), "{files:?}");
    let resources = std::fs::read_dir(contents.join("Resources")).unwrap();
    assert_eq!(resources.count(), covered, "every resource is covered");
}
