//! Questions on the terminal.

use std::io::{BufRead as _, IsTerminal as _};

use crate::cli::{Failure, Session, output};
use crate::say;

/// Asks a yes-or-no question; any answer but yes is a no.
///
/// # Errors
/// When standard input cannot be read.
pub fn confirm(question: &str, session: &Session) -> Result<bool, Failure> {
    let answer = answer_to(question)?;
    Ok(is_one_of(&answer, &say!(session.text, "install-cli-yes")))
}

/// Whether the user agrees: by `--yes`, or by an answer on the terminal.
///
/// # Errors
/// Wrong usage without `--yes` where nobody can be asked; when standard input cannot be read.
pub fn agrees(yes: bool, question: &str, session: &Session) -> Result<bool, Failure> {
    if yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(say!(session.text, "install-cli-cannot-ask")));
    }
    confirm(question, session)
}

/// Whether an answer is one of these words, separated by spaces.
pub fn is_one_of(answer: &str, words: &str) -> bool {
    words.split(' ').any(|word| word == answer)
}

/// Asks a question and returns the trimmed answer in lower case.
///
/// # Errors
/// When standard input cannot be read.
pub fn answer_to(question: &str) -> Result<String, Failure> {
    output::ask(question);
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).map_err(|error| Failure::failed(error.to_string()))?;
    Ok(answer.trim().to_lowercase())
}
