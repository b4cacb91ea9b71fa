//! Quotes a command line as Windows programs parse it.

use super::{LoginEntry, LoginError, one_line, text_of};

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

/// Quotes an argument for `CommandLineToArgvW` and the C runtime: backslashes are special only before a quote, where
/// they are doubled.
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

    /// Parses the arguments after the program as `CommandLineToArgvW` does.
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
        fn quoted_arguments_round_trip(args in prop::collection::vec("[a \\\\\"ñ%$]{0,8}", 0..5)) {
            let line = args.iter().map(|arg| quoted(arg)).collect::<Vec<_>>().join(" ");
            prop_assert_eq!(read(&line), args);
        }
    }
}
