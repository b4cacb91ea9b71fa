//! A D-Bus daemon of a test's own.

use std::process::{Command, Stdio};

use super::process::Guarded;
use super::world::World;

/// Which bus it is.
#[derive(Clone, Copy, Debug)]
pub enum BusType {
    System,
    Session,
}

/// Starts a daemon that ends with the test. Returns it with its address; `None`, with a message, where `dbus-daemon` is not
/// installed.
pub fn start_bus(world: &World, bus: BusType) -> Option<(Guarded, String)> {
    let name = match bus {
        BusType::System => "system",
        BusType::Session => "session",
    };
    let (config, socket) = (world.path("bus.conf"), world.path("bus"));
    let policy = r#"<policy context="default"><allow own="*"/><allow user="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy>"#;
    let listen = format!("<type>{name}</type><listen>unix:path={}</listen>", socket.display());
    std::fs::write(&config, format!("<busconfig>{listen}<auth>EXTERNAL</auth>{policy}</busconfig>")).unwrap();
    let daemon = Command::new("dbus-daemon")
        .arg(format!("--config-file={}", config.display()))
        .args(["--nofork", "--print-address"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut daemon = match daemon {
        Ok(daemon) => Guarded(daemon),
        Err(error) => {
            eprintln!("skipped: dbus-daemon: {error}");
            return None;
        }
    };
    let address = daemon.first_line();
    Some((daemon, address))
}
