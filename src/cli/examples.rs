//! Examples in the help of each command: the same in every language.

/// Command → command lines that people type.
const EXAMPLES: &[(&str, &[&str])] = &[
    ("detect", &["acolyte detect", "acolyte detect --json > machine.json"]),
    ("doctor", &["acolyte doctor --output report.json"]),
    (
        "check-requirements",
        &["acolyte check-requirements", "acolyte check-requirements --hardware machine.json --json"],
    ),
    ("profiles", &["acolyte profiles", "acolyte profiles --json"]),
    ("estimate", &["acolyte estimate --model qwen2.5-coder:7b --gpu 'RTX 4060' --ram-gib 32 --kv q8_0"]),
    (
        "install",
        &[
            "acolyte install",
            "acolyte install --profile fastest --yes",
            "acolyte install --model-file model.gguf",
        ],
    ),
    ("status", &["acolyte status", "acolyte status --json"]),
    (
        "ask",
        &["acolyte ask 'What does this error mean?'", "acolyte ask 'Explain this file' --file src/main.rs"],
    ),
    ("chat", &["acolyte chat"]),
    ("start", &["acolyte start"]),
    ("restart", &["acolyte restart"]),
    ("stop", &["acolyte stop"]),
    (
        "set",
        &["acolyte set --gpu-layers 20 --kv q8_0 --dry-run", "acolyte set --cpu-only", "acolyte set --plan"],
    ),
    ("models", &["acolyte models", "acolyte models --remove qwen2.5-coder:7b"]),
    ("tune", &["acolyte tune"]),
    ("bench", &["acolyte bench", "acolyte bench --json"]),
    ("update", &["acolyte update", "acolyte update --check --json", "acolyte update --daily on"]),
    ("undo", &["acolyte undo"]),
    ("monitor", &["acolyte monitor", "acolyte monitor --once --json"]),
    ("logs", &["acolyte logs", "acolyte logs --follow --lines 20"]),
    ("uninstall", &["acolyte uninstall --dry-run", "acolyte uninstall --keep-models"]),
    ("wizard", &["acolyte wizard"]),
    ("keep", &["acolyte keep --yes", "acolyte keep --remove"]),
    ("completions", &["acolyte completions bash > ~/.local/share/bash-completion/completions/acolyte"]),
    ("man", &["acolyte man", "acolyte man --dir /usr/local/share/man/man1"]),
];

/// The examples of a command.
pub fn examples_of(command: &str) -> &'static [&'static str] {
    EXAMPLES.iter().find(|(name, _)| *name == command).map_or(&[], |(_, lines)| *lines)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::args::Cli;

    /// Words of a command line; a part in quotes is one word.
    fn words(line: &str) -> Vec<String> {
        let parts = line.split('\'').enumerate().flat_map(|(number, part)| match number % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        });
        parts.take_while(|word| word != ">").collect()
    }

    #[test]
    fn every_command_has_examples_that_it_accepts() {
        for command in Cli::command().get_subcommands() {
            let name = command.get_name();
            assert!(!examples_of(name).is_empty(), "{name} has no example");
            for line in examples_of(name) {
                let words = words(line);
                assert_eq!(words[1], name, "{line}");
                Cli::command().try_get_matches_from(words).unwrap_or_else(|error| panic!("{line}: {error}"));
            }
        }
        for (name, _) in EXAMPLES {
            assert!(Cli::command().find_subcommand(name).is_some(), "{name} is no command");
        }
    }

    /// A dialogue has no document to print.
    const WITHOUT_JSON: [&str; 1] = ["wizard"];

    #[test]
    fn every_command_prints_json() {
        for command in Cli::command().get_subcommands() {
            let json = command.get_arguments().any(|argument| argument.get_id() == "json");
            assert_eq!(json, !WITHOUT_JSON.contains(&command.get_name()), "{}", command.get_name());
        }
    }
}
