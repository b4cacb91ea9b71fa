//! Programs that outlive this one.
//!
//! A server that inherits a pipe or a file keeps it open as long as it runs: who reads our output would wait for its end,
//! and a log file named by `>` would stay locked. So a detached program gets its output and nothing else. On Windows it
//! is started with a list of what it inherits, because the standard library passes everything that is inheritable; on
//! Unix what is opened here is closed on `exec`, and what was open at the start is marked so
//! ([`restrict_process`](super::restrict_process)).

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

use super::environment::Environment;

/// A program to be started.
#[derive(Debug)]
pub struct DetachedProgram {
    /// An absolute path.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Its whole environment.
    pub environment: BTreeMap<String, OsString>,
    /// Working directory; ours if `None`.
    pub folder: Option<PathBuf>,
    /// Where standard output and standard error go. Standard input is empty.
    pub output: File,
}

/// The device that discards what is written to it.
const NULL_DEVICE: &str = if cfg!(windows) { "NUL" } else { "/dev/null" };

impl DetachedProgram {
    /// A program in our own environment whose output is discarded.
    ///
    /// # Errors
    /// If the system's null device cannot be opened.
    pub fn silent(program: PathBuf, args: Vec<OsString>) -> io::Result<Self> {
        let output = File::options().write(true).open(NULL_DEVICE)?;
        let text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value));
        let environment = Environment::of_process().variables().into_iter().filter_map(text).collect();
        Ok(Self { program, args, environment, folder: None, output })
    }

    /// Starts it in a process group of its own, so that Ctrl-C in our terminal or closing it does not end it, and without
    /// a console window on Windows.
    ///
    /// # Errors
    /// If the system refuses.
    #[cfg(unix)]
    pub fn start(self) -> io::Result<DetachedChild> {
        use std::os::unix::process::CommandExt as _;
        let mut command = super::program::command(&self.program);
        command.args(&self.args).env_clear().envs(&self.environment).process_group(0);
        command.stdin(std::process::Stdio::null()).stdout(self.output.try_clone()?).stderr(self.output);
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command.spawn().map(DetachedChild)
    }

    /// Starts it in a process group of its own, so that Ctrl-C in our terminal or closing it does not end it, and without
    /// a console window. Waits while another program has the program's file open.
    ///
    /// # Errors
    /// If the system refuses.
    #[cfg(windows)]
    pub fn start(self) -> io::Result<DetachedChild> {
        use super::windows_quoting::quoted;
        let words =
            std::iter::once(self.program.as_os_str()).chain(self.args.iter().map(OsString::as_os_str));
        let line: Vec<String> = words.map(|word| quoted(&word.to_string_lossy())).collect();
        let folder = self.folder.as_deref();
        let line = line.join(" ");
        let start = || {
            let Self { program, environment, output, .. } = &self;
            super::windows::spawn_detached(program, &line, environment, folder, output)
        };
        super::files::while_held(&self.program, start).map(DetachedChild)
    }
}

/// A started program.
#[derive(Debug)]
pub struct DetachedChild(#[cfg(unix)] std::process::Child, #[cfg(windows)] super::windows::DetachedProcess);

impl DetachedChild {
    /// Its process ID.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// How it ended; `None` while it runs.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        #[cfg(unix)]
        return self.0.try_wait();
        #[cfg(windows)]
        return Ok(self.0.exit_code()?.map(std::os::windows::process::ExitStatusExt::from_raw));
    }
}
