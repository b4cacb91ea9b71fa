//! Thousands of hostile inputs: random bytes, and mutated valid inputs. Nothing panics, nothing is written outside its
//! folder, and memory stays bounded. The functions are those of the fuzz targets (`fuzz/`).
//!
//! `ACOLYTE_HOSTILE_SECONDS` runs each kind for this time instead of a fixed number of inputs.
//! `ACOLYTE_HOSTILE_SEEDS=FOLDER` writes the valid inputs as seeds for the fuzz targets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "../fuzz/entries.rs"]
#[allow(missing_docs)]
mod entries;
#[path = "common/gguf.rs"]
#[allow(dead_code)]
mod gguf;

use std::io::{Cursor, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use entries::Kind;

/// Inputs of each kind, unless a time is set.
const INPUTS: u64 = 400;
/// Peak memory of the test program, for any input.
const MAX_MEMORY_BYTES: u64 = 400 << 20;

/// A reproducible generator: a failure names its seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 16) as usize % limit.max(1)
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.below(most)).map(|_| self.next() as u8).collect()
    }
}

/// Numbers at which length parsers tend to fail.
const EDGES: [u64; 8] = [0, 1, 0x7F, 0xFF, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFF, u64::MAX];

/// A valid input, changed in a few places.
fn mutated(random: &mut Random, good: &[Vec<u8>]) -> Vec<u8> {
    if good.is_empty() || random.below(10) == 0 {
        return random.bytes(400);
    }
    let mut input = good[random.below(good.len())].clone();
    for _ in 0..=random.below(6) {
        let at = random.below(input.len() + 1);
        match random.below(8) {
            0 => input.truncate(at),
            1 => drop(input.splice(at..at, random.bytes(20))),
            2 => {
                let end = (at + random.below(64)).min(input.len());
                input.drain(at..end);
            }
            3 => {
                let edge = EDGES[random.below(EDGES.len())].to_le_bytes();
                let width = [1, 2, 4, 8][random.below(4)];
                let end = (at + width).min(input.len());
                input.splice(at..end, edge[..width].iter().copied());
            }
            4 => {
                // A part of another valid input.
                let other = &good[random.below(good.len())];
                let from = random.below(other.len() + 1);
                let to = (from + random.below(200)).min(other.len());
                input.splice(at..at, other[from..to].iter().copied());
            }
            5 => {
                let edge = EDGES[random.below(EDGES.len())].to_string();
                input.splice(at..at, edge.bytes());
            }
            _ => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
        }
    }
    input
}

/// Runs many inputs of one kind, each in an empty folder, outside of which no file may be created.
fn feed(kind: Kind, good: &[Vec<u8>]) {
    let time =
        std::env::var("ACOLYTE_HOSTILE_SECONDS").ok().and_then(|s| s.parse().ok()).map(Duration::from_secs);
    let (began, home) = (Instant::now(), tempfile::tempdir().unwrap());
    if let Some(seeds) = std::env::var_os("ACOLYTE_HOSTILE_SEEDS") {
        let folder = Path::new(&seeds).join(kind.target());
        std::fs::create_dir_all(&folder).unwrap();
        for (n, input) in good.iter().enumerate() {
            std::fs::write(folder.join(n.to_string()), input).unwrap();
        }
    }
    for input in good.iter().chain(&finds(kind)) {
        one(kind, input, home.path());
    }
    for seed in 1.. {
        if time.map_or(seed > INPUTS, |time| began.elapsed() > time) {
            break;
        }
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let input = mutated(&mut random, good);
        let fed = std::panic::catch_unwind(|| one(kind, &input, home.path()));
        assert!(fed.is_ok(), "{kind:?}, seed {seed}: {:?}", String::from_utf8_lossy(&input));
    }
    let most = peak_bytes();
    assert!(most < MAX_MEMORY_BYTES, "{kind:?} made the program take {most} bytes");
}

/// Inputs found by fuzzing, as regression tests.
fn finds(kind: Kind) -> Vec<Vec<u8>> {
    let folder = format!("fuzz/finds/{}", kind.target());
    let any = Path::new(env!("CARGO_MANIFEST_DIR")).join(&folder).is_dir();
    if any { files(&folder) } else { Vec::new() }
}

fn one(kind: Kind, input: &[u8], home: &Path) {
    let folder = home.join("inside").join("folder");
    std::fs::create_dir_all(&folder).unwrap();
    kind.feed(input, &folder);
    // Paths outside the folder: next to it and above it.
    let strays: Vec<PathBuf> = [home.to_owned(), home.join("inside")]
        .iter()
        .flat_map(|above| std::fs::read_dir(above).unwrap().map(|entry| entry.unwrap().path()))
        .filter(|path| !folder.starts_with(path))
        .collect();
    assert_eq!(strays, Vec::<PathBuf>::new());
    std::fs::remove_dir_all(home.join("inside")).unwrap();
}

/// Peak memory of this process; 0 where the system does not report it.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
}

fn asset(path: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn files(folder: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().filter(|path| path.is_file()).map(|path| std::fs::read(path).unwrap()).collect()
}

#[test]
fn profiles() {
    feed(Kind::Profiles, &[asset("assets/profiles.yaml")]);
}

#[test]
fn hardware_files() {
    feed(Kind::Hardware, &files("tests/hardware_fixtures"));
}

#[test]
fn release_files() {
    feed(Kind::Release, &[asset("assets/ollama-release.yaml")]);
}

#[test]
fn journals() {
    let lines = concat!(
        r#"{"at":"2026-11-23T10:00:00Z","phase":"begin"}"#,
        "\n",
        r#"{"at":"2026-11-23T10:00:01Z","phase":"intent","change":"create_folder","path":"/h/.acolyte"}"#,
        "\n",
        r#"{"at":"2026-11-23T10:00:02Z","phase":"intent","change":"unpack_engine","version":"1","path":"/a","staging":"/b"}"#,
        "\n",
        r#"{"at":"2026-11-23T10:00:03Z","phase":"done","change":"pull_model","tag":"a:b","models_dir":"/m"}"#,
        "\n",
        r#"{"at":"2026-11-23T10:00:04Z","phase":"end"}"#,
        "\n",
    );
    feed(Kind::Journal, &[lines.as_bytes().to_vec()]);
}

#[test]
fn receipts() {
    let range = r#"{"low":1.0,"mid":2.0,"high":3.0}"#;
    let receipt = format!(
        r#"{{"schema":1,"written_at":"2026-11-23T10:00:00Z","profile":"p","model":"m","engine_version":"1","port":42434,
        "predicted":{{"context_tokens":1,"gpu_layers":1,"total_layers":1,"kv_cache_type":"q8_0","vram_bytes":1,
        "ram_bytes":1,"gpu_share":0.5,"decode_tokens_per_s":{range},"first_token_full_prompt_s":{range},
        "first_token_s":{range}}},"measured":{{}},"verdict":"degraded","tried":[],"misses":["x"]}}"#
    );
    assert!(serde_json::from_str::<acolyte::install::Receipt>(&receipt).is_ok(), "a valid receipt");
    feed(Kind::Receipt, &[receipt.into_bytes()]);
}

#[test]
fn profile_files() {
    let yaml = "schema: 1\nwritten_at: x\nprofile: p\nendpoint: http://127.0.0.1:42434\nport: 42434\nmodel: m\n\
                base_model: b\ncontext_tokens: 32768\nkv_cache_type: q8_0\ngpu_layers: 1\ntotal_layers: 2\n\
                num_batch: 512\nverdict: degraded\ndegraded: true\nengine_version: \"1\"\nengine_program: /e\n\
                models_dir: /m\nautostart: false\n";
    feed(Kind::ProfileFile, &[yaml.as_bytes().to_vec()]);
}

/// A few lines of YAML whose aliases would expand to billions of values.
#[test]
fn yaml_bombs_are_rejected_early() {
    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..12 {
        let before = format!("*a{}", level - 1);
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", [before.as_str(); 9].join(",")));
    }
    let home = tempfile::tempdir().unwrap();
    let began = Instant::now();
    for kind in [Kind::ProfileFile, Kind::Profiles, Kind::Release] {
        one(kind, bomb.as_bytes(), home.path());
    }
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    assert!(peak_bytes() < MAX_MEMORY_BYTES, "{}", peak_bytes());
}

#[test]
fn gguf_headers() {
    let mut tiny = gguf::Shape::tiny();
    tiny.padding = Some(0);
    let mut liar = b"GGUF\x03\0\0\0".to_vec();
    // Maximum counts of tensors and keys, and the maximum length of a string.
    liar.extend([u64::MAX, u64::MAX, u64::MAX].iter().flat_map(|number| number.to_le_bytes()));
    feed(Kind::Gguf, &[tiny.file(), liar]);
}

#[test]
fn manifests_and_references() {
    let layer = |kind: &str, size: u64| {
        let digest = format!("sha256:{}", "a".repeat(64));
        format!(r#"{{"mediaType":"application/vnd.ollama.image.{kind}","digest":"{digest}","size":{size}}}"#)
    };
    let manifest = format!(
        r#"{{"schemaVersion":2,"config":{},"layers":[{},{}]}}"#,
        layer("config", 400),
        layer("model", u64::MAX),
        layer("template", u64::MAX)
    );
    feed(Kind::Manifest, &[manifest.into_bytes()]);
    let references =
        ["qwen2.5-coder:7b", "hf.co/a/b:Q4_K_M", "127.0.0.1:5000/team/coder:7b", "[::1]:1/a/b:c"];
    feed(Kind::Reference, &references.map(|reference| reference.as_bytes().to_vec()));
}

#[test]
fn ndjson() {
    let recorded = files("tests/fixtures/ollama");
    let endless = vec![b'x'; 1 << 20];
    feed(Kind::Ndjson, &[recorded, vec![endless]].concat());
}

#[test]
fn checksums() {
    let line = |hash: char, name: &str| format!("{}  {name}\n", hash.to_string().repeat(64));
    let sums = line('a', "./ollama-linux-amd64.tar.zst") + &line('b', "*x") + &line('c', "../../evil.zip");
    feed(Kind::Sums, &[sums.into_bytes()]);
}

/// Entries of a release, and hostile ones.
fn tar() -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut add = |kind, name: &[u8], link: &[u8], data: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name);
        header.as_gnu_mut().unwrap().linkname[..link.len()].copy_from_slice(link);
        header.set_mode(0o755);
        header.set_size(data.len() as u64);
        header.set_cksum();
        tar.append(&header, data).unwrap();
    };
    add(tar::EntryType::Directory, b"bin/", b"", b"");
    add(tar::EntryType::Regular, b"bin/ollama", b"", &[7; 2000]);
    add(tar::EntryType::GNULongName, b"././@LongLink", b"", b"lib/a/long/name\0");
    add(tar::EntryType::Regular, b"short", b"", b"x");
    add(tar::EntryType::XHeader, b"pax", b"", b"16 path=lib/pax\n");
    add(tar::EntryType::Regular, b"short2", b"", b"y");
    add(tar::EntryType::Symlink, b"lib/up", b"..", b"");
    add(tar::EntryType::Link, b"lib/hard", b"bin/ollama", b"");
    add(tar::EntryType::Symlink, b"lib/x", b"up/bin/ollama", b"");
    tar.into_inner().unwrap()
}

fn zip() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    zip.start_file("ollama.exe", options.unix_permissions(0o755)).unwrap();
    zip.write_all(&[7; 2000]).unwrap();
    zip.start_file("lib/ollama/x.dll", options).unwrap();
    zip.write_all(b"x").unwrap();
    zip.add_symlink("lib/link", "ollama/x.dll", options).unwrap();
    zip.finish().unwrap().into_inner()
}

fn gz(tar: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(tar).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn archives() {
    let tar = tar();
    let zst = zstd::stream::encode_all(tar.as_slice(), 1).unwrap();
    feed(Kind::Archive, &[zst, gz(&tar), zip()]);
}

/// Mutations of the contents reach more code than mutations of the container, which its checksum detects.
#[test]
fn archives_with_mutated_contents() {
    let home = tempfile::tempdir().unwrap();
    let good = [tar()];
    for seed in 1..=INPUTS {
        let mut random = Random(seed.wrapping_mul(0xD134_2543_DE82_EF95));
        let mut inside = mutated(&mut random, &good);
        // Fix the header's checksum, which is verified first.
        for header in inside.chunks_exact_mut(512) {
            header[148..156].fill(b' ');
            let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
            header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
        let input =
            if seed % 2 == 0 { gz(&inside) } else { zstd::stream::encode_all(inside.as_slice(), 1).unwrap() };
        let fed = std::panic::catch_unwind(|| one(Kind::Archive, &input, home.path()));
        assert!(fed.is_ok(), "seed {seed}");
    }
    assert!(peak_bytes() < MAX_MEMORY_BYTES);
}

/// Small inputs that expand to large ones, or claim to.
#[test]
fn bombs() {
    let mut zeros = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(64 << 20);
    header.set_mode(0o644);
    zeros.append_data(&mut header, "zeros", std::io::repeat(0).take(64 << 20)).unwrap();
    let zeros = zeros.into_inner().unwrap();
    let mut window = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    window.long_distance_matching(true).unwrap();
    window.window_log(30).unwrap();
    window.write_all(&zeros[..1 << 20]).unwrap();
    let window = window.finish().unwrap();
    let zst = zstd::stream::encode_all(zeros.as_slice(), 1).unwrap();
    let bombs = [zst, gz(&zeros), window];
    drop(zeros);
    let home = tempfile::tempdir().unwrap();
    for bomb in bombs {
        one(Kind::Archive, &bomb, home.path());
    }
    assert!(peak_bytes() < MAX_MEMORY_BYTES, "{}", peak_bytes());
}
