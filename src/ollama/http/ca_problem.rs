//! Why entries of a file of certificates, or all of it, cannot be used.

use crate::untrusted::UntrustedText;

/// An entry that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedEntry {
    /// Its place in the file, from 1.
    pub index: usize,
    /// Whom it names, if it can be read that far.
    pub subject: Option<UntrustedText>,
    /// What is wrong with it.
    pub problem: CaEntryProblem,
}

/// What is wrong with an entry of a CA file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaEntryProblem {
    /// A private key.
    PrivateKey,
    /// A container of certificates: PKCS #7.
    Pkcs7,
    /// A container of a key and certificates: PKCS #12.
    Pkcs12,
    /// Something else, by its label.
    OtherKind(UntrustedText),
    /// It is cut short or cannot be decoded.
    Damaged,
    /// A certificate that cannot be an authority.
    Unusable,
}

/// Why a file holds no authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaFileProblem {
    /// It is empty.
    Empty,
    /// It is in no format of certificates.
    NoFormat,
    /// None of its entries can be used.
    NothingUsable(Vec<SkippedEntry>),
}
