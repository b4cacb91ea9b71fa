//! Models that are split into several files (`…-00001-of-00003.gguf`), as llama.cpp's `gguf-split` writes them.
//!
//! The first part has the metadata of the whole model; every part describes its own tensors. The engine's store holds a
//! model in one file, so the parts are merged: the metadata of the first part without what describes the parts, all tensors,
//! then their data in this order.

use std::collections::BTreeMap;
use std::ops::Range;

use super::header::{Header, HeaderLayout, is_split_key};
use super::reader::MAX_ENTRIES;
use crate::untrusted::UntrustedText;

/// Why parts are not those of one model. Parts are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// A part is another one than its name says.
    #[error("part {part} of {of} does not say that it is")]
    OtherPart {
        /// The part.
        part: usize,
        /// All parts.
        of: usize,
    },
    /// The parts have fewer or more tensors than the first one says.
    #[error("the parts have {found} tensors, not {wanted}")]
    TensorCount {
        /// Tensors of all parts.
        found: u64,
        /// As the first part says.
        wanted: u64,
    },
    /// Two tensors have one name, or their data overlaps.
    #[error("tensor {name:?} is there twice or overlaps another one")]
    Tensor {
        /// The tensor.
        name: UntrustedText,
    },
}

/// The one file that the parts make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergedFile {
    /// Its header, up to the data.
    pub header: Vec<u8>,
    /// Its data.
    pub pieces: Vec<MergedPiece>,
}

/// The data of a tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergedPiece {
    /// Index of the part.
    pub part: usize,
    /// Where it is in the part, in bytes.
    pub range: Range<u64>,
    /// Zeroes that follow it.
    pub padding: u64,
}

impl Header {
    /// The header of a model in several parts, given those of all parts in order.
    ///
    /// # Errors
    /// If they are not the parts of one model.
    pub fn of_parts(parts: Vec<Self>) -> Result<Self, SplitError> {
        check(&parts)?;
        let mut metadata = BTreeMap::new();
        let mut tensors = Vec::new();
        for (index, part) in parts.into_iter().enumerate() {
            if index == 0 {
                metadata = part.metadata;
                metadata.retain(|key, _| !is_split_key(key));
            }
            tensors.extend(part.tensors);
        }
        Ok(Self { metadata, tensors, layout: HeaderLayout::default() })
    }
}

impl MergedFile {
    /// Merges parts, given their headers in order and the bytes of the first one's header.
    ///
    /// # Errors
    /// As [`Header::of_parts`].
    pub fn new(parts: &[Header], first: &[u8]) -> Result<Self, SplitError> {
        check(parts)?;
        let Some(head) = parts.first() else { return Ok(Self { header: Vec::new(), pieces: Vec::new() }) };
        let (layout, alignment) = (&head.layout, head.alignment());
        let tensors: usize = parts.iter().map(|part| part.tensors.len()).sum();
        let mut header = b"GGUF".to_vec();
        header.extend(layout.version.to_le_bytes());
        header.extend((tensors as u64).to_le_bytes());
        header.extend(layout.entry_count.saturating_sub(layout.split_entries.len() as u64).to_le_bytes());
        let mut copied = layout.entries.start;
        for skipped in &layout.split_entries {
            header.extend(slice(first, copied..skipped.start));
            copied = skipped.end;
        }
        header.extend(slice(first, copied..layout.entries.end));
        let (mut pieces, mut offset) = (Vec::with_capacity(tensors), 0_u64);
        for (part, from) in parts.iter().enumerate() {
            for tensor in &from.tensors {
                header.extend((tensor.name.len() as u64).to_le_bytes());
                header.extend(tensor.name.as_bytes());
                header.extend((tensor.dimensions.len() as u32).to_le_bytes());
                tensor.dimensions.iter().for_each(|length| header.extend(length.to_le_bytes()));
                header.extend((tensor.kind as u32).to_le_bytes());
                header.extend(offset.to_le_bytes());
                let start = from.data_start().saturating_add(tensor.offset);
                let padded = tensor.bytes().next_multiple_of(alignment);
                let padding = padded - tensor.bytes();
                pieces.push(MergedPiece {
                    part,
                    range: start..start.saturating_add(tensor.bytes()),
                    padding,
                });
                offset = offset.saturating_add(padded);
            }
        }
        header.resize(header.len().next_multiple_of(usize::try_from(alignment).unwrap_or(1)), 0);
        Ok(Self { header, pieces })
    }

    /// Size of the file, in bytes.
    pub fn bytes(&self) -> u64 {
        let data = self.pieces.iter().map(|piece| (piece.range.end - piece.range.start) + piece.padding);
        data.fold(self.header.len() as u64, u64::saturating_add)
    }
}

/// Checks that these are the parts of one model, each with its data in the order of its tensors.
fn check(parts: &[Header]) -> Result<(), SplitError> {
    for (index, part) in parts.iter().enumerate() {
        let is_this = part.unsigned("split.no").unwrap_or(0) == index as u64;
        if !is_this || part.unsigned("split.count") != Some(parts.len() as u64) {
            return Err(SplitError::OtherPart { part: index + 1, of: parts.len() });
        }
        let mut end = 0;
        for tensor in &part.tensors {
            if tensor.offset < end {
                return Err(SplitError::Tensor { name: tensor.name.as_str().into() });
            }
            end = tensor.offset.saturating_add(tensor.bytes());
        }
    }
    let mut names: Vec<&str> =
        parts.iter().flat_map(|part| &part.tensors).map(|one| one.name.as_str()).collect();
    let found = names.len() as u64;
    let wanted = parts.first().and_then(|part| part.unsigned("split.tensors.count")).unwrap_or(found);
    if found != wanted || found > MAX_ENTRIES {
        return Err(SplitError::TensorCount { found, wanted });
    }
    names.sort_unstable();
    match names.array_windows().find(|[a, b]| a == b) {
        Some([name, _]) => Err(SplitError::Tensor { name: (*name).into() }),
        None => Ok(()),
    }
}

fn slice(bytes: &[u8], range: Range<u64>) -> &[u8] {
    let index = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
    bytes.get(index(range.start)..index(range.end)).unwrap_or_default()
}
