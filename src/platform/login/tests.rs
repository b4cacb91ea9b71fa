#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt as _;

use proptest::prelude::*;
use tempfile::TempDir;

use super::autostart::{XdgAutostart, desktop_file};
use super::launch_agent::{LABEL, LaunchAgent, plist};
use super::systemd::{Systemd, unit};
use super::*;
use crate::text::{Language, Text};

fn entry() -> LoginEntry {
    LoginEntry {
        description: "ACOLYTE: 100% local".into(),
        program: "/home/ñ o/.acolyte/ollama/0.32.15/bin/ollama".into(),
        args: vec!["serve".into(), "a\"b\\c $HOME `x`".into()],
        pre_start: vec!["/home/ñ o/.acolyte/bin/us".into(), "keep-log".into(), "/home/100%".into()],
        environment: BTreeMap::from([
            ("OLLAMA_HOST".into(), "127.0.0.1:42434".into()),
            ("OLLAMA_MODELS".into(), "/mnt/50% full/$models".into()),
        ]),
        unset: vec!["OLLAMA_ORIGINS".into()],
        log: Some("/home/ñ o/.acolyte/logs/100%.log".into()),
    }
}

#[test]
fn units_are_written_in_systemds_syntax() {
    assert_eq!(
        unit(&entry()).unwrap(),
        r#"[Unit]
Description=ACOLYTE: 100%% local

[Service]
Type=simple
ExecStartPre=-"/home/ñ o/.acolyte/bin/us" "keep-log" "/home/100%%"
ExecStart="/usr/bin/env" "-i" "OLLAMA_HOST=127.0.0.1:42434" "OLLAMA_MODELS=/mnt/50%% full/$$models" "/home/ñ o/.acolyte/ollama/0.32.15/bin/ollama" "serve" "a\"b\\c $$HOME `x`"
WorkingDirectory=/home/ñ o/.acolyte/ollama/0.32.15/bin
UnsetEnvironment="OLLAMA_ORIGINS"
StandardOutput=append:/home/ñ o/.acolyte/logs/100%%.log
StandardError=append:/home/ñ o/.acolyte/logs/100%%.log
UMask=0077
Restart=on-failure
RestartSec=5
NoNewPrivileges=yes

[Install]
WantedBy=default.target
"#
    );
}

/// Runs the unit's command line with variables that a user manager may have. The program gets our settings only.
#[cfg(target_os = "linux")]
#[test]
fn a_units_program_inherits_nothing_from_the_user_manager() {
    let folder = tempfile::tempdir().unwrap();
    for folder in [folder.path().to_owned(), folder.path().join("a=b $x")] {
        std::fs::create_dir_all(&folder).unwrap();
        let program = folder.join("ollama");
        // Prints its environment.
        std::os::unix::fs::symlink("/usr/bin/env", &program).unwrap();
        let plain = LoginEntry { program, args: Vec::new(), ..entry() };
        let unit = unit(&plain).unwrap();
        let line = |key: &str| unit.lines().find_map(|line| line.strip_prefix(key)).unwrap().to_owned();
        let words = words_of(&line("ExecStart="));
        let mut command = program::command(&words[0]);
        command.args(&words[1..]).current_dir(line("WorkingDirectory="));
        for name in
            ["LD_LIBRARY_PATH", "LD_AUDIT", "LLAMA_ARG_N_GPU_LAYERS", "GGML_VK_DISABLE", "OLLAMA_DEBUG"]
        {
            command.env(name, "/nowhere");
        }
        let said = command.output().unwrap();
        let said = String::from_utf8(said.stdout).unwrap();
        let got: std::collections::BTreeSet<&str> = said.lines().collect();
        let set = ["OLLAMA_HOST=127.0.0.1:42434", "OLLAMA_MODELS=/mnt/50% full/$models"];
        assert_eq!(got, set.into(), "{unit}");
    }
}

/// Splits a command line as systemd does (`systemd.service(5)`): double quotes, escapes, `$$` and `%%`.
#[cfg(target_os = "linux")]
fn words_of(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut letters = line.chars().peekable();
    while let Some(c) = letters.next() {
        if c != '"' {
            continue;
        }
        let mut word = String::new();
        while let Some(c) = letters.next() {
            match c {
                '"' => break,
                '\\' => word.extend(letters.next()),
                '$' | '%' => {
                    assert_eq!(letters.next(), Some(c), "an unescaped {c} in {line}");
                    word.push(c);
                }
                _ => word.push(c),
            }
        }
        words.push(word);
    }
    words
}

#[test]
fn desktop_files_are_written_in_the_specifications_syntax() {
    let written = desktop_file(&entry()).unwrap();
    let exec = written.lines().find_map(|line| line.strip_prefix("Exec=")).unwrap();
    assert_eq!(
        exec,
        concat!(
            r#"/usr/bin/env -u OLLAMA_ORIGINS OLLAMA_HOST=127.0.0.1:42434 "#,
            r#""OLLAMA_MODELS=/mnt/50%% full/\\$models" "#,
            r#""/home/ñ o/.acolyte/ollama/0.32.15/bin/ollama" serve "a\\"b\\\\c \\$HOME \\`x\\`""#
        )
    );
    let bare = LoginEntry { environment: BTreeMap::new(), unset: Vec::new(), ..entry() };
    assert!(!desktop_file(&bare).unwrap().contains("/usr/bin/env"));
}

#[test]
fn agents_are_well_formed() {
    let odd = LoginEntry { args: vec!["<a & b>".into()], ..entry() };
    let written = plist(LABEL, &odd).unwrap();
    let words: Vec<&str> = written.lines().filter_map(|line| line.strip_prefix("\t\t<string>")).collect();
    let first = [
        "/home/ñ o/.acolyte/bin/us",
        "keep-log",
        "/home/100%",
        "/home/ñ o/.acolyte/ollama/0.32.15/bin/ollama",
    ];
    assert_eq!(words[..4], first.map(|word| format!("{word}</string>")), "our program execs the server");
    assert!(written.contains("<string>&lt;a &amp; b&gt;</string>"));
    assert!(written.contains("<key>OLLAMA_MODELS</key>\n\t\t<string>/mnt/50% full/$models</string>"));
    assert!(
        written.contains("<key>StandardErrorPath</key>\n\t<string>/home/ñ o/.acolyte/logs/100%.log</string>")
    );
    for tag in ["dict", "array", "plist"] {
        let count = |mark: &str| written.matches(mark).count();
        assert_eq!(count(&format!("<{tag}")), count(&format!("</{tag}>")), "{tag}");
    }
}

#[test]
fn values_that_an_entry_cannot_represent_are_refused() {
    let broken = LoginEntry { args: vec!["a\nExecStart=/bin/evil".into()], ..entry() };
    for outcome in [unit(&broken), desktop_file(&broken), plist(LABEL, &broken)] {
        let error = outcome.unwrap_err();
        assert!(matches!(error, LoginError::Unrepresentable { .. }));
        for language in Language::ALL {
            assert!(!error.explain(Text::new(language)).contains("login-"));
        }
    }
}

/// A lossy conversion would start the server with a different folder.
#[test]
fn a_path_that_is_not_utf_8_is_refused() {
    use std::os::unix::ffi::OsStringExt as _;
    let broken = || std::ffi::OsString::from_vec(b"/mnt/mod\xe8les".to_vec());
    let models = BTreeMap::from([("OLLAMA_MODELS".to_owned(), broken())]);
    for entry in [
        LoginEntry { environment: models, ..entry() },
        LoginEntry { args: vec![broken()], ..entry() },
        LoginEntry { program: broken().into(), ..entry() },
        LoginEntry { log: Some(broken().into()), ..entry() },
    ] {
        for (format, outcome) in [("unit", unit(&entry)), ("plist", plist(LABEL, &entry))] {
            assert!(matches!(outcome, Err(LoginError::Unrepresentable { .. })), "{format}: {outcome:?}");
        }
    }
    let args = LoginEntry { args: vec![broken()], ..entry() };
    assert!(matches!(desktop_file(&args), Err(LoginError::Unrepresentable { .. })));
    assert!(matches!(windows_command::command_line(&args), Err(LoginError::Unrepresentable { .. })));
}

proptest! {
    /// No value can start a new line and so inject a setting.
    #[test]
    fn a_value_stays_on_its_line(value in "\\PC{0,40}|[\\n\\r\"%$\\\\ =\\[\\]]{0,12}") {
        let entry = LoginEntry {
            environment: BTreeMap::from([("X".into(), value.clone().into())]), args: vec![value.clone().into()], ..entry()
        };
        let plain = LoginEntry {
            environment: BTreeMap::from([("X".into(), "y".into())]), args: vec!["y".into()], ..entry.clone()
        };
        for write in [unit, desktop_file, |entry: &_| plist(LABEL, entry)] {
            if let Ok(written) = write(&entry) {
                prop_assert_eq!(written.lines().count(), write(&plain).unwrap().lines().count());
            }
        }
    }
}

/// A tool that records its calls and behaves as its script says.
struct Tool {
    folder: TempDir,
}

impl Tool {
    fn new(script: &str) -> Self {
        let tool = Self { folder: tempfile::tempdir().unwrap() };
        let log = tool.folder.path().join("calls");
        let body = format!("#!/bin/sh\necho \"$*\" >> '{}'\n{script}\n", log.display());
        // Written by a shell, because a file that this process or a child of another thread has open for writing cannot
        // be executed.
        let made = program::command("/bin/sh")
            .args(["-c", "printf %s \"$1\" > \"$0\"", &tool.path().display().to_string(), &body])
            .status()
            .unwrap();
        assert!(made.success());
        std::fs::set_permissions(tool.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        tool
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("tool")
    }

    fn calls(&self) -> Vec<String> {
        let calls = std::fs::read_to_string(self.folder.path().join("calls")).unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn a_unit_is_installed_enabled_and_removed_without_a_trace() {
    let config = tempfile::tempdir().unwrap();
    let tool = Tool::new("case $2 in show) echo Version=252;; is-active) exit 3;; esac");
    let method = AutostartMethod::Systemd(Systemd::with_systemctl(config.path(), &tool.path()));
    assert!(method.works());
    assert!(!method.is_installed());
    method.remove().unwrap();
    let installed = method.install(&entry()).unwrap();
    assert_eq!(installed.kind, AutostartKind::SystemdUser);
    assert!(Path::new(&installed.place).ends_with("systemd/user/acolyte-ollama.service"));
    assert!(method.is_installed());
    assert_eq!(method.is_running(), Some(false));
    method.start().unwrap();
    method.stop().unwrap();
    method.remove().unwrap();
    assert_eq!(files_below(config.path()), Vec::<PathBuf>::new());
    let calls: Vec<_> = tool.calls().into_iter().filter(|call| !call.contains("show")).collect();
    assert_eq!(
        calls,
        [
            "--user daemon-reload",
            "--user enable acolyte-ollama.service",
            "--user is-active --quiet acolyte-ollama.service",
            "--user start acolyte-ollama.service",
            "--user stop acolyte-ollama.service",
            "--user disable --now acolyte-ollama.service",
            "--user daemon-reload",
            "--user reset-failed acolyte-ollama.service",
        ]
    );
}

#[test]
fn a_unit_is_removed_even_when_the_user_manager_is_gone() {
    let config = tempfile::tempdir().unwrap();
    let there = Tool::new("case $2 in show) echo Version=252;; esac");
    Systemd::with_systemctl(config.path(), &there.path()).install(&entry()).unwrap();
    let wants = config.path().join("systemd/user/default.target.wants");
    std::fs::create_dir_all(&wants).unwrap();
    std::os::unix::fs::symlink("../acolyte-ollama.service", wants.join("acolyte-ollama.service")).unwrap();
    std::fs::write(config.path().join("systemd/user/other.service"), "").unwrap();
    let gone = Tool::new("echo 'Failed to connect to bus' >&2; exit 1");
    Systemd::with_systemctl(config.path(), &gone.path()).remove().unwrap();
    assert!(!wants.exists());
    assert_eq!(files_below(&config.path().join("systemd/user")).len(), 1, "foreign files are kept");
}

#[test]
fn a_refusal_leaves_nothing_behind_and_reports_the_cause() {
    let config = tempfile::tempdir().unwrap();
    let tool = Tool::new("case $2 in show) echo Version=252;; enable) echo 'Read-only' >&2; exit 1;; esac");
    let method = AutostartMethod::Systemd(Systemd::with_systemctl(config.path(), &tool.path()));
    let error = method.install(&entry()).unwrap_err();
    assert!(matches!(&error, LoginError::Refused { message, .. } if message == "Read-only"), "{error}");
    assert_eq!(files_below(config.path()), Vec::<PathBuf>::new());
}

#[test]
fn systemd_is_not_used_if_the_user_manager_does_not_respond() {
    let config = tempfile::tempdir().unwrap();
    for script in ["exit 1", "echo 'System has not been booted with systemd' >&2; exit 1", "exit 0"] {
        let tool = Tool::new(script);
        assert!(!Systemd::with_systemctl(config.path(), &tool.path()).works(), "{script}");
    }
    assert!(!Systemd::with_systemctl(config.path(), Path::new("/nowhere/systemctl")).works());
}

#[test]
fn an_autostart_entry_is_installed_and_removed() {
    let config = tempfile::tempdir().unwrap();
    let method = AutostartMethod::XdgAutostart(XdgAutostart::at(config.path()));
    let installed = method.install(&entry()).unwrap();
    assert!(Path::new(&installed.place).ends_with("autostart/acolyte-ollama.desktop"));
    assert!(method.is_installed() && method.is_running().is_none());
    method.remove().unwrap();
    method.remove().unwrap();
    assert_eq!(files_below(config.path()), Vec::<PathBuf>::new());
}

#[test]
fn an_agent_is_installed_and_removed() {
    let home = tempfile::tempdir().unwrap();
    let marker = home.path().join("loaded");
    let tool = Tool::new(&format!(
        "case $1 in print) test -e '{0}';; bootstrap) touch '{0}';; bootout) rm '{0}';; esac",
        marker.display()
    ));
    let method = AutostartMethod::LaunchAgent(LaunchAgent::with_launchctl(home.path(), &tool.path(), 501));
    let installed = method.install(&entry()).unwrap();
    assert_eq!(method.is_running(), Some(false), "installing starts nothing");
    method.start().unwrap();
    assert_eq!(method.is_running(), Some(true));
    method.remove().unwrap();
    assert!(!Path::new(&installed.place).exists() && !marker.exists());
    assert!(tool.calls().contains(&format!("bootstrap gui/501 {}", installed.place)));
    assert!(tool.calls().contains(&"bootout gui/501/com.acolyte.ollama".to_owned()));
}

/// As real ones answer (tests/fixtures/macos/README.md). Only the exit code counts: an agent that launchd is about to restart
/// is not running, but it has to be unloaded to stay stopped.
#[test]
fn an_agent_that_launchd_knows_is_loaded_whatever_its_state() {
    let running = include_str!("../../../tests/fixtures/macos/launchctl-print-running.txt");
    let waiting = running.replace("state = running", "state = spawn scheduled").replace("pid = 1486", "");
    let absent = "Could not find service \"com.acolyte.ollama\" in domain for login";
    for (answer, code, is_loaded) in [(running, 0, true), (&waiting, 0, true), (absent, 113, false)] {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("answer");
        std::fs::write(&file, answer).unwrap();
        let tool = Tool::new(&format!("case $1 in print) cat '{}'; exit {code};; esac", file.display()));
        let agent = LaunchAgent::with_launchctl(home.path(), &tool.path(), 501);
        assert_eq!(agent.is_loaded(), is_loaded, "{answer}");
        agent.install(&entry()).unwrap();
        agent.load().unwrap();
        agent.unload().unwrap();
        let last = tool.calls().pop().unwrap();
        let (started, stopped) = if is_loaded { ("kickstart", "bootout") } else { ("bootstrap", "print") };
        assert!(tool.calls().iter().any(|call| call.starts_with(started)), "{:?}", tool.calls());
        assert!(last.starts_with(stopped), "{last}");
    }
}
