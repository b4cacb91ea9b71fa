//! Why a header cannot be used.

use super::MAX_HEADER_BYTES;
use crate::models::TensorType;
use crate::untrusted::UntrustedText;

/// Why a header cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HeaderError {
    /// It is incomplete: the file is truncated, or more of it must be fetched.
    #[error("the model file's header ends too early, after {read_bytes} bytes")]
    Incomplete {
        /// Bytes that were read.
        read_bytes: u64,
    },
    /// Reading failed.
    #[error("the model file's header cannot be read: {0}")]
    Read(#[source] std::io::Error),
    /// Not a GGUF file.
    #[error("this is not a GGUF model file")]
    NotGguf,
    /// An unsupported version.
    #[error("GGUF version {0} is not supported, only 2 and 3 are")]
    Version(u32),
    /// For computers that store the most significant byte first.
    #[error("this is a big-endian GGUF file")]
    BigEndian,
    /// Longer than [`MAX_HEADER_BYTES`].
    #[error("the model file's header is longer than {} MiB", MAX_HEADER_BYTES >> 20)]
    TooLong,
    /// The kept values take more memory than allowed.
    #[error("the model file's header describes more than any model has")]
    TooMuch,
    /// It holds an invalid value.
    #[error("the model file's header is damaged: {0}")]
    Damaged(#[from] HeaderDamage),
}

/// An invalid value of a header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderDamage {
    /// Too many tensors.
    #[error("{0} tensors are more than any model has")]
    TooManyTensors(u64),
    /// Too many metadata entries.
    #[error("{0} metadata entries are more than any model has")]
    TooManyEntries(u64),
    /// The name of a key or tensor is too long.
    #[error("a name is too long")]
    NameTooLong,
    /// A value or array element has an unknown type.
    #[error("a value has the unknown type {0}")]
    ValueType(u32),
    /// Arrays are nested too deeply.
    #[error("arrays are nested too deeply")]
    DeepArrays,
    /// A tensor is invalid.
    #[error("tensor {name:?}: {problem}")]
    Tensor {
        /// Its name.
        name: UntrustedText,
        /// What is wrong with it.
        problem: TensorProblem,
    },
}

/// What is wrong with a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TensorProblem {
    /// Another tensor has its name.
    #[error("the name is used twice")]
    Twice,
    /// Not 1 to 4 dimensions.
    #[error("it has {0} dimensions")]
    Dimensions(u32),
    /// A dimension of 0, or one that makes the tensor too large.
    #[error("it has a dimension of {0}")]
    Length(u64),
    /// Unknown type.
    #[error("it has the unknown type {0}")]
    Type(u32),
    /// A row is not a whole number of blocks of its type.
    #[error("a row is not a whole number of {} blocks", .0.name())]
    Row(TensorType),
}
