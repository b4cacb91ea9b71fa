//! Redraws a few lines in place. Nothing of the terminal is changed but those lines, so there is nothing to restore, however
//! the program ends.

use std::io::{IsTerminal as _, Write as _};

use crate::cli::Failure;
use crate::cli::output::failure;
use crate::platform::environment::Environment;
use crate::untrusted::escaped_except_styles;

/// Size of a terminal that does not tell its own.
const USUAL_SIZE: (usize, usize) = (80, 24);

/// The lines that were drawn last.
#[derive(Debug, Default)]
pub struct Screen {
    drawn: Vec<usize>,
}

impl Screen {
    /// Standard output, if it is a terminal that can be redrawn.
    pub fn of_terminal() -> Option<Self> {
        let dumb = Environment::of_process().text("TERM").is_some_and(|term| term == "dumb");
        (std::io::stdout().is_terminal() && !dumb).then(Self::default)
    }

    /// Columns and rows of the terminal.
    pub fn size() -> (usize, usize) {
        let size = terminal_size::terminal_size_of(std::io::stdout());
        size.map_or(USUAL_SIZE, |(width, height)| (usize::from(width.0).max(1), usize::from(height.0).max(2)))
    }

    /// Replaces the lines drawn last. What does not fit above the last row is left out.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn draw(&mut self, lines: &[String]) -> Result<(), Failure> {
        let (columns, rows) = Self::size();
        // In a terminal that was made narrower, lines drawn before are broken into several.
        let above: usize = self.drawn.iter().map(|width| width.div_ceil(columns).max(1)).sum();
        let mut frame = String::new();
        if above > 0 {
            frame.push_str(&format!("\u{1b}[{above}A\r"));
        }
        frame.push_str("\u{1b}[J");
        let shown = &lines[..lines.len().min(rows.saturating_sub(1))];
        for line in shown {
            frame.push_str(&escaped_except_styles(line).replace('\n', " "));
            frame.push('\n');
        }
        self.drawn = shown.iter().map(|line| line.chars().count()).collect();
        // Turns the sequences on in a console of Windows.
        let mut out = anstream::AutoStream::always_ansi(std::io::stdout().lock());
        out.write_all(frame.as_bytes()).and_then(|()| out.flush()).map_err(|error| failure(&error))
    }
}
