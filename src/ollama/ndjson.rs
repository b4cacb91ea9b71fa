//! Splits a byte stream into lines of JSON.

/// Splits a stream into lines. Blank lines are skipped. A line longer than the limit is an error, so that a server
/// cannot fill the memory.
#[derive(Debug)]
pub struct NdjsonLines {
    pending: Vec<u8>,
    /// Bytes of `pending` that contain no line end.
    searched: usize,
    limit_bytes: usize,
}

/// A line is longer than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a line of the answer is longer than {limit_bytes} bytes")]
pub struct LineTooLong {
    /// The limit.
    pub limit_bytes: usize,
}

impl NdjsonLines {
    /// Limits lines to this number of bytes.
    pub fn new(limit_bytes: usize) -> Self {
        Self { pending: Vec::new(), searched: 0, limit_bytes }
    }

    /// Appends received bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
    }

    /// The next complete line, trimmed.
    ///
    /// # Errors
    /// If the line, complete or not, is too long.
    pub fn next_line(&mut self) -> Result<Option<Vec<u8>>, LineTooLong> {
        while let Some(at) = self.pending[self.searched..].iter().position(|byte| *byte == b'\n') {
            let mut line: Vec<u8> = self.pending.drain(..=self.searched + at).collect();
            self.searched = 0;
            if line.len() > self.limit_bytes {
                return Err(LineTooLong { limit_bytes: self.limit_bytes });
            }
            trim(&mut line);
            if !line.is_empty() {
                return Ok(Some(line));
            }
        }
        self.searched = self.pending.len();
        if self.searched > self.limit_bytes {
            return Err(LineTooLong { limit_bytes: self.limit_bytes });
        }
        Ok(None)
    }

    /// The last line, if the stream ended without a line end.
    pub fn rest(&mut self) -> Option<Vec<u8>> {
        let mut line = std::mem::take(&mut self.pending);
        self.searched = 0;
        trim(&mut line);
        (!line.is_empty()).then_some(line)
    }
}

fn trim(line: &mut Vec<u8>) {
    while line.last().is_some_and(u8::is_ascii_whitespace) {
        line.pop();
    }
    let blank = line.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    line.drain(..blank);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(lines: &mut NdjsonLines) -> Vec<String> {
        std::iter::from_fn(|| lines.next_line().unwrap())
            .map(|line| String::from_utf8(line).unwrap())
            .collect()
    }

    #[test]
    fn blank_lines_and_carriage_returns_are_skipped() {
        let mut lines = NdjsonLines::new(100);
        lines.push(b"\n {\"a\":1}\r\n\r\n\n{\"b\"");
        assert_eq!(all(&mut lines), ["{\"a\":1}"]);
        lines.push(b":2}");
        assert_eq!(all(&mut lines), Vec::<String>::new());
        assert_eq!(lines.rest().unwrap(), b"{\"b\":2}");
        assert_eq!(lines.rest(), None);
    }

    #[test]
    fn a_line_above_the_limit_is_an_error() {
        let mut lines = NdjsonLines::new(8);
        lines.push(b"12345678");
        assert_eq!(lines.next_line(), Ok(None));
        lines.push(b"9");
        assert_eq!(lines.next_line(), Err(LineTooLong { limit_bytes: 8 }));
    }

    proptest! {
        /// The lines do not depend on how the stream is split.
        #[test]
        fn lines_do_not_depend_on_the_chunks(text in "[a-c \n]{0,60}", cut in 1usize..7) {
            let mut whole = NdjsonLines::new(1000);
            whole.push(text.as_bytes());
            let mut expected = all(&mut whole);
            expected.extend(whole.rest().map(|line| String::from_utf8(line).unwrap()));

            let mut cut_up = NdjsonLines::new(1000);
            let mut got = Vec::new();
            for part in text.as_bytes().chunks(cut) {
                cut_up.push(part);
                got.extend(all(&mut cut_up));
            }
            got.extend(cut_up.rest().map(|line| String::from_utf8(line).unwrap()));
            prop_assert_eq!(got, expected);
        }
    }
}
