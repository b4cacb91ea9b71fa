//! The packages for Linux.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::{Compression, GzBuilder};

use crate::error::{DistError, at};
use crate::inspect;
use crate::plan::{Form, System};
use crate::release::Release;
use crate::tool;

/// Where shells look for completions, below `usr/share`: the shell, and the file.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "bash-completion/completions/acolyte"),
    ("zsh", "zsh/site-functions/_acolyte"),
    ("fish", "fish/vendor_completions.d/acolyte.fish"),
];

/// Makes all packages of the programs in a folder.
///
/// # Errors
/// When a program needs a newer C library than the packages promise, or a tool is missing or fails.
pub fn make(release: &Release, binaries: &Path) -> Result<(), DistError> {
    let [window, _] = System::Linux.programs();
    let program = binaries.join(window);
    let needed = inspect::require_glibc_floor(&program)?;
    println!("{} needs glibc {needed}", program.display());
    let arch = inspect::processor(&program)?;
    let tools = [release.target("tools/bin")];
    let archive = release.package(Form::TarGz, arch)?;
    tool::run(
        Command::new("bash")
            .arg(release.root.join("installer/linux/package.sh"))
            .arg("--binaries")
            .arg(binaries)
            .arg("--output")
            .arg(&release.output)
            .env("ARCH", arch)
            .env("SOURCE_DATE_EPOCH", release.epoch.to_string()),
    )?;
    // One list has the checksums of all packages.
    let own_checksum = PathBuf::from(format!("{}.sha256", archive.display()));
    fs::remove_file(&own_checksum).map_err(at(&own_checksum))?;

    let unpacked = unpack(release, &archive)?;
    run_file(release, &unpacked, &release.package(Form::Run, arch)?)?;
    lay_out(release, &unpacked)?;

    let deb = release.package(Form::Deb, arch)?;
    tool::find("cargo-deb", &tools)?;
    let mut cargo = packager(release);
    cargo
        .args(["deb", "--no-build", "--no-strip", "--quiet", "--target"])
        .arg(format!("{arch}-unknown-linux-gnu"));
    tool::run(cargo.arg("--output").arg(&deb))?;

    let rpm = release.package(Form::Rpm, arch)?;
    tool::find("cargo-generate-rpm", &tools)?;
    let mut cargo = packager(release);
    cargo.args(["generate-rpm", "--arch", arch, "--payload-compress", "xz", "--output"]).arg(&rpm);
    tool::run(&mut cargo)
}

/// Cargo with the packaging tools on its `PATH`.
fn packager(release: &Release) -> Command {
    let mut cargo = Command::new("cargo");
    cargo
        .current_dir(&release.root)
        .env("PATH", tool::path_with(&release.target("tools/bin")))
        .env("SOURCE_DATE_EPOCH", release.epoch.to_string());
    cargo
}

/// Unpacks the archive; returns the folder in it.
fn unpack(release: &Release, archive: &Path) -> Result<PathBuf, DistError> {
    let folder = fresh(&release.target("dist-unpacked"))?;
    tool::run(
        Command::new("tar").arg("--extract").arg("--file").arg(archive).arg("--directory").arg(&folder),
    )?;
    let inside = fs::read_dir(&folder).map_err(at(&folder))?.next();
    Ok(inside.transpose().map_err(at(&folder))?.map(|entry| entry.path()).unwrap_or(folder))
}

/// Makes the file that unpacks itself into a temporary folder, opens the window and removes the folder afterwards.
fn run_file(release: &Release, unpacked: &Path, to: &Path) -> Result<(), DistError> {
    let makeself = tool::find("makeself", &[])?;
    let start = unpacked.join("start.sh");
    fs::copy(release.root.join("installer/linux/start.sh"), &start).map_err(at(&start))?;
    // It writes its arguments into the file, so they must be the same in every folder.
    let folder = unpacked.parent().unwrap_or(unpacked);
    let (inside, file) = (unpacked.file_name().unwrap_or_default(), to.file_name().unwrap_or_default());
    let date = release.epoch;
    let memory =
        Some(PathBuf::from("/dev/shm")).filter(|folder| folder.is_dir()).unwrap_or_else(std::env::temp_dir);
    let tar =
        format!("--sort=name --owner=0 --group=0 --numeric-owner --mode=u+rwX,go+rX,go-w --mtime=@{date}");
    tool::run(
        Command::new(makeself)
            .args([
                "--quiet",
                "--xz",
                "--complevel",
                "9",
                "--nomd5",
                "--nocrc",
                "--sha256",
                "--nox11",
                "--noprogress",
            ])
            .args(["--packaging-date", &format!("@{date}"), "--tar-extra", &tar])
            .args([inside, file])
            .arg(format!("ACOLYTE Installer {}", release.version))
            .args(["sh", "./start.sh"])
            .current_dir(folder)
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            // It writes into the file how many blocks of the disk its temporary files take.
            .env("TMPDIR", memory),
    )?;
    fs::remove_file(&start).map_err(at(&start))?;
    let made = folder.join(file);
    fs::copy(&made, to).map_err(at(to)).map(drop)
}

/// Lays the contents out as a distribution does. `Cargo.toml` has the packages' metadata, which name this folder.
fn lay_out(release: &Release, unpacked: &Path) -> Result<(), DistError> {
    let usr = fresh(&release.target("package-root"))?.join("usr");
    fs::create_dir_all(&usr).map_err(at(&usr))?;
    for folder in ["bin", "share"] {
        fs::rename(unpacked.join(folder), usr.join(folder)).map_err(at(&usr))?;
    }
    // Its packager takes the dates of files, but none after that of the release; copied, it is newer than that.
    let script = usr.with_file_name("acolyte.sh");
    let bytes = fs::read(release.root.join("installer/linux/acolyte.sh")).map_err(at(&script))?;
    fs::write(&script, bytes).map_err(at(&script))?;
    let terminal = usr.join("bin/acolyte");
    let pages = usr.join("share/man/man1");
    fs::create_dir_all(&pages).map_err(at(&pages))?;
    tool::output(Command::new(&terminal).args(["--lang", "en", "man", "--dir"]).arg(&pages))?;
    for entry in fs::read_dir(&pages).map_err(at(&pages))? {
        compress(&entry.map_err(at(&pages))?.path())?;
    }
    for (shell, file) in COMPLETIONS {
        let path = usr.join("share").join(file);
        let folder = path.parent().unwrap_or(&usr);
        fs::create_dir_all(folder).map_err(at(folder))?;
        let text = tool::output(Command::new(&terminal).args(["completions", shell]))?;
        fs::write(&path, text).map_err(at(&path))?;
    }
    Ok(())
}

/// Compresses a file, without its name and date.
fn compress(file: &Path) -> Result<(), DistError> {
    let text = fs::read(file).map_err(at(file))?;
    let to = PathBuf::from(format!("{}.gz", file.display()));
    let writer = fs::File::create(&to).map_err(at(&to))?;
    let mut gzip = GzBuilder::new().mtime(0).write(writer, Compression::best());
    gzip.write_all(&text).and_then(|()| gzip.finish()).map_err(at(&to))?;
    fs::remove_file(file).map_err(at(file))
}

/// An empty folder.
fn fresh(folder: &Path) -> Result<PathBuf, DistError> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(at(folder))?;
    }
    fs::create_dir_all(folder).map_err(at(folder))?;
    Ok(folder.to_owned())
}
