//! Parser for the header of a GGUF file: metadata, and type and shape of each tensor.
//!
//! Headers are untrusted: they come from local files and from registries. Every value is validated, no length in the
//! header leads to an unbounded allocation, and an incomplete header returns [`HeaderError::Incomplete`], so that the
//! caller can fetch more of it. Only the keys that are used are kept ([`is_kept`]), up to a total size, because a
//! parsed value takes many times the memory that it takes in the file.
//!
//! The format is described in ggml's `docs/gguf.md`.

mod error;
mod header;
mod reader;
mod split;

pub use error::{HeaderDamage, HeaderError, TensorProblem};
pub use header::{Header, HeaderLayout, Tensor, Value, is_kept};
pub use split::{MergedFile, MergedPiece, SplitError};

/// Upper limit of a header. Its largest part is the vocabulary, which stays well below.
pub const MAX_HEADER_BYTES: u64 = 128 << 20;
