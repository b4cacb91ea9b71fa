//! Checks the order of the layers, and that no files depend on each other in a cycle. docs/architecture.md has the map;
//! these tests read the paths in the code.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Folders and files directly below `src`, lowest first. Code may use only earlier ones.
const LAYERS: [&str; 20] = [
    "untrusted",
    "figures",
    "checksum",
    "built_in",
    "control",
    "models",
    "machine",
    "text",
    "platform",
    "ollama",
    "hardware",
    "estimate",
    "plan",
    "install",
    "monitor",
    "doctor",
    "sentences",
    "wizard",
    "cli",
    "bin",
];
/// Layers that make or display sentences. All others return types.
const LAYERS_WITH_WORDS: [&str; 4] = ["text", "sentences", "wizard", "cli"];
/// Items of the crate itself: constants, and the macro that belongs to `text`.
const CRATE_ITEMS: [&str; 6] = ["GIB", "MIB", "MIN_CONTEXT_TOKENS", "SCHEMA", "say", "testing"];

/// A module: its path from the crate's root, its file, and its text without tests and comments.
struct Module {
    path: Vec<String>,
    file: PathBuf,
    lines: Vec<(usize, String)>,
}

/// A path in a line, from the crate's root.
struct Named {
    line: usize,
    path: Vec<String>,
}

struct Crate {
    modules: BTreeMap<Vec<String>, Module>,
    /// By module: re-exported names and their paths.
    reexports: BTreeMap<Vec<String>, BTreeMap<String, Vec<String>>>,
}

#[test]
fn no_layer_uses_a_higher_one() {
    let code = Crate::read();
    let mut mistakes = Vec::new();
    for module in code.modules.values() {
        let Some(layer) = module.path.first() else { continue };
        let rank = rank(layer).unwrap_or_else(|| panic!("src/{layer} has no place in LAYERS"));
        for named in code.named_by(module) {
            let first = named.path[0].as_str();
            let place = format!("{}:{}: crate::{}", module.file.display(), named.line, named.path.join("::"));
            if ["say", "text"].contains(&first) && !LAYERS_WITH_WORDS.contains(&layer.as_str()) {
                mistakes.push(format!("{place}: sentences are made in src/sentences, from types"));
            } else if rank_of(first).is_some_and(|other| other > rank) {
                mistakes.push(format!("{place}: {first} stands above {layer}"));
            }
        }
    }
    assert!(mistakes.is_empty(), "{} arrows point upwards:\n{}", mistakes.len(), mistakes.join("\n"));
}

#[test]
fn no_files_form_a_cycle() {
    let code = Crate::read();
    let mut edges: BTreeMap<&[String], BTreeSet<&[String]>> = BTreeMap::new();
    for module in code.modules.values() {
        let targets = code.named_by(module).into_iter().filter_map(|named| code.definer(&named.path, 0));
        edges.insert(&module.path, targets.filter(|target| *target != module.path.as_slice()).collect());
    }
    let cycles: BTreeSet<String> = edges
        .keys()
        .filter_map(|start| shortest_cycle(start, &edges))
        .map(|cycle| {
            let files = cycle.iter().map(|path| code.modules[*path].file.display().to_string());
            files.collect::<Vec<_>>().join(" -> ")
        })
        .collect();
    let all = cycles.iter().cloned().collect::<Vec<_>>().join("\n");
    assert!(cycles.is_empty(), "{} files need each other:\n{all}", cycles.len());
}

/// A type's name is enough to find it.
#[test]
fn each_type_name_is_used_once() {
    let code = Crate::read();
    let mut places: BTreeMap<&str, BTreeSet<&Path>> = BTreeMap::new();
    for module in code.modules.values() {
        for (_, line) in &module.lines {
            if let Some(name) = declared_type(line) {
                places.entry(name).or_default().insert(&module.file);
            }
        }
    }
    assert!(places.len() > 300, "{} types", places.len());
    let repeated: Vec<_> = places.iter().filter(|(_, files)| files.len() > 1).collect();
    assert!(repeated.is_empty(), "types of one name: {repeated:#?}");
}

/// Every path in docs/architecture.md exists.
#[test]
fn the_maps_paths_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let map = std::fs::read_to_string(root.join("docs/architecture.md")).unwrap();
    let named: Vec<&str> = map
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|code| {
            ["src/", "tests/", "assets/", "install/", "wizard/", "plan/"]
                .iter()
                .any(|start| code.starts_with(start))
        })
        .filter(|code| !code.contains("LANGUAGE"))
        .collect();
    assert!(named.len() > 40, "{named:?}");
    for place in named {
        let there = root.join(place).exists() || root.join("src").join(place).exists();
        assert!(there, "docs/architecture.md names {place}, which does not exist");
    }
    for layer in LAYERS {
        assert!(map.contains(&format!("`{layer}")), "docs/architecture.md does not name {layer}");
    }
}

/// The other tests are useless if no code is read.
#[test]
fn the_code_is_read() {
    let code = Crate::read();
    assert!(code.modules.len() > 150, "{} modules", code.modules.len());
    let named: usize = code.modules.values().map(|module| code.named_by(module).len()).sum();
    assert!(named > 1000, "{named} paths");
    for layer in LAYERS.iter().filter(|layer| **layer != "bin") {
        assert!(code.modules.contains_key(&vec![(*layer).to_owned()]), "no module {layer}");
    }
}

/// The type that a line of a file declares at its top level.
fn declared_type(line: &str) -> Option<&str> {
    let visible = line.strip_prefix("pub").map_or(line, |rest| match rest.split_once(") ") {
        Some((scope, rest)) if scope.starts_with('(') => rest,
        _ => rest.trim_start(),
    });
    let name = ["struct ", "enum ", "trait ", "type "].iter().find_map(|kind| visible.strip_prefix(kind))?;
    name.split(|c: char| !c.is_alphanumeric()).next()
}

fn rank(layer: &str) -> Option<usize> {
    LAYERS.iter().position(|known| *known == layer)
}

/// [`rank`] of the first name of a path; `None` for items of the crate itself.
fn rank_of(first: &str) -> Option<usize> {
    if CRATE_ITEMS.contains(&first) {
        return None;
    }
    Some(rank(first).unwrap_or_else(|| panic!("crate::{first} is neither a layer nor an item of the crate")))
}

/// The shortest cycle through a file.
fn shortest_cycle<'a>(
    start: &&'a [String],
    edges: &BTreeMap<&'a [String], BTreeSet<&'a [String]>>,
) -> Option<Vec<&'a [String]>> {
    let mut paths = std::collections::VecDeque::from([vec![*start]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = paths.pop_front() {
        for next in edges.get(way.last()?).into_iter().flatten() {
            if next == start {
                return Some([way, vec![*next]].concat());
            }
            if seen.insert(*next) {
                paths.push_back([way.clone(), vec![*next]].concat());
            }
        }
    }
    None
}

impl Crate {
    fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files = Vec::new();
        collect(&root, &mut files);
        let mut code = Self { modules: BTreeMap::new(), reexports: BTreeMap::new() };
        for file in files {
            let inside = file.strip_prefix(&root).unwrap().with_extension("");
            let mut path: Vec<String> = inside.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
            path.retain(|part| part != "mod" && part != "lib");
            if path.iter().any(|part| part == "tests" || part == "testing") {
                continue;
            }
            let text = std::fs::read_to_string(&file).unwrap();
            let file = Path::new("src").join(file.strip_prefix(&root).unwrap());
            let module = Module { path: path.clone(), file, lines: product_lines(&text) };
            code.modules.insert(path, module);
        }
        let reexports: Vec<_> =
            code.modules.values().map(|module| (module.path.clone(), code.reexported(module))).collect();
        code.reexports = reexports.into_iter().collect();
        code
    }

    /// All paths in a module to other modules of the crate.
    fn named_by(&self, module: &Module) -> Vec<Named> {
        let mut named = Vec::new();
        for (line, statement) in statements(&module.lines) {
            let uses = statement.trim_start().strip_prefix("use ");
            if let Some(tree) = uses {
                let leaves = expand(tree.trim().trim_end_matches(';'));
                named.extend(
                    leaves
                        .iter()
                        .filter_map(|leaf| self.absolute(module, leaf))
                        .map(|path| Named { line, path }),
                );
                continue;
            }
            if statement.trim_start().starts_with("pub use ")
                || statement.contains("mod ") && statement.ends_with(';')
            {
                continue;
            }
            for root in ["crate::", "super::", "self::"] {
                for (at, _) in statement.match_indices(root) {
                    let before = statement[..at].chars().next_back();
                    if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':' || c == '$') {
                        continue;
                    }
                    let end = statement[at..]
                        .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
                        .map_or(statement.len(), |length| at + length);
                    let path = statement[at..end].trim_end_matches(':');
                    named.extend(self.absolute(module, path).map(|path| Named { line, path }));
                }
            }
        }
        named
    }

    /// Resolves a path in a module from the crate's root; `None` for other crates.
    fn absolute(&self, module: &Module, written: &str) -> Option<Vec<String>> {
        let written = written.split(" as ").next()?.trim();
        let mut parts: Vec<&str> = written.split("::").map(str::trim).collect();
        let mut path = match parts[0] {
            "crate" => Vec::new(),
            "self" | "super" => module.path.clone(),
            // A child or sibling named without a root.
            first if self.modules.contains_key(&[module.path.clone(), vec![first.to_owned()]].concat()) => {
                parts.insert(0, "self");
                module.path.clone()
            }
            _ => return None,
        };
        parts.remove(0);
        if written.starts_with("super") {
            path.pop();
            while parts.first() == Some(&"super") {
                parts.remove(0);
                path.pop();
            }
        }
        path.extend(
            parts.iter().filter(|part| !["self", "*", ""].contains(*part)).map(|part| (*part).to_owned()),
        );
        (!path.is_empty()).then_some(path)
    }

    fn reexported(&self, module: &Module) -> BTreeMap<String, Vec<String>> {
        let mut names = BTreeMap::new();
        for (_, statement) in statements(&module.lines) {
            let statement = statement.trim_start();
            let Some(tree) = statement.strip_prefix("pub").and_then(|rest| rest.split_once("use ")) else {
                continue;
            };
            if !tree.0.trim().is_empty() && !tree.0.trim_start().starts_with('(') {
                continue;
            }
            for leaf in expand(tree.1.trim().trim_end_matches(';')) {
                let name = leaf.rsplit([':', ' ']).next().unwrap_or_default().to_owned();
                if let Some(path) = self.absolute(module, &leaf) {
                    names.insert(name, path);
                }
            }
        }
        names
    }

    /// The module that defines a path's item.
    fn definer(&self, path: &[String], depth: usize) -> Option<&[String]> {
        let mut module: Vec<String> = Vec::new();
        for (i, part) in path.iter().enumerate() {
            let inner = [module.clone(), vec![part.clone()]].concat();
            if self.modules.contains_key(&inner) {
                module = inner;
                continue;
            }
            let behind = self.reexports.get(&module).and_then(|names| names.get(part));
            if let Some(target) = behind.filter(|_| depth < 8) {
                return self.definer(&[target.clone(), path[i + 1..].to_vec()].concat(), depth + 1);
            }
            break;
        }
        // Items of lib.rs belong to no layer.
        if module.is_empty() { None } else { self.modules.get(&module).map(|module| module.path.as_slice()) }
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The lines of a file up to its tests, without comments.
fn product_lines(text: &str) -> Vec<(usize, String)> {
    let lines: Vec<&str> = text.lines().collect();
    let tests = lines.windows(2).position(|pair| {
        pair[0].starts_with("#[cfg(") && pair[0].contains("test") && !pair[1].ends_with(';')
    });
    let product = &lines[..tests.unwrap_or(lines.len())];
    let numbered = product
        .iter()
        .enumerate()
        .map(|(i, line)| (i + 1, line.split("//").next().unwrap_or_default().to_owned()));
    numbered.collect()
}

/// Joins the lines of `use` statements.
fn statements(lines: &[(usize, String)]) -> Vec<(usize, String)> {
    let mut statements: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (number, line) in lines {
        if open {
            let (_, statement) = statements.last_mut().unwrap();
            statement.push(' ');
            statement.push_str(line.trim());
        } else {
            statements.push((*number, line.clone()));
        }
        let begins = line.trim_start();
        let is_use = begins.starts_with("use ")
            || begins.starts_with("pub use ")
            || begins.starts_with("pub(") && begins.contains(" use ");
        open = (open || is_use) && !line.trim_end().ends_with(';');
    }
    statements
}

/// `a::{b, c::{d, self}}` → `a::b`, `a::c::d`, `a::c`.
fn expand(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else { return vec![tree.to_owned()] };
    let prefix = &tree[..open];
    let inside = tree[open + 1..].trim_end().trim_end_matches('}');
    let inside = if tree.matches('{').count() > 1 {
        &tree[open + 1..tree.rfind('}').unwrap_or(tree.len())]
    } else {
        inside
    };
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, c) in inside.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inside[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&inside[start..]);
    let parts = parts.iter().filter(|part| !part.trim().is_empty());
    parts.flat_map(|part| expand(part)).map(|leaf| format!("{prefix}{leaf}")).collect()
}
