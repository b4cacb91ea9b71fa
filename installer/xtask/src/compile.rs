//! Builds the programs for release, so that the same source gives the same bytes in any folder of any computer.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{DistError, at};
use crate::inspect::GLIBC_FLOOR;
use crate::release::Release;
use crate::tool;

/// The target of the cross build for Windows.
const WINDOWS_GNU: &str = "x86_64-pc-windows-gnu";
/// Debian's compiler, which comes with the source of the standard library.
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// Builds for Linux the window program, which is the terminal program too when it is called by its name. Zig links: it brings the symbols of each version of the C library, and a C compiler that is the same on
/// every computer.
///
/// # Errors
/// When a tool is missing or the build fails.
pub fn for_linux(release: &Release) -> Result<PathBuf, DistError> {
    let tools = release.target("tools/zig");
    let zig = tool::find("zig", &[tools.join("ziglang")])?;
    tool::find("cargo-zigbuild", &[tools.join("bin")])?;
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let mut cargo = cargo(release, "cargo", &[])?;
    cargo
        .args(["zigbuild", "--release", "--locked", "--bin", "acolyte-installer", "--target"])
        .arg(format!("{target}.{GLIBC_FLOOR}"))
        .arg("--target-dir")
        .arg(release.target(""))
        .env("CARGO_ZIGBUILD_ZIG_PATH", zig)
        .env("PATH", tool::path_with(&tools.join("bin")));
    tool::run(&mut cargo)?;
    Ok(release.target(&target).join("release"))
}

/// Builds for Windows: here with this computer's toolchain, on Linux with mingw-w64. The standard library is built along if
/// rustup has not installed it.
///
/// # Errors
/// When a tool is missing or the build fails.
pub fn for_windows(release: &Release) -> Result<PathBuf, DistError> {
    if cfg!(windows) {
        // `.cargo/config.toml` has it too, but the flags of this command replace those there.
        let mut cargo = cargo(release, "cargo", &["-Ctarget-feature=+crt-static"])?;
        cargo.args(["build", "--release", "--locked", "--bins", "--target-dir"]).arg(release.target(""));
        tool::run(&mut cargo)?;
        return Ok(release.target("release"));
    }
    tool::find("x86_64-w64-mingw32-gcc", &[])?;
    // The linker would write the time into the program.
    let flags = ["-Clink-arg=-Wl,--no-insert-timestamp"];
    let library =
        tool::output(Command::new("rustc").args(["--print", "sysroot"]).current_dir(&release.root))?;
    let library = Path::new(library.trim()).join("lib/rustlib").join(WINDOWS_GNU);
    let mut cargo = if library.is_dir() {
        cargo(release, "cargo", &flags)?
    } else {
        if !Path::new(DEBIAN_CARGO).is_file() {
            return Err(DistError::NoTool {
                tool: "the standard library for Windows",
                cure: "rustup target add x86_64-pc-windows-gnu, or on Debian the packages that bash .ci/dist-tools installs",
            });
        }
        let mut cargo = cargo(release, DEBIAN_CARGO, &flags)?;
        cargo.env("RUSTC", DEBIAN_RUSTC).env("RUSTC_BOOTSTRAP", "1").arg("-Zbuild-std=std,panic_unwind");
        cargo
    };
    cargo.args(["build", "--release", "--locked", "--bins", "--target", WINDOWS_GNU, "--target-dir"]);
    cargo.arg(release.target("windows"));
    tool::run(&mut cargo)?;
    Ok(release.target("windows").join(WINDOWS_GNU).join("release"))
}

/// Cargo, with flags that keep folders and dates of this computer out of the programs.
fn cargo(release: &Release, program: &str, more: &[&str]) -> Result<Command, DistError> {
    // The folders of the sources must be there to be named.
    tool::run(Command::new("cargo").args(["fetch", "--quiet", "--locked"]).current_dir(&release.root))?;
    let mut flags: Vec<String> = more.iter().map(|flag| (*flag).to_owned()).collect();
    let mut remap =
        |from: &Path, to: &str| flags.push(format!("--remap-path-prefix={}={to}", from.display()));
    let home = cargo_home()?;
    let sources = home.join("registry/src");
    for entry in std::fs::read_dir(&sources).map_err(at(&sources))? {
        remap(&entry.map_err(at(&sources))?.path(), "/cargo");
    }
    // The last one that fits counts.
    remap(&release.root, "/acolyte-installer");
    let mut command = Command::new(program);
    command
        .current_dir(&release.root)
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
        .env("CARGO_INCREMENTAL", "0")
        .env("SOURCE_DATE_EPOCH", release.epoch.to_string());
    Ok(command)
}

/// Cargo's folder. Cargo tells it to the programs it runs, but not where it is the default.
fn cargo_home() -> Result<PathBuf, DistError> {
    let named = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let default = || std::env::home_dir().map(|home| home.join(".cargo"));
    named.or_else(default).ok_or(DistError::NoTool { tool: "cargo's folder", cure: "set CARGO_HOME" })
}
