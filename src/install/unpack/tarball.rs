//! Unpacks compressed tars. Long-name and pax records are read here with a limit, because the tar library would load a
//! record of any length into memory.

use std::io::{self, BufRead, BufReader, Read};

use tar::{Archive, EntryType, PaxExtensions};

use super::extractor::Extractor;
use super::names::NameProblem;
use super::read_ahead::ReadAhead;
use super::{Format, UnpackError};

/// Longest extension record in bytes; real ones hold one or two paths.
const MAX_RECORD_BYTES: u64 = 64 << 10;

/// zstd's window, as a power of two: at most what `zstd --long` uses, 128 MiB. A larger one only wastes memory.
const WINDOW_LOG_MAX: u32 = 27;

/// Values from the extension records in front of an entry.
#[derive(Default)]
struct Records {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
}

/// Unpacks a compressed tar, decompressing on its own thread.
///
/// # Errors
/// When the archive is damaged, an entry is refused or cannot be written, or the user cancels.
pub fn unpack(
    archive: impl Read + Send + 'static,
    format: Format,
    extractor: &mut Extractor<'_>,
) -> Result<(), UnpackError> {
    let source = BufReader::with_capacity(256 << 10, extractor.counted(archive));
    let read_ahead = match format {
        Format::TarGz => ReadAhead::new(flate2::bufread::MultiGzDecoder::new(source)),
        _ => ReadAhead::new(zstd_decoder(source).map_err(|e| extractor.damaged(e))?),
    };
    entries(read_ahead.map_err(|e| extractor.damaged(e))?, extractor)
}

fn zstd_decoder<R: BufRead>(source: R) -> io::Result<zstd::stream::read::Decoder<'static, R>> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(source)?;
    decoder.window_log_max(WINDOW_LOG_MAX)?;
    Ok(decoder)
}

/// As [`unpack`], but on the current thread, for a reader that is needed afterwards.
///
/// # Errors
/// When the archive is damaged, an entry is refused or cannot be written, or the user cancels.
pub fn unpack_here(
    archive: impl Read,
    format: Format,
    extractor: &mut Extractor<'_>,
) -> Result<(), UnpackError> {
    let source = BufReader::with_capacity(256 << 10, extractor.counted(archive));
    if format == Format::TarGz {
        return entries(flate2::bufread::MultiGzDecoder::new(source), extractor);
    }
    entries(zstd_decoder(source).map_err(|e| extractor.damaged(e))?, extractor)
}

fn entries(reader: impl Read, extractor: &mut Extractor<'_>) -> Result<(), UnpackError> {
    let mut archive = Archive::new(reader);
    let mut records = Records::default();
    for entry in archive.entries().map_err(|e| extractor.damaged(e))?.raw(true) {
        let mut entry = entry.map_err(|e| extractor.damaged(e))?;
        let header_name = entry.path_bytes().into_owned();
        match entry.header().entry_type() {
            EntryType::GNULongName => {
                records.path = Some(without_end(record(&mut entry, extractor)?));
                continue;
            }
            EntryType::GNULongLink => {
                records.link = Some(without_end(record(&mut entry, extractor)?));
                continue;
            }
            EntryType::XHeader => {
                read_pax(&record(&mut entry, extractor)?, entry.size(), &mut records, extractor)?;
                continue;
            }
            // A global record holds nothing needed here (git writes the commit's name).
            EntryType::XGlobalHeader => {
                record(&mut entry, extractor)?;
                continue;
            }
            _ => {}
        }
        let known = std::mem::take(&mut records);
        let name = known.path.unwrap_or(header_name);
        let kind = entry.header().entry_type();
        let is_folder = kind.is_dir() || (kind.is_file() && name.ends_with(b"/"));
        let Some(path) = extractor.accept_entry(&name, is_folder)? else { continue };
        let link = known.link.or_else(|| entry.header().link_name_bytes().map(|name| name.into_owned()));
        match kind {
            _ if is_folder => extractor.folder(&path)?,
            EntryType::Regular | EntryType::Continuous => {
                let executable = entry.header().mode().map_err(|e| extractor.damaged(e))? & 0o111 != 0;
                let declared = entry.size();
                let mut content = Exact { inner: &mut entry, left: declared };
                extractor.file(&path, executable, declared, &mut content)?;
            }
            EntryType::Symlink => extractor.symbolic_link(&path, &link.unwrap_or_default())?,
            EntryType::Link => extractor.hard_link(&path, &link.unwrap_or_default())?,
            _ => return Err(extractor.refuse(&name, NameProblem::Special)),
        }
    }
    if records.path.is_some() || records.link.is_some() {
        return Err(extractor.damaged("it ends in the middle of an entry"));
    }
    drain(archive.into_inner(), extractor)
}

/// Reads to the end, so that the compression's checksum is verified and a truncated archive is detected.
fn drain(mut reader: impl Read, extractor: &mut Extractor<'_>) -> Result<(), UnpackError> {
    /// Padding after the last entry: tars are rounded up to records of 10 KiB, some tools write more.
    const MAX_PADDING_BYTES: u64 = 16 << 20;
    let mut padding = 0;
    let mut buffer = vec![0; 64 << 10];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => padding += n as u64,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(extractor.damaged(error)),
        }
        if padding > MAX_PADDING_BYTES {
            return Err(extractor.damaged("there is more after its end"));
        }
        extractor.checkpoint()?;
    }
}

fn record(entry: &mut impl Read, extractor: &Extractor<'_>) -> Result<Vec<u8>, UnpackError> {
    let mut bytes = Vec::new();
    entry.take(MAX_RECORD_BYTES + 1).read_to_end(&mut bytes).map_err(|e| extractor.damaged(e))?;
    if bytes.len() as u64 > MAX_RECORD_BYTES {
        return Err(extractor.damaged("a name in it is too long"));
    }
    Ok(bytes)
}

/// Long names of GNU tar end in a zero byte.
fn without_end(mut name: Vec<u8>) -> Vec<u8> {
    if name.last() == Some(&0) {
        name.pop();
    }
    name
}

fn read_pax(
    bytes: &[u8],
    declared: u64,
    records: &mut Records,
    extractor: &Extractor<'_>,
) -> Result<(), UnpackError> {
    if bytes.len() as u64 != declared {
        return Err(extractor.damaged("it ends in the middle of a record"));
    }
    for record in PaxExtensions::new(bytes) {
        let record = record.map_err(|e| extractor.damaged(e))?;
        match record.key_bytes() {
            b"path" => records.path = Some(record.value_bytes().to_vec()),
            b"linkpath" => records.link = Some(record.value_bytes().to_vec()),
            // Only needed for files over 8 GiB, which no release contains, or to make two readers see different archives.
            b"size" => return Err(extractor.damaged("a size is given twice")),
            key if key.starts_with(b"GNU.sparse.") => {
                return Err(extractor.refuse(b"GNU.sparse", NameProblem::Special));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Requires exactly the declared number of bytes.
struct Exact<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Exact<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.left = self.left.saturating_sub(n as u64);
        if n == 0 && self.left > 0 && !buffer.is_empty() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ends in the middle of a file"));
        }
        Ok(n)
    }
}
