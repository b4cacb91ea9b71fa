//! Programs that are not our server and listen on its port.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::archive::fake_ollama;
use super::process::Guarded;

/// The user `nobody`.
pub const NOBODY: u32 = 65_534;

/// Says yes to everything, and counts the connections.
pub fn answer_everything(listener: TcpListener) -> Arc<AtomicUsize> {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            count.fetch_add(1, Ordering::SeqCst);
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
    asked
}

/// A server of the stand-in that belongs to another user, where we may become one.
pub struct Stranger {
    pub process: Guarded,
    pub is_another_user: bool,
    _folder: tempfile::TempDir,
}

impl Stranger {
    /// Listens when this returns.
    pub fn start(port: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("bin/ollama");
        std::fs::create_dir(folder.path().join("bin")).unwrap();
        std::fs::create_dir(folder.path().join("models")).unwrap();
        std::fs::copy(fake_ollama(), &program).unwrap();
        std::fs::write(folder.path().join("bin/double.json"), r#"{"version":"6.6.6"}"#).unwrap();
        let mut command = Command::new(&program);
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
        Self { process: listening(command), is_another_user, _folder: folder }
    }
}

/// Starts a server of the stand-in and waits until it listens.
pub fn listening(mut command: Command) -> Guarded {
    let mut process = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
    let listens = |line: &std::io::Result<String>| line.as_ref().unwrap().contains("Listening on");
    assert!(log.any(|line| listens(&line)), "it listens");
    // Read on, so that it does not block when it writes.
    std::thread::spawn(move || log.count());
    Guarded(process)
}
