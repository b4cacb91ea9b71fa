//! The packages for Windows.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use zip::write::SimpleFileOptions;

use crate::error::{DistError, at};
use crate::inspect;
use crate::plan::{Form, System};
use crate::release::Release;
use crate::tool;

/// What is packed beside the programs: the name there, and the file of the repository.
const DOCUMENTS: [(&str, &str); 4] = [
    ("Inter-OFL.txt", "assets/fonts/OFL.txt"),
    ("LICENSE-APACHE", "LICENSE-APACHE"),
    ("LICENSE-MIT", "LICENSE-MIT"),
    ("README.txt", "installer/windows/README.txt"),
];

/// Makes all packages of the programs in a folder.
///
/// # Errors
/// When a program needs DLLs that do not come with Windows, or a tool is missing or fails.
pub fn make(release: &Release, binaries: &Path) -> Result<(), DistError> {
    let mut arch = "x86_64";
    for program in System::Windows.programs().map(|name| binaries.join(name)) {
        inspect::require_windows_dlls(&program)?;
        arch = inspect::processor(&program)?;
    }
    portable(release, binaries, arch)?;
    setup(release, binaries, &release.package(Form::Setup, arch)?)
}

/// The zip: in the order of the names, all of them with one date, so that the same files give the same bytes.
fn portable(release: &Release, binaries: &Path, arch: &str) -> Result<(), DistError> {
    let path = release.package(Form::PortableZip, arch)?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let programs = System::Windows.programs().map(|name| (name, binaries.join(name)));
    let documents = DOCUMENTS.map(|(name, file)| (name, release.root.join(file)));
    let mut files: Vec<(&str, PathBuf)> = programs.into_iter().chain(documents).collect();
    files.sort_unstable();
    let file = fs::File::create(&path).map_err(at(&path))?;
    let mut archive = zip::ZipWriter::new(file);
    // Its earliest date.
    let options =
        SimpleFileOptions::default().last_modified_time(zip::DateTime::default()).compression_level(Some(9));
    let failed = |error: zip::result::ZipError| at(&path)(std::io::Error::other(error));
    for (inside, from) in files {
        let bytes = fs::read(&from).map_err(at(&from))?;
        archive.start_file(format!("{name}/{inside}"), options).map_err(failed)?;
        archive.write_all(&bytes).map_err(at(&path))?;
    }
    archive.finish().map(drop).map_err(failed)
}

/// The installer.
fn setup(release: &Release, binaries: &Path, to: &Path) -> Result<(), DistError> {
    let programs = std::env::var_os("ProgramFiles(x86)").map(|folder| PathBuf::from(folder).join("NSIS"));
    let makensis = tool::find("makensis", &programs.into_iter().collect::<Vec<_>>())?;
    let define = |name: &str, value: &Path| format!("-D{name}={}", value.display());
    tool::run(
        Command::new(makensis)
            .args(["-V2", "-WX", "-INPUTCHARSET", "UTF8", &format!("-DVERSION={}", release.version)])
            .args([define("ROOT", &release.root), define("BINARIES", binaries), define("OUTPUT", to)])
            .arg(release.root.join("installer/windows/setup.nsi"))
            .env("SOURCE_DATE_EPOCH", release.epoch.to_string()),
    )
}
