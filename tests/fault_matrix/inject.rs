//! One fault at one step: injected, then run again, and, in another world, undone.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::cells::{Cell, Fault, Run, Step};
use crate::common::gguf::Shape;
use crate::common::mirror::{self, ALWAYS, Mirror, sha256_hex};
use crate::common::process::{below, launched_by};
use crate::common::world::{Running, Said, Signal, World, listing};

/// An unprivileged user: permissions do not apply to root, as which tests in a container often run.
const NOBODY: u32 = 65_534;

/// The results of a cell.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    pub cell: &'static Cell,
    /// Whether each of the two runs with the fault succeeded anyway.
    pub succeeded: [bool; 2],
    /// Whether the second run of the first installation succeeded.
    pub run_again: bool,
    /// Whether undoing the second installation left nothing behind.
    pub undone: bool,
}

/// Injects the fault twice: once runs the installation again, once undoes it.
pub fn run_again_and_undo(cell: &'static Cell) -> Seen {
    let first = Faulty::new(cell);
    let run_again = first.run_again();
    let succeeded = first.finished;
    drop(first);
    let second = Faulty::new(cell);
    let undone = second.undo();
    Seen { cell, succeeded: [succeeded, second.finished], run_again, undone }
}

/// A world with an installation into which a fault was injected.
struct Faulty<'a> {
    cell: &'a Cell,
    world: World,
    /// Folders created with restricted permissions.
    closed: Vec<PathBuf>,
    /// Listener that occupies a port.
    taken: Option<TcpListener>,
    finished: bool,
}

impl<'a> Faulty<'a> {
    fn new(cell: &'a Cell) -> Self {
        let world = World::new(&double(cell));
        let mut faulty = Self { cell, world, closed: Vec::new(), taken: None, finished: false };
        faulty.prepare();
        let (code, events) = faulty.inject();
        faulty.finished = code == Some(0);
        let name = cell.name();
        if let Some(end) = events.iter().find(|event| event["state"] == "failed") {
            assert_eq!(end["step"], stops_in(cell).name(), "{name}: failed in the wrong step: {end:#}");
            assert!(
                end["message"].as_str().is_some_and(|said| said.len() > 20),
                "{name}: it says why: {end:#}"
            );
        }
        match cell.run {
            Run::Finishes => {
                assert!(faulty.finished, "{name}: expected to finish, but ended with {code:?}")
            }
            Run::Stops => assert!(!faulty.finished, "{name}: expected to stop"),
            Run::Either => {}
        }
        faulty.heal();
        faulty
    }

    /// What must be in place before the program starts.
    fn prepare(&mut self) {
        let mirror = &self.world.mirror;
        let asset = format!("/{}", self.world.asset);
        let model = "/v2/library/qwen2.5-coder/manifests/3b";
        let digest = sha256_hex(&Shape::qwen_3b().file());
        let weights = Mirror::blob_path(&digest);
        let blob = format!("/v2/library/qwen2.5-coder/blobs/sha256:{digest}");
        use mirror::Fault as Bad;
        match (self.cell.step, self.cell.fault) {
            (Step::Fetch, Fault::Disconnect) => mirror.fault(&asset, Bad::Disconnect(300_000), 2),
            (Step::Fetch, Fault::Stall) => mirror.fault(&asset, Bad::Stall(300_000), ALWAYS),
            (Step::Fetch, Fault::Http404) => mirror.fault(&asset, Bad::Status(404), ALWAYS),
            (Step::Fetch, Fault::Http500) => mirror.fault(&asset, Bad::Status(500), ALWAYS),
            (Step::Fetch, Fault::Http503) => mirror.fault(&asset, Bad::Status(503), 2),
            (Step::Fetch, Fault::Truncated) => mirror.fault(&asset, Bad::Truncated(300_000), ALWAYS),
            (Step::Fetch, Fault::ByteFlipped) => mirror.fault(&asset, Bad::Flip(100_000), ALWAYS),
            (Step::Fetch, Fault::WrongLength) => mirror.fault(&asset, Bad::WrongLength(1000), ALWAYS),
            (Step::Fetch, Fault::RangesIgnored) => {
                mirror.fault(&asset, Bad::Disconnect(300_000), 1);
                mirror.fault(&asset, Bad::IgnoreRange, ALWAYS);
            }
            (Step::Fetch, Fault::ChangedFile) => {
                mirror.fault(&asset, Bad::Disconnect(300_000), 1);
                mirror.fault(&asset, Bad::OtherEtag, ALWAYS);
            }
            (Step::Fetch, Fault::RedirectToHttp) => {
                // An address reserved for documentation, which must not be contacted.
                mirror.fault(&asset, Bad::Redirect("http://192.0.2.1/engine".to_owned()), ALWAYS);
            }
            (Step::Fetch, Fault::RedirectLoop) => {
                mirror.fault(&asset, Bad::Redirect(format!("{}{asset}", mirror.url())), ALWAYS);
            }
            (Step::Pull, Fault::Disconnect) => mirror.fault(&weights, Bad::Disconnect(300_000), 2),
            (Step::Pull, Fault::Stall) => mirror.fault(&weights, Bad::Stall(300_000), ALWAYS),
            (Step::Pull, Fault::Http404) => mirror.fault(model, Bad::Status(404), ALWAYS),
            (Step::Pull, Fault::Http500) => mirror.fault(model, Bad::Status(500), ALWAYS),
            (Step::Pull, Fault::Http503) => mirror.fault(model, Bad::Status(503), 2),
            (Step::Pull, Fault::Truncated) => mirror.fault(&weights, Bad::Truncated(300_000), ALWAYS),
            (Step::Pull, Fault::ByteFlipped) => mirror.fault(&weights, Bad::Flip(1_000_000), 1),
            (Step::Pull, Fault::WrongLength) => mirror.fault(&weights, Bad::WrongLength(-1000), ALWAYS),
            (Step::Pull, Fault::RangesIgnored) => mirror.fault(&weights, Bad::IgnoreRange, ALWAYS),
            (Step::Pull, Fault::ChangedFile) => mirror.fault(&weights, Bad::OtherEtag, ALWAYS),
            (Step::Pull, Fault::RedirectLoop) => {
                mirror.fault(&blob, Bad::Redirect(format!("{}{blob}", mirror.url())), ALWAYS);
            }
            (Step::Create, Fault::ClampedContext) => {
                let short = Shape { trained_context: 16_384, ..Shape::qwen_3b() };
                self.world.put_model("library/qwen2.5-coder:3b", &short);
            }
            (Step::Check, Fault::DiskFull) => self.claim_unpacked_bytes(1 << 60),
            (Step::Check, Fault::PortTaken) => {
                self.taken = Some(TcpListener::bind(("127.0.0.1", self.world.port)).expect("it was free"));
            }
            (step, Fault::NoPermission) => self.close(step, 0o000),
            (step, Fault::ReadOnly) => self.close(step, 0o555),
            _ => {}
        }
    }

    /// Restricts permissions of the folder that a step writes to, if no earlier step does.
    fn close(&mut self, step: Step, mode: u32) {
        let home = self.world.home();
        let folder = match step {
            Step::Check => home.clone(),
            Step::Fetch => home.join("downloads"),
            Step::Unpack => home.join("ollama"),
            Step::Start => home.join("logs"),
            Step::Pull => home.join("models/blobs"),
            Step::Login => self.world.path("home/.config"),
            // Written to by earlier steps too: restricted when the step before begins.
            _ => return,
        };
        std::fs::create_dir_all(&folder).unwrap();
        let mut mode = mode;
        match step {
            // The engine's folder below it must be reachable before anything is unpacked.
            Step::Unpack => {
                std::fs::create_dir(folder.join("home")).unwrap();
                mode |= 0o111;
            }
            // The server creates both when it starts.
            Step::Pull => std::fs::create_dir(home.join("models/manifests")).unwrap(),
            _ => {}
        }
        self.give_to_unprivileged();
        set_mode(&folder, mode);
        self.closed.push(folder);
    }

    /// When running as root, gives all files to an unprivileged user, so that permissions apply.
    fn give_to_unprivileged(&self) {
        if is_superuser() {
            for path in
                [self.world.folder.path().to_owned()].into_iter().chain(listing(self.world.folder.path()))
            {
                let _gone = std::os::unix::fs::lchown(path, Some(NOBODY), Some(NOBODY));
            }
        }
    }

    fn claim_unpacked_bytes(&self, bytes: u64) {
        let path = self.world.path("release.json");
        let mut release: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        release["assets"][0]["unpacked_bytes"] = json!(bytes);
        std::fs::write(path, release.to_string()).unwrap();
    }

    /// Runs the installation with the fault. Returns its exit code (`None` when killed) and its last events.
    fn inject(&mut self) -> (Option<i32>, Vec<Value>) {
        let step = self.cell.step;
        let state = |states: &'static [&'static str]| {
            move |event: &Value| {
                event["step"] == step.name() && states.iter().any(|state| event["state"] == *state)
            }
        };
        let began = state(&["started"]);
        match self.cell.fault {
            Fault::Kill => {
                let running = self.begin();
                running.wait_for(began);
                running.signal(Signal::Kill);
                running.end_with_events()
            }
            Fault::KillAfter => {
                let running = self.begin();
                running.wait_for(state(&["done", "skipped"]));
                running.signal(Signal::Kill);
                running.end_with_events()
            }
            _ if user_cancels(self.cell) => {
                let running = self.begin();
                running.wait_for(began);
                running.signal(Signal::Interrupt);
                running.end_with_events()
            }
            Fault::Stall => {
                let running = self.begin();
                running
                    .wait_for(|event| event["step"] == step.name() && event["bytes_done"].as_u64() > Some(0));
                running.signal(Signal::Interrupt);
                running.end_with_events()
            }
            Fault::DiskFull if matches!(step, Step::Login | Step::Receipt) => {
                let running = self.begin();
                running.wait_for(|event| event["step"] == "measure");
                limit_files(running.process.0.id(), 1);
                running.end_with_events()
            }
            Fault::NoPermission | Fault::ReadOnly if step == Step::Receipt => {
                let command = self.command(self.world.install_command(&self.arguments()));
                self.give_to_unprivileged();
                let running = Running::start(command);
                running.wait_for(|event| event["step"] == "measure");
                let folder = self.world.home().join("llm");
                set_mode(&folder, if self.cell.fault == Fault::ReadOnly { 0o555 } else { 0o000 });
                self.closed.push(folder);
                running.end_with_events()
            }
            _ => self.begin().end_with_events(),
        }
    }

    fn begin(&self) -> Running {
        Running::start(self.command(self.world.install_command(&self.arguments())))
    }

    fn arguments(&self) -> Vec<&'static str> {
        let mut arguments = vec!["--profile", "light_6gb", "--accept-degraded"];
        if self.cell.step != Step::Login {
            arguments.push("--no-autostart");
        } else {
            arguments.push("--watch");
        }
        arguments
    }

    /// The command with the limits or the user that the fault needs.
    fn command(&self, command: Command) -> Command {
        let mut command = match (self.cell.fault, self.cell.step) {
            (Fault::DiskFull, step) => {
                // Limit of the file size; its signal is ignored, so that writing fails.
                let blocks = match step {
                    Step::Fetch => "1000",
                    Step::Unpack => "16000",
                    _ => "unlimited",
                };
                let mut limited = Command::new("sh");
                limited.args(["-c", "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\"", blocks]);
                launched_by(limited, &command)
            }
            _ => command,
        };
        if is_superuser() && matches!(self.cell.fault, Fault::NoPermission | Fault::ReadOnly) {
            command.uid(NOBODY).gid(NOBODY);
        }
        command.current_dir(self.world.folder.path());
        command
    }

    /// Ends the fault.
    fn heal(&mut self) {
        self.taken = None;
        self.world.mirror.heal();
        for folder in self.closed.drain(..) {
            set_mode(&folder, 0o700);
        }
        if self.cell.fault == Fault::ClampedContext && self.cell.step == Step::Create {
            self.world.put_model("library/qwen2.5-coder:3b", &Shape::qwen_3b());
        }
        if (self.cell.step, self.cell.fault) == (Step::Check, Fault::DiskFull) {
            self.claim_unpacked_bytes(40 << 20);
        }
        if self.world.home().join("ollama/0.32.15/bin/double.json").exists() {
            self.world.tell_installed(|double| double["faults"] = json!({}));
        } else if double(self.cell)["faults"] != json!({}) {
            panic!("{}: should be unpacked before the fault", self.cell.name());
        }
    }

    /// Runs the installation again, which must succeed.
    fn run_again(&self) -> bool {
        let mut arguments = self.arguments();
        if (self.cell.step, self.cell.fault) == (Step::Create, Fault::ClampedContext) {
            // This model's file does not support the context, so use another profile.
            arguments[1] = "hybrid_8gb";
        }
        let name = self.cell.name();
        let said = self.run(self.world.install_command(&arguments));
        assert_eq!(said.code, Some(0), "{name}, run again: {said:#?}");
        assert!(said.events.last().is_some_and(|event| event["receipt"].is_object()), "{name}: {said:#?}");
        let status = self.status();
        assert_eq!(
            (
                &status["installed"],
                &status["unfinished"],
                &status["server"]["answers"],
                &status["model"]["loaded"]
            ),
            (&json!(true), &json!(false), &json!(true), &json!(true)),
            "{name}: {status:#}"
        );
        let watched = arguments.contains(&"--watch");
        let running = below(self.world.folder.path()).len();
        assert_eq!(running, 2 + usize::from(watched), "{name}: one server with one runner, and its watcher");
        said.code == Some(0)
    }

    /// Undoes the installation, or uninstalls it if it finished, and checks that nothing is left.
    fn undo(&self) -> bool {
        let name = self.cell.name();
        let status = self.status();
        let unfinished = status["unfinished"] == json!(true);
        if self.cell.run == Run::Stops && self.world.home().join("llm/journal").exists() {
            assert!(unfinished, "{name}: {status:#}");
        }
        if self.world.home().join("llm/journal").exists() {
            let command = if unfinished { "undo" } else { "uninstall" };
            let said = self.run(self.world.acolyte(&[command, "--yes"]));
            assert_eq!(said.code, Some(0), "{name}, {command}: {said:#?}");
        }
        assert_eq!(below(self.world.folder.path()), Vec::<u32>::new(), "{name}: no process is left");
        let left: Vec<PathBuf> =
            listing(&self.world.path("home")).into_iter().filter(|path| !path.is_dir()).collect();
        assert_eq!(left, Vec::<PathBuf>::new(), "{name}: no file is left");
        let closed_by_us = matches!(self.cell.fault, Fault::NoPermission | Fault::ReadOnly);
        assert!(closed_by_us || !self.world.home().exists(), "{name}: {:#?}", listing(&self.world.home()));
        left.is_empty()
    }

    fn status(&self) -> Value {
        let mut command = self.as_owner(self.world.acolyte(&["status", "--json"]));
        let output = command.output().expect("acolyte starts");
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    /// Runs a command as the owner of the test world.
    fn run(&self, command: Command) -> Said {
        Said::of(self.as_owner(command))
    }

    /// The command, run by the user to whom the test world belongs: another one, root included, is refused.
    fn as_owner(&self, mut command: Command) -> Command {
        command.current_dir(self.world.folder.path());
        if is_superuser() && matches!(self.cell.fault, Fault::NoPermission | Fault::ReadOnly) {
            self.give_to_unprivileged();
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }
}

/// The step that a fault stops. The first one tries what later steps do in each folder, so it finds those that are closed, or
/// whose files are limited, before the program starts.
fn stops_in(cell: &Cell) -> Step {
    match (cell.step, cell.fault) {
        (Step::Fetch | Step::Unpack, Fault::DiskFull | Fault::NoPermission | Fault::ReadOnly)
        | (Step::Pull, Fault::NoPermission | Fault::ReadOnly) => Step::Check,
        (step, _) => step,
    }
}

/// Whether the user cancels the run once the step has begun.
fn user_cancels(cell: &Cell) -> bool {
    matches!(cell.fault, Fault::CtrlC | Fault::ServerHangs)
        || (cell.step, cell.fault) == (Step::Start, Fault::Http500)
}

/// Configuration of the stand-in for a cell.
fn double(cell: &Cell) -> Value {
    let broken = match cell.fault {
        Fault::Disconnect => "disconnect",
        Fault::Http404 => "missing",
        Fault::Http500 => "error",
        Fault::ServerExits => "exit",
        Fault::ServerHangs => "hang",
        Fault::MalformedNdjson => "malformed",
        Fault::ErrorLine => "error_line",
        Fault::NoSuccessLine => "no_last_line",
        _ => "",
    };
    let asked = match cell.step {
        Step::Start => "version",
        Step::Pull if !matches!(cell.fault, Fault::Disconnect | Fault::Http404 | Fault::Http500) => "pull",
        Step::Create => "create",
        Step::Load => "load",
        Step::Measure => "generate",
        _ => "",
    };
    let mut faults = json!({});
    if !broken.is_empty() && !asked.is_empty() {
        faults = json!({"breaks": {asked: broken}});
    }
    match (cell.step, cell.fault) {
        (Step::Load, Fault::OutOfMemory) => faults = json!({"never_enough_memory": true}),
        (Step::Load, Fault::ClampedContext) => faults = json!({"context_clamped_to": 16_384}),
        (Step::Pull, Fault::DiskFull) => faults = json!({"pull_disk_full_after": 300_000}),
        (Step::Start, Fault::ServerExits) => {
            faults = json!({"serve_fails": "ollama: error while loading shared libraries: libstdc++.so.6"});
        }
        _ => {}
    }
    // For faults at the steps after the measurement, it must take some time.
    let late = matches!(cell.step, Step::Login | Step::Receipt);
    json!({
        "faults": faults,
        "decode_tokens_per_s": if late { 400.0 } else { 10_000.0 },
        "prefill_tokens_per_s": 2_000_000.0,
        "pull_retry_s": 0.01,
        "load_ms": 5,
    })
}

fn set_mode(path: &Path, mode: u32) {
    let set = std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode));
    assert!(set.is_ok() || !path.exists(), "{}: {set:?}", path.display());
}

fn is_superuser() -> bool {
    rustix::process::geteuid().is_root()
}

/// Limits the file size of a running process to this many bytes.
fn limit_files(process: u32, bytes: u64) {
    let limit = rustix::process::Rlimit { current: Some(bytes), maximum: Some(bytes) };
    let pid = i32::try_from(process).ok().and_then(rustix::process::Pid::from_raw);
    rustix::process::prlimit(pid, rustix::process::Resource::Fsize, limit).expect("a child may be limited");
}
