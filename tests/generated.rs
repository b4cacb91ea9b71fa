//! Completions and manual pages, read by the shells and tools they are for.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![cfg(unix)]

#[path = "common/process.rs"]
mod process;

use std::path::Path;
use std::process::{Command, Output};

use process::output;
use serde_json::Value;

fn acolyte(arguments: &[&str]) -> Output {
    let said = output(Command::new(env!("CARGO_BIN_EXE_acolyte")).args(arguments));
    assert!(said.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&said.stderr));
    said
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Whether a tool is here; otherwise says that its part of the test is skipped.
fn has(tool: &str) -> bool {
    let found = std::env::split_paths(&std::env::var_os("PATH").unwrap()).any(|dir| dir.join(tool).is_file());
    if !found {
        eprintln!("skipped: {tool} is not installed (bash .ci/tools installs it)");
    }
    found
}

fn run(program: &str, arguments: &[&Path]) -> String {
    let said = output(Command::new(program).args(arguments));
    assert!(said.status.success(), "{program}: {}", text(&said.stderr));
    text(&said.stdout)
}

#[test]
fn bash_completes_commands_options_and_values() {
    if !has("bash") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("acolyte");
    std::fs::write(&script, acolyte(&["completions", "bash"]).stdout).unwrap();
    let complete = |words: &[&str]| {
        let line = r#"source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _acolyte acolyte "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"; printf '%s\n' "${COMPREPLY[@]}""#;
        let mut bash = Command::new("bash");
        bash.args(["--norc", "-c", line, "bash"]).arg(&script).args(words);
        let said = output(bash);
        assert!(said.status.success() && said.stderr.is_empty(), "{}", text(&said.stderr));
        text(&said.stdout).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(complete(&["acolyte", "uni"]), ["uninstall"]);
    assert_eq!(complete(&["acolyte", "install", "--accept-d"]), ["--accept-degraded"]);
    assert_eq!(complete(&["acolyte", "completions", "po"]), ["powershell"]);
}

#[test]
fn zsh_and_fish_accept_their_completions() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, option) in [("zsh", "-n"), ("fish", "--no-execute")] {
        let script = folder.path().join(shell);
        for language in ["en", "es"] {
            std::fs::write(&script, acolyte(&["--lang", language, "completions", shell]).stdout).unwrap();
            if has(shell) {
                run(shell, &[Path::new(option), &script]);
            }
        }
        assert!(
            std::fs::read_to_string(&script).unwrap().contains("Elimina todo lo que se instaló"),
            "{shell}"
        );
    }
    if has("fish") {
        let line = format!(
            "source '{}'; complete --do-complete 'acolyte uninst'",
            folder.path().join("fish").display()
        );
        let said = run("fish", &[Path::new("--no-config"), Path::new("--command"), Path::new(&line)]);
        assert!(said.starts_with("uninstall\t"), "{said}");
    }
}

#[test]
fn each_script_has_the_name_its_shell_looks_for() {
    for (shell, name) in
        [("bash", "acolyte"), ("zsh", "_acolyte"), ("fish", "acolyte.fish"), ("powershell", "_acolyte.ps1")]
    {
        let json: Value = serde_json::from_slice(&acolyte(&["completions", shell, "--json"]).stdout).unwrap();
        assert_eq!(json["file_name"], name);
        assert_eq!(json["script"], text(&acolyte(&["completions", shell]).stdout));
    }
    let unknown = output(Command::new(env!("CARGO_BIN_EXE_acolyte")).args(["completions", "csh"]));
    assert_eq!(unknown.status.code(), Some(2));
}

#[test]
fn every_command_has_a_manual_page_that_man_reads_without_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man/man1");
    let said = acolyte(&["man", "--json", "--dir", pages.to_str().unwrap()]);
    let json: Value = serde_json::from_slice(&said.stdout).unwrap();
    let written = json["pages"].as_array().unwrap();
    let help = text(&acolyte(&["--lang", "en", "--help"]).stdout);
    let commands: Vec<&str> = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| {
            line.strip_prefix("  ").filter(|rest| !rest.starts_with(' '))?.split_whitespace().next()
        })
        .filter(|name| *name != "help")
        .collect();
    assert!(commands.contains(&"install") && commands.contains(&"man"), "{commands:?}");
    for name in commands
        .iter()
        .map(|command| format!("acolyte-{command}.1"))
        .chain(["acolyte.1", "acolyte-installer.1"].map(str::to_owned))
    {
        let page = written.iter().find(|page| page["file_name"] == name.as_str());
        let path = page.unwrap_or_else(|| panic!("no {name}"))["path"].as_str().unwrap();
        let roff = std::fs::read_to_string(path).unwrap();
        assert!(roff.contains(".SH NAME") && roff.contains(".SH SYNOPSIS"), "{name}");
        if has("man") {
            let mut man = Command::new("man");
            man.args(["--warnings", "-E", "UTF-8", "-l", path])
                .env("MANWIDTH", "80")
                .env("LC_ALL", "C.UTF-8");
            let shown = output(man);
            assert!(shown.status.success() && shown.stderr.is_empty(), "{name}: {}", text(&shown.stderr));
            assert!(text(&shown.stdout).contains("NAME"), "{name}");
        }
        if has("mandoc") {
            run(
                "mandoc",
                &[Path::new("-T"), Path::new("lint"), Path::new("-W"), Path::new("error"), Path::new(path)],
            );
        }
    }
    assert!(text(&acolyte(&["man"]).stdout).contains(".TH acolyte 1"), "one page is printed");
}
