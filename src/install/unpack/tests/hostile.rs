//! Archives that try to write outside the folder, and files that are exchanged while they are read.

use super::*;

fn refused(entries: &[ArchiveEntry]) -> NameProblem {
    let bench = UnpackBench::new();
    let error = bench.unpack(&zst(&tar(entries))).unwrap_err();
    assert_eq!(bench.strays(), Vec::<PathBuf>::new(), "something was written outside");
    match error {
        UnpackError::Hostile { problem, .. } => problem,
        other => panic!("{other} for {entries:?}"),
    }
}

#[test]
fn hostile_tars_are_refused_and_write_nothing_outside() {
    use NameProblem::{Absolute, Climbs, LinkOutside, LinkToNothing, Special, ThroughLink, Twice};
    assert_eq!(refused(&[file("../evil", "x")]), Climbs);
    assert_eq!(refused(&[file("a/../../evil", "x")]), Climbs);
    assert_eq!(refused(&[file("/tmp/acolyte-evil", "x")]), Absolute);
    assert_eq!(refused(&[ArchiveEntry::Link("out", "/tmp")]), LinkOutside);
    assert_eq!(refused(&[ArchiveEntry::Link("out", "..")]), LinkOutside);
    assert_eq!(refused(&[ArchiveEntry::Link("a/out", "../../x")]), LinkOutside);
    // Through a link, in either order, and over a link.
    assert_eq!(refused(&[ArchiveEntry::Link("d", "a"), file("d/x", "x")]), ThroughLink);
    assert_eq!(refused(&[file("d/x", "x"), ArchiveEntry::Link("d", "a")]), ThroughLink);
    assert_eq!(refused(&[ArchiveEntry::Link("d", "a"), file("d", "x")]), Twice);
    assert_eq!(refused(&[file("d", "x"), file("d/x", "x")]), ThroughLink);
    assert_eq!(refused(&[file("d", "x"), file("d", "y")]), Twice);
    assert_eq!(refused(&[ArchiveEntry::HardLink("h", "../../etc/passwd")]), LinkOutside);
    assert_eq!(refused(&[ArchiveEntry::HardLink("h", "/etc/passwd")]), LinkOutside);
    assert_eq!(refused(&[ArchiveEntry::HardLink("h", "later"), file("later", "x")]), LinkToNothing);
    for kind in [tar::EntryType::Block, tar::EntryType::Char, tar::EntryType::Fifo, tar::EntryType::GNUSparse]
    {
        assert_eq!(refused(&[ArchiveEntry::Special("dev", kind)]), Special);
    }
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_outside_only_through_another_link_is_refused() {
    // Lexically "a/up/x" is inside, but "a/up" is the folder itself, so its ".." is outside.
    let entries = [
        ArchiveEntry::Folder("a/"),
        ArchiveEntry::Link("a/up", ".."),
        ArchiveEntry::Link("out", "a/up/../archive"),
        file("a/f", "x"),
    ];
    assert_eq!(refused(&entries), NameProblem::LinkOutside);
    // A cycle.
    assert_eq!(
        refused(&[ArchiveEntry::Link("a", "b"), ArchiveEntry::Link("b", "a")]),
        NameProblem::LinkOutside
    );
    // A link to the folder itself, or to a missing file, is harmless.
    let bench = UnpackBench::new();
    bench
        .unpack(&zst(&tar(&[
            ArchiveEntry::Folder("a/"),
            ArchiveEntry::Link("a/up", ".."),
            ArchiveEntry::Link("l", "later"),
        ])))
        .unwrap();
}

#[cfg(unix)]
#[test]
fn links_left_by_an_earlier_archive_are_not_followed() {
    let bench = UnpackBench::new();
    std::fs::create_dir_all(bench.staging()).unwrap();
    std::os::unix::fs::symlink(bench.folder.path(), bench.staging().join("d")).unwrap();
    let error = bench.unpack(&zst(&tar(&[file("d/evil", "x")]))).unwrap_err();
    assert!(matches!(error, UnpackError::Hostile { problem: NameProblem::ThroughLink, .. }), "{error}");
    assert_eq!(bench.strays(), Vec::<PathBuf>::new());
}

#[test]
fn hostile_zips_are_refused() {
    for name in ["../evil", "/tmp/acolyte-evil", "a\\..\\..\\evil", "C:\\evil"] {
        let bench = UnpackBench::new();
        let error = bench.unpack(&zip(&[file(name, "x")])).unwrap_err();
        assert!(matches!(error, UnpackError::Hostile { .. }), "{name}: {error}");
        assert_eq!(bench.strays(), Vec::<PathBuf>::new());
    }
    let bench = UnpackBench::new();
    let error = bench.unpack(&zip(&[ArchiveEntry::Link("out", "../../x")])).unwrap_err();
    assert!(matches!(error, UnpackError::Hostile { problem: NameProblem::LinkOutside, .. }), "{error}");
}

#[test]
fn ambiguous_archives_are_refused() {
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_pax_extensions([("size", &b"0"[..])]).unwrap();
    let error = UnpackBench::new().unpack(&zst(&builder.into_inner().unwrap())).unwrap_err();
    assert!(matches!(error, UnpackError::Damaged { .. }), "{error}");
}

mod arbitrary {
    use super::*;
    use proptest::prelude::*;

    fn entries() -> impl Strategy<Value = Vec<ArchiveEntry>> {
        const NAMES: &[&str] = &[
            "a", "b", "a/b", "a/up", "../x", "/x", "a/../..", ".", "./a/", "a/b/c", "A", "b/link", "..",
            "a/./b",
        ];
        const TARGETS: &[&str] =
            &["a", "b", "..", "../..", "../archive", "/", "a/up/..", "a/up/../archive", "b/link", "", "."];
        let name = prop::sample::select(NAMES);
        let target = prop::sample::select(TARGETS);
        prop::collection::vec(
            prop_oneof![
                name.clone().prop_map(ArchiveEntry::Folder),
                (name.clone(), prop::collection::vec(any::<u8>(), 0..50))
                    .prop_map(|(name, data)| ArchiveEntry::File(name.to_owned(), 0o755, data)),
                (name.clone(), target.clone()).prop_map(|(name, target)| ArchiveEntry::Link(name, target)),
                (name, target).prop_map(|(name, target)| ArchiveEntry::HardLink(name, target)),
            ],
            0..8,
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        /// For any entries and links: nothing is written outside, and no remaining link leads outside.
        #[test]
        fn nothing_ever_leaves_the_folder(entries in entries()) {
            let bench = UnpackBench::new();
            let outcome = bench.unpack(&zst(&tar(&entries)));
            prop_assert_eq!(bench.strays(), Vec::<PathBuf>::new());
            prop_assert_eq!(std::fs::read(bench.folder.path().join("archive")).unwrap(), zst(&tar(&entries)));
            if let Ok(unpacked) = outcome {
                let root = std::fs::canonicalize(bench.staging()).unwrap();
                for file in unpacked.files {
                    if let Ok(real) = std::fs::canonicalize(root.join(&file.path)) {
                        prop_assert!(real.starts_with(&root), "{} leads to {}", file.path.display(), real.display());
                    }
                }
            }
        }

        #[test]
        fn any_bytes_are_unpacked_or_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..3000), kind in 0..5) {
            let archive = match kind {
                0 => zst(&bytes),
                1 => gz(&bytes),
                2 => { bytes.splice(0..0, *b"PK\x03\x04"); bytes }
                3 => { bytes.splice(0..0, [0x28, 0xB5, 0x2F, 0xFD]); bytes }
                _ => bytes,
            };
            let bench = UnpackBench::new();
            let _ = bench.unpack(&archive);
            prop_assert_eq!(bench.strays(), Vec::<PathBuf>::new());
        }

        #[test]
        fn a_flipped_byte_in_a_zip_or_tar_does_no_harm(position in 0usize..2000, bit in 0u8..8, zipped: bool) {
            let entries = [file("a/b", "hello"), ArchiveEntry::Link("l", "a/b"), file("c", "world")];
            let mut raw = if zipped { zip(&entries) } else { tar(&entries) };
            let position = position % raw.len();
            raw[position] ^= 1 << bit;
            let bench = UnpackBench::new();
            let _ = bench.unpack(&if zipped { raw } else { zst(&raw) });
            prop_assert_eq!(bench.strays(), Vec::<PathBuf>::new());
        }
    }
}

/// The archive is replaced or edited repeatedly while it is hashed and unpacked, as a user with write access to its folder
/// could do. Only what was hashed may be accepted.
#[cfg(unix)]
#[test]
fn only_hashed_bytes_are_unpacked_while_the_file_is_replaced() {
    use std::os::unix::fs::FileExt as _;
    use std::sync::atomic::{AtomicBool, Ordering};

    type Exchange = fn(&Path, &[u8]);
    let by_renaming: Exchange = |path, bytes| {
        let other = path.with_extension("other");
        std::fs::write(&other, bytes).unwrap();
        std::fs::rename(&other, path).unwrap();
    };
    let in_place: Exchange = |path, bytes| {
        std::fs::File::options().write(true).open(path).unwrap().write_all_at(bytes, 0).unwrap();
    };
    let program = |content: &str| vec![file("padding", &"x".repeat(200_000)), file("ollama", content)];
    for exchange in [by_renaming, in_place] {
        for pack in [zip, |entries: &[ArchiveEntry]| gz(&tar(entries))] {
            let (good, evil) = (pack(&program("good")), pack(&program("evil")));
            let bench = UnpackBench::new();
            let (path, sha256) = (bench.folder.path().join("archive"), crate::checksum::Sha256::of(&good));
            std::fs::write(&path, &good).unwrap();
            let over = AtomicBool::new(false);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        exchange(&path, &evil);
                        exchange(&path, &good);
                    }
                });
                let mut accepted = Vec::new();
                for _ in 0..150 {
                    remove_tree(&bench.staging()).unwrap();
                    let limits = UnpackLimits::default();
                    let control = Control::new();
                    if unpack_verified(&path, sha256, &bench.staging(), limits, &|_| {}, &control).is_ok() {
                        accepted.push(std::fs::read(bench.staging().join("ollama")).unwrap());
                    }
                }
                over.store(true, Ordering::Relaxed);
                assert!(accepted.iter().all(|content| content == b"good"), "a replaced program was accepted");
            });
        }
    }
}
