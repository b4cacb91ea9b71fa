//! Ollama servers and installations already on the machine.
//!
//! Servers are asked over HTTP, never through the `ollama` program: on macOS and Windows its commands start the
//! desktop app when no server answers.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::probe::output_within;
use crate::machine::{EngineKind, FoundEngine, LoadedModel, StoredModel};
use crate::platform;

/// Ollama's own port.
const DEFAULT_PORT: u16 = 11_434;
/// The ports that ACOLYTE uses.
const OUR_PORTS: std::ops::RangeInclusive<u16> = 42_434..=42_453;
/// Connecting may take this long, and so may the whole conversation after it.
const LIMIT: Duration = Duration::from_millis(300);
/// An `ollama` program that has not said its version by then is not waited for.
const PROGRAM_LIMIT: Duration = Duration::from_secs(2);
/// A list of models takes some hundred bytes each; a server that sends more than this is not Ollama.
const MOST_BYTES: usize = 1024 * 1024;

/// Where engines may be.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// Addresses to ask.
    pub servers: Vec<SocketAddr>,
    /// Folders in which an `ollama` program may lie (`PATH`).
    pub folders: Vec<PathBuf>,
    /// The user's home folder.
    pub user_home: Option<PathBuf>,
    /// Folders of models that are not ours.
    pub model_folders: Vec<PathBuf>,
    /// Whether the system's usual places are looked at, too.
    pub usual: bool,
}

impl Places {
    /// The usual ones, as the environment has them: `OLLAMA_HOST` or its default, our ports, `PATH`, `OLLAMA_MODELS`.
    pub fn usual() -> Self {
        let set = std::env::var("OLLAMA_HOST").ok();
        let mut servers = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT))];
        servers.extend(OUR_PORTS.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port))));
        servers.extend(set.as_deref().and_then(local_address).filter(|address| !servers.contains(address)));
        Self {
            servers,
            folders: std::env::var_os("PATH")
                .map_or_else(Vec::new, |path| std::env::split_paths(&path).collect()),
            user_home: std::env::home_dir(),
            model_folders: std::env::var_os("OLLAMA_MODELS")
                .map(PathBuf::from)
                .into_iter()
                .chain(std::env::home_dir().map(|home| home.join(".ollama").join("models")))
                .chain(crate::hardware::system::system_model_folders())
                .collect(),
            usual: true,
        }
    }
}

/// The address that a value of `OLLAMA_HOST` means on this machine; `None` for other machines and nonsense. A server
/// told to listen everywhere is asked on loopback.
fn local_address(host: &str) -> Option<SocketAddr> {
    let host = host.trim();
    let host = host.split_once("://").map_or(host, |(_, rest)| rest);
    let host = host.split('/').next()?;
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => (name, port.parse().ok()?),
        _ => (host, DEFAULT_PORT),
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    let ip = match name {
        "" | "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
        literal => literal.parse::<IpAddr>().ok()?,
    };
    let ip = if ip.is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { ip };
    ip.is_loopback().then(|| SocketAddr::new(ip, port))
}

/// All engines: servers first, then installations. `home` is ACOLYTE's folder.
pub fn find(places: &Places, home: &Path) -> Vec<FoundEngine> {
    thread::scope(|scope| {
        let asked: Vec<_> =
            places.servers.iter().map(|address| scope.spawn(move || server(*address))).collect();
        let installed = scope.spawn(|| installations(places, home));
        let mut engines: Vec<FoundEngine> =
            asked.into_iter().filter_map(|thread| thread.join().ok().flatten()).collect();
        engines.extend(installed.join().unwrap_or_default());
        engines
    })
}

/// The server on this address, if it is one.
fn server(address: SocketAddr) -> Option<FoundEngine> {
    #[derive(Deserialize)]
    struct Version {
        version: String,
    }
    let version: Version = ask(address, "/api/version")?;
    Some(FoundEngine {
        kind: EngineKind::Server,
        version: Some(version.version),
        port: Some(address.port()),
        path: None,
        exposed: crate::hardware::system::listens_beyond_loopback(address.port()),
        loaded: loaded_models(address),
        models: stored_models(address),
    })
}

/// What it has on its disk, which this user may not be able to read.
fn stored_models(address: SocketAddr) -> Vec<StoredModel> {
    #[derive(Deserialize)]
    struct Stored {
        models: Vec<Model>,
    }
    #[derive(Deserialize)]
    struct Model {
        name: String,
        size: Option<u64>,
    }
    let stored: Option<Stored> = ask(address, "/api/tags");
    stored
        .map_or_else(Vec::new, |stored| stored.models)
        .into_iter()
        .map(|model| StoredModel { name: model.name, size_bytes: model.size })
        .collect()
}

/// What it holds in memory now.
fn loaded_models(address: SocketAddr) -> Vec<LoadedModel> {
    #[derive(Deserialize)]
    struct Running {
        models: Vec<Model>,
    }
    #[derive(Deserialize)]
    struct Model {
        name: String,
        size: Option<u64>,
        size_vram: Option<u64>,
    }
    let running: Option<Running> = ask(address, "/api/ps");
    running
        .map_or_else(Vec::new, |running| running.models)
        .into_iter()
        .map(|model| LoadedModel { name: model.name, total_bytes: model.size, vram_bytes: model.size_vram })
        .collect()
}

/// A small question and its JSON answer.
fn ask<T: DeserializeOwned>(address: SocketAddr, path: &str) -> Option<T> {
    let mut stream = TcpStream::connect_timeout(&address, LIMIT).ok()?;
    stream.set_write_timeout(Some(LIMIT)).ok()?;
    // HTTP/1.0, so that the answer ends with the connection and never comes in chunks.
    let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let answer = read_until(&mut stream, Instant::now() + LIMIT)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split_whitespace().nth(1)?;
    (status == "200").then(|| serde_json::from_str(body.trim()).ok())?
}

/// Everything until the other side closes, or `None` when that takes too long or is too much.
fn read_until(stream: &mut TcpStream, deadline: Instant) -> Option<Vec<u8>> {
    let mut answer = Vec::new();
    let mut piece = [0_u8; 4096];
    while answer.len() < MOST_BYTES {
        let left = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
        stream.set_read_timeout(Some(left)).ok()?;
        match stream.read(&mut piece).ok()? {
            0 => return Some(answer),
            read => answer.extend_from_slice(&piece[..read]),
        }
    }
    None
}

/// The version an `ollama` program says, where asking it starts nothing (see `platform`). `--version` asks a running
/// server first and only warns when there is none, so it is pointed at a port where there never is one. A program that
/// others could have put there is not run.
fn program_version(program: &Path) -> Option<String> {
    if !crate::hardware::system::PROGRAMS_CAN_BE_ASKED || platform::others_can_write(program) {
        return None;
    }
    let mut command = Command::new(program);
    command.arg("--version").env("OLLAMA_HOST", "127.0.0.1:1");
    version_in(&output_within(command, PROGRAM_LIMIT)?)
}

/// Programs, services and apps, each once; our own installations are among them.
fn installations(places: &Places, home: &Path) -> Vec<FoundEngine> {
    let name = if cfg!(windows) { "ollama.exe" } else { "ollama" };
    let program =
        |path: PathBuf| FoundEngine { kind: EngineKind::Binary, path: Some(path), ..FoundEngine::default() };
    let mut found: Vec<FoundEngine> = places
        .folders
        .iter()
        .map(|folder| folder.join(name))
        .filter(|path| path.is_file())
        .map(program)
        .collect();
    if places.usual {
        found.extend(crate::hardware::system::engine_programs(places.user_home.as_deref()));
    }
    let mut engines = own_installations(home, name);
    let mut seen: Vec<PathBuf> = engines.iter().filter_map(real_path).collect();
    for mut engine in found {
        let real = real_path(&engine);
        if real.as_ref().is_some_and(|real| seen.contains(real)) {
            continue;
        }
        seen.extend(real);
        if engine.kind == EngineKind::Binary && engine.version.is_none() {
            engine.version = engine.path.as_deref().and_then(program_version);
        }
        engines.push(engine);
    }
    engines
}

/// `HOME/ollama/VERSION/bin/ollama`: the folder's name is the version.
fn own_installations(home: &Path, name: &str) -> Vec<FoundEngine> {
    let versions = std::fs::read_dir(home.join("ollama")).into_iter().flatten().flatten();
    let mut own: Vec<FoundEngine> = versions
        .filter_map(|version| {
            let candidates = [version.path().join("bin").join(name), version.path().join(name)];
            Some(FoundEngine {
                kind: EngineKind::Binary,
                version: Some(version.file_name().into_string().ok()?),
                path: Some(candidates.into_iter().find(|path| path.is_file())?),
                ..FoundEngine::default()
            })
        })
        .collect();
    own.sort_by(|a, b| a.path.cmp(&b.path));
    own
}

fn real_path(engine: &FoundEngine) -> Option<PathBuf> {
    std::fs::canonicalize(engine.path.as_deref()?).ok()
}

/// The version in what `ollama --version` prints. The client's counts, where it differs from a server's.
pub fn version_in(output: &str) -> Option<String> {
    ["client version is ", "ollama version is "].iter().find_map(|mark| {
        let (_, rest) = output.split_once(mark)?;
        let version = rest.split_whitespace().next()?;
        version.starts_with(|c: char| c.is_ascii_digit()).then(|| version.to_owned())
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn the_version_is_found_among_warnings() {
        let alone =
            "Warning: could not connect to a running Ollama instance\nWarning: client version is 0.32.15\n";
        assert_eq!(version_in(alone).as_deref(), Some("0.32.15"));
        assert_eq!(version_in("ollama version is 0.5.7\n").as_deref(), Some("0.5.7"));
        let both = "ollama version is 0.6.0\nWarning: client version is 0.5.7\n";
        assert_eq!(version_in(both).as_deref(), Some("0.5.7"));
        assert_eq!(version_in("Segmentation fault"), None);
    }

    #[test]
    fn only_this_machine_is_asked() {
        for (set, expected) in [
            ("127.0.0.1:11500", Some("127.0.0.1:11500")),
            ("http://localhost:8080/", Some("127.0.0.1:8080")),
            ("0.0.0.0", Some("127.0.0.1:11434")),
            (":9999", Some("127.0.0.1:9999")),
            ("[::1]:1234", Some("[::1]:1234")),
            ("192.168.1.10:11434", None),
            ("ollama.example.com", None),
            ("127.0.0.1:x", None),
        ] {
            assert_eq!(local_address(set).map(|a| a.to_string()).as_deref(), expected, "{set}");
        }
    }

    /// Answers one connection after the other with these, then ends.
    fn serve(answers: &'static [&'static str]) -> SocketAddr {
        serve_at("127.0.0.1:0", answers)
    }

    fn serve_at(address: &str, answers: &'static [&'static str]) -> SocketAddr {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0_u8; 1024];
                let _some = stream.read(&mut request).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        address
    }

    #[test]
    fn a_server_says_its_version_and_others_are_not_engines() {
        let ollama = serve(&[
            "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{\"version\":\"0.32.15\"}",
            "HTTP/1.0 200 OK\r\n\r\n{\"models\":[{\"name\":\"acolyte:latest\",\"size\":6000,\"size_vram\":5000}]}",
            "HTTP/1.0 200 OK\r\n\r\n{\"models\":[{\"name\":\"acolyte:latest\",\"size\":4000,\"details\":{}}]}",
        ]);
        let found = server(ollama).unwrap();
        assert_eq!((found.version.as_deref(), found.port), (Some("0.32.15"), Some(ollama.port())));
        let model = LoadedModel {
            name: "acolyte:latest".to_owned(),
            total_bytes: Some(6000),
            vram_bytes: Some(5000),
        };
        assert_eq!(found.loaded, [model]);
        let stored = StoredModel { name: "acolyte:latest".to_owned(), size_bytes: Some(4000) };
        assert_eq!(found.models, [stored]);
        assert_eq!(server(serve(&["HTTP/1.0 404 Not Found\r\n\r\n{\"version\":\"1\"}"])), None);
        assert_eq!(server(serve(&["SSH-2.0-OpenSSH_9.2\r\n"])), None);
    }

    /// Elsewhere that takes a network.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_server_that_listens_for_everybody_is_exposed() {
        const NOTHING: &str = "HTTP/1.0 200 OK\r\n\r\n{\"models\":[]}";
        let answers = &["HTTP/1.0 200 OK\r\n\r\n{\"version\":\"0.32.15\"}", NOTHING, NOTHING];
        for (bound, exposed) in [("0.0.0.0:0", true), ("127.0.0.1:0", false)] {
            let port = serve_at(bound, answers).port();
            let found = server(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).unwrap();
            assert_eq!(found.exposed, Some(exposed), "{bound}");
        }
    }

    #[test]
    fn a_server_that_never_finishes_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            // Ends when the other side hangs up.
            while stream.write_all(b"H").is_ok() {}
        });
        let begun = Instant::now();
        assert_eq!(server(address), None);
        assert!(begun.elapsed() < 10 * LIMIT, "{:?}", begun.elapsed());
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_hangs_is_killed() {
        let mut command = Command::new("sleep");
        command.arg("60");
        let begun = Instant::now();
        assert_eq!(output_within(command, Duration::from_millis(200)), None);
        assert!(begun.elapsed() < Duration::from_secs(10));
        let mut command = Command::new("echo");
        command.arg("client version is 1.2.3");
        let said = output_within(command, Duration::from_secs(10)).unwrap();
        assert_eq!(version_in(&said).as_deref(), Some("1.2.3"));
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_others_could_have_put_there_is_not_run() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("ollama");
        std::fs::write(&program, "#!/bin/sh\necho client version is 9.9.9\n").unwrap();
        let version = |mode| {
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(mode)).unwrap();
            program_version(&program)
        };
        if crate::hardware::system::PROGRAMS_CAN_BE_ASKED {
            assert_eq!(version(0o755).as_deref(), Some("9.9.9"));
        }
        assert_eq!(version(0o777), None);
    }

    #[test]
    fn our_own_installation_is_an_engine() {
        let home = tempfile::tempdir().unwrap();
        let bin = home.path().join("ollama/0.32.15/bin");
        std::fs::create_dir_all(&bin).unwrap();
        let name = if cfg!(windows) { "ollama.exe" } else { "ollama" };
        std::fs::write(bin.join(name), "").unwrap();
        let found = find(&Places::default(), home.path());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].version.as_deref(), Some("0.32.15"));
    }
}
