//! An archive like a release: some large files that compress to less than half, packed with zstd.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::Outcome;

/// An archive.
pub struct Archive {
    pub path: PathBuf,
    pub bytes: u64,
    pub unpacked_bytes: u64,
    pub sha256: String,
}

/// An archive of about this many bytes, made once and cached.
pub fn of(bytes: u64, folder: &Path) -> Outcome<Archive> {
    let path = folder.join(format!("{bytes}.tar.zst"));
    let note = folder.join(format!("{bytes}.txt"));
    if !note.exists() {
        println!("making an archive of {} MB, once", bytes / 1_000_000);
        let unpacked = make(&path, bytes)?;
        std::fs::write(&note, format!("{} {unpacked}", hash(&path)?))?;
    }
    let known = std::fs::read_to_string(&note)?;
    let (sha256, unpacked) = known.split_once(' ').ok_or("the note beside the archive is damaged")?;
    let bytes = std::fs::metadata(&path)?.len();
    Ok(Archive { path, bytes, unpacked_bytes: unpacked.parse()?, sha256: sha256.to_owned() })
}

fn make(path: &Path, wanted: u64) -> Outcome<u64> {
    const FILES: u64 = 40;
    let encoder = zstd::stream::write::Encoder::new(BufWriter::new(File::create(path)?), 3)?;
    let mut tar = tar::Builder::new(encoder);
    let mut content = Content::new();
    // Content per byte of archive, measured.
    let each = (wanted as f64 * content.compression_ratio()? / FILES as f64) as u64;
    for n in 0..FILES {
        let mut header = tar::Header::new_gnu();
        header.set_size(each);
        header.set_mode(0o755);
        let name = if n == 0 { "bin/ollama".to_owned() } else { format!("lib/ollama/lib{n}.so") };
        tar.append_data(&mut header, name, (&mut content).take(each))?;
    }
    tar.into_inner()?.finish()?.flush()?;
    Ok(each * FILES)
}

fn hash(path: &Path) -> Outcome<String> {
    let (mut file, mut hash, mut buffer) = (File::open(path)?, Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            n => hash.update(&buffer[..n]),
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Partly repetitive bytes, as in programs: blocks of 32, of which two in five are new.
struct Content {
    seed: u64,
    recent: Vec<[u8; 32]>,
    left: Vec<u8>,
}

impl Content {
    fn new() -> Self {
        Self { seed: 0x9E37_79B9_7F4A_7C15, recent: vec![[0; 32]; 4096], left: Vec::new() }
    }

    /// Bytes of content per byte of archive.
    fn compression_ratio(&mut self) -> Outcome<f64> {
        let mut sample = vec![0; 32 << 20];
        self.read_exact(&mut sample)?;
        Ok(sample.len() as f64 / zstd::stream::encode_all(sample.as_slice(), 3)?.len() as f64)
    }

    fn random(&mut self) -> u64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        self.seed
    }

    fn block(&mut self) -> [u8; 32] {
        let choice = self.random();
        let place = (choice >> 8) as usize % self.recent.len();
        if choice % 5 < 2 {
            let mut fresh = [0; 32];
            for part in fresh.chunks_mut(8) {
                part.copy_from_slice(&self.random().to_le_bytes());
            }
            self.recent[place] = fresh;
        }
        self.recent[place]
    }
}

impl Read for Content {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.left.is_empty() {
            for _ in 0..2048 {
                let block = self.block();
                self.left.extend_from_slice(&block);
            }
        }
        let n = buffer.len().min(self.left.len());
        buffer[..n].copy_from_slice(&self.left[..n]);
        self.left.drain(..n);
        Ok(n)
    }
}
