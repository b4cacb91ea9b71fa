//! The engine's archive as in a release, with the stand-in inside, in all three formats.

use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// A format of release archives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    TarZst,
    Tgz,
    Zip,
}

impl Format {
    pub const ALL: [Self; 3] = [Self::TarZst, Self::Tgz, Self::Zip];

    /// Suffix of the archive's name.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::TarZst => ".tar.zst",
            Self::Tgz => ".tgz",
            Self::Zip => ".zip",
        }
    }
}

/// An entry of the archive.
enum Entry {
    Program(&'static [u8]),
    File(Vec<u8>),
    Link(&'static str),
}

/// An archive laid out like Ollama's for Linux, with this `double.json` next to the program.
pub fn engine_archive(format: Format, double: &serde_json::Value) -> Vec<u8> {
    static PROGRAM: OnceLock<Vec<u8>> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| std::fs::read(fake_ollama()).expect("the stand-in was just built"));
    let entries = [
        ("bin/ollama", Entry::Program(program)),
        ("bin/double.json", Entry::File(double.to_string().into_bytes())),
        ("lib/ollama/llama-server", Entry::Program(program)),
        ("lib/ollama/libggml-base.so.0.0.1", Entry::File(vec![7; 4096])),
        ("lib/ollama/libggml-base.so.0", Entry::Link("libggml-base.so.0.0.1")),
        ("lib/ollama/libggml-base.so", Entry::Link("libggml-base.so.0")),
    ];
    match format {
        Format::TarZst => {
            // The programs are the same in every archive: compress them once, as a separate frame.
            static PROGRAMS: OnceLock<Vec<u8>> = OnceLock::new();
            let (programs, rest): (Vec<_>, Vec<_>) =
                entries.into_iter().partition(|(_, entry)| matches!(entry, Entry::Program(_)));
            let compress =
                |part: Vec<u8>| zstd::encode_all(Cursor::new(part), 1).expect("compressing in memory");
            let first = PROGRAMS.get_or_init(|| compress(without_end(tar(&programs))));
            [first.clone(), compress(tar(&rest))].concat()
        }
        Format::Tgz => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(&tar(&entries)).and_then(|()| encoder.finish()).expect("compressing in memory")
        }
        Format::Zip => zip(&entries),
    }
}

/// A tar file without the two empty blocks at its end, so that another can follow.
fn without_end(mut tar: Vec<u8>) -> Vec<u8> {
    tar.truncate(tar.len() - 1024);
    tar
}

fn tar(entries: &[(&str, Entry)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for folder in ["bin/", "lib/", "lib/ollama/"] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Directory);
        header.set_mode(0o755);
        header.set_size(0);
        archive.append_data(&mut header, folder, std::io::empty()).expect("writing to memory");
    }
    for (path, entry) in entries {
        let mut header = tar::Header::new_gnu();
        match entry {
            Entry::Program(_) | Entry::File(_) => {
                let bytes: &[u8] = match entry {
                    Entry::Program(bytes) => bytes,
                    Entry::File(bytes) => bytes,
                    Entry::Link(_) => &[],
                };
                header.set_size(bytes.len() as u64);
                header.set_mode(if matches!(entry, Entry::Program(_)) { 0o755 } else { 0o644 });
                archive.append_data(&mut header, path, bytes).expect("writing to memory");
            }
            Entry::Link(target) => {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_size(0);
                archive.append_link(&mut header, path, target).expect("writing to memory");
            }
        }
    }
    archive.into_inner().expect("writing to memory")
}

fn zip(entries: &[(&str, Entry)]) -> Vec<u8> {
    use zip::write::SimpleFileOptions;
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_level(Some(1));
    for (path, entry) in entries {
        match entry {
            Entry::Program(bytes) => {
                archive.start_file(*path, options.unix_permissions(0o755)).expect("writing to memory");
                archive.write_all(bytes).expect("writing to memory");
            }
            Entry::File(bytes) => {
                archive.start_file(*path, options.unix_permissions(0o644)).expect("writing to memory");
                archive.write_all(bytes).expect("writing to memory");
            }
            Entry::Link(target) => {
                archive.add_symlink(*path, *target, options).expect("writing to memory");
            }
        }
    }
    archive.finish().expect("writing to memory").into_inner()
}

/// The stand-in's program, built when it is missing or older than its source.
///
/// `cargo test` builds it with everything else; `cargo test --test NAME` does not.
pub fn fake_ollama() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let test = std::env::current_exe().expect("a test knows its own path");
        let folder = test.ancestors().nth(2).expect("target/PROFILE/deps/TEST").to_owned();
        let name = if cfg!(windows) { "fake-ollama.exe" } else { "fake-ollama" };
        let program = folder.join("examples").join(name);
        let built = std::fs::metadata(&program).and_then(|m| m.modified()).ok();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/doubles");
        if built.is_none_or(|built| newest(&source).is_some_and(|edited| edited > built)) {
            let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
            cargo
                .args(["build", "--quiet", "--example", "fake-ollama"])
                .current_dir(env!("CARGO_MANIFEST_DIR"));
            if folder.ends_with("release") {
                cargo.arg("--release");
            }
            let status = cargo.status().expect("cargo runs, for it runs this test");
            assert!(status.success(), "the stand-in does not build");
        }
        assert!(program.is_file(), "no stand-in at {}", program.display());
        program
    })
}

fn newest(folder: &Path) -> Option<std::time::SystemTime> {
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    entries
        .filter_map(|entry| {
            let meta = entry.metadata().ok()?;
            if meta.is_dir() { newest(&entry.path()) } else { meta.modified().ok() }
        })
        .max()
}
