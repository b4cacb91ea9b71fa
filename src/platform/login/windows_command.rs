//! The command line of a Run value.

use super::{LoginEntry, LoginError, one_line, text_of};
use crate::platform::windows_quoting::quoted;

/// Documented maximum of a Run value.
const MAX_COMMAND_CHARS: usize = 260;

/// Program and arguments as one line.
///
/// # Errors
/// If a path or argument cannot be represented, or the line is longer than 260 UTF-16 code units.
pub fn command_line(entry: &LoginEntry) -> Result<String, LoginError> {
    let program = one_line(text_of(&entry.program)?)?;
    // The program's path ends at the next quote; nothing is escaped in it.
    if program.contains('"') {
        return Err(LoginError::Unrepresentable { value: program.to_owned() });
    }
    let mut line = format!("\"{program}\"");
    for arg in &entry.args {
        line.push(' ');
        line.push_str(&quoted(one_line(text_of(arg)?)?));
    }
    if line.encode_utf16().count() > MAX_COMMAND_CHARS {
        return Err(LoginError::Unrepresentable { value: line });
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn known_command_lines() {
        let entry = LoginEntry {
            program: r"C:\Users\Ñoño Pérez\.acolyte\bin\acolyte.exe".into(),
            args: vec!["start".into(), "--home".into(), r"D:\my models\".into(), "".into()],
            ..LoginEntry::default()
        };
        assert_eq!(
            command_line(&entry).unwrap(),
            r#""C:\Users\Ñoño Pérez\.acolyte\bin\acolyte.exe" start --home "D:\my models\\" """#
        );
        let long = LoginEntry { args: vec!["x".repeat(260).into()], ..entry };
        assert!(command_line(&long).is_err());
    }
}
