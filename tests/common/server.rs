//! A stand-in server without an installation.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::mpsc;

use serde_json::{Value, json};

use super::archive::fake_ollama;
use super::gguf::Shape;
use super::mirror::{Mirror, ModelFiles};
use super::process::{Guarded, KillsBelow, PATIENCE};

/// A stand-in server in its own folder.
pub struct Server {
    pub process: Guarded,
    pub port: u16,
    log: mpsc::Receiver<String>,
    /// Lines of its log so far.
    pub logged: Vec<String>,
    pub folder: tempfile::TempDir,
    _kills: KillsBelow,
}

impl Server {
    pub fn start(double: &Value, environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (path, bytes) in
            [("bin/ollama", true), ("lib/ollama/llama-server", true), ("bin/double.json", false)]
        {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            if bytes {
                std::fs::copy(fake_ollama(), &path).unwrap();
            } else {
                std::fs::write(&path, double.to_string()).unwrap();
            }
        }
        Self::start_in(folder, environment)
    }

    pub fn start_in(folder: tempfile::TempDir, environment: &[(&str, &str)]) -> Self {
        let kills = KillsBelow(folder.path().to_owned());
        let mut command = Command::new(folder.path().join("bin/ollama"));
        command
            .arg("serve")
            .env("OLLAMA_HOST", "127.0.0.1:0")
            .env("OLLAMA_MODELS", folder.path().join("models"))
            .env("OLLAMA_NOPRUNE", "1")
            .envs(environment.iter().copied())
            .stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let stderr = process.stderr.take().unwrap();
        let (sender, log) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let mut server =
            Self { process: Guarded(process), port: 0, log, logged: Vec::new(), folder, _kills: kills };
        let line = server.wait_for_line("Listening on 127.0.0.1:");
        let port = line.split("127.0.0.1:").nth(1).unwrap().split(' ').next().unwrap();
        server.port = port.parse().unwrap();
        server
    }

    /// The first log line with this text, earlier lines included.
    pub fn wait_for_line(&mut self, text: &str) -> String {
        if let Some(line) = self.logged.iter().find(|line| line.contains(text)) {
            return line.clone();
        }
        loop {
            let line = self.log.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("no line with {text:?} in {:#?}", self.logged));
            self.logged.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
    }

    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, String) {
        self.ask_as("127.0.0.1", method, path, body)
    }

    pub fn ask_as(&self, host: &str, method: &str, path: &str, body: Option<&Value>) -> (u16, String) {
        self.ask_with(&format!("Host: {host}\r\n"), method, path, body)
    }

    /// With these lines in the head, the host among them.
    pub fn ask_with(&self, head: &str, method: &str, path: &str, body: Option<&Value>) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let body = body.map(Value::to_string).unwrap_or_default();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\n{head}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
        (status, if chunked { unchunked(body) } else { body.to_owned() })
    }

    pub fn post(&self, path: &str, body: &Value) -> (u16, String) {
        self.ask("POST", path, Some(body))
    }

    /// Pulls a test model and creates `acolyte:latest` from it.
    pub fn with_model(&self, mirror: &Mirror, shape: &Shape, parameters: &Value) {
        let name = put(mirror, shape);
        let (status, body) = self.post("/api/pull", &json!({"model": name, "insecure": true}));
        assert_eq!((status, last_line(&body)), (200, json!({"status": "success"})));
        let made = json!({"model": "acolyte:latest", "from": name, "parameters": parameters});
        assert_eq!(last_line(&self.post("/api/create", &made).1), json!({"status": "success"}));
    }
}

pub fn put(mirror: &Mirror, shape: &Shape) -> String {
    let files = ModelFiles {
        gguf: shape.file(),
        template: Some("{{ .Prompt }}".to_owned()),
        params: Some(r#"{"temperature":0.7}"#.to_owned()),
        family: "qwen2".to_owned(),
        parameter_size: "7.6B".to_owned(),
        quantisation: "Q4_K_M".to_owned(),
    };
    mirror.put_model("acolyte/tiny:1b", &files);
    format!("{}/acolyte/tiny:1b", mirror.host())
}

fn unchunked(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        whole.push_str(&rest[..size]);
        if size == 0 {
            break;
        }
        body = &rest[size + 2..];
    }
    whole
}

pub fn last_line(body: &str) -> Value {
    serde_json::from_str(body.lines().last().unwrap()).unwrap()
}
