//! Sets of byte ranges: which bytes of a file are there and which are missing.

use serde::{Deserialize, Serialize};

/// Bytes from `start` up to but not including `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByteSpan {
    /// First byte.
    pub start: u64,
    /// One past the last.
    pub end: u64,
}

impl ByteSpan {
    /// Bytes in it.
    pub fn len(self) -> u64 {
        self.end.saturating_sub(self.start)
    }
}

/// A set of bytes: spans in order, none empty, none touching the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<ByteSpan>", into = "Vec<ByteSpan>")]
pub struct Spans(Vec<ByteSpan>);

impl From<Vec<ByteSpan>> for Spans {
    fn from(list: Vec<ByteSpan>) -> Self {
        let mut spans = Self::default();
        for span in list {
            spans.add(span);
        }
        spans
    }
}

impl From<Spans> for Vec<ByteSpan> {
    fn from(spans: Spans) -> Self {
        spans.0
    }
}

impl Spans {
    /// Adds a span; an empty or reversed one adds nothing.
    pub fn add(&mut self, span: ByteSpan) {
        if span.start >= span.end {
            return;
        }
        let first = self.0.partition_point(|known| known.end < span.start);
        let after = self.0.partition_point(|known| known.start <= span.end);
        let merged = self.0[first..after].iter().fold(span, |sum, known| ByteSpan {
            start: sum.start.min(known.start),
            end: sum.end.max(known.end),
        });
        self.0.splice(first..after, [merged]);
    }

    /// Keeps only what is below `length`.
    pub fn clip(&mut self, length: u64) {
        self.0.retain(|span| span.start < length);
        if let Some(last) = self.0.last_mut() {
            last.end = last.end.min(length);
        }
    }

    /// Total bytes.
    pub fn total(&self) -> u64 {
        self.0.iter().map(|span| span.len()).sum()
    }

    /// End of the first span if it starts at 0, else 0.
    pub fn prefix(&self) -> u64 {
        match self.0.first() {
            Some(first) if first.start == 0 => first.end,
            _ => 0,
        }
    }

    /// The gaps in a file of this length, in order.
    pub fn missing(&self, length: u64) -> Vec<ByteSpan> {
        let mut holes = Vec::new();
        let mut at = 0;
        for span in &self.0 {
            if span.start >= length {
                break;
            }
            if span.start > at {
                holes.push(ByteSpan { start: at, end: span.start });
            }
            at = at.max(span.end);
        }
        if at < length {
            holes.push(ByteSpan { start: at, end: length });
        }
        holes
    }

    /// Whether a file of this length is complete.
    pub fn covers(&self, length: u64) -> bool {
        self.prefix() >= length
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    const LENGTH: u64 = 64;

    proptest! {
        /// Compares with a set of single bytes.
        #[test]
        fn spans_behave_as_a_set_of_bytes(list in prop::collection::vec((0..LENGTH, 0..LENGTH), 0..20), clip in 0..LENGTH) {
            let mut spans = Spans::default();
            let mut bytes = [false; LENGTH as usize];
            for (start, end) in list {
                spans.add(ByteSpan { start, end });
                for byte in start..end.max(start) {
                    bytes[byte as usize] = true;
                }
            }
            let there = |bytes: &[bool]| bytes.iter().filter(|there| **there).count() as u64;
            prop_assert_eq!(spans.total(), there(&bytes));
            prop_assert_eq!(spans.prefix(), bytes.iter().take_while(|there| **there).count() as u64);
            let missing = spans.missing(LENGTH);
            prop_assert_eq!(missing.iter().map(|span| span.len()).sum::<u64>(), LENGTH - spans.total());
            for hole in &missing {
                prop_assert!((hole.start..hole.end).all(|byte| !bytes[byte as usize]));
            }
            prop_assert_eq!(spans.covers(LENGTH), missing.is_empty());
            prop_assert!(spans.0.windows(2).all(|pair| pair[0].end < pair[1].start), "sorted, apart: {:?}", spans);

            let json = serde_json::to_string(&spans).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Spans>(&json).unwrap(), &spans);

            spans.clip(clip);
            prop_assert_eq!(spans.total(), there(&bytes[..clip as usize]));
        }

        /// A sidecar file may contain anything.
        #[test]
        fn any_saved_list_is_normalised(list in prop::collection::vec((any::<u64>(), any::<u64>()), 0..10)) {
            let list: Vec<ByteSpan> = list.into_iter().map(|(start, end)| ByteSpan { start, end }).collect();
            let mut spans = Spans::from(list);
            prop_assert!(spans.0.windows(2).all(|pair| pair[0].end < pair[1].start));
            spans.clip(1000);
            prop_assert!(spans.total() <= 1000);
        }
    }
}
