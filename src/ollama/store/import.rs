//! Puts a model file of the user's into the store, where the engine finds it as it finds a model that it pulled.
//!
//! 1. The file is cloned or copied to a temporary file of the store; parts are merged into one. What is written is hashed.
//! 2. The file must be what it was when its header was read, before and after.
//! 3. The copy gets the name of its checksum, then configuration and manifest are written.
//!
//! The engine's own `/api/create` with `files` is not used: it sets the modification time of the file it is given, so that
//! neither a link to the user's file nor a read-only one would do, and it writes a second copy.
//!
//! The user's file is only read.

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::json;
use sha2::Digest as _;

use super::Store;
use crate::checksum::Sha256;
use crate::control::{Cancelled, Control};
use crate::models::gguf::{Header, HeaderError, MergedFile, SplitError};
use crate::models::{LocalFilePart, LocalFileRecord, LocalModelFile, Model, ModelTag};
use crate::ollama::manifest::MODEL_LAYER;
use crate::ollama::model_file::part_of;
use crate::platform::files::{self, FileError, reading, renaming, writing};
use crate::platform::regular;
use crate::untrusted::UntrustedText;

/// Name of the temporary file. It begins and ends as the partial files of a pull, which are removed with the store.
const TEMPORARY: &str = "sha256-import-partial";
/// Upper limit of a configuration; usual ones have some hundred bytes.
const MAX_CONFIG_BYTES: u64 = 1 << 20;
/// Largest piece that is copied at once, in bytes.
const PIECE_BYTES: u64 = 1 << 20;

/// Why a model file was not put into the store.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// Cancelled by the user.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The file, or one of its parts, is no longer there.
    #[error("{path} is no longer there")]
    Gone {
        /// The file.
        path: PathBuf,
    },
    /// It is another one than when its header was read.
    #[error("{path} has changed")]
    Changed {
        /// The file.
        path: PathBuf,
    },
}

/// Checks that a model file is what it was when its header was read.
///
/// # Errors
/// If it is not there any more, has changed, or cannot be read.
pub fn require_unchanged(local: &LocalModelFile) -> Result<(), ImportError> {
    local.parts.iter().try_for_each(|part| open(part).map(drop))
}

/// Opens a part that is what it was.
fn open(part: &LocalFilePart) -> Result<File, ImportError> {
    let file = regular::open(&part.path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => ImportError::Gone { path: part.path.clone() },
        _ => reading(&part.path)(error).into(),
    })?;
    require_same(part, &file)?;
    Ok(file)
}

fn require_same(part: &LocalFilePart, file: &File) -> Result<(), ImportError> {
    let now = part_of(&part.path, file).map_err(reading(&part.path))?;
    if now == *part { Ok(()) } else { Err(changed(part)) }
}

fn changed(part: &LocalFilePart) -> ImportError {
    ImportError::Changed { path: part.path.clone() }
}

impl Store {
    /// Puts the file of a model into the store under this tag. `report` gets the bytes that are done, of
    /// [`Model::download_bytes`]. Blocks; pauses and ends as `control` says.
    ///
    /// # Errors
    /// If the file has changed, a file cannot be read or written, or the user cancels. Nothing is left then.
    pub fn import(
        &self,
        tag: &ModelTag,
        model: &Model,
        local: &LocalModelFile,
        control: &Control,
        report: &dyn Fn(u64),
    ) -> Result<(), ImportError> {
        files::create_folders(&self.blob_folder())?;
        let temporary = self.temporary();
        let mut copy = Copy { to: &temporary, control, report, done: 0 };
        let copied = match local.parts.as_slice() {
            [part] => copy.whole(part),
            parts => copy.merged(parts),
        };
        let published = copied.and_then(|copied| {
            self.keep(&temporary, &copied, control)?;
            self.publish(tag, model, &copied)
        });
        if published.is_err() {
            // The first error is the relevant one.
            let _ = files::remove_file(&temporary);
        }
        published
    }

    /// The files that a model was imported from, as recorded then; none for any other model.
    pub fn imported_files(&self, tag: &ModelTag) -> Vec<LocalFileRecord> {
        #[derive(Deserialize)]
        struct ImportedConfig {
            #[serde(default)]
            acolyte_files: Vec<LocalFileRecord>,
        }
        let read = || {
            let config = self.manifest(tag)?.manifest.config?;
            let json = regular::read(&self.blob(config.sha256), MAX_CONFIG_BYTES).ok()?;
            serde_json::from_slice::<ImportedConfig>(&json).ok()
        };
        read().map(|config| config.acolyte_files).unwrap_or_default()
    }

    /// The temporary file of an import.
    pub(super) fn temporary(&self) -> PathBuf {
        self.blob_folder().join(TEMPORARY)
    }

    /// Gives the copy the name of its checksum. A layer of that name and content stays: the engine may have it open.
    fn keep(&self, temporary: &Path, copied: &Copied, control: &Control) -> Result<(), ImportError> {
        let weights = self.blob(copied.sha256);
        if files::length(&weights) == copied.bytes {
            let hash = files::sha256(&weights, &|| control.is_cancelled());
            control.check()?;
            if hash.is_ok_and(|hash| hash == copied.sha256) {
                return Ok(files::remove_file(temporary)?);
            }
        }
        files::sync_file(temporary)?;
        files::rename(temporary, &weights).map_err(renaming(temporary))?;
        Ok(())
    }

    /// Writes configuration and manifest of a model whose weights are there.
    fn publish(&self, tag: &ModelTag, model: &Model, copied: &Copied) -> Result<(), ImportError> {
        let family = &model.architecture.family;
        let config = json!({
            "model_format": "gguf", "model_family": family, "model_families": [family],
            "file_type": model.quantisation.name(), "architecture": "amd64", "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{}", copied.sha256)]},
            "acolyte_files": copied.files,
        });
        let config = config.to_string().into_bytes();
        let name = Sha256::of(&config);
        files::write_whole(&self.blob(name), &config)?;
        let json = json!({
            "schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": {"mediaType": "application/vnd.docker.container.image.v1+json",
                       "digest": format!("sha256:{name}"), "size": config.len()},
            "layers": [{"mediaType": MODEL_LAYER, "digest": format!("sha256:{}", copied.sha256), "size": copied.bytes}],
        });
        self.write_manifest_json(tag, json.to_string().as_bytes())?;
        Ok(())
    }
}

/// What was written.
struct Copied {
    sha256: Sha256,
    bytes: u64,
    files: Vec<LocalFileRecord>,
}

/// Copies the user's files.
struct Copy<'a> {
    to: &'a Path,
    control: &'a Control,
    report: &'a dyn Fn(u64),
    done: u64,
}

impl Copy<'_> {
    /// One file: cloned where the file system can, else copied.
    fn whole(&mut self, part: &LocalFilePart) -> Result<Copied, ImportError> {
        let mut from = open(part)?;
        let mut hasher = sha2::Sha256::new();
        let bytes = if files::clone(&from, self.to).is_ok() {
            let clone = regular::open_no_link(self.to).map_err(reading(self.to))?;
            let length = clone.metadata().map_err(reading(self.to))?.len();
            self.pass(&part.path, &mut { clone }, length, &mut |bytes| {
                hasher.update(bytes);
                Ok(())
            })?;
            length
        } else {
            let mut to = files::create_anew(self.to).map_err(writing(self.to))?;
            self.pass(&part.path, &mut from, part.bytes, &mut |bytes| {
                hasher.update(bytes);
                to.write_all(bytes)
            })?;
            part.bytes
        };
        if bytes != part.bytes {
            return Err(changed(part));
        }
        require_same(part, &from)?;
        let sha256: Sha256 = hasher.into();
        let path = UntrustedText::path(&part.path);
        Ok(Copied { sha256, bytes, files: vec![LocalFileRecord { path, size_bytes: bytes, sha256 }] })
    }

    /// Several parts, each read once from its beginning to its end.
    fn merged(&mut self, parts: &[LocalFilePart]) -> Result<Copied, ImportError> {
        let opened: Vec<File> = parts.iter().map(open).collect::<Result<_, _>>()?;
        let merged = merge(parts, &opened)?;
        let mut whole = sha2::Sha256::new();
        let mut to = files::create_anew(self.to).map_err(writing(self.to))?;
        let mut write = |whole: &mut sha2::Sha256, bytes: &[u8]| {
            whole.update(bytes);
            to.write_all(bytes)
        };
        write(&mut whole, &merged.header).map_err(writing(self.to))?;
        let mut records = Vec::new();
        for (index, (part, file)) in parts.iter().zip(&opened).enumerate() {
            let (mut hasher, mut position) = (sha2::Sha256::new(), 0);
            let mut from = file;
            for piece in merged.pieces.iter().filter(|piece| piece.part == index) {
                let before = piece.range.start.saturating_sub(position);
                self.pass(&part.path, &mut from, before, &mut |bytes| {
                    hasher.update(bytes);
                    Ok(())
                })?;
                let length = piece.range.end - piece.range.start;
                self.pass(&part.path, &mut from, length, &mut |bytes| {
                    hasher.update(bytes);
                    write(&mut whole, bytes)
                })?;
                write(&mut whole, &vec![0; usize::try_from(piece.padding).unwrap_or(0)])
                    .map_err(writing(self.to))?;
                position = piece.range.end;
            }
            self.pass(&part.path, &mut from, part.bytes.saturating_sub(position), &mut |bytes| {
                hasher.update(bytes);
                Ok(())
            })?;
            require_same(part, file)?;
            let path = UntrustedText::path(&part.path);
            records.push(LocalFileRecord { path, size_bytes: part.bytes, sha256: hasher.into() });
        }
        Ok(Copied { sha256: whole.into(), bytes: merged.bytes(), files: records })
    }

    /// Reads exactly so many bytes of a file and passes them on.
    fn pass(
        &mut self,
        path: &Path,
        from: &mut impl Read,
        bytes: u64,
        piece: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), ImportError> {
        let mut buffer = vec![0; usize::try_from(bytes.min(PIECE_BYTES)).unwrap_or(0)];
        let mut left = bytes;
        while left > 0 {
            self.control.until_resumed_blocking()?;
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            match from.read(&mut buffer[..wanted]) {
                Ok(0) => return Err(ImportError::Changed { path: path.to_owned() }),
                Ok(length) => {
                    piece(&buffer[..length]).map_err(writing(self.to))?;
                    left -= length as u64;
                    self.done = self.done.saturating_add(length as u64);
                    (self.report)(self.done);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(reading(path)(error).into()),
            }
        }
        Ok(())
    }
}

/// How the parts are merged.
fn merge(parts: &[LocalFilePart], opened: &[File]) -> Result<MergedFile, ImportError> {
    let mut headers = Vec::new();
    let mut first = Vec::new();
    for (part, mut file) in parts.iter().zip(opened) {
        let header = Header::read(io::BufReader::new(file)).map_err(|error| match error {
            HeaderError::Read(source) => reading(&part.path)(source).into(),
            _ => changed(part),
        })?;
        let rewind = |file: &mut &File| io::Seek::rewind(file).map_err(reading(&part.path));
        rewind(&mut file)?;
        if headers.is_empty() {
            file.take(header.layout.end).read_to_end(&mut first).map_err(reading(&part.path))?;
            rewind(&mut file)?;
        }
        headers.push(header);
    }
    // They belonged together when their headers were read.
    MergedFile::new(&headers, &first).map_err(|_: SplitError| ImportError::Changed {
        path: parts.first().map(|part| part.path.clone()).unwrap_or_default(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::models::Catalogue;

    /// A store, and a model in a file of these bytes.
    fn bench(bytes: &[u8]) -> (tempfile::TempDir, Store, Model) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.gguf");
        std::fs::write(&path, bytes).unwrap();
        let part = part_of(&path, &File::open(&path).unwrap()).unwrap();
        let local = LocalModelFile { parts: vec![part], has_chat_template: true };
        let listed = Catalogue::built_in().find("qwen2.5-coder:3b").unwrap();
        let store = Store::new(&folder.path().join("models"));
        (folder, store, Model { local: Some(local), ..(*listed).clone() })
    }

    fn import(store: &Store, model: &Model, control: &Control) -> Result<u64, ImportError> {
        let done = std::cell::Cell::new(0);
        let tag = ModelTag::of_file("model", "0123456789ab");
        store.import(&tag, model, model.local.as_ref().unwrap(), control, &|bytes| done.set(bytes))?;
        assert!(store.has(&tag));
        Ok(done.get())
    }

    #[test]
    fn the_copy_has_the_name_of_its_checksum_and_the_file_is_recorded() {
        let content = vec![7; 3 << 20];
        let (folder, store, model) = bench(&content);
        assert_eq!(import(&store, &model, &Control::new()).unwrap(), 3 << 20);
        let tag = ModelTag::of_file("model", "0123456789ab");
        let sha256 = Sha256::of(&content);
        assert_eq!(std::fs::read(store.blob(sha256)).unwrap(), content);
        let path = UntrustedText::path(&folder.path().join("model.gguf"));
        assert_eq!(store.imported_files(&tag), [LocalFileRecord { path, size_bytes: 3 << 20, sha256 }]);
        assert_eq!(store.models().len(), 1);

        // Again: a layer that is good stays, a damaged one is replaced.
        let is_good = || std::fs::read(store.blob(sha256)).unwrap() == content && !store.temporary().exists();
        import(&store, &model, &Control::new()).unwrap();
        assert!(is_good());
        std::fs::write(store.blob(sha256), vec![8; 3 << 20]).unwrap();
        import(&store, &model, &Control::new()).unwrap();
        assert!(is_good());
    }

    #[test]
    fn a_cancelled_import_and_one_of_a_changed_file_leave_nothing() {
        let (folder, store, model) = bench(&[7; 100]);
        let control = Control::new();
        control.cancel();
        assert!(matches!(import(&store, &model, &control), Err(ImportError::Cancelled(_))));
        let path = folder.path().join("model.gguf");
        std::fs::write(&path, [7; 101]).unwrap();
        assert!(matches!(import(&store, &model, &Control::new()), Err(ImportError::Changed { .. })));
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(import(&store, &model, &Control::new()), Err(ImportError::Gone { .. })));
        let left = std::fs::read_dir(folder.path().join("models/blobs")).unwrap();
        assert_eq!(left.count(), 0);
    }

    #[test]
    fn what_a_killed_import_left_is_removed_with_the_next_model() {
        let (_folder, store, model) = bench(&[7; 100]);
        import(&store, &model, &Control::new()).unwrap();
        std::fs::write(store.temporary(), "half").unwrap();
        assert!(store.partial_bytes() > 0, "it counts as unfinished");
        store.remove(&[&ModelTag::of_file("model", "0123456789ab")], false).unwrap();
        assert!(!store.temporary().exists());
    }
}
