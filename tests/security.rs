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
    use acolyte::install::{InstallError, manage};
    use acolyte::ollama::client::ClientError;
    use acolyte::ollama::server::ServerError;
    use acolyte::wizard::WizardOptions;
    use acolyte::wizard::backend::{Backend as _, BackendCommand, HealthProblem, Live, Message, Outbox};
    use common::gguf::Shape;
    use common::mirror::sha256_hex;
    use common::process::{PATIENCE, below, launched_by, output};
    use common::stranger::{self, NOBODY, Stranger};
    use common::world::{Running, Said, World};
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
            "LLAMA_ARG_CACHE_RAM",
            "LLAMA_ARG_CTX_CHECKPOINTS",
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
        let port = TcpListener::bind(("127.0.0.1", world.port)).expect("ours does not listen yet");
        stranger::answer_everything(port);
        let (code, events) = install.end_with_events();
        assert_eq!(code, Some(1), "{events:#?}");
        let said = events.last().unwrap()["message"].as_str().unwrap();
        let us = format!("process {}", std::process::id());
        assert!(said.contains(&us) && said.contains(&world.port.to_string()), "{said}");
        assert!(!world.home().join("llm/receipt.json").exists());
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

    /// The monitor, the window's page about the installation and its test question, with another user's server on the port.
    #[test]
    fn the_monitor_and_the_window_name_a_stranger() {
        let world = World::new(&json!({}));
        world.install(&PLAIN).receipt();
        assert!(world.run(&["stop"]).status.success());
        let stranger = Stranger::start(world.port);
        let pid = stranger.process.0.id();

        let monitor = |arguments: &[&str]| {
            let mut command = world.acolyte(arguments);
            command.env("ACOLYTE_NVML_PATH", common::stand_in_nvml()).env("STAND_IN_NVML", "laptop");
            let said = output(command);
            assert_eq!(said.status.code(), Some(0), "{said:?}");
            said
        };
        let said = monitor(&["monitor", "--once", "--json"]);
        let sample: Value = serde_json::from_slice(&said.stdout).unwrap();
        let alert = sample["alerts"][0].as_str().unwrap();
        assert!(alert.contains("is taken by") && alert.contains(&pid.to_string()), "{sample}");
        let said = monitor(&["monitor", "--once"]);
        assert!(String::from_utf8_lossy(&said.stderr).contains(alert), "{said:?}");

        let options = WizardOptions { home: world.home(), ..WizardOptions::default() };
        let answer = |command: BackendCommand| {
            let (sender, messages) = std::sync::mpsc::channel();
            let outbox = Outbox::new(sender, std::sync::Arc::new(|| ()));
            Live::new(&options).execute(command, &outbox);
            messages.recv_timeout(PATIENCE).unwrap()
        };
        let Message::Health(Ok(health)) = answer(BackendCommand::CheckHealth { home: world.home() }) else {
            panic!()
        };
        assert_eq!(health.engine_version, None);
        let names_it = |problem: &HealthProblem| {
            matches!(problem, HealthProblem::PortTaken { port, by }
                if *port == world.port && by.pid == Some(pid) && by.user.is_some() == stranger.is_another_user)
        };
        assert!(health.problems.iter().any(names_it), "{:?}", health.problems);
        let question = BackendCommand::AskModel {
            home: world.home(),
            prompt: "What is the answer?".to_owned(),
            control: acolyte::control::Control::new(),
        };
        let Message::AnswerEnded(Err(error)) = answer(question) else { panic!("it was asked") };
        let words = error.explain(acolyte::text::Text::new(acolyte::text::Language::English));
        assert!(words.contains(&pid.to_string()), "{words}");
    }

    /// A client that found our server must not talk to whoever listens there later.
    #[test]
    fn a_stranger_who_takes_the_port_later_is_not_asked() {
        let world = World::new(&json!({}));
        world.install(&PLAIN).receipt();
        let client = manage::client(&world.home()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        assert_eq!(runtime.block_on(client.version()).unwrap(), "0.32.15");
        assert!(world.run(&["stop"]).status.success());
        let gone = runtime.block_on(client.version());
        assert!(matches!(gone, Err(ClientError::NotListening { port }) if port == world.port), "{gone:?}");

        let port = TcpListener::bind(("127.0.0.1", world.port)).unwrap();
        let asked = stranger::answer_everything(port);
        let refused = runtime.block_on(client.version());
        let ours = std::process::id();
        assert!(
            matches!(&refused, Err(ClientError::Stranger { by, .. }) if by.pid == Some(ours)),
            "{refused:?}"
        );
        let refused = manage::client(&world.home()).map(drop);
        assert!(matches!(&refused, Err(InstallError::Engine(ClientError::Stranger { .. }))), "{refused:?}");
        assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 0, "nothing was sent to it");
    }

    /// Another user opens more connections to the relay than the installer may have files open.
    #[test]
    fn idle_connections_do_not_end_an_installation() {
        let world = World::new(&json!({}));
        let mut install = world.install_command(&PLAIN);
        install.args(["--proxy", &format!("http://ana:s3cret@{}", world.mirror.host())]);
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", "ulimit -n 128 && exec \"$@\"", "sh"]);
        let install = Running::start(launched_by(shell, &install));
        // The relay listens when the engine is told to use it.
        install.wait_for(|event| event["step"] == "pull_model");
        world.mirror.limit_rate(50_000);
        let installer = install.process.0.id();
        let begun = Instant::now();
        let relay = loop {
            if let Some(address) = listening_addresses(&[installer]).pop_first() {
                break u16::from_str_radix(address.rsplit_once(':').unwrap().1, 16).unwrap();
            }
            assert!(begun.elapsed() < PATIENCE, "no relay listens");
            std::thread::yield_now();
        };
        let idle: Vec<_> =
            (0..300).map(|_| std::net::TcpStream::connect(("127.0.0.1", relay)).unwrap()).collect();
        let (code, events) = install.end_with_events();
        assert_eq!(code, Some(0), "{events:#?}");
        drop(idle);
    }

    /// Whatever runs from our folder is not the server that was measured.
    #[test]
    fn a_server_of_another_version_is_refused() {
        let world = World::new(&json!({}));
        world.install(&PLAIN).receipt();
        assert!(world.run(&["stop"]).status.success());
        let program = world.home().join("ollama/0.32.15/bin/ollama");
        world.tell_installed(|double| double["version"] = json!("6.6.6-other"));

        let start = world.run(&["start"]);
        let errors = String::from_utf8_lossy(&start.stderr);
        assert_eq!(start.status.code(), Some(1), "{errors}");
        assert!(errors.contains("reports Ollama 6.6.6-other instead of 0.32.15"), "{errors}");
        assert!(below(&world.home()).is_empty(), "it was stopped again");

        // Started by somebody else.
        let mut other = std::process::Command::new(&program);
        other.arg("serve").env("OLLAMA_HOST", format!("127.0.0.1:{}", world.port));
        other.env("OLLAMA_MODELS", world.home().join("models"));
        let _other = stranger::listening(other);
        let status = world.status();
        let server = &status["server"];
        assert_eq!((&server["answers"], &server["version"]), (&json!(false), &Value::Null), "{status}");
        assert_eq!(server["other_version"], "6.6.6-other", "{status}");
        let words = String::from_utf8(world.run(&["status"]).stdout).unwrap();
        assert!(words.contains("reports Ollama 6.6.6-other instead of 0.32.15"), "{words}");
        let refused = manage::client(&world.home()).map(drop);
        assert!(
            matches!(&refused, Err(InstallError::Server(ServerError::OtherVersion { .. }))),
            "{refused:?}"
        );
        // An installation replaces it by the engine that was downloaded.
        world.tell_installed(|double| double["version"] = json!("0.32.15"));
        world.install(&PLAIN).receipt();
        assert_eq!(world.status()["server"]["version"], "0.32.15");
    }

    /// A kernel that shows processes and no socket tables.
    #[test]
    fn where_the_system_does_not_say_who_listens_nothing_is_claimed() {
        let hidden = || {
            let mut shell = std::process::Command::new("unshare");
            let script = "mount -t proc -o subset=pid proc /proc && exec \"$@\"";
            shell.args(["--mount", "--propagation", "private", "sh", "-c", script, "sh"]);
            shell
        };
        let mut probe = hidden();
        probe.args(["test", "!", "-e", "/proc/net/tcp"]);
        if !probe.status().is_ok_and(|status| status.success()) {
            eprintln!("skipped: only root can hide the socket tables, with a kernel from 5.8 on");
            return;
        }
        let world = World::new(&json!({}));
        let said = Said::of(launched_by(hidden(), &world.install_command(&PLAIN)));
        said.receipt();
        let unsure = "does not say which program listens";
        let told = |event: &Value| event["message"].as_str().is_some_and(|said| said.contains(unsure));
        assert!(said.events.iter().any(told), "{said:#?}");

        let seen = world.status();
        assert_eq!(seen["server"]["confirmed"], true, "{seen}");
        let status = output(launched_by(hidden(), &world.acolyte(&["status", "--json"])));
        let status: Value = serde_json::from_slice(&status.stdout).unwrap();
        assert_eq!(
            (&status["server"]["confirmed"], &status["server"]["running"]),
            (&json!(false), &json!(true))
        );
        let status = output(launched_by(hidden(), &world.acolyte(&["status"])));
        assert!(String::from_utf8_lossy(&status.stdout).contains(unsure), "{status:?}");
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
        ("src/platform/login.rs", "program::command(tool)"),
        // A script of ours that ends at once, to see whether programs run from a folder; the C library's version.
        ("src/install/steps/rehearse.rs", "program::command(file)"),
        ("src/install/steps/rehearse.rs", "program::command(\"/usr/bin/getconf\")"),
        // launchd's entry names the engine's program behind ours, which becomes it.
        ("src/install/manage/at_login.rs", "program::command(&next)"),
        // The server: the one detached program, see below.
        ("src/platform/detached.rs", "program::command(&self.program)"),
        // The copy of our own terminal program, verified, prints completions and manual pages.
        ("src/install/manage/keep_run.rs", "program::command(terminal)"),
        // A notification on macOS; the texts are arguments.
        ("src/platform/notification.rs", "program::command(\"/usr/bin/osascript\")"),
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
        // The name of a shell to print completions for.
        let source =
            &source.replace("#[value(name = \"powershell\")]", "").replace("(\"powershell\", paths", "");
        // Windows' own, from its own folder, with our own text: a program that runs cannot delete itself.
        let source = &source.replace("command(system.join(\"cmd.exe\"))", "");
        // Only `platform::program` makes commands (clippy.toml); everything else calls it.
        let makes_commands = name == "src/platform/program.rs";
        assert!(makes_commands || !source.contains("Command::new("), "{name} makes a command of its own");
        let starts_detached = [
            "src/platform/detached.rs",
            // The engine; the watcher of graphics memory and the window, both copies of this program.
            "src/ollama/server.rs",
            "src/install/login_watcher.rs",
            "src/cli/monitor/desktop.rs",
        ]
        .contains(&name.as_str());
        assert!(starts_detached || !source.contains("DetachedProgram"), "{name} starts a detached program");
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
