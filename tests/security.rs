//! Security properties visible from outside: which files are private, the server's environment and address, which
//! programs are started; and that the tests named in `docs/security.md` exist.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod common;

use std::path::{Path, PathBuf};

use common::world::listing;

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn rust_files(folder: &str) -> Vec<(PathBuf, String)> {
    listing(&project(folder))
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| (path.clone(), std::fs::read_to_string(&path).unwrap()))
        .collect()
}

#[cfg(target_os = "linux")]
mod running {
    use super::*;
    use common::process::below;
    use common::world::{Said, World};
    use serde_json::json;
    use std::collections::{BTreeMap, BTreeSet};
    use std::os::unix::fs::PermissionsExt as _;

    fn server_of(world: &World) -> u32 {
        let is_server = |process: &u32| {
            std::fs::read(format!("/proc/{process}/cmdline")).is_ok_and(|line| line.ends_with(b"serve\0"))
        };
        below(&world.home()).into_iter().find(is_server).expect("a server of ours runs")
    }

    /// Installed by a user with a permissive umask and an environment full of other settings.
    fn installed() -> World {
        let world = World::new(&json!({}));
        let mut command =
            world.install_command(&["--profile", "light_6gb", "--accept-degraded", "--no-autostart"]);
        for (name, value) in [
            ("OLLAMA_HOST", "0.0.0.0:11434"),
            ("OLLAMA_ORIGINS", "*"),
            ("OLLAMA_MODELS", "/nowhere"),
            ("OLLAMA_DEBUG", "1"),
            ("LD_LIBRARY_PATH", "/nowhere"),
            ("LLAMA_ARG_N_GPU_LAYERS", "1"),
            ("SECRET_TOKEN", "s3cret"),
        ] {
            command.env(name, value);
        }
        Said::of(command).receipt();
        world
    }

    #[test]
    fn the_server_gets_our_settings_and_nothing_else_and_listens_on_loopback_only() {
        let world = installed();
        let server = server_of(&world);
        let environment = std::fs::read(format!("/proc/{server}/environ")).unwrap();
        let environment: BTreeMap<String, String> = String::from_utf8(environment)
            .unwrap()
            .split('\0')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let allowed: BTreeSet<&str> = [
            "HOME",
            "PATH",
            "NO_PROXY",
            "no_proxy",
            "TMPDIR",
            "SSL_CERT_FILE",
            "SSL_CERT_DIR",
            "OLLAMA_FLASH_ATTENTION",
            "OLLAMA_HOST",
            "OLLAMA_KV_CACHE_TYPE",
            "OLLAMA_MODELS",
            "OLLAMA_NOPRUNE",
            "OLLAMA_NO_CLOUD",
            "OLLAMA_NUM_PARALLEL",
            "HTTPS_PROXY",
            "https_proxy",
        ]
        .into();
        let strange: Vec<_> =
            environment.iter().filter(|(name, _)| !allowed.contains(name.as_str())).collect();
        assert!(strange.is_empty(), "{strange:?}");
        assert_eq!(environment["OLLAMA_HOST"], format!("127.0.0.1:{}", world.port));
        assert_eq!(environment["OLLAMA_MODELS"], world.home().join("models").to_str().unwrap());

        let listening = listening_addresses(&below(&world.home()));
        assert!(listening.contains(&format!("0100007F:{:04X}", world.port)), "{listening:?}");
        assert!(listening.iter().all(|address| address.starts_with("0100007F:")), "{listening:?}");
    }

    /// `ADDRESS:PORT` in hexadecimal of every TCP socket on which these processes listen, as the kernel lists them.
    fn listening_addresses(processes: &[u32]) -> BTreeSet<String> {
        let sockets: BTreeSet<String> = processes
            .iter()
            .flat_map(|process| {
                std::fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten()
            })
            .filter_map(|entry| std::fs::read_link(entry.path()).ok()?.to_str().map(str::to_owned))
            .filter_map(|link| Some(link.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
            .collect();
        const LISTEN: &str = "0A";
        ["/proc/net/tcp", "/proc/net/tcp6"]
            .into_iter()
            .flat_map(|table| {
                std::fs::read_to_string(table)
                    .unwrap_or_default()
                    .lines()
                    .skip(1)
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
            .filter_map(|line| {
                let fields: Vec<&str> = line.split_whitespace().collect();
                let ours = fields.get(3) == Some(&LISTEN) && sockets.contains(*fields.get(9)?);
                ours.then(|| fields[1].to_owned())
            })
            .collect()
    }

    /// A named pipe would block the reader for ever; `/dev/zero` would fill the memory.
    #[test]
    fn pipes_and_devices_are_refused_at_once() {
        let world = World::new(&json!({}));
        let pipe = world.path("pipe.gguf");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        let zero = world.path("zero.gguf");
        std::os::unix::fs::symlink("/dev/zero", &zero).unwrap();
        let hardware = world.path("hardware.json");
        let hardware = hardware.to_str().unwrap();
        for file in [&pipe, &zero] {
            let file = file.to_str().unwrap();
            for arguments in [
                &["check-requirements", "--hardware", file][..],
                &["check-requirements", "--profiles", file],
                &["estimate", "--model", file],
                &["install", "--yes", "--accept-degraded", "--hardware", hardware, "--release", file],
                &["estimate", "--model", "127.0.0.1:1/a/b:c", "--ca", file],
            ] {
                let said = world.run(arguments);
                let errors = String::from_utf8_lossy(&said.stderr);
                assert!(matches!(said.status.code(), Some(1 | 2)), "{arguments:?}: {said:?}");
                assert!(
                    errors.contains("not a regular file") && errors.contains(file),
                    "{arguments:?}: {errors}"
                );
            }
        }
        // A document of an installation: it would be read at every start.
        let document = world.home().join("llm/profile.yaml");
        std::fs::create_dir_all(document.parent().unwrap()).unwrap();
        std::fs::rename(&pipe, &document).unwrap();
        let said = world.run(&["status"]);
        assert!(String::from_utf8_lossy(&said.stderr).contains("not a regular file"), "{said:?}");
    }

    #[test]
    fn our_files_are_private() {
        let world = installed();
        let mode = |path: &Path| std::fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777;
        for folder in [world.home(), world.home().join("llm"), world.home().join("logs")] {
            assert_eq!(mode(&folder), 0o700, "{}", folder.display());
        }
        let ours = ["llm", "logs"].into_iter().flat_map(|folder| listing(&world.home().join(folder)));
        let open: Vec<PathBuf> = ours.filter(|path| path.is_file() && mode(path) != 0o600).collect();
        assert_eq!(open, Vec::<PathBuf>::new());
        // The engine and its files are in a folder that other users cannot enter.
        let others: Vec<PathBuf> = listing(&world.home())
            .into_iter()
            .filter(|path| !path.is_symlink() && mode(path) & 0o022 != 0)
            .collect();
        assert_eq!(others, Vec::<PathBuf>::new(), "nothing can be written by others");
        let secrets = listing(&world.home()).into_iter().filter(|path| path.is_file());
        let told: Vec<PathBuf> = secrets
            .filter(|path| !path.starts_with(world.home().join("models")))
            .filter(|path| std::fs::read(path).unwrap().windows(6).any(|window| window == b"s3cret"))
            .collect();
        assert_eq!(told, Vec::<PathBuf>::new(), "what else is in the environment is written nowhere");
    }
}

/// Every program that is started, by its place in the code. A new one must be added here deliberately.
#[test]
fn no_shell_and_no_elevated_rights() {
    let allowed = [
        // What the system is asked with, and an engine that is here.
        ("src/hardware/engines.rs", "program::command(trusted(path)?)"),
        ("src/hardware/probe.rs", "program::command(path)"),
        ("src/hardware/system/macos.rs", "program::command(\"/usr/bin/pmset\")"),
        ("src/platform/listening.rs", "program::command(\"/usr/sbin/lsof\")"),
        ("src/platform/listening.rs", "program::command(root.join(r\"System32\\netstat.exe\"))"),
        ("src/platform/login.rs", "program::command(tool)"),
        // launchd's entry names the engine's program behind ours, which becomes it.
        ("src/install/manage/at_login.rs", "program::command(&next)"),
        ("src/ollama/server.rs", "program::command(&launch.program)"),
        // The window is shown by a child that is this program itself.
        ("src/wizard/start/child.rs", "program::command(current_exe()?)"),
        ("src/wizard/backend/system_dialogs.rs", "program::command(if cfg!(windows)"),
    ];
    for (path, source) in rust_files("src") {
        let name = path.strip_prefix(project("")).unwrap().to_str().unwrap().replace('\\', "/");
        if name.ends_with("/tests.rs") || name == "src/testing.rs" {
            continue;
        }
        let source = source.split("mod tests").next().unwrap();
        // Only `platform::program` makes commands (clippy.toml); everything else calls it.
        let makes_commands = name == "src/platform/program.rs";
        assert!(makes_commands || !source.contains("Command::new("), "{name} makes a command of its own");
        let starts = source.match_indices("program::command(").map(|(at, _)| &source[at..]);
        for start in starts {
            let known = allowed.iter().any(|(file, known)| *file == name && start.starts_with(known));
            assert!(known, "{name} starts a program: {}", start.lines().next().unwrap());
        }
        for word in
            ["\"sudo\"", "\"pkexec\"", "\"doas\"", "runas", "\"cmd.exe\"", "\"/bin/sh\"", "\"powershell"]
        {
            assert!(!source.contains(word), "{name} says {word}");
        }
    }
}

/// Each line of the list of threats names its tests, and each of these exists.
#[test]
fn every_threat_has_a_test_that_exists() {
    let list = std::fs::read_to_string(project("docs/security.md")).unwrap();
    let sources: Vec<(PathBuf, String)> = ["src", "tests"].into_iter().flat_map(rust_files).collect();
    let mut threats = 0;
    for row in list
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| threat") && !line.contains("---"))
    {
        threats += 1;
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        assert_eq!(cells.len(), 3, "{row}");
        let named: Vec<&str> = cells[2].split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "no test is named: {row}");
        for name in named {
            let (file, test) = name.split_once("::").unwrap_or_else(|| panic!("`{name}` is not FILE::TEST"));
            let is_there = sources.iter().any(|(path, source)| {
                let ends =
                    path.strip_prefix(project("")).unwrap().to_str().unwrap().replace('\\', "/") == file;
                let test = format!("fn {test}(");
                ends && source.find(&test).is_some_and(|at| {
                    // Marked as a test, directly or inside of `proptest!`.
                    let before = &source[..at];
                    before.rfind("#[test]").is_some_and(|mark| !source[mark..at].contains("\nfn "))
                })
            });
            assert!(is_there, "there is no such test: `{name}` in {row}");
        }
    }
    assert!(threats >= 20, "{threats}");
}
