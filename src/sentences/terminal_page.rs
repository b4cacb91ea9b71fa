//! Headings, facts, bullets and tables for a terminal, in lines. Colours and bold are escape codes.

use anstyle::Style;
use tabled::builder::Builder;
use tabled::settings::object::Rows;
use tabled::settings::{Color, Padding, style};

use crate::sentences::finding::Link;
use crate::text::wrap::{cell_lines, columns_of};

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
        let widest = facts.iter().map(|(name, _)| columns_of(name)).max().unwrap_or(0);
        for (name, value) in facts {
            let padding = " ".repeat(widest - columns_of(name));
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

    /// Adds a table whose first row is the heading. If it is wider than `columns`, cells break between words and move
    /// closer; if words alone are wider, each row is a paragraph instead.
    pub(super) fn table(&mut self, rows: Vec<Vec<String>>, columns: Option<usize>) {
        let (rows, gap) = match columns {
            None => (rows, INDENT),
            Some(columns) => {
                let fitting =
                    [INDENT, 1].into_iter().find_map(|gap| Some((column_widths(&rows, columns, gap)?, gap)));
                match fitting {
                    Some((widths, gap)) => (rows.iter().map(|row| wrapped_row(row, &widths)).collect(), gap),
                    None => return self.paragraphs(&rows),
                }
            }
        };
        let mut table = Builder::from_iter(rows).build();
        table.with(style::Style::empty()).with(Padding::new(gap, 0, 0, 0)).modify(Rows::first(), Color::BOLD);
        self.lines.extend(table.to_string().lines().map(without_end_spaces));
    }

    /// Each row as its first cell with words, and below it the others behind the heading of their column.
    fn paragraphs(&mut self, rows: &[Vec<String>]) {
        let Some((head, rows)) = rows.split_first() else { return };
        for row in rows {
            let mut cells = head.iter().zip(row).filter(|(_, cell)| !matches!(cell.as_str(), "" | "–"));
            if let Some((_, title)) = cells.next() {
                self.line(&format!("  {}", styled(BOLD, title)));
            }
            let cells = cells.map(|(name, cell)| match name.is_empty() {
                true => cell.clone(),
                false => format!("{name}: {cell}").replace(' ', "\u{a0}"),
            });
            self.line(&format!("    {}", cells.collect::<Vec<_>>().join("\u{a0}· ")));
        }
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

/// Spaces before each cell.
const INDENT: usize = 2;

/// Widths of the columns of a table in a terminal of so many, without the gap before each: the widest becomes narrower
/// until all fit, but none narrower than its widest word. `None` if they do not fit.
fn column_widths(rows: &[Vec<String>], columns: usize, gap: usize) -> Option<Vec<usize>> {
    let (mut widths, mut widest_words) = (Vec::new(), Vec::new());
    for row in rows {
        widths.resize(row.len().max(widths.len()), 0);
        widest_words.resize(widths.len(), 0);
        for ((width, widest_word), cell) in widths.iter_mut().zip(&mut widest_words).zip(row) {
            let word = cell.split(' ').map(columns_of).max().unwrap_or(0);
            *widest_word = word.max(*widest_word);
            *width = columns_of(cell).max(*width);
        }
    }
    while widths.iter().map(|width| width + gap).sum::<usize>() > columns {
        let can_shrink =
            widths.iter_mut().zip(&widest_words).filter(|(width, widest_word)| **width > **widest_word);
        *can_shrink.map(|(width, _)| width).max_by_key(|width| **width)? -= 1;
    }
    Some(widths)
}

fn wrapped_row(row: &[String], widths: &[usize]) -> Vec<String> {
    row.iter().zip(widths).map(|(cell, width)| cell_lines(cell, *width).join("\n")).collect()
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
        for columns in [None, Some(16)] {
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
        assert_eq!(
            narrow,
            "  Profile     Verdict\n  hybrid_8gb  runs with limits\n              on this card\n"
        );
        assert_eq!(printed(Some(20)).lines().nth(1), Some(" hybrid_8gb runs"), "cells move closer");
        // Its words alone are wider.
        assert_eq!(
            printed(Some(17)).replace('\u{a0}', " "),
            "  hybrid_8gb\n    Verdict: runs with limits on this card\n"
        );
    }
}
