#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod hostile;

use std::io::Write as _;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::checksum::Sha256;
use crate::control::Control;

/// One entry of an archive to be made.
#[derive(Clone, Debug)]
enum ArchiveEntry {
    Folder(&'static str),
    File(String, u32, Vec<u8>),
    Link(&'static str, &'static str),
    HardLink(&'static str, &'static str),
    Special(&'static str, tar::EntryType),
}

fn file(name: &str, content: &str) -> ArchiveEntry {
    ArchiveEntry::File(name.to_owned(), 0o644, content.as_bytes().to_vec())
}

/// A tar with raw headers, so that names need not be valid.
fn tar(entries: &[ArchiveEntry]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for entry in entries {
        let (name, kind, link, mode, data): (&str, _, &str, u32, &[u8]) = match entry {
            ArchiveEntry::Folder(name) => (name, tar::EntryType::Directory, "", 0o755, &[]),
            ArchiveEntry::File(name, mode, data) => (name, tar::EntryType::Regular, "", *mode, data),
            ArchiveEntry::Link(name, target) => (name, tar::EntryType::Symlink, target, 0o777, &[]),
            ArchiveEntry::HardLink(name, target) => (name, tar::EntryType::Link, target, 0o644, &[]),
            ArchiveEntry::Special(name, kind) => (name, *kind, "", 0o644, &[]),
        };
        let mut header = tar::Header::new_gnu();
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_gnu_mut().unwrap().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(data.len() as u64);
        header.set_cksum();
        builder.append(&header, data).unwrap();
    }
    builder.into_inner().unwrap()
}

fn zst(tar: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(tar, 1).unwrap()
}

fn gz(tar: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(tar).unwrap();
    encoder.finish().unwrap()
}

fn zip(entries: &[ArchiveEntry]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for entry in entries {
        match entry {
            ArchiveEntry::Folder(name) => writer.add_directory(*name, options).unwrap(),
            ArchiveEntry::File(name, mode, data) => {
                writer.start_file(name.as_str(), options.unix_permissions(*mode)).unwrap();
                writer.write_all(data).unwrap();
            }
            ArchiveEntry::Link(name, target) => writer.add_symlink(*name, *target, options).unwrap(),
            ArchiveEntry::HardLink(..) | ArchiveEntry::Special(..) => unreachable!("a zip has none"),
        }
    }
    writer.finish().unwrap().into_inner()
}

fn unpack(
    archive: &Path,
    staging: &Path,
    limits: UnpackLimits,
    progress: &dyn Fn(UnpackProgress),
    control: &Control,
) -> Result<Unpacked, UnpackError> {
    let sha256 = Sha256::of(&std::fs::read(archive).unwrap());
    unpack_verified(archive, sha256, staging, limits, progress, control)
}

struct UnpackBench {
    folder: TempDir,
}

impl UnpackBench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn staging(&self) -> PathBuf {
        self.folder.path().join("inside").join("staging")
    }

    fn unpack_limited(&self, archive: &[u8], limits: UnpackLimits) -> Result<Unpacked, UnpackError> {
        let path = self.folder.path().join("archive");
        std::fs::write(&path, archive).unwrap();
        unpack(&path, &self.staging(), limits, &|_| {}, &Control::new())
    }

    fn unpack(&self, archive: &[u8]) -> Result<Unpacked, UnpackError> {
        self.unpack_limited(archive, UnpackLimits::default())
    }

    /// Files outside the archive and the staging folder: must be none.
    fn strays(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for (folder, allowed) in [
            (self.folder.path().to_owned(), ["archive", "inside"]),
            (self.folder.path().join("inside"), ["staging", ""]),
        ] {
            let Ok(entries) = std::fs::read_dir(folder) else { continue };
            found.extend(
                entries
                    .map(|entry| entry.unwrap())
                    .filter(|entry| !allowed.iter().any(|name| entry.file_name() == *name))
                    .map(|entry| entry.path()),
            );
        }
        found
    }
}

fn release() -> Vec<ArchiveEntry> {
    vec![
        ArchiveEntry::Folder("./"),
        ArchiveEntry::Folder("./bin/"),
        ArchiveEntry::File("./bin/ollama".into(), 0o4755, b"#!/bin/sh\n".to_vec()),
        ArchiveEntry::File("./lib/ollama/libggml.so.0.1".into(), 0o664, vec![7; 300_000]),
        ArchiveEntry::Link("./lib/ollama/libggml.so", "libggml.so.0"),
        ArchiveEntry::Link("./lib/ollama/libggml.so.0", "libggml.so.0.1"),
    ]
}

#[cfg(unix)]
fn check_release(bench: &UnpackBench, unpacked: &Unpacked) {
    use std::os::unix::fs::PermissionsExt as _;
    let staging = bench.staging();
    let mode = |path: &str| std::fs::metadata(staging.join(path)).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode("bin/ollama"), 0o755, "runs, and no more than that");
    assert_eq!(mode("lib/ollama/libggml.so.0.1"), 0o644);
    assert_eq!(std::fs::read(staging.join("lib/ollama/libggml.so")).unwrap(), vec![7; 300_000]);
    assert_eq!(
        std::fs::read_link(staging.join("lib/ollama/libggml.so")).unwrap(),
        PathBuf::from("libggml.so.0"),
        "links stay links"
    );
    assert_eq!(unpacked.bytes, 300_010);
    assert_eq!(unpacked.files.len(), 4);
    assert_eq!(bench.strays(), Vec::<PathBuf>::new());
}

#[cfg(unix)]
#[test]
fn a_release_is_unpacked_from_every_format() {
    for archive in [zst(&tar(&release())), gz(&tar(&release())), zip(&release()[2..])] {
        let bench = UnpackBench::new();
        let unpacked = bench.unpack(&archive).unwrap();
        check_release(&bench, &unpacked);
    }
}

#[test]
fn a_second_archive_replaces_files_of_the_first() {
    let bench = UnpackBench::new();
    bench.unpack(&zst(&tar(&release()))).unwrap();
    bench.unpack(&zst(&tar(&[file("lib/ollama/rocm/librocm.so", "r"), file("bin/ollama", "new")]))).unwrap();
    assert_eq!(std::fs::read(bench.staging().join("bin/ollama")).unwrap(), b"new");
    assert!(bench.staging().join("lib/ollama/rocm/librocm.so").exists());
}

#[test]
fn long_names_of_both_kinds_are_read() {
    let long = format!("lib/{}/x", "d".repeat(150));
    let mut gnu = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(1);
    header.set_mode(0o644);
    gnu.append_data(&mut header, &long, &b"g"[..]).unwrap();
    let bench = UnpackBench::new();
    bench.unpack(&zst(&gnu.into_inner().unwrap())).unwrap();
    assert_eq!(std::fs::read(bench.staging().join(&long)).unwrap(), b"g");

    let mut pax = tar::Builder::new(Vec::new());
    pax.append_pax_extensions([("path", long.as_bytes())]).unwrap();
    let mut header = tar::Header::new_ustar();
    header.set_path("short").unwrap();
    header.set_size(1);
    header.set_mode(0o644);
    header.set_cksum();
    pax.append(&header, &b"p"[..]).unwrap();
    let bench = UnpackBench::new();
    bench.unpack(&gz(&pax.into_inner().unwrap())).unwrap();
    assert_eq!(std::fs::read(bench.staging().join(&long)).unwrap(), b"p");
}

#[test]
fn backslashes_of_windows_tools_are_separators_in_a_zip() {
    let bench = UnpackBench::new();
    bench.unpack(&zip(&[file("lib\\ollama\\x.dll", "x")])).unwrap();
    assert!(bench.staging().join("lib/ollama/x.dll").exists());
}

#[test]
fn a_file_that_does_not_fit_the_disk_is_not_started() {
    // The declared length of a file is checked before it is written, the release's unpacked size throughout.
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_path("huge").unwrap();
    header.set_mode(0o644);
    header.set_size(1 << 50);
    header.set_cksum();
    builder.append(&header, io::empty()).unwrap();
    let (huge, small) = (zst(&builder.into_inner().unwrap()), zst(&tar(&[file("small", "x")])));
    let open = UnpackLimits { bytes: u64::MAX, ..UnpackLimits::default() };
    for (archive, limits) in [(&huge, open), (&small, UnpackLimits { expected_bytes: 1 << 50, ..open })] {
        let bench = UnpackBench::new();
        let error = bench.unpack_limited(archive, limits).unwrap_err();
        assert!(
            matches!(error, UnpackError::DiskShort { need_bytes, .. } if need_bytes == 1 << 50),
            "{error}"
        );
        assert_eq!(std::fs::read_dir(bench.staging()).unwrap().count(), 0, "nothing was written");
    }
    let error = UnpackBench::new().unpack(&huge).unwrap_err();
    assert!(matches!(error, UnpackError::TooLarge { .. }), "{error}");
}

#[test]
fn decompression_bombs_stop_at_the_limit() {
    let bomb = vec![ArchiveEntry::File("zeros".into(), 0o644, vec![0; 4 << 20])];
    let limits = UnpackLimits { entries: 10, bytes: 1 << 20, expected_bytes: 0 };
    for archive in [zst(&tar(&bomb)), gz(&tar(&bomb)), zip(&bomb)] {
        let bench = UnpackBench::new();
        let error = bench.unpack_limited(&archive, limits).unwrap_err();
        assert!(matches!(error, UnpackError::TooLarge { .. }), "{error}");
        assert!(!bench.staging().join("zeros").exists(), "its declared length is too long");
    }
    let many: Vec<ArchiveEntry> = (0..11).map(|i| file(&format!("f{i}"), "")).collect();
    for archive in [zst(&tar(&many)), zip(&many)] {
        let error = UnpackBench::new().unpack_limited(&archive, limits).unwrap_err();
        assert!(matches!(error, UnpackError::TooLarge { .. }), "{error}");
    }
    // A name of megabytes is not read.
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::GNULongName);
    header.set_size(8 << 20);
    header.set_cksum();
    let mut builder = tar::Builder::new(Vec::new());
    builder.append(&header, &vec![b'a'; 8 << 20][..]).unwrap();
    let error = UnpackBench::new().unpack(&zst(&builder.into_inner().unwrap())).unwrap_err();
    assert!(matches!(error, UnpackError::Damaged { .. }), "{error}");
}

#[test]
fn truncated_and_corrupted_archives_are_detected() {
    let content: Vec<u8> = (0..200_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let entries = [ArchiveEntry::File("f".into(), 0o644, content.clone())];
    for archive in [zst(&tar(&entries)), gz(&tar(&entries)), zip(&entries)] {
        for keep in [5, archive.len() / 2, archive.len() - 5] {
            let error = UnpackBench::new().unpack(&archive[..keep]).unwrap_err();
            assert!(matches!(error, UnpackError::Damaged { .. }), "cut at {keep}: {error}");
        }
    }
    for archive in [gz(&tar(&entries)), zip(&entries)] {
        let mut flipped = archive;
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        let error = UnpackBench::new().unpack(&flipped).unwrap_err();
        assert!(matches!(error, UnpackError::Damaged { .. }), "{error}");
    }
}

#[test]
fn a_file_that_is_not_an_archive_is_reported() {
    for content in [&b"<html>Please log in</html>"[..], b"", b"PK", b"\x7fELF"] {
        let error = UnpackBench::new().unpack(content).unwrap_err();
        assert!(matches!(error, UnpackError::UnknownFormat { .. }), "{error}");
    }
}

#[test]
fn the_target_holds_the_new_contents_or_the_old_ones() {
    let bench = UnpackBench::new();
    let (archive, target) = (bench.folder.path().join("archive"), bench.folder.path().join("engine"));
    let staging = beside(&target, "unpacking");
    let go = |bytes: &[u8]| {
        std::fs::write(&archive, bytes).unwrap();
        remove_tree(&staging)?;
        unpack(&archive, &staging, UnpackLimits::default(), &|_| {}, &Control::new())?;
        publish(&staging, &target, &mut |_| {})
    };
    go(&zst(&tar(&[file("version", "1"), file("old", "")]))).unwrap();
    go(&zst(&tar(&[file("version", "2")]))).unwrap();
    assert!(!target.join("old").exists(), "it is replaced, not mixed");
    go(&zst(&tar(&[file("version", "3"), file("../evil", "")]))).unwrap_err();
    assert_eq!(std::fs::read(target.join("version")).unwrap(), b"2");
    // Leftovers of an interrupted run do not matter.
    std::fs::create_dir_all(beside(&target, "replaced").join("half")).unwrap();
    go(&zst(&tar(&[file("version", "4")]))).unwrap();
    assert!(!target.join("half").exists());
    let mut left: Vec<_> =
        std::fs::read_dir(bench.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["archive", "engine"]);
}

#[test]
fn cancelling_stops_within_a_buffer_and_progress_ends_at_the_total() {
    let content: Vec<u8> = (0..2_000_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
    let archive = zst(&tar(&[ArchiveEntry::File("f".into(), 0o644, content)]));
    let bench = UnpackBench::new();
    let path = bench.folder.path().join("archive");
    std::fs::write(&path, &archive).unwrap();
    let control = Control::new();
    let cancel = |_: UnpackProgress| control.cancel();
    let error = unpack(&path, &bench.staging(), UnpackLimits::default(), &cancel, &control).unwrap_err();
    assert!(matches!(error, UnpackError::Cancelled(_)), "{error}");
    assert!(std::fs::metadata(bench.staging().join("f")).unwrap().len() < 1_000_000);

    let seen = std::cell::RefCell::new(Vec::new());
    unpack(&path, &bench.staging(), UnpackLimits::default(), &|p| seen.borrow_mut().push(p), &Control::new())
        .unwrap();
    let seen = seen.into_inner();
    assert!(seen.is_sorted_by_key(|p| p.bytes_done));
    let last = seen.last().unwrap();
    assert_eq!((last.bytes_done, last.unpacked_bytes), (archive.len() as u64, 2_000_000));
}
