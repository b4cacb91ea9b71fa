//! Checks the message files and writes what `src/text/messages.rs` includes: the files of each language, and each
//! message with its arguments, for `say!` to check at compile time.
//!
//! The build fails if a file has a mistake, or the languages differ in a message or its arguments.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use fluent_syntax::ast::{CallArguments, Entry, Expression, InlineExpression, Pattern, PatternElement};

/// Folders below `assets/locales`, each with the constant that lists its files.
const LANGUAGES: [(&str, &str); 2] = [("en", "ENGLISH"), ("es", "SPANISH")];

/// Messages of a language: key and names of its arguments.
type Messages = BTreeMap<String, BTreeSet<String>>;

/// Reads `locales` and writes the Rust file `to`.
///
/// # Errors
/// When the messages have a mistake, or a file cannot be read or written.
pub fn generate(locales: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    let mut rust = String::new();
    let mut languages = Vec::new();
    for (folder, constant) in LANGUAGES {
        let files = message_files(&locales.join(folder))?;
        writeln!(rust, "pub(super) const {constant}: &[&str] = &[")?;
        let mut messages = Messages::new();
        for file in &files {
            writeln!(rust, "    include_str!({:?}),", file.display().to_string())?;
            read(file, &mut messages)?;
        }
        rust.push_str("];\n");
        languages.push((folder, messages));
    }
    let [(_, english), (_, spanish)] = languages.as_slice() else { return Err("two languages".into()) };
    compare(english, spanish)?;
    rust.push_str("/// Each message with the names of its arguments, both in the order of their bytes.\n");
    rust.push_str("pub const MESSAGES: &[(&str, &[&str])] = &[\n");
    for (key, arguments) in english {
        writeln!(rust, "    ({key:?}, &{:?}),", arguments.iter().collect::<Vec<_>>())?;
    }
    rust.push_str("];\n");
    Ok(fs::write(to, rust)?)
}

fn message_files(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_, std::io::Error>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "ftl"));
    files.sort();
    Ok(files)
}

fn read(file: &Path, messages: &mut Messages) -> Result<(), Box<dyn Error>> {
    let name = file.display();
    let text = fs::read_to_string(file)?;
    let resource = fluent_syntax::parser::parse(text.as_str()).map_err(|(_, errors)| {
        let mistakes = errors.iter().map(|error| {
            let line = text.get(..error.pos.start).unwrap_or_default().matches('\n').count() + 1;
            format!("{name}:{line}: {error}")
        });
        mistakes.collect::<Vec<_>>().join("; ")
    })?;
    for entry in &resource.body {
        let Entry::Message(message) = entry else { continue };
        let key = message.id.name;
        let Some(pattern) = &message.value else { return Err(format!("{name}: {key} says nothing").into()) };
        let mut arguments = BTreeSet::new();
        of_pattern(pattern, &mut arguments);
        if messages.insert(key.to_owned(), arguments).is_some() {
            return Err(format!("{name}: {key} is defined twice").into());
        }
    }
    Ok(())
}

fn of_pattern(pattern: &Pattern<&str>, found: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        if let PatternElement::Placeable { expression } = element {
            of_expression(expression, found);
        }
    }
}

fn of_expression(expression: &Expression<&str>, found: &mut BTreeSet<String>) {
    match expression {
        Expression::Inline(inline) => of_inline(inline, found),
        Expression::Select { selector, variants } => {
            of_inline(selector, found);
            variants.iter().for_each(|variant| of_pattern(&variant.value, found));
        }
    }
}

fn of_inline(inline: &InlineExpression<&str>, found: &mut BTreeSet<String>) {
    match inline {
        InlineExpression::VariableReference { id } => {
            found.insert(id.name.to_owned());
        }
        InlineExpression::Placeable { expression } => of_expression(expression, found),
        InlineExpression::FunctionReference { arguments, .. } => {
            let CallArguments { positional, named } = arguments;
            positional.iter().for_each(|argument| of_inline(argument, found));
            named.iter().for_each(|argument| of_inline(&argument.value, found));
        }
        _ => {}
    }
}

fn compare(english: &Messages, spanish: &Messages) -> Result<(), Box<dyn Error>> {
    let keys: BTreeSet<&String> = english.keys().chain(spanish.keys()).collect();
    let differ: Vec<&str> =
        keys.into_iter().filter(|key| english.get(*key) != spanish.get(*key)).map(String::as_str).collect();
    if differ.is_empty() {
        return Ok(());
    }
    Err(format!("English and Spanish differ in these messages or their arguments: {}", differ.join(", "))
        .into())
}
