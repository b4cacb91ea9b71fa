//! Lines broken between words at a width in columns. Words longer than a line (paths, addresses, commands) stay whole, so
//! that they can be copied.

use textwrap::core::display_width;
use textwrap::{Options, WordSplitter, WrapAlgorithm};

/// Narrower terminals break lines themselves: a word a line helps nobody.
const LEAST_COLUMNS: usize = 20;
/// A value that starts further right than this share of the line is not indented to its start.
const LARGEST_INDENT: f64 = 0.5;

/// Width of a text in columns, without escape codes.
pub fn columns_of(text: &str) -> usize {
    display_width(text)
}

/// Each line of a text broken at this many columns. What follows is indented as the line, behind its bullet, or to the
/// value of a `name  value` line.
pub fn wrapped(text: &str, columns: usize) -> String {
    if columns < LEAST_COLUMNS {
        return text.to_owned();
    }
    let lines: Vec<String> = text.split('\n').map(|line| wrapped_line(line, columns)).collect();
    lines.join("\n")
}

/// The lines of a cell of this width.
pub(crate) fn cell_lines(text: &str, columns: usize) -> Vec<String> {
    textwrap::wrap(text, options(columns)).into_iter().map(std::borrow::Cow::into_owned).collect()
}

fn options(columns: usize) -> Options<'static> {
    Options::new(columns)
        .break_words(false)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit)
}

fn wrapped_line(line: &str, columns: usize) -> String {
    if display_width(line) <= columns {
        return line.to_owned();
    }
    let own_indent = line.len() - line.trim_start_matches(' ').len();
    let (indent, words) = line.split_at(own_indent);
    let hanging = " ".repeat(own_indent + hanging_indent(words, columns.saturating_sub(own_indent)));
    let options = options(columns).initial_indent(indent).subsequent_indent(&hanging);
    textwrap::wrap(words, options).join("\n")
}

/// Columns from the start of a line's words to where its next lines start.
fn hanging_indent(words: &str, columns: usize) -> usize {
    for bullet in ["- ", "→ ", "✓ ", "✗ ", "! "] {
        if words.starts_with(bullet) {
            return display_width(bullet);
        }
    }
    let Some(gap) = words.find("  ") else { return 0 };
    let value = words[gap..].trim_start_matches(' ');
    let before = display_width(&words[..words.len() - value.len()]);
    if before as f64 <= columns as f64 * LARGEST_INDENT { before } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_go_on_below_their_text() {
        let bullet = "  - No graphics card was found, and ACOLYTE needs one";
        assert_eq!(wrapped(bullet, 24), "  - No graphics card was\n    found, and ACOLYTE\n    needs one");
        let fact = "  Disk    /home/user: 44.5 GB free";
        assert_eq!(wrapped(fact, 28), "  Disk    /home/user: 44.5\n          GB free");
        assert_eq!(wrapped("short\n\n  - also", 24), "short\n\n  - also", "what fits is left alone");
    }

    #[test]
    fn commands_and_paths_stay_whole() {
        let line = "Type acolyte install --emergency-cpu or open /home/user/.acolyte/llm/logs/server.log";
        let lines = wrapped(line, 30);
        for word in ["--emergency-cpu", "/home/user/.acolyte/llm/logs/server.log"] {
            assert!(lines.split(['\n', ' ']).any(|found| found == word), "{lines}");
        }
    }

    #[test]
    fn escape_codes_have_no_width() {
        let styled = "\u{1b}[1mThis computer\u{1b}[0m has memory";
        assert_eq!(wrapped(styled, 24), styled);
        assert_eq!(columns_of(styled), 24);
    }

    #[test]
    fn a_terminal_of_no_use_is_left_to_break_lines() {
        assert_eq!(wrapped("one two three four five six seven", 5), "one two three four five six seven");
    }
}
