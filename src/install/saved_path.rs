//! A path in a document: text, or its bytes where it is not Unicode.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A path, serialised as text. One that is not Unicode is serialised as `{"bytes": "…"}` with hexadecimal digits of the
/// system's encoding: bytes on Unix, UTF-16 in little-endian order on Windows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "WrittenPath", into = "WrittenPath")]
pub struct SavedPath(pub PathBuf);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum WrittenPath {
    Text(String),
    Bytes { bytes: String },
}

impl From<WrittenPath> for SavedPath {
    fn from(written: WrittenPath) -> Self {
        Self(match written {
            WrittenPath::Text(text) => text.into(),
            // Other digits name no file.
            WrittenPath::Bytes { bytes } => name_of(hex::decode(bytes).unwrap_or_default()).into(),
        })
    }
}

impl From<SavedPath> for WrittenPath {
    fn from(path: SavedPath) -> Self {
        match path.0.to_str() {
            Some(text) => Self::Text(text.to_owned()),
            None => Self::Bytes { bytes: hex::encode(bytes_of(&path.0)) },
        }
    }
}

#[cfg(unix)]
fn bytes_of(path: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt as _;
    path.as_os_str().as_bytes().to_vec()
}

#[cfg(unix)]
fn name_of(bytes: Vec<u8>) -> OsString {
    use std::os::unix::ffi::OsStringExt as _;
    OsString::from_vec(bytes)
}

#[cfg(windows)]
fn bytes_of(path: &Path) -> Vec<u8> {
    use std::os::windows::ffi::OsStrExt as _;
    path.as_os_str().encode_wide().flat_map(u16::to_le_bytes).collect()
}

#[cfg(windows)]
fn name_of(bytes: Vec<u8>) -> OsString {
    use std::os::windows::ffi::OsStringExt as _;
    let units: Vec<u16> = bytes.as_chunks().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    OsString::from_wide(&units)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn round_trip(path: &Path) -> String {
        let json = serde_json::to_string(&SavedPath(path.to_owned())).unwrap();
        assert_eq!(serde_json::from_str::<SavedPath>(&json).unwrap().0, path, "{json}");
        json
    }

    #[test]
    fn a_path_is_text() {
        assert_eq!(round_trip(Path::new("/m/modelo ñ.gguf")), r#""/m/modelo ñ.gguf""#);
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_not_unicode_is_kept() {
        use std::os::unix::ffi::OsStrExt as _;
        let path = Path::new(std::ffi::OsStr::from_bytes(b"/m/\xff.gguf"));
        assert_eq!(round_trip(path), r#"{"bytes":"2f6d2fff2e67677566"}"#);
    }
}
