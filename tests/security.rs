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
    use common::archive::fake_ollama;
    use common::gguf::Shape;
    use common::mirror::sha256_hex;
    use common::process::{Guarded, PATIENCE, below};
    use common::world::{Said, World};
    use serde_json::{Value, json};
    use std::collections::{BTreeMap, BTreeSet};
    use std::net::TcpListener;
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Instant;

    fn server_of(world: &World) -> u32 {
        let is_server = |process: &u32| {
            std::fs::read(format!("/proc/{process}/cmdline")).is_ok_and(|line| line.ends_with(b"serve\0"))
        };
        below(&world.home()).into_iter().find(is_server).expect("our server runs")
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

    const PLAIN: [&str; 4] = ["--profile", "light_6gb", "--accept-degraded", "--no-autostart"];

    /// Binds the port after our server was started and before it listens, and answers as if it were one.
    #[test]
    fn a_stranger_who_binds_the_port_first_is_not_taken_for_ours() {
        let world = World::new(&json!({"start_ms": 3000}));
        let install = world.begin_install(&PLAIN);
        let begun = Instant::now();
        while below(&world.home()).is_empty() {
            assert!(begun.elapsed() < PATIENCE, "no server was started");
            std::thread::yield_now();
        }
        answer_as_a_stranger(TcpListener::bind(("127.0.0.1", world.port)).expect("ours does not listen yet"));
        let (code, events) = install.end_with_events();
        assert_eq!(code, Some(1), "{events:#?}");
        let said = events.last().unwrap()["message"].as_str().unwrap();
        let us = format!("process {}", std::process::id());
        assert!(said.contains(&us) && said.contains(&world.port.to_string()), "{said}");
        assert!(!world.home().join("llm/receipt.json").exists());
    }

    /// Says yes to everything.
    fn answer_as_a_stranger(listener: TcpListener) {
        use std::io::{Read as _, Write as _};
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let body = r#"{"version":"6.6.6-stranger","models":[{"name":"acolyte:latest","size":4}]}"#;
                let length = body.len();
                // Whoever hangs up gets no answer.
                let _ = stream.read(&mut [0; 4096]);
                let _ = write!(
                    stream,
                    "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                );
            }
        });
    }

    /// Another user's server, with a model of our name, took the port while ours did not run.
    #[test]
    fn a_stranger_of_another_user_is_named_and_nothing_is_asked_of_it() {
        let world = World::new(&json!({}));
        world.install(&PLAIN).receipt();
        assert!(world.run(&["stop"]).status.success());
        let mut stranger = Stranger::start(world.port);

        let status = world.status();
        assert_eq!(status["server"]["answers"], false, "{status}");
        assert_eq!(status["server"]["version"], Value::Null, "{status}");
        let named = &status["server"]["stranger"];
        if stranger.is_another_user {
            let user = named["user"].as_str().unwrap();
            assert!(user == "nobody" || user == NOBODY.to_string(), "{user}");
        }
        assert_eq!(named["pid"], stranger.process.0.id(), "{status}");
        let words = String::from_utf8(world.run(&["status"]).stdout).unwrap();
        assert!(words.contains("taken by") && words.contains("It is not queried"), "{words}");

        let start = world.run(&["start"]);
        let errors = String::from_utf8_lossy(&start.stderr);
        assert_eq!(start.status.code(), Some(1), "{errors}");
        assert!(errors.contains(&format!("process {}", stranger.process.0.id())), "{errors}");

        // An installation goes to the next port.
        let again = world.install(&[&PLAIN[..], &["--any-port"]].concat());
        assert_ne!(again.receipt()["port"], world.port, "{again:#?}");
        assert_eq!(world.status()["server"]["answers"], true);
        assert_eq!(stranger.process.0.try_wait().unwrap(), None, "the other process keeps running");
    }

    const NOBODY: u32 = 65_534;

    /// A server of the stand-in that belongs to another user, where we may become one.
    struct Stranger {
        process: Guarded,
        is_another_user: bool,
        _folder: tempfile::TempDir,
    }

    impl Stranger {
        fn start(port: u16) -> Self {
            use std::io::{BufRead as _, BufReader};
            use std::os::unix::fs::chown;
            use std::os::unix::process::CommandExt as _;
            let folder = tempfile::tempdir().unwrap();
            let program = folder.path().join("bin/ollama");
            std::fs::create_dir(folder.path().join("bin")).unwrap();
            std::fs::create_dir(folder.path().join("models")).unwrap();
            std::fs::copy(fake_ollama(), &program).unwrap();
            std::fs::write(folder.path().join("bin/double.json"), r#"{"version":"6.6.6"}"#).unwrap();
            let mut command = std::process::Command::new(&program);
            let is_another_user = rustix::process::geteuid().is_root();
            if is_another_user {
                std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
                chown(folder.path().join("models"), Some(NOBODY), None).unwrap();
                command.uid(NOBODY).gid(NOBODY);
            } else {
                eprintln!("skipped in part: only root can start a program as another user");
            }
            command.arg("serve").env("OLLAMA_HOST", format!("127.0.0.1:{port}"));
            command.env("OLLAMA_MODELS", folder.path().join("models"));
            let mut process = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
            let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
            let listens = |line: &std::io::Result<String>| line.as_ref().unwrap().contains("Listening on");
            assert!(log.any(|line| listens(&line)), "it listens");
            // Read on, so that it does not block when it writes.
            std::thread::spawn(move || log.count());
            Self { process: Guarded(process), is_another_user, _folder: folder }
        }
    }

    /// Any local user can do this through the server's interface.
    #[test]
    fn a_model_that_was_changed_since_it_was_measured_is_told_and_restored() {
        let world = World::new(&json!({}));
        let install = || assert!(world.install(&PLAIN).receipt().is_object());
        let state = || world.status()["model"]["state"].as_str().unwrap().to_owned();
        install();
        assert_eq!(state(), "as_measured");

        let other =
            json!({"model": "acolyte:latest", "from": "qwen2.5-coder:3b", "parameters": {"num_ctx": 4096}});
        world.ask("POST", "/api/create", Some(&other));
        assert_eq!(state(), "changed");
        let words = String::from_utf8(world.run(&["status"]).stdout).unwrap();
        assert!(words.contains("was changed since it was measured"), "{words}");
        install();
        assert_eq!(state(), "as_measured");

        // Its files, while the server does not run.
        assert!(world.run(&["stop"]).status.success());
        let weights = sha256_hex(&Shape::qwen_3b().file());
        let weights = world.home().join(format!("models/blobs/sha256-{weights}"));
        let mut bytes = std::fs::read(&weights).unwrap();
        bytes[200_000] ^= 1;
        std::fs::write(&weights, &bytes).unwrap();
        assert_eq!(state(), "changed");
        let start = world.run(&["start"]);
        assert!(
            String::from_utf8_lossy(&start.stderr).contains("was changed since it was measured"),
            "{start:?}"
        );
        install();
        assert_eq!(state(), "as_measured");
        bytes[200_000] ^= 1;
        assert!(std::fs::read(&weights).unwrap() == bytes, "the weights were pulled again");

        world.ask("DELETE", "/api/delete", Some(&json!({"model": "acolyte:latest"})));
        assert_eq!(state(), "missing");
    }

    /// A named pipe would block the reader forever; `/dev/zero` would fill the memory.
    #[test]
    fn pipes_and_devices_are_refused_at_once() {
        let world = World::new(&json!({}));
        let pipe = world.path("pipe.gguf");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        let zero = world.path("zero.gguf");
        std::os::unix::fs::symlink("/dev/zero", &zero).unwrap();
        let hardware = world.path("hardware.json");
        let hardware = hardware.to_str().unwrap();
        let release = world.path("release.json");
        let release = release.to_str().unwrap();
        for file in [&pipe, &zero] {
            let file = file.to_str().unwrap();
            for arguments in [
                &["check-requirements", "--hardware", file][..],
                &["check-requirements", "--profiles", file],
                &["estimate", "--model", file],
                &["install", "--yes", "--accept-degraded", "--hardware", hardware, "--release", file],
                &["estimate", "--model", "127.0.0.1:1/a/b:c", "--ca", file],
                &[
                    "install",
                    "--yes",
                    "--accept-degraded",
                    "--hardware",
                    hardware,
                    "--release",
                    release,
                    "--archive",
                    file,
                ],
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
        ("src/wizard/start/child.rs", "program::command(own_program()?)"),
        ("src/wizard/backend/system_dialogs.rs", "program::command(system_opener(on_windows))"),
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
