//! Prompts that are in no engine's cache: plausible source code that differs from the first word on.

use crate::platform::clock::since_1970;

const VERBS: &[&str] =
    &["read", "parse", "merge", "split", "check", "open", "sort", "send", "count", "find", "load", "join"];
const NOUNS: &[&str] =
    &["file", "line", "token", "node", "user", "order", "block", "event", "page", "route", "table", "frame"];
const TYPES: &[&str] = &["u32", "String", "bool", "f64", "usize", "Vec<u8>"];

/// Makes prompts.
#[derive(Debug)]
pub struct Prompts {
    state: u64,
}

impl Prompts {
    /// A series seeded by time and process, so that it differs from every other one.
    pub fn new() -> Self {
        let now = since_1970();
        Self::seeded(now.as_nanos() as u64 ^ u64::from(std::process::id()).rotate_left(40))
    }

    fn seeded(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next prompt, of about this many words separated by blanks.
    pub fn next(&mut self, words: usize) -> String {
        let mut prompt = format!("// module {:08x}\n", self.number() as u32);
        let mut written = 3;
        while written < words {
            let (verb, noun, of) = (self.pick(VERBS), self.pick(NOUNS), self.pick(NOUNS));
            let (kind, number) = (self.pick(TYPES), self.number() % 1000);
            prompt.push_str(&format!(
                "fn {verb}_{noun}({of}: &{kind}) -> usize {{\n    let {noun} = {of}.len() + {number};\n    {verb}({noun})\n}}\n"
            ));
            written += 14;
        }
        prompt.push_str("fn ");
        prompt
    }

    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        from[(self.number() % from.len() as u64) as usize]
    }

    /// SplitMix64 (Steele, Lea, Flood 2014): different is enough, security does not matter.
    fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_differ_from_the_first_word_on() {
        let mut prompts = Prompts::seeded(1);
        let (a, b) = (prompts.next(100), prompts.next(100));
        assert_ne!(a[..20], b[..20]);
        assert_ne!(Prompts::seeded(2).next(100)[..20], a[..20]);
    }

    #[test]
    fn length_follows_the_requested_words() {
        let mut prompts = Prompts::seeded(1);
        for words in [50, 500, 20_000] {
            let written = prompts.next(words).split_whitespace().count();
            assert!(written >= words && written < words + 20, "{written} for {words}");
        }
    }
}
