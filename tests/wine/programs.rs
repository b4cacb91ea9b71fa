//! A Windows computer: a Wine prefix with the programs under test, a mirror with an engine for Windows, a home.

use std::borrow::BorrowMut;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::common::process::{PATIENCE, end_of};
use super::common::world::{Said, World, eight_gb, free_port};

/// One Windows computer with a home of its own.
pub struct Windows {
    pub world: World,
    prefix: PathBuf,
    programs: PathBuf,
    /// Name of the home below `C:\users`.
    name: String,
    _turn: MutexGuard<'static, ()>,
}

/// Runs a command to its end. Standard output is a pipe, standard error a file: Wine gives that of Linux to each process,
/// the server too.
pub fn output(mut command: impl BorrowMut<Command>) -> Output {
    let command = command.borrow_mut();
    let errors = tempfile::NamedTempFile::new().unwrap();
    let child = command.stdout(Stdio::piped()).stderr(errors.reopen().unwrap()).spawn();
    let ended = end_of(child.unwrap_or_else(|error| panic!("{command:?}: {error}")));
    Output { stderr: std::fs::read(errors.path()).unwrap(), ..ended }
}

/// One at a time: all tests share one prefix, whose processes are counted.
static TURN: Mutex<()> = Mutex::new(());

impl Windows {
    /// Panics where `.ci/wine-walk` has not prepared it.
    pub fn start() -> Self {
        let folder = |name: &str| {
            let folder =
                std::env::var_os(name).unwrap_or_else(|| panic!("no {name}: run bash .ci/wine-walk"));
            PathBuf::from(folder)
        };
        let (prefix, programs) = (folder("WINEPREFIX"), folder("ACOLYTE_WINDOWS_PROGRAMS"));
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let name = format!(r"José Núñez {}", COUNT.fetch_add(1, Ordering::Relaxed));
        let this = Self { world: World::without_engine(), prefix, programs, name, _turn: turn };
        std::fs::create_dir_all(this.unix(r"C:\users").join(&this.name)).unwrap();
        this.put_release("0.32.15", &json!({}));
        let mut hardware = eight_gb();
        hardware["os"] = json!({"name": "windows", "arch": "x86_64"});
        this.world.write("hardware.json", &hardware);
        this
    }

    /// Puts an engine for Windows on the mirror, as the release of this version.
    pub fn put_release(&self, version: &str, double: &Value) {
        let mut told = json!({
            "version": version, "registry": self.world.mirror.url(),
            "gpu": {"name": "NVIDIA GeForce RTX 4060", "total_mib": 8188, "free_mib": 7700},
        });
        for (key, value) in double.as_object().unwrap() {
            told[key] = value.clone();
        }
        let archive = self.engine(&told);
        let bytes = archive.len();
        let name = format!("ollama-windows-amd64-{version}.zip");
        let sha256 = self.world.mirror.put(&name, archive);
        let list = json!({"schema": 1, "version": version, "assets": [
            {"os": "windows", "arch": "x86_64", "name": name, "bytes": bytes, "sha256": sha256}]});
        self.world.write("release.json", &list);
    }

    /// An archive laid out like Ollama's for Windows, with the stand-in inside.
    fn engine(&self, told: &Value) -> Vec<u8> {
        let program = std::fs::read(self.programs.join("examples/fake-ollama.exe")).unwrap();
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default().compression_level(Some(1));
        let told = told.to_string().into_bytes();
        for (path, bytes) in [
            ("ollama.exe", program.as_slice()),
            ("double.json", told.as_slice()),
            ("lib/ollama/llama-server.exe", program.as_slice()),
            ("lib/ollama/ggml-base.dll", &[7; 4096]),
        ] {
            archive.start_file(path, options).unwrap();
            archive.write_all(bytes).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    /// Our folder as Windows names it.
    pub fn home(&self) -> String {
        format!(r"C:\users\{}\.acolyte", self.name)
    }

    /// A path on drive C or Z as Linux names it.
    pub fn unix(&self, path: &str) -> PathBuf {
        let rest = path.get(3..).unwrap_or_default().replace('\\', "/");
        match path.get(..2) {
            Some("Z:") => Path::new("/").join(rest),
            _ => self.prefix.join("drive_c").join(rest),
        }
    }

    /// A file or folder of the installation.
    pub fn file(&self, name: &str) -> PathBuf {
        self.unix(&self.home()).join(name)
    }

    /// A document of the installation.
    pub fn json(&self, name: &str) -> Value {
        let path = self.file(name);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        serde_json::from_str(&text).unwrap()
    }

    /// A Windows program of these tests or of Wine.
    pub fn wine(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("wine");
        command.arg(program);
        command
            .env("WINEDEBUG", "-all")
            // Text of Unix programs, names of files among it.
            .env("LC_ALL", "C.UTF-8")
            .env("NO_PROXY", "127.0.0.1,localhost")
            .env_remove("DISPLAY")
            .current_dir(self.world.folder.path())
            .stdin(Stdio::null());
        for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "OLLAMA_HOST", "OLLAMA_MODELS"]
        {
            command.env_remove(name);
        }
        command
    }

    /// A helper that `.ci/wine-walk` built.
    pub fn helper(&self, name: &str) -> Command {
        self.wine(self.prefix.with_file_name("helpers").join(format!("{name}.exe")))
    }

    /// The path of one of our programs.
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.join(format!("{name}.exe"))
    }

    /// `acolyte` with these arguments on this home.
    pub fn acolyte(&self, arguments: &[&str]) -> Command {
        self.acolyte_at(&self.home(), arguments)
    }

    /// The same on another home.
    pub fn acolyte_at(&self, home: &str, arguments: &[&str]) -> Command {
        let mut command = self.wine(self.program("acolyte"));
        command.args(arguments).args(["--lang", "en", "--home", home]);
        command
    }

    /// `acolyte install` from this computer's mirror.
    pub fn install_command(&self, arguments: &[&str]) -> Command {
        let mut command = self.acolyte(&["install", "--json", "--yes", "--accept-degraded", "--no-tune"]);
        command.args(self.sources());
        if !arguments.contains(&"--port") {
            command.args(["--port", &free_port().to_string()]);
        }
        command.args(arguments);
        command
    }

    /// Arguments that name the mirror, the release and the machine.
    pub fn sources(&self) -> Vec<String> {
        let path = |name: &str| format!("Z:{}", self.world.path(name).display()).replace('/', r"\");
        let mirror = self.world.mirror.url();
        ["--mirror", &mirror, "--release", &path("release.json"), "--hardware", &path("hardware.json")]
            .map(str::to_owned)
            .into()
    }

    /// Runs it to its end.
    pub fn install(&self, arguments: &[&str]) -> Said {
        Said::from_output(&output(self.install_command(arguments)))
    }

    /// Runs `acolyte` to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        output(self.acolyte(arguments))
    }

    /// Runs `acolyte` to its end, which must be a success.
    pub fn succeed(&self, arguments: &[&str]) {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// What `acolyte status --json` prints.
    pub fn status(&self) -> Value {
        let output = self.run(&["status", "--json"]);
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)))
    }

    /// Values of the user's Run key, as `reg query` prints them.
    pub fn run_values(&self) -> String {
        let key = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Run";
        let mut query = self.wine("reg");
        query.args(["query", key]);
        String::from_utf8_lossy(&output(query).stdout).into_owned()
    }

    /// Ids of servers and runners of this home.
    pub fn engine_processes(&self) -> Vec<u32> {
        self.processes()
            .into_iter()
            .filter(|(_, line)| line.contains(r"\ollama\"))
            .map(|(id, _)| id)
            .collect()
    }

    /// Ids and command lines of processes that name this home.
    pub fn processes(&self) -> Vec<(u32, String)> {
        let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        entries
            .filter_map(|entry| {
                let id: u32 = entry.file_name().to_str()?.parse().ok()?;
                let line = std::fs::read(entry.path().join("cmdline")).ok()?;
                let line = String::from_utf8_lossy(&line).replace('\0', " ");
                line.contains(&format!(r"{}\", self.name)).then_some((id, line))
            })
            .collect()
    }

    /// Ends the desktop that programs without a display have left: those with one would join it, and show nothing.
    pub fn leave_desktop(&self) {
        let prefix = format!("WINEPREFIX={}", self.prefix.display()).into_bytes();
        let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        for entry in entries {
            let file = |name: &str| std::fs::read(entry.path().join(name)).unwrap_or_default();
            let is_desktop = String::from_utf8_lossy(&file("cmdline")).contains("explorer.exe");
            let is_ours = || file("environ").split(|byte| *byte == 0).any(|variable| variable == prefix);
            let Some(id) = entry.file_name().to_str().and_then(|id| id.parse::<u32>().ok()) else { continue };
            if is_desktop && is_ours() {
                super::common::world::signal(id, super::common::world::Signal::Kill);
                let began = Instant::now();
                while entry.path().exists() {
                    assert!(began.elapsed() < PATIENCE, "the desktop does not end");
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
        }
    }

    /// Waits until no process of this home is left, helpers of the tests aside.
    pub fn wait_until_nothing_runs(&self) {
        let began = Instant::now();
        let ours = || {
            let mut ours = self.processes();
            ours.retain(|(_, line)| !line.contains("/helpers/"));
            ours
        };
        while !ours().is_empty() {
            assert!(began.elapsed() < PATIENCE, "{:?} still run", ours());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Asserts that an uninstall left nothing.
    pub fn assert_removed(&self) {
        assert!(!self.file("").exists(), "{:?}", super::common::world::listing(&self.file("")));
        assert!(!self.run_values().contains("start-server"), "{}", self.run_values());
        self.wait_until_nothing_runs();
    }
}

impl Drop for Windows {
    fn drop(&mut self) {
        // A link of a drive letter changes how Wine names all paths below it.
        let _ = std::fs::remove_file(self.unix(r"C:\").join("../dosdevices/x:"));
        for (id, _) in self.processes() {
            super::common::world::signal(id, super::common::world::Signal::Kill);
        }
    }
}
