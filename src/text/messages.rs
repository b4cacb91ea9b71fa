//! The message files and the list of messages, generated and checked by `build/messages.rs`.

include!(concat!(env!("OUT_DIR"), "/messages.rs"));

/// The message files of all languages.
pub fn sources() -> Vec<&'static str> {
    [ENGLISH, SPANISH].concat()
}

/// Whether there is a message with this key and exactly these arguments, in any order. Evaluated by the compiler for
/// every [`crate::say!`].
pub const fn is_message(key: &str, arguments: &[&str]) -> bool {
    let (mut low, mut high) = (0, MESSAGES.len());
    while low < high {
        let middle = low + (high - low) / 2;
        match compare(MESSAGES[middle].0.as_bytes(), key.as_bytes()) {
            ..0 => low = middle + 1,
            0 => return are_the_same(MESSAGES[middle].1, arguments),
            1.. => high = middle,
        }
    }
    false
}

const fn are_the_same(expected: &[&str], given: &[&str]) -> bool {
    let mut index = 0;
    while index < expected.len() {
        if !contains(given, expected[index]) {
            return false;
        }
        index += 1;
    }
    expected.len() == given.len()
}

const fn contains(names: &[&str], name: &str) -> bool {
    let mut index = 0;
    while index < names.len() {
        if compare(names[index].as_bytes(), name.as_bytes()) == 0 {
            return true;
        }
        index += 1;
    }
    false
}

/// Negative, 0 or positive as `a` is before, equal to or after `b`. The standard library's comparison is not `const`.
const fn compare(a: &[u8], b: &[u8]) -> i32 {
    let mut index = 0;
    while index < a.len() && index < b.len() {
        if a[index] != b[index] {
            return a[index] as i32 - b[index] as i32;
        }
        index += 1;
    }
    a.len() as i32 - b.len() as i32
}
