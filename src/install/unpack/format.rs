//! Detects an archive's format by its first bytes: file names are not reliable, and mirrors rename.

/// Formats of release archives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A tar compressed with zstd (Linux).
    TarZst,
    /// A tar compressed with gzip (macOS, old Linux releases).
    TarGz,
    /// A zip (Windows).
    Zip,
}

impl Format {
    /// Detects by the first four bytes: zstd frames begin with 0xFD2FB528 or, when skippable, 0x184D2A5? (RFC 8878), gzip with
    /// 1F 8B (RFC 1952), zip with a local file header or, when empty, the end of the central directory (APPNOTE 4.3).
    pub fn of(magic: &[u8]) -> Option<Self> {
        match magic {
            [0x28, 0xB5, 0x2F, 0xFD] | [0x50..=0x5F, 0x2A, 0x4D, 0x18] => Some(Self::TarZst),
            [0x1F, 0x8B, ..] => Some(Self::TarGz),
            [b'P', b'K', 3, 4] | [b'P', b'K', 5, 6] => Some(Self::Zip),
            _ => None,
        }
    }
}
