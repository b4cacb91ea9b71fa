//! Headings, facts, bullets and tables for a terminal, in lines. Colours and bold are escape codes.

use anstyle::Style;
use tabled::builder::Builder;
use tabled::settings::object::Rows;
use tabled::settings::peaker::Peaker;
use tabled::settings::{Color, Padding, Width, style};

use crate::sentences::finding::Link;

const BOLD: Style = Style::new().bold();

/// The words in this style.
pub(super) fn styled(style: Style, words: &str) -> String {
    format!("{style}{words}{style:#}")
}

/// Lines of a report being written.
#[derive(Default)]
pub(super) struct TerminalPage {
    lines: Vec<String>,
}

impl TerminalPage {
    pub(super) fn gap(&mut self) {
        self.lines.push(String::new());
    }

    pub(super) fn line(&mut self, line: &str) {
        self.lines.push(line.to_owned());
    }

    pub(super) fn heading(&mut self, words: &str) {
        self.lines.push(styled(BOLD, words));
    }

    pub(super) fn facts(&mut self, facts: &[(String, String)]) {
        let widest = facts.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
        for (name, value) in facts {
            let padding = " ".repeat(widest - width(name));
            self.lines.push(format!("  {name}{padding}  {value}"));
        }
    }

    /// Adds a link, if there is one.
    pub(super) fn link(&mut self, link: Option<Link>) {
        if let Some((words, url)) = link {
            self.lines.push(format!("    {words}: {url}"));
        }
    }

    pub(super) fn bullets(&mut self, sentences: impl Iterator<Item = String>) {
        self.lines.extend(sentences.map(|sentence| format!("  - {sentence}")));
    }

    /// Adds a table whose first row is the heading. Cells wrap between words if the table is wider than `columns`.
    pub(super) fn table(&mut self, rows: Vec<Vec<String>>, columns: Option<usize>) {
        let widest_words = WidestWords::of(&rows);
        let mut table = Builder::from_iter(rows).build();
        table
            .with(style::Style::empty())
            .with(Padding::new(INDENT, 0, 0, 0))
            .modify(Rows::first(), Color::BOLD);
        if let Some(columns) = columns {
            table.with(Width::wrap(columns).keep_words(true).priority(widest_words));
        }
        self.lines.extend(table.to_string().lines().map(without_end_spaces));
    }

    pub(super) fn into_text(self) -> String {
        let mut text = self.lines.join("\n");
        text.push('\n');
        text
    }
}

/// A line without trailing spaces, also between escape codes. Keeps the last code, which ends the style.
fn without_end_spaces(line: &str) -> String {
    let (mut words, mut last_code) = (line.trim_end(), "");
    while let Some(start) =
        words.rfind('\u{1b}').filter(|start| words[*start..].find('m') == Some(words.len() - start - 1))
    {
        let code = &words[start..];
        if last_code.is_empty() {
            last_code = code;
        }
        words = words[..start].trim_end();
    }
    format!("{words}{last_code}")
}

/// Width in columns: one per character, because all text is Latin.
fn width(text: &str) -> usize {
    text.chars().count()
}

/// Spaces before each cell.
const INDENT: usize = 2;

/// Widest word of each column, its minimum width, so that names are not broken.
struct WidestWords(Vec<usize>);

impl WidestWords {
    fn of(rows: &[Vec<String>]) -> Self {
        let mut widths = Vec::new();
        for row in rows {
            widths.resize(row.len().max(widths.len()), INDENT);
            for (width, cell) in widths.iter_mut().zip(row) {
                let word = cell.split(' ').map(|word| word.chars().count()).max().unwrap_or(0);
                *width = (*width).max(INDENT + word);
            }
        }
        Self(widths)
    }
}

impl Peaker for WidestWords {
    /// Index of the widest column that can be narrower.
    fn peak(&mut self, _mins: &[usize], widths: &[usize]) -> Option<usize> {
        let spare = |column: &usize| widths[*column] > self.0.get(*column).copied().unwrap_or(0);
        (0..widths.len()).filter(spare).max_by_key(|column| widths[*column])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_fits_the_terminal_and_is_not_wrapped_without_one() {
        let rows = || {
            vec![
                vec!["Profile".to_owned(), "Verdict".to_owned()],
                vec!["hybrid_8gb".to_owned(), "runs with limits on this card".to_owned()],
            ]
        };
        let printed = |columns| {
            let mut page = TerminalPage::default();
            page.table(rows(), columns);
            anstream::adapter::strip_str(&page.into_text()).to_string()
        };
        assert_eq!(printed(None), "  Profile     Verdict\n  hybrid_8gb  runs with limits on this card\n");
        let headed = |columns| {
            let mut page = TerminalPage::default();
            page.table(
                vec![vec!["Computer".to_owned(), String::new()], vec!["8 GB".to_owned(), "runs".to_owned()]],
                columns,
            );
            page.into_text()
        };
        for columns in [None, Some(12)] {
            let styled = headed(columns);
            let plain = anstream::adapter::strip_str(&styled).to_string();
            assert!(plain.lines().all(|line| line == line.trim_end()), "{plain:?}");
            assert_eq!(
                styled.matches("\u{1b}[1m").count(),
                styled.matches("\u{1b}[22m").count(),
                "{styled:?}"
            );
        }
        let narrow = printed(Some(30));
        assert!(narrow.lines().all(|line| line.chars().count() <= 30), "{narrow}");
        for word in ["hybrid_8gb", "limits", "card"] {
            assert!(narrow.contains(word), "{narrow}");
        }
    }
}
