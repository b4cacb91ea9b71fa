//! Text in the encodings of editors and shells: UTF-8, with or without a byte-order mark, and UTF-16 with one, which
//! Windows PowerShell writes with `>`.

use std::io;

const UTF_8_MARK: &[u8] = b"\xEF\xBB\xBF";
const UTF_16_LE_MARK: &[u8] = b"\xFF\xFE";
const UTF_16_BE_MARK: &[u8] = b"\xFE\xFF";

/// The text of a file, without its byte-order mark.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] if it is neither UTF-8 nor UTF-16 with a byte-order mark.
pub fn decode(bytes: Vec<u8>) -> io::Result<String> {
    let invalid =
        |error: Box<dyn std::error::Error + Send + Sync>| io::Error::new(io::ErrorKind::InvalidData, error);
    if let Some(rest) = bytes.strip_prefix(UTF_16_LE_MARK) {
        return decode_utf_16(rest, u16::from_le_bytes).map_err(invalid);
    }
    if let Some(rest) = bytes.strip_prefix(UTF_16_BE_MARK) {
        return decode_utf_16(rest, u16::from_be_bytes).map_err(invalid);
    }
    let mut text = String::from_utf8(bytes).map_err(|error| invalid(error.into()))?;
    if text.as_bytes().starts_with(UTF_8_MARK) {
        text.drain(..UTF_8_MARK.len());
    }
    Ok(text)
}

/// Whether bytes begin as text with a byte-order mark. No binary format of ours begins so.
pub fn has_mark(bytes: &[u8]) -> bool {
    [UTF_8_MARK, UTF_16_LE_MARK, UTF_16_BE_MARK].iter().any(|mark| bytes.starts_with(mark))
}

fn decode_utf_16(
    bytes: &[u8],
    unit: fn([u8; 2]) -> u16,
) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err("the last character of the UTF-16 text is cut".into());
    }
    Ok(char::decode_utf16(pairs.iter().map(|pair| unit(*pair))).collect::<Result<_, _>>()?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const TEXT: &str = "{\"name\": \"Núñez 🦙\"}\r\n";

    fn utf_16(mark: &[u8], bytes_of: fn(u16) -> [u8; 2]) -> Vec<u8> {
        mark.iter().copied().chain(TEXT.encode_utf16().flat_map(bytes_of)).collect()
    }

    #[test]
    fn every_encoding_of_editors_and_shells_is_read() {
        let files = [
            TEXT.as_bytes().to_vec(),
            [UTF_8_MARK, TEXT.as_bytes()].concat(),
            utf_16(UTF_16_LE_MARK, u16::to_le_bytes),
            utf_16(UTF_16_BE_MARK, u16::to_be_bytes),
        ];
        for (index, bytes) in files.into_iter().enumerate() {
            assert_eq!(has_mark(&bytes), index > 0);
            assert_eq!(decode(bytes).unwrap(), TEXT, "{index}");
        }
        assert_eq!(decode(UTF_16_LE_MARK.to_vec()).unwrap(), "");
        assert_eq!(decode(Vec::new()).unwrap(), "");
    }

    #[test]
    fn what_is_no_text_is_refused() {
        let mut cut = utf_16(UTF_16_LE_MARK, u16::to_le_bytes);
        cut.pop();
        let half_a_pair = [UTF_16_LE_MARK, &[0x00, 0xD8]].concat();
        for bytes in [cut, half_a_pair, b"caf\xE9".to_vec(), [UTF_8_MARK, b"\xE9"].concat()] {
            assert_eq!(decode(bytes).unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
    }
}
