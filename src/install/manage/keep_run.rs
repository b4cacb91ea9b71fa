//! The steps of keeping this program on the computer.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::checksum::Sha256;
use crate::control::Control;
use crate::install::change::Change;
use crate::install::change::journal::{Journal, changes};
use crate::install::change::placed;
use crate::install::keep::{
    KeptFile, OwnPrograms, ProgramKind, environment_script, fish_script, menu, places, shell_line,
};
use crate::install::manage::kept::{Kept, KeptProgram, SkipCause, SkippedPlace};
use crate::install::state::documents::to_json;
use crate::install::{InstallError, Paths};
use crate::platform::environment::Environment;
use crate::platform::files::{self, FileError, reading};
use crate::platform::ownership::{self, OwnershipError};
use crate::platform::{program, program_file, regular, shell_profile};

/// How long our own terminal program may take to print a file.
const PRINTING_LIMIT: Duration = Duration::from_secs(30);

/// A running transaction.
pub(super) struct KeepRun<'a> {
    pub(super) paths: &'a Paths,
    pub(super) environment: Environment,
    pub(super) control: &'a Control,
    pub(super) journal: Journal,
    pub(super) file: KeptFile,
    pub(super) kept: Kept,
}

impl KeepRun<'_> {
    /// Carries out all steps, each written to the journal first.
    pub(super) fn run(
        &mut self,
        programs: &OwnPrograms,
        before: Option<&KeptFile>,
    ) -> Result<(), InstallError> {
        self.journal.create_folder(&self.paths.programs())?;
        self.place_program(programs.kind, &programs.own)?;
        let twin = programs.kind.twin();
        let is_copied = match &programs.twin {
            Some(program) => self.place_twin(twin, program)?,
            None => false,
        };
        if !is_copied {
            let place = self.program(twin);
            let of_before = before.and_then(|before| before.program(twin));
            let still_there = of_before.filter(|sha256| placed::is_ours(&place, *sha256));
            self.file.set_program(twin, still_there);
            (self.kept.missing, self.kept.missing_is_kept) = (Some(twin), still_there.is_some());
        }
        self.control.check()?;
        self.menu()?;
        self.control.check()?;
        if self.file.terminal.is_some() {
            self.path()?;
            self.completions()?;
            self.manual_pages()?;
        }
        self.control.check()?;
        self.list_installed_app()?;
        let path = self.paths.kept();
        let file = to_json(&path, &self.file)?;
        self.place_in_home(&path, &file)
    }

    fn program(&self, kind: ProgramKind) -> PathBuf {
        self.paths.programs().join(kind.file_name())
    }

    fn place_program(&mut self, kind: ProgramKind, source: &Path) -> Result<(), InstallError> {
        let sha256 = files::sha256(source, &|| self.control.check().is_err()).map_err(reading(source))?;
        self.control.check()?;
        self.place_with(kind, sha256, |place| {
            let new = files::temporary(place);
            if program_file::copy_verified(source, &new)? != sha256 {
                let changed = std::io::Error::new(std::io::ErrorKind::InvalidData, program_file::CopyDiffers);
                return Err(reading(source)(changed).into());
            }
            Ok(program_file::put(&new, place)?)
        })
    }

    /// Copies the twin if it is of this version, which its copy says. Returns whether it is.
    fn place_twin(&mut self, kind: ProgramKind, source: &Path) -> Result<bool, InstallError> {
        let copy = self.paths.replaced().join(kind.file_name());
        files::create_folders(&self.paths.replaced())?;
        let sha256 = program_file::copy_verified(source, &copy)?;
        let said = self.printed(&copy, &["--version"]);
        let is_same = said.is_ok_and(|said| said.trim() == format!("{} {}", kind.name(), self.file.version));
        if is_same {
            self.place_copy(kind, &copy, sha256)?;
        }
        program_file::remove(&copy)?;
        Ok(is_same)
    }

    /// Moves a verified copy to its place; copies it again where that is on another drive.
    fn place_copy(&mut self, kind: ProgramKind, copy: &Path, sha256: Sha256) -> Result<(), InstallError> {
        self.place_with(kind, sha256, |place| {
            if program_file::put(copy, place).is_err() {
                let new = files::temporary(place);
                program_file::copy_verified(copy, &new)?;
                program_file::put(&new, place)?;
            }
            Ok(())
        })
    }

    /// Puts a program with this hash in its place, unless it is there, after the journal names it.
    fn place_with(
        &mut self,
        kind: ProgramKind,
        sha256: Sha256,
        put: impl FnOnce(&Path) -> Result<(), InstallError>,
    ) -> Result<(), InstallError> {
        let place = self.program(kind);
        let is_there = placed::is_ours(&place, sha256);
        if !is_there || !self.is_in_journal(&place, sha256) {
            self.announce(&place, sha256)?;
        }
        if !is_there {
            put(&place)?;
        }
        self.file.set_program(kind, Some(sha256));
        self.kept.programs.push(KeptProgram { kind, path: place, sha256 });
        Ok(())
    }

    fn menu(&mut self) -> Result<(), InstallError> {
        let Some(entry) = places::menu_entry(&self.environment) else { return Ok(()) };
        let Some(window) = self.file.window.map(|_| self.program(ProgramKind::Window)) else { return Ok(()) };
        let is_placed = if cfg!(target_os = "macos") {
            self.app_bundle(&entry, &window)?
        } else if cfg!(windows) {
            match self.shortcut(&window) {
                Ok(bytes) => self.place_outside(&entry, &bytes)?,
                Err(error) => self.skip(&entry, error.into()),
            }
        } else {
            match menu::desktop_entry(self.paths, &window) {
                Some(contents) => self.place_outside(&entry, contents.as_bytes())?,
                None => self.skip(&entry, SkipCause::Unrepresentable),
            }
        };
        if is_placed {
            self.kept.menu_entry = Some(entry);
            for (path, bytes) in places::icons(&self.environment) {
                self.place_outside(&path, bytes)?;
            }
        }
        Ok(())
    }

    /// The property list last: it makes the folder an app.
    fn app_bundle(&mut self, app: &Path, window: &Path) -> Result<bool, InstallError> {
        let [list, script, icon] = places::app_files(app);
        let Some(contents) = menu::app_program(self.paths, window) else {
            return Ok(self.skip(app, SkipCause::Unrepresentable));
        };
        Ok(self.place_outside(&script, contents.as_bytes())?
            && self.place_outside(&icon, menu::APP_ICON)?
            && self.place_outside(&list, menu::app_property_list(&self.file.version).as_bytes())?)
    }

    #[cfg(windows)]
    fn shortcut(&self, window: &Path) -> Result<Vec<u8>, FileError> {
        let new = self.paths.replaced().join("ACOLYTE.lnk");
        files::create_folders(&self.paths.replaced())?;
        crate::platform::write_shortcut(&new, window, "ACOLYTE").map_err(files::writing(&new))?;
        regular::read(&new, placed::MAX_BYTES).map_err(reading(&new))
    }

    /// Shortcuts are files of Windows.
    #[cfg(not(windows))]
    fn shortcut(&self, window: &Path) -> Result<Vec<u8>, FileError> {
        Err(files::creating(window)(std::io::ErrorKind::Unsupported.into()))
    }

    fn path(&mut self) -> Result<(), InstallError> {
        let folder = self.paths.programs();
        if cfg!(windows) {
            return self.user_path(&folder);
        }
        let completions = places::completions(self.paths, &self.environment);
        let zsh = completions.iter().find(|(shell, _)| *shell == "zsh");
        let script = environment_script(self.paths, zsh.and_then(|(_, file)| file.parent()));
        let (Some(script), Some(line)) = (script, shell_line(self.paths)) else {
            self.skip(&self.paths.shell_environment(), SkipCause::Unrepresentable);
            return Ok(());
        };
        self.place_in_home(&self.paths.shell_environment(), script.as_bytes())?;
        if let Some(file) = places::fish_path(&self.environment)
            && let Some(script) = fish_script(self.paths)
        {
            self.place_outside(&file, script.as_bytes())?;
        }
        let is_on_path = self.environment.folders("PATH").contains(&folder);
        for file in places::profile_files(&self.environment) {
            match self.add_line(&file, &line, is_on_path)? {
                Ok(true) => self.kept.profile_files.push(file),
                Ok(false) => {}
                Err(cause) => {
                    self.skip(&file, cause.into());
                }
            }
        }
        Ok(())
    }

    /// Adds our line to a profile file, unless the folder is on `PATH` in another way. Returns whether it is there, or why
    /// the file was left alone.
    fn add_line(
        &mut self,
        file: &Path,
        line: &str,
        is_on_path: bool,
    ) -> Result<Result<bool, OwnershipError>, InstallError> {
        let contents = match shell_profile::read(file) {
            Ok(contents) => contents,
            Err(cause) => return Ok(Err(cause)),
        };
        let Some(with) = shell_profile::with_line(&contents, line) else { return Ok(Ok(true)) };
        if is_on_path {
            return Ok(Ok(false));
        }
        let created = !file.exists();
        let change = Change::AddShellLine { path: file.to_owned(), added: with.added, created };
        self.journal.intend(change.clone())?;
        if let Err(cause) = shell_profile::write(file, &with.contents) {
            return Ok(Err(cause));
        }
        self.journal.done(change)?;
        Ok(Ok(true))
    }

    #[cfg(windows)]
    fn user_path(&mut self, folder: &Path) -> Result<(), InstallError> {
        if crate::platform::user_path::contains(folder) {
            return Ok(());
        }
        self.journal.intend(Change::AddToUserPath { folder: folder.to_owned() })?;
        if let Err(error) = crate::platform::user_path::add(folder) {
            self.skip(folder, error.into());
        }
        Ok(())
    }

    /// The registry is one of Windows.
    #[cfg(not(windows))]
    fn user_path(&mut self, _folder: &Path) -> Result<(), InstallError> {
        Ok(())
    }

    fn completions(&mut self) -> Result<(), InstallError> {
        let terminal = self.program(ProgramKind::Terminal);
        for (shell, path) in places::completions(self.paths, &self.environment) {
            let is_placed = match self.printed(&terminal, &["completions", shell]) {
                Ok(script) if path.starts_with(self.paths.home()) => {
                    self.place_in_home(&path, script.as_bytes()).map(|()| true)?
                }
                Ok(script) => {
                    // zsh looks for its tag in the first line.
                    let script = format!("{}\n# home {}\n", script.trim_end(), self.paths.id());
                    self.place_outside(&path, script.as_bytes())?
                }
                Err(cause) => self.skip(&path, cause),
            };
            self.kept.generated.extend(is_placed.then_some(path));
        }
        Ok(())
    }

    fn manual_pages(&mut self) -> Result<(), InstallError> {
        /// What `acolyte man --json` prints, as far as it is used.
        #[derive(Deserialize)]
        struct PrintedPages {
            pages: Vec<PrintedPage>,
        }
        #[derive(Deserialize)]
        struct PrintedPage {
            file_name: String,
            text: String,
        }
        if cfg!(windows) {
            return Ok(());
        }
        let folder = self.paths.manual_pages();
        let printed = self.printed(&self.program(ProgramKind::Terminal), &["man", "--json"]);
        let pages = printed.and_then(|json| {
            let invalid =
                |error: serde_json::Error| SkipCause::NotPrinted { message: error.to_string().into() };
            serde_json::from_str::<PrintedPages>(&json).map_err(invalid)
        });
        let pages = match pages {
            Ok(printed) => printed.pages,
            Err(cause) => {
                self.skip(&folder, cause);
                return Ok(());
            }
        };
        for page in pages.into_iter().filter(|page| places::is_page(&page.file_name)) {
            let path = folder.join(&page.file_name);
            self.place_in_home(&path, page.text.as_bytes())?;
            self.kept.generated.push(path);
        }
        Ok(())
    }

    #[cfg(windows)]
    fn list_installed_app(&mut self) -> Result<(), InstallError> {
        use crate::install::keep::app_entry;
        self.journal.intend(Change::ListInstalledApp)?;
        let values = app_entry::values(self.paths, &self.file);
        if let Err(error) = crate::platform::installed_apps::write(&app_entry::name(self.paths), &values) {
            let place = crate::platform::installed_apps::place(&app_entry::name(self.paths));
            self.skip(Path::new(&place), error.into());
        }
        Ok(())
    }

    /// The list is one of Windows.
    #[cfg(not(windows))]
    fn list_installed_app(&mut self) -> Result<(), InstallError> {
        Ok(())
    }

    /// What our own terminal program prints.
    fn printed(&self, terminal: &Path, arguments: &[&str]) -> Result<String, SkipCause> {
        let failed = |message: String| SkipCause::NotPrinted { message: message.into() };
        let mut command = program::command(terminal);
        command.args(arguments);
        let output = program::run(command, PRINTING_LIMIT).map_err(|error| failed(error.to_string()))?;
        if output.status.success() { Ok(output.stdout) } else { Err(failed(output.stderr)) }
    }

    /// Places a file in our home.
    fn place_in_home(&mut self, path: &Path, contents: &[u8]) -> Result<(), InstallError> {
        if let Some(folder) = path.parent() {
            self.journal.create_folder(folder)?;
        }
        Ok(self.place(path, contents)?)
    }

    /// Places a file outside of the home, unless one that is not ours is there or others could replace it. Returns whether it
    /// did.
    fn place_outside(&mut self, path: &Path, contents: &[u8]) -> Result<bool, InstallError> {
        let Some(folder) = path.parent() else { return Ok(false) };
        if let Err(cause) = ownership::resolve(folder) {
            return Ok(self.skip(path, cause.into()));
        }
        if !self.may_replace(path, contents) {
            return Ok(self.skip(path, SkipCause::Foreign));
        }
        // A folder that refuses is no reason to keep nothing.
        for missing in files::missing_folders(folder) {
            self.journal.intend(Change::CreateFolder { path: missing })?;
        }
        if let Err(cause) = files::create_folders(folder) {
            return Ok(self.skip(path, cause.into()));
        }
        match self.place(path, contents) {
            Ok(()) => Ok(true),
            Err(cause) => Ok(self.skip(path, cause.into())),
        }
    }

    /// Whether what is at a path is ours: written by us as it is, the same as what is to be written, or named as this
    /// home's.
    fn may_replace(&self, path: &Path, contents: &[u8]) -> bool {
        if path.symlink_metadata().is_err() {
            return true;
        }
        let Ok(now) =
            regular::open_no_link(path).and_then(|file| regular::read_open(file, placed::MAX_BYTES))
        else {
            return false;
        };
        let id = self.paths.id();
        let names_home = now.windows(id.len()).any(|part| part == id.as_bytes());
        now == contents || names_home || self.is_in_journal(path, Sha256::of(&now))
    }

    fn place(&mut self, path: &Path, contents: &[u8]) -> Result<(), FileError> {
        let sha256 = Sha256::of(contents);
        if placed::is_ours(path, sha256) {
            return if self.is_in_journal(path, sha256) { Ok(()) } else { self.announce(path, sha256) };
        }
        self.announce(path, sha256)?;
        files::write_whole(path, contents)?;
        if placed::is_app(path) {
            let file = regular::open_no_link(path).map_err(reading(path))?;
            files::make_executable(&file).map_err(files::writing(path))?;
        }
        Ok(())
    }

    /// Announces a file, and keeps what it replaces.
    fn announce(&mut self, path: &Path, sha256: Sha256) -> Result<(), FileError> {
        let existed = path.symlink_metadata().is_ok();
        self.journal.intend(Change::PlaceFile { path: path.to_owned(), sha256, existed })?;
        if existed { placed::back_up(self.paths, path) } else { Ok(()) }
    }

    fn is_in_journal(&self, path: &Path, sha256: Sha256) -> bool {
        changes(self.journal.entries()).iter().any(|change| {
            matches!(change, Change::PlaceFile { path: of, sha256: written, .. } if of == path && *written == sha256)
        })
    }

    /// Reports a file that was left alone. Returns false, for what was not placed.
    fn skip(&mut self, path: &Path, cause: SkipCause) -> bool {
        tracing::info!(%cause, path = %path.display(), "left alone");
        self.kept.skipped.push(SkippedPlace { path: path.to_owned(), cause: std::sync::Arc::new(cause) });
        false
    }
}
