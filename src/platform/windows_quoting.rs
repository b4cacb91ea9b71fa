//! Quotes arguments as Windows programs parse their command line.

/// Quotes an argument for `CommandLineToArgvW` and the C runtime: backslashes are special only before a quote, where
/// they are doubled.
pub(crate) fn quoted(arg: &str) -> String {
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
    use super::*;
    use proptest::prelude::*;

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
