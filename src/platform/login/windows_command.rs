//! How Windows programs take a line of text apart into arguments, and so how it must be written.

use super::{LoginEntry, LoginError, one_line, text_of};

/// The longest Run value that Windows documents to work.
const MAX_COMMAND_CHARS: usize = 260;

/// Program and arguments as one line.
///
/// # Errors
/// When a path or argument cannot be written so, or the line is longer than Windows takes.
pub fn command_line(entry: &LoginEntry) -> Result<String, LoginError> {
    let program = one_line(text_of(&entry.program)?)?;
    // The program's own path is read up to the next quote, without any escapes.
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

/// An argument as `CommandLineToArgvW` and the C runtime read it: backslashes count only before a quote, where they are
/// doubled.
fn quoted(arg: &str) -> String {
    if !arg.is_empty() && !arg.contains([' ', '\t', '"']) {
        return arg.to_owned();
    }
    let mut word = String::from("\"");
    let mut backslashes = 0;
    for c in arg.chars() {
        match c {
            '\\' => backslashes += 1,
            '"' => {
                word.extend(std::iter::repeat_n('\\', backslashes + 1));
                backslashes = 0;
            }
            _ => backslashes = 0,
        }
        word.push(c);
    }
    word.extend(std::iter::repeat_n('\\', backslashes));
    word.push('"');
    word
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_lines() {
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

    /// The rules of `CommandLineToArgvW` for the arguments after the program.
    fn read(line: &str) -> Vec<String> {
        let (mut args, mut arg, mut inside, mut begun, mut backslashes) =
            (Vec::new(), String::new(), false, false, 0);
        for c in line.chars() {
            if c == '\\' {
                backslashes += 1;
                begun = true;
                continue;
            }
            if c == '"' {
                arg.extend(std::iter::repeat_n('\\', backslashes / 2));
                if backslashes % 2 == 1 {
                    arg.push('"')
                } else {
                    inside = !inside
                }
                (begun, backslashes) = (true, 0);
                continue;
            }
            arg.extend(std::iter::repeat_n('\\', std::mem::take(&mut backslashes)));
            if c == ' ' && !inside {
                if std::mem::take(&mut begun) {
                    args.push(std::mem::take(&mut arg));
                }
            } else {
                arg.push(c);
                begun = true;
            }
        }
        arg.extend(std::iter::repeat_n('\\', backslashes));
        if begun {
            args.push(arg);
        }
        args
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(args in prop::collection::vec("[a \\\\\"ñ%$]{0,8}", 0..5)) {
            let line = args.iter().map(|arg| quoted(arg)).collect::<Vec<_>>().join(" ");
            prop_assert_eq!(read(&line), args);
        }
    }
}
