//! Ollama servers and installations already on the machine.
//!
//! Servers are queried over HTTP, never through the `ollama` program, whose commands start the desktop app on macOS and
//! Windows when no server responds.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::machine::{EngineKind, FoundEngine, LoadedModel, StoredModel};
use crate::ollama::release::find_program;
use crate::ollama::replies::{Listed, Loaded};
use crate::ollama::running::running_servers;
use crate::ollama::server::PORTS;
use crate::platform::environment::Environment;
use crate::platform::{listening, ownership, program};

/// Ollama's own port.
const DEFAULT_PORT: u16 = 11_434;
/// Timeout for one request to a server.
const SERVER_LIMIT: Duration = Duration::from_millis(300);
/// Timeout for `ollama --version`.
const PROGRAM_LIMIT: Duration = Duration::from_secs(2);

/// Where to look for engines.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// Addresses to query.
    pub servers: Vec<SocketAddr>,
    /// Folders that may contain an `ollama` program (`PATH`).
    pub folders: Vec<PathBuf>,
    /// The user's home folder.
    pub user_home: Option<PathBuf>,
    /// Models folders of other servers.
    pub model_folders: Vec<PathBuf>,
    /// Whether to search the system's usual places as well.
    pub usual: bool,
}

impl Places {
    /// The usual places, by the environment of this process.
    pub fn usual() -> Self {
        Self::usual_in(&Environment::of_process())
    }

    /// `OLLAMA_HOST` or its default, our ports, `PATH`, and the folders of [`other_model_folders`].
    pub fn usual_in(environment: &Environment) -> Self {
        let set = environment.text("OLLAMA_HOST");
        let mut servers = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT))];
        servers.extend(PORTS.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port))));
        servers.extend(set.as_deref().and_then(local_address).filter(|address| !servers.contains(address)));
        Self {
            servers,
            folders: environment.folders("PATH"),
            user_home: environment.home_dir(),
            model_folders: other_model_folders(environment),
            usual: true,
        }
    }
}

/// Models folders of other Ollama servers: `OLLAMA_MODELS`, `~/.ollama/models`, the service's folders. They may not
/// exist.
pub fn other_model_folders(environment: &Environment) -> Vec<PathBuf> {
    let of_user = environment.home_dir().map(|home| home.join(".ollama").join("models"));
    let own = environment.path("OLLAMA_MODELS").into_iter().chain(of_user);
    own.chain(crate::hardware::system::system_model_folders()).collect()
}

/// The local address of a value of `OLLAMA_HOST`; `None` for other machines and invalid values. A server that listens
/// on all addresses is queried on loopback.
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

/// Finds all engines: servers first, then installations. `home` is ACOLYTE's folder. Blocks; see [`running_servers`].
pub fn find(places: &Places, home: &Path) -> Vec<FoundEngine> {
    thread::scope(|scope| {
        let installed = scope.spawn(|| installations(places, home));
        let mut engines = servers(&places.servers);
        engines.extend(installed.join().unwrap_or_default());
        engines
    })
}

fn servers(addresses: &[SocketAddr]) -> Vec<FoundEngine> {
    let loaded = |model: Loaded| LoadedModel {
        name: model.name.into(),
        total_bytes: Some(model.size),
        vram_bytes: Some(model.size_vram),
    };
    let stored = |model: Listed| StoredModel { name: model.name.into(), size_bytes: Some(model.size) };
    running_servers(addresses, SERVER_LIMIT)
        .into_iter()
        .map(|server| FoundEngine {
            kind: EngineKind::Server,
            version: Some(server.version),
            port: Some(server.address.port()),
            path: None,
            exposed: listening::is_exposed(server.address.port()),
            loaded: server.loaded.into_iter().map(loaded).collect(),
            models: server.models.into_iter().map(stored).collect(),
        })
        .collect()
}

/// Version of an `ollama` program, if running it does not start an app (see `system`). `--version` first queries a
/// server and only warns without one, so it is directed to a port without a server. A program that other users can
/// change or replace is not run; links are resolved, so that the checked program is the one that runs.
fn program_version(path: &Path) -> Option<String> {
    if !crate::hardware::system::CAN_RUN_PROGRAMS {
        return None;
    }
    let mut command = program::command(trusted(path)?);
    command.arg("--version").env("OLLAMA_HOST", "127.0.0.1:1");
    let output = program::run(command, PROGRAM_LIMIT).ok()?;
    version_in(&output.stdout).or_else(|| version_in(&output.stderr))
}

/// Resolves a program's path, if nobody else can change or replace the program or its folders.
fn trusted(path: &Path) -> Option<PathBuf> {
    match ownership::resolve_program(path) {
        Ok(program) => Some(program),
        Err(error) => {
            tracing::info!(%error, path = %path.display(), "a program is not trusted");
            None
        }
    }
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
        // Others could have put a program there.
        .filter_map(|path| trusted(&path))
        .map(program)
        .collect();
    if places.usual {
        found.extend(crate::hardware::system::engine_programs(places.user_home.as_deref()));
    }
    let mut engines = own_installations(home);
    let mut seen: Vec<PathBuf> = engines.iter().filter_map(real_path).collect();
    for mut engine in found {
        let real = real_path(&engine);
        if real.as_ref().is_some_and(|real| seen.contains(real)) {
            continue;
        }
        seen.extend(real);
        if engine.kind == EngineKind::Binary && engine.version.is_none() {
            engine.version = engine.path.as_deref().and_then(program_version).map(Into::into);
        }
        engines.push(engine);
    }
    engines
}

/// Our own installations: the engines in `HOME/ollama/VERSION`, with the folder's name as version.
fn own_installations(home: &Path) -> Vec<FoundEngine> {
    let versions = std::fs::read_dir(home.join("ollama")).into_iter().flatten().flatten();
    let mut own: Vec<FoundEngine> = versions
        .filter_map(|version| {
            Some(FoundEngine {
                kind: EngineKind::Binary,
                version: Some(version.file_name().into_string().ok()?.into()),
                path: Some(find_program(&version.path())?),
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

/// The version in the output of `ollama --version`; the client's, if it differs from the server's.
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
    fn only_this_machine_is_queried() {
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

    /// Its path is unchanged, and the document can be serialised.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_models_folder_that_is_not_utf_8_is_found() {
        use std::os::unix::ffi::OsStrExt as _;
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join(std::ffi::OsStr::from_bytes(b"mod\xe8les"));
        let environment = Environment::given([("OLLAMA_MODELS", folder.as_os_str())]);
        assert_eq!(Places::usual_in(&environment).model_folders[0], folder);
        let found = crate::machine::ModelFolder { path: folder, ..Default::default() };
        let json = serde_json::to_string(&found).unwrap();
        assert!(json.contains("mod\u{fffd}les"), "{json}");
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_others_can_change_is_not_run() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("ollama");
        std::fs::write(&program, "#!/bin/sh\necho client version is 9.9.9\n").unwrap();
        let version = |mode| {
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(mode)).unwrap();
            program_version(&program)
        };
        if crate::hardware::system::CAN_RUN_PROGRAMS {
            assert_eq!(version(0o755).as_deref(), Some("9.9.9"));
        }
        assert_eq!(version(0o777), None);
    }

    /// A program in a folder that others can write, sticky or not, or behind a link in such a folder, is not run,
    /// because others could replace it between check and start.
    #[cfg(unix)]
    #[test]
    fn a_program_in_a_folder_that_others_can_write_is_not_run() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let world = tempfile::tempdir().unwrap();
        let (open, good) = (world.path().join("open"), world.path().join("good"));
        for folder in [&open, &good] {
            std::fs::create_dir(folder).unwrap();
            let program = folder.join("ollama");
            std::fs::write(&program, "#!/bin/sh\necho client version is 9.9.9\n").unwrap();
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let found = |folder: &Path| {
            let places = Places { folders: vec![folder.to_owned()], ..Places::default() };
            find(&places, &world.path().join("home"))
        };
        let real = std::fs::canonicalize(good.join("ollama")).unwrap();
        assert_eq!(found(&good)[0].path.as_ref(), Some(&real));
        for mode in [0o777, 0o1777, 0o757] {
            std::fs::set_permissions(&open, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(found(&open), [], "{mode:o}");
            assert_eq!(program_version(&open.join("ollama")), None, "{mode:o}");
        }
        // A link in a safe folder to a program in the unsafe one, and the reverse.
        let links = world.path().join("links");
        std::fs::create_dir(&links).unwrap();
        symlink(open.join("ollama"), links.join("ollama")).unwrap();
        assert_eq!(found(&links), []);
        std::fs::remove_file(open.join("ollama")).unwrap();
        symlink(&real, open.join("ollama")).unwrap();
        assert_eq!(found(&open), []);
        // A safe link is found as its target.
        std::fs::remove_file(links.join("ollama")).unwrap();
        symlink(&real, links.join("ollama")).unwrap();
        assert_eq!(found(&links)[0].path.as_ref(), Some(&real));
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
