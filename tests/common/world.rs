//! The environment of one test installation: a home, a mirror with the engine, a registry with models, a machine.

use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;

use serde_json::{Value, json};

use super::archive::{Format, engine_archive};
use super::gguf::Shape;
use super::mirror::{Mirror, ModelFiles};
use super::process::{Guarded, KillsBelow, output};

pub use super::process::{PATIENCE, Signal, signal};

/// Everything one test needs; removed when dropped.
pub struct World {
    // First, so that processes end before their files are removed.
    _kills: KillsBelow,
    pub folder: tempfile::TempDir,
    pub mirror: Mirror,
    /// Port of the test's server.
    pub port: u16,
    /// Name of the engine's archive on the mirror.
    pub asset: String,
}

/// Output of a finished program.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    /// Lines of standard output, as JSON.
    pub events: Vec<Value>,
    pub errors: String,
}

impl Said {
    /// Runs a command to its end.
    pub fn of(command: Command) -> Self {
        Self::from_output(&output(command))
    }

    /// What a program that has ended printed.
    pub fn from_output(output: &Output) -> Self {
        let lines = String::from_utf8_lossy(&output.stdout);
        let events = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("no JSON ({e}): {line}")));
        Self {
            code: output.status.code(),
            events: events.collect(),
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The receipt in the last event.
    pub fn receipt(&self) -> &Value {
        assert_eq!(self.code, Some(0), "{self:#?}");
        let receipt = self.events.last().and_then(|event| event.get("receipt"));
        receipt.unwrap_or_else(|| panic!("the last event has no receipt: {self:#?}"))
    }

    /// Steps with their final state, in order.
    pub fn steps(&self) -> Vec<(String, String)> {
        let mut steps: Vec<(String, String)> = Vec::new();
        for event in &self.events {
            let step = event["step"].as_str().unwrap_or_default().to_owned();
            let state = event["state"].as_str().unwrap_or_default().to_owned();
            match steps.last_mut() {
                Some(last) if last.0 == step => last.1 = state,
                _ => steps.push((step, state)),
            }
        }
        steps
    }
}

/// Adds the fields of `more` to an object, replacing those that exist.
fn extend(object: &mut Value, more: &Value) {
    for (key, value) in more.as_object().into_iter().flatten() {
        object[key] = value.clone();
    }
}

/// Configuration of a fast stand-in; `more` adds to it.
pub fn quick_double(more: &Value) -> Value {
    let mut double = json!({"decode_tokens_per_s": 10_000.0, "prefill_tokens_per_s": 2_000_000.0});
    extend(&mut double, more);
    double
}

impl World {
    /// A machine with 16 GB and an 8 GB card, without faults. `double` adds to the stand-in's configuration.
    pub fn new(double: &Value) -> Self {
        Self::with_format(Format::TarZst, double)
    }

    /// The same, with the engine in an archive of this format.
    pub fn with_format(format: Format, double: &Value) -> Self {
        let mut world = Self::without_engine();
        let mut told = json!({
            "registry": world.mirror.url(),
            "instead": world.folder.path().join("told-now.json"),
            "gpu": {"name": "NVIDIA GeForce RTX 4060", "total_mib": 8188, "free_mib": 7700},
        });
        extend(&mut told, double);
        let archive = engine_archive(format, &told);
        let bytes = archive.len();
        world.asset = format!("ollama-test{}", format.suffix());
        let sha256 = world.mirror.put(&world.asset, archive);
        let release = json!({"schema": 1, "version": "0.32.15", "assets": [
            {"os": std::env::consts::OS, "arch": "any", "name": world.asset, "bytes": bytes, "sha256": sha256}]});
        world.write("release.json", &release);
        world
    }

    /// The same, whose mirror has models and no engine.
    pub fn without_engine() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mirror = Mirror::start().expect("a free port");
        let (kills, asset) = (KillsBelow(folder.path().to_owned()), String::new());
        let world = Self { _kills: kills, folder, mirror, port: free_port(), asset };
        world.write("hardware.json", &eight_gb());
        world.put_model("library/qwen2.5-coder:7b", &Shape::qwen_7b());
        world.put_model("library/qwen2.5-coder:3b", &Shape::qwen_3b());
        world
    }

    /// Puts a model into the registry and returns the digest of its weights.
    pub fn put_model(&self, name: &str, shape: &Shape) -> String {
        self.mirror.put_model(name, &Self::model_files(shape.file()))
    }

    /// Puts a model whose header alone is there, as one with all its weights, to be planned and not pulled.
    pub fn put_header(&self, name: &str, shape: &Shape) -> String {
        let files = Self::model_files(shape.file());
        self.mirror.put_model_of_size(name, &files, shape.tensor_bytes() as usize + (10 << 20))
    }

    /// The layers of a model with these weights.
    pub fn model_files(gguf: Vec<u8>) -> ModelFiles {
        ModelFiles {
            gguf,
            template: Some("{{ .Prompt }}".to_owned()),
            params: None,
            family: "qwen2".to_owned(),
            parameter_size: "7.6B".to_owned(),
            quantisation: "Q4_K_M".to_owned(),
        }
    }

    /// Changes the configuration of the installed stand-in without changing its own files.
    pub fn tell_installed(&self, change: impl FnOnce(&mut Value)) {
        let mut told = self.json("ollama/0.32.15/bin/double.json");
        change(&mut told);
        self.write("told-now.json", &told);
    }

    /// Puts another build of the engine on the mirror, as the release of this version.
    pub fn put_release(&self, version: &str, double: &Value) {
        let mut told = json!({
            "version": version, "registry": self.mirror.url(),
            "gpu": {"name": "NVIDIA GeForce RTX 4060", "total_mib": 8188, "free_mib": 7700},
        });
        extend(&mut told, double);
        let archive = engine_archive(Format::TarZst, &told);
        let bytes = archive.len();
        let name = format!("ollama-other-{version}.tar.zst");
        let sha256 = self.mirror.put(&name, archive);
        let list = json!({"schema": 1, "version": version, "assets": [
            {"os": std::env::consts::OS, "arch": "any", "name": name, "bytes": bytes, "sha256": sha256}]});
        self.write("release.json", &list);
    }

    /// A path in this world.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where it is installed.
    pub fn home(&self) -> PathBuf {
        self.path("home/.acolyte")
    }

    /// Writes a document.
    pub fn write(&self, name: &str, document: &Value) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, document.to_string()).expect("a writable temporary folder");
        path
    }

    /// A document of the installation.
    pub fn read(&self, name: &str) -> String {
        let path = self.home().join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    /// The same, as JSON.
    pub fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.read(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// A command of one of our programs, isolated from the real system.
    pub fn program(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let home = self.path("home");
        for (name, folder) in [
            ("HOME", home.clone()),
            ("XDG_CONFIG_HOME", home.join(".config")),
            ("XDG_DATA_HOME", home.join(".local/share")),
            ("XDG_STATE_HOME", home.join(".local/state")),
            ("XDG_CACHE_HOME", home.join(".cache")),
            ("ACOLYTE_HOME", self.home()),
            // Without a session bus there is no user service manager.
            ("XDG_RUNTIME_DIR", self.path("run")),
        ] {
            std::fs::create_dir_all(folder.parent().expect("below our folder")).expect("a writable folder");
            command.env(name, folder);
        }
        std::fs::create_dir_all(self.path("run")).expect("a writable folder");
        for name in [
            "DBUS_SESSION_BUS_ADDRESS",
            "OLLAMA_HOST",
            "OLLAMA_MODELS",
            "HTTP_PROXY",
            "http_proxy",
            "ALL_PROXY",
            "all_proxy",
        ] {
            command.env_remove(name);
        }
        // Without a system bus the real computer is not kept awake.
        command.env("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus");
        // Whatever the real registry serves now, and whether there is a network, no test depends on it.
        command.env("HTTPS_PROXY", "http://127.0.0.1:9");
        command.env("NO_PROXY", "127.0.0.1,localhost").current_dir(self.folder.path());
        command
    }

    /// `acolyte` with these arguments.
    pub fn acolyte(&self, arguments: &[&str]) -> Command {
        let mut command = self.program(env!("CARGO_BIN_EXE_acolyte"));
        command.args(arguments).args(["--lang", "en"]).stdin(Stdio::null());
        command
    }

    /// `acolyte install` from this world's mirror on this world's machine. `--any-port` and `--tune` are not arguments of the
    /// program: without them it gets this world's port and `--no-tune`.
    pub fn install_command(&self, arguments: &[&str]) -> Command {
        let mut command = self.acolyte(&["install", "--json", "--yes", "--mirror", &self.mirror.url()]);
        command.arg("--release").arg(self.path("release.json"));
        command.arg("--hardware").arg(self.path("hardware.json"));
        if !arguments.contains(&"--any-port") {
            command.args(["--port", &self.port.to_string()]);
        }
        // Most tests are about something else, and tuning loads the model many times.
        if !arguments.contains(&"--tune") {
            command.arg("--no-tune");
        }
        command.args(arguments.iter().filter(|argument| !["--any-port", "--tune"].contains(argument)));
        command
    }

    /// Runs it to its end.
    pub fn install(&self, arguments: &[&str]) -> Said {
        Said::of(self.install_command(arguments))
    }

    /// `acolyte install` with nothing but these arguments and this world's machine and port.
    pub fn install_from(&self, arguments: &[&str]) -> Said {
        let mut command = self.acolyte(&["install", "--json", "--yes", "--no-tune"]);
        command.arg("--hardware").arg(self.path("hardware.json")).args(["--port", &self.port.to_string()]);
        command.args(arguments);
        Said::of(command)
    }

    /// Starts an installation, to observe its events.
    pub fn begin_install(&self, arguments: &[&str]) -> Running {
        Running::start(self.install_command(arguments))
    }

    /// What `acolyte status --json` prints.
    pub fn status(&self) -> Value {
        serde_json::from_slice(&self.run(&["status", "--json"]).stdout).expect("JSON")
    }

    /// Runs any other command to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        output(self.acolyte(arguments))
    }

    /// Sends a request to the private server.
    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let port = self.json("llm/receipt.json")["port"].as_u64().expect("a port in the receipt");
        ask(u16::try_from(port).expect("a port"), method, path, body)
    }
}

/// A running program, with the events it prints.
pub struct Running {
    pub process: Guarded,
    events: mpsc::Receiver<Value>,
}

impl Running {
    /// Starts a command, to observe its events.
    pub fn start(mut command: Command) -> Self {
        let mut child: Child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("{command:?}: {e}"));
        let stdout = child.stdout.take().expect("a pipe");
        let (sender, events) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if serde_json::from_str(&line).is_ok_and(|event| sender.send(event).is_err()) {
                    break;
                }
            }
        });
        Self { process: Guarded(child), events }
    }

    /// Waits for the next event that matches.
    pub fn wait_for(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut seen = Vec::new();
        loop {
            match self.events.recv_timeout(PATIENCE) {
                Ok(event) if wanted(&event) => return event,
                Ok(event) => seen.push(event),
                Err(_) => panic!("the event did not come: {seen:#?}"),
            }
        }
    }

    /// Sends a signal. The process may have ended, but it has not been waited for, so its id is not reused.
    pub fn signal(&self, name: Signal) {
        signal(self.process.0.id(), name);
    }

    /// As [`Running::end`], with the remaining events.
    pub fn end_with_events(mut self) -> (Option<i32>, Vec<Value>) {
        let code = self.wait();
        (code, self.events.iter().collect())
    }

    /// Waits for its end and returns the exit code.
    pub fn end(mut self) -> Option<i32> {
        self.wait()
    }

    fn wait(&mut self) -> Option<i32> {
        self.process.wait().expect("it ends").code()
    }
}

/// A port that is free now.
pub fn free_port() -> u16 {
    use std::sync::atomic::{AtomicU16, Ordering};
    // Below the ephemeral ports (from 32,768 or 49,152), which could be assigned to the mirror of a parallel test
    // before the program under test uses them. Each is returned once.
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 10_000;
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let start = (std::process::id() % u32::from(COUNT)) as u16;
    loop {
        let port = FIRST + start.wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed)) % COUNT;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// One request to a server on loopback; JSON or `null`.
pub fn ask(port: u16, method: &str, path: &str, body: Option<&Value>) -> Value {
    use std::io::Write as _;
    let body = body.map(Value::to_string).unwrap_or_default();
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("the server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the server answers");
    answer.split_once("\r\n\r\n").and_then(|(_, body)| serde_json::from_str(body).ok()).unwrap_or_default()
}

/// A 16 GB machine with an 8 GB card, as `acolyte detect --json` would print it.
pub fn eight_gb() -> Value {
    json!({
        "schema": 1,
        "os": {"name": std::env::consts::OS, "arch": std::env::consts::ARCH},
        "cpu": {"name": "AMD Ryzen 7 5800X", "physical_cores": 8, "logical_cores": 16, "features": ["avx2"]},
        "memory": {"total_bytes": 17_179_869_184_u64, "available_bytes": 12_884_901_888_u64, "bandwidth_gb_s": 40.0},
        "gpus": [{"name": "NVIDIA GeForce RTX 4060", "vendor": "nvidia", "kind": "discrete",
                  "vram_total_bytes": 8_585_740_288_u64, "vram_free_bytes": 8_074_035_200_u64,
                  "memory_bandwidth_gb_s": 272.0, "backend": "cuda", "driver_version": "550.54",
                  "compute_capability": "8.9"}],
    })
}

/// All paths below a folder.
pub fn listing(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        found.push(entry.path());
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(listing(&entry.path()));
        }
    }
    found.sort();
    found
}
