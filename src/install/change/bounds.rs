//! Which paths a journal may name: a change is reverted by deleting, so a planted journal must not reach anything that an
//! installation would not have made.
//!
//! Engines, downloads and documents are at their known paths below the home; models in the models folder that the
//! documents name, under valid model names; login entries in the system's folders. A process that can write the journal
//! as this user can write the documents too: the check does not protect against it.

use std::path::{Component, Path, PathBuf};

use super::Change;
use crate::install::keep::{places, shell_line};
use crate::install::state::documents::{DocumentError, Installed, PREVIOUS_MODEL, SERVED_MODEL};
use crate::install::state::snapshot::Snapshot;
use crate::install::unpack::beside;
use crate::install::{Paths, SavedRequest, login_copy};
use crate::platform::environment::Environment;
use crate::platform::login::AutostartMethod;

/// What the journal of one home may name.
pub(super) struct Bounds<'a> {
    paths: &'a Paths,
    /// Folders of models outside the home that a document names.
    models: Vec<PathBuf>,
    /// Folders of login entries.
    login: Vec<PathBuf>,
    /// Files of this program outside the home, here and as the journal names them.
    placed: Vec<PathBuf>,
}

impl<'a> Bounds<'a> {
    /// Reads them from the documents of a home.
    ///
    /// # Errors
    /// When a document names what is not ours. One that is damaged names nothing.
    pub fn of(paths: &'a Paths, changes: &[Change]) -> Result<Self, DocumentError> {
        let installed = readable(Installed::load(paths.home()))?;
        let before = readable(Snapshot::load(paths))?;
        let requests = [readable(SavedRequest::load(paths))?, readable(Snapshot::request(paths))?];
        let mut models: Vec<PathBuf> = requests
            .into_iter()
            .flatten()
            .flat_map(|request| request.earlier_models_dirs.into_iter().chain([request.options.models_dir]))
            .collect();
        let profiles = [installed, before.and_then(|before| before.installed)];
        models.extend(profiles.into_iter().flatten().map(|installed| installed.profile.models_dir));
        // Where the folder of login entries is unknown there are none.
        let methods = AutostartMethod::all_of_system(&login_copy::owner(paths)).unwrap_or_default();
        let login = methods.iter().filter_map(|method| Some(method.file()?.parent()?.to_owned())).collect();
        // The user's folders of data and configuration may have been others then.
        let named = changes.iter().filter_map(|change| match change {
            Change::PlaceFile { path, .. } if is_plain(path) && places::is_outside(path) => {
                Some(path.clone())
            }
            _ => None,
        });
        let placed = named.chain(places::outside(&Environment::of_process())).collect();
        Ok(Self { paths, models, login, placed })
    }

    /// Accepts a change that an installation in this home can have made.
    ///
    /// # Errors
    /// The path, or the name of a model, that is not ours.
    pub fn check(&self, change: &Change) -> Result<(), PathBuf> {
        match change {
            Change::CreateFolder { path } => require(self.is_folder_of_ours(path), path),
            Change::WriteFile { path } => {
                let documents = Snapshot::documents(self.paths);
                require(documents.iter().any(|document| self.is(path, document)), path)
            }
            Change::Download { path } => {
                let below = self.paths.below(path);
                let is_ours = below.is_some_and(|below| {
                    below.components().count() == 2
                        && below.parent() == relative(self.paths, &self.paths.downloads())
                });
                require(is_ours, path)
            }
            Change::UnpackEngine { version, path, staging } => {
                require(is_name(version), Path::new(version))?;
                let engine = self.paths.engine(version);
                require(self.is(path, &engine), path)?;
                require(self.is(staging, &beside(&engine, "unpacking")), staging)
            }
            Change::BackUpEngine { path, backup } => {
                let engine = path.file_name().map(|name| self.paths.engines().join(name));
                require(engine.as_ref().is_some_and(|engine| self.is(path, engine)), path)?;
                let before = engine.map(|engine| beside(&engine, "before"));
                require(before.is_some_and(|before| self.is(backup, &before)), backup)
            }
            // A journal line with an invalid tag was skipped when it was read.
            Change::PullModel { models_dir, .. } => require(self.is_models_dir(models_dir), models_dir),
            Change::CreateModel { name, models_dir } => {
                require(*name == SERVED_MODEL || *name == PREVIOUS_MODEL, Path::new(name.as_str()))?;
                require(self.is_models_dir(models_dir), models_dir)
            }
            Change::PlaceFile { path, .. } => {
                let below = self.paths.below(path);
                let is_ours = match &below {
                    Some(below) => places::is_below_home(below),
                    None => is_plain(path) && places::is_outside(path),
                };
                require(is_ours, path)
            }
            // Only our own line is taken out, and that only of a profile file.
            Change::AddShellLine { path, added, .. } => {
                let is_line = shell_line(self.paths).is_some_and(|line| added.trim_matches('\n') == line);
                require(is_line && is_plain(path) && places::is_profile_file(path), path)
            }
            Change::AddToUserPath { folder } => require(self.is(folder, &self.paths.programs()), folder),
            Change::StartServer { .. } | Change::StartAtLogin | Change::ListInstalledApp => Ok(()),
        }
    }

    /// Whether a path in the journal is this path of ours, possibly through another name of the home.
    fn is(&self, path: &Path, ours: &Path) -> bool {
        self.paths.below(path).is_some_and(|below| Some(below.as_path()) == relative(self.paths, ours))
    }

    /// Below the home or named by a document. A folder that does not exist is accepted: there is nothing to lose in it.
    fn is_models_dir(&self, folder: &Path) -> bool {
        let is_inside = self.paths.below(folder).is_some_and(|below| !below.as_os_str().is_empty());
        is_inside || self.models.iter().any(|known| known == folder) || !folder.exists()
    }

    /// The home and what is below; folders of models and of login entries; and the folders above all of these, which an
    /// installation creates where they are missing.
    fn is_folder_of_ours(&self, path: &Path) -> bool {
        if self.paths.below(path).is_some() {
            return true;
        }
        let leads_to = |known: &Path| known.starts_with(path) && is_plain(path);
        let is_blobs = self.models.iter().any(|known| Paths::blobs(known) == path);
        let is_login_folder =
            || [".config", "autostart", "systemd", "systemd/user"].iter().any(|shape| path.ends_with(shape));
        leads_to(self.paths.home())
            || self.models.iter().chain(&self.login).chain(&self.placed).any(|known| leads_to(known))
            || is_blobs
            // The user's folder of configuration may have been another one then.
            || is_login_folder() && is_plain(path)
    }
}

/// A damaged document is reported where it is needed; one that names a foreign path is refused everywhere.
fn readable<T>(document: Result<Option<T>, DocumentError>) -> Result<Option<T>, DocumentError> {
    match document {
        Err(DocumentError::Format { .. } | DocumentError::File(_)) => Ok(None),
        other => other,
    }
}

fn relative<'p>(paths: &Paths, path: &'p Path) -> Option<&'p Path> {
    path.strip_prefix(paths.home()).ok()
}

fn require(is_ours: bool, path: &Path) -> Result<(), PathBuf> {
    if is_ours { Ok(()) } else { Err(path.to_owned()) }
}

/// Whether it is a single path component, without separators or `..`.
fn is_name(text: &str) -> bool {
    let mut parts = Path::new(text).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) && text != "home"
}

/// Absolute, and without `..`.
fn is_plain(path: &Path) -> bool {
    path.is_absolute() && !path.components().any(|part| part == Component::ParentDir)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::checksum::Sha256;
    use crate::install::change::journal::{Journal, JournalEntry, Phase};
    use crate::install::keep::ProgramKind;
    use crate::models::ModelTag;
    use crate::platform::files;
    use crate::platform::login::EntryOwner;

    /// A home with an empty journal, and a folder next to it with foreign files.
    fn world() -> (tempfile::TempDir, Paths, PathBuf) {
        let world = tempfile::tempdir().unwrap();
        let paths = Paths::new(&world.path().join("home"));
        files::create_folders(&paths.llm()).unwrap();
        let foreign = world.path().join("foreign");
        files::create_folders(&foreign.join("blobs")).unwrap();
        (world, paths, foreign)
    }

    fn read(paths: &Paths, change: &Change) -> Result<Vec<JournalEntry>, DocumentError> {
        let entry = JournalEntry { at: String::new(), phase: Phase::Intent, change: Some(change.clone()) };
        files::write_whole(&paths.journal(), &serde_json::to_vec(&entry).unwrap()).unwrap();
        Journal::read(paths)
    }

    fn place(path: &Path) -> Change {
        Change::PlaceFile { path: path.to_owned(), sha256: Sha256::of(b""), existed: false }
    }

    fn line(path: &Path, added: &str) -> Change {
        Change::AddShellLine { path: path.to_owned(), added: added.to_owned(), created: true }
    }

    #[test]
    fn a_journal_with_paths_of_an_installation_is_accepted() {
        let (_world, paths, _) = world();
        let engine = paths.engine("0.32.15");
        let (models_dir, tag) = (paths.models(), ModelTag::parse("qwen2.5-coder:7b").unwrap());
        let config = AutostartMethod::all_of_system(&EntryOwner::default()).unwrap()[0].file();
        let login = config.and_then(|file| file.parent().map(Path::to_owned)).unwrap_or_else(|| paths.llm());
        let folders = [
            paths.home().to_owned(),
            paths.home().parent().unwrap().to_owned(),
            paths.logs(),
            Paths::blobs(&models_dir),
            login.parent().unwrap().to_owned(),
            login,
        ];
        let changes = [
            Change::WriteFile { path: paths.profile() },
            Change::Download { path: paths.downloads().join("ollama.tar.zst") },
            Change::UnpackEngine {
                version: "0.32.15".to_owned(),
                path: engine.clone(),
                staging: beside(&engine, "unpacking"),
            },
            Change::BackUpEngine { path: engine.clone(), backup: beside(&engine, "before") },
            Change::PullModel { tag, models_dir: models_dir.clone() },
            Change::CreateModel { name: SERVED_MODEL.clone(), models_dir: models_dir.clone() },
            Change::CreateModel { name: PREVIOUS_MODEL.clone(), models_dir },
            Change::StartServer { port: 42_434 },
            Change::StartAtLogin,
            place(&paths.programs().join(ProgramKind::Terminal.file_name())),
            place(&paths.kept()),
            Change::AddToUserPath { folder: paths.programs() },
            Change::ListInstalledApp,
        ];
        let outside = places::outside(&Environment::of_process());
        let parents = outside.iter().filter_map(|path| Some(path.parent()?.to_owned()));
        let folders = folders.into_iter().chain(parents).collect::<Vec<_>>();
        let changes = changes.into_iter().chain(outside.iter().map(|path| place(path))).collect::<Vec<_>>();
        let folders = folders.into_iter().map(|path| Change::CreateFolder { path });
        for change in changes.into_iter().chain(folders) {
            assert_eq!(read(&paths, &change).unwrap().len(), 1, "{change:?}");
        }
    }

    #[test]
    fn a_journal_that_names_anything_else_is_refused() {
        let (_world, paths, foreign) = world();
        let engine = paths.engine("0.32.15");
        let (staging, version) = (beside(&engine, "unpacking"), "0.32.15".to_owned());
        let tag = ModelTag::parse("qwen2.5-coder:7b").unwrap();
        let out = paths.home().join("../foreign");
        let ours = format!("{}\n", shell_line(&paths).unwrap());
        read(&paths, &line(&foreign.join(".bashrc"), &ours)).unwrap();
        let create = |path: &Path| Change::CreateFolder { path: path.to_owned() };
        let write = |path: &Path| Change::WriteFile { path: path.to_owned() };
        let download = |path: &Path| Change::Download { path: path.to_owned() };
        let unpack = |path: &Path, staging: &Path| Change::UnpackEngine {
            version: version.clone(),
            path: path.to_owned(),
            staging: staging.to_owned(),
        };
        let hostile = [
            create(&foreign),
            create(&out),
            write(&foreign.join("key")),
            write(&paths.journal()),
            write(&paths.llm().join("../../foreign/key")),
            download(&foreign.join("x")),
            download(&paths.downloads().join("a/b")),
            download(&paths.downloads()),
            unpack(&foreign, &staging),
            unpack(&engine, &foreign),
            unpack(&paths.home().join("llm"), &staging),
            Change::UnpackEngine {
                version: "..".to_owned(),
                path: paths.home().to_owned(),
                staging: staging.clone(),
            },
            Change::BackUpEngine { path: engine.clone(), backup: foreign.clone() },
            Change::BackUpEngine { path: foreign.clone(), backup: beside(&engine, "before") },
            Change::PullModel { tag: tag.clone(), models_dir: foreign.clone() },
            Change::CreateModel { name: tag, models_dir: paths.models() },
            Change::CreateModel { name: SERVED_MODEL.clone(), models_dir: foreign.clone() },
            place(&foreign.join("key")),
            place(&paths.journal()),
            place(&paths.programs().join("other")),
            place(&foreign.join("../applications/acolyte-installer.desktop")),
            line(&foreign.join(".bashrc"), "export EDITOR=vi\n"),
            line(&foreign.join("key"), &ours),
            Change::AddToUserPath { folder: foreign },
        ];
        for change in hostile {
            let refused = read(&paths, &change);
            assert!(matches!(&refused, Err(DocumentError::ForeignPath { .. })), "{change:?}: {refused:?}");
        }
    }

    /// A link to the home counts as another name of it only if no other user can replace the link.
    #[cfg(unix)]
    #[test]
    fn the_home_by_another_name_is_the_home() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let (world, paths, _) = world();
        let links = world.path().join("links");
        files::create_folders(&links).unwrap();
        symlink(paths.home(), links.join("home")).unwrap();
        let change = Change::Download { path: links.join("home/downloads/x") };
        read(&paths, &change).unwrap();
        std::fs::set_permissions(&links, std::fs::Permissions::from_mode(0o777)).unwrap();
        assert!(read(&paths, &change).is_err());
    }

    #[test]
    fn paths_of_undone_runs_are_not_checked() {
        let (_world, paths, foreign) = world();
        let line = |phase: Phase, change: Option<Change>| {
            let entry = JournalEntry { at: String::new(), phase, change };
            serde_json::to_string(&entry).unwrap() + "\n"
        };
        let foreign =
            || Some(Change::CreateModel { name: SERVED_MODEL.clone(), models_dir: foreign.clone() });
        let undone = line(Phase::Intent, foreign()) + &line(Phase::Undone, None);
        files::write_whole(&paths.journal(), undone.as_bytes()).unwrap();
        Journal::read(&paths).unwrap();
        let ended = line(Phase::Intent, foreign()) + &line(Phase::End, None) + &line(Phase::Undone, None);
        files::write_whole(&paths.journal(), ended.as_bytes()).unwrap();
        assert!(Journal::read(&paths).is_err());
    }
}
