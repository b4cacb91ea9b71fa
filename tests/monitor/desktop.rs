//! Alerts on the desktop, with a real D-Bus daemon and a stand-in for the session's notification service.
//!
//! Needs `dbus-daemon` (Debian: `apt-get install dbus-daemon`); without it the tests are skipped with a message.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use serde_json::json;
use zbus::blocking::{Connection, connection};
use zbus::zvariant::OwnedValue;

use crate::card::Card;
use crate::common::bus::{BusType, start_bus};
use crate::common::process::{Guarded, Signal};
use crate::common::world::{PATIENCE, Running, World};

/// A notification that was shown.
#[derive(Debug)]
pub struct Shown {
    id: u32,
    pub title: String,
    body: String,
    /// Identifiers and words, in turns.
    actions: Vec<String>,
}

/// As `org.freedesktop.Notifications` of a desktop.
struct Service {
    shown: Sender<Shown>,
    last: u32,
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Service {
    #[allow(clippy::too_many_arguments, reason = "the interface has them")]
    fn notify(
        &mut self,
        app: &str,
        _replaces: u32,
        _icon: &str,
        title: &str,
        body: &str,
        actions: Vec<String>,
        _hints: HashMap<String, OwnedValue>,
        _timeout: i32,
    ) -> u32 {
        assert_eq!(app, "ACOLYTE");
        self.last += 1;
        let [title, body] = [title, body].map(str::to_owned);
        self.shown.send(Shown { id: self.last, title, body, actions }).unwrap();
        self.last
    }
}

/// A session with the service.
pub struct Desktop {
    _daemon: Guarded,
    service: Connection,
    pub address: String,
    shown: Receiver<Shown>,
}

impl Desktop {
    /// `None` without a daemon.
    pub fn start(world: &World) -> Option<Self> {
        let (daemon, address) = start_bus(world, BusType::Session)?;
        let (sender, shown) = channel();
        let service = connection::Builder::address(address.as_str())
            .unwrap()
            .serve_at("/org/freedesktop/Notifications", Service { shown: sender, last: 0 })
            .unwrap()
            .name("org.freedesktop.Notifications")
            .unwrap()
            .build()
            .unwrap();
        Some(Self { _daemon: daemon, service, address, shown })
    }

    /// The next one.
    pub fn next(&self) -> Shown {
        self.shown.recv_timeout(PATIENCE).expect("a notification")
    }

    /// Presses a button until something is shown for it: the program may not listen yet.
    fn press(&self, notification: &Shown, button: &str) -> Shown {
        let begun = Instant::now();
        loop {
            let path = "/org/freedesktop/Notifications";
            let action = &(notification.id, button);
            self.service.emit_signal(None::<&str>, path, path_name(path), "ActionInvoked", action).unwrap();
            if let Ok(shown) = self.shown.recv_timeout(Duration::from_millis(200)) {
                return shown;
            }
            assert!(begun.elapsed() < PATIENCE, "nothing came of {button}");
        }
    }
}

/// The interface is called as the path.
fn path_name(path: &str) -> String {
    path.trim_start_matches('/').replace('/', ".")
}

#[test]
fn an_alert_is_shown_once_and_its_buttons_do_what_they_say() {
    let world = World::new(&json!({}));
    let Some(desktop) = Desktop::start(&world) else { return };
    world.install(&["--profile", "hybrid_8gb", "--accept-degraded", "--no-autostart"]).receipt();
    let loads = || world.read("logs/server.log").matches("starting llama-server").count();
    let before = loads();

    // The program beside a window that tells how it was opened.
    let folder = world.path("programs");
    std::fs::create_dir(&folder).unwrap();
    let program = folder.join("acolyte");
    std::fs::copy(env!("CARGO_BIN_EXE_acolyte"), &program).unwrap();
    let (window, opened) = (folder.join("acolyte-installer"), world.path("opened"));
    let script = format!("#!/bin/sh\necho \"$@\" > '{}.new'\nmv '{0}.new' '{0}'\n", opened.display());
    std::fs::write(&window, script).unwrap();
    std::fs::set_permissions(&window, std::fs::Permissions::from_mode(0o755)).unwrap();

    let card = Card::new("4000");
    let mut command = card.beside(world.program(program.to_str().unwrap()));
    command.args(["monitor", "--json", "--interval", "1", "--lang", "en"]);
    command.env("DBUS_SESSION_BUS_ADDRESS", &desktop.address).stdin(Stdio::null());
    let running = Running::start(command);
    running.wait_for(|_| true);

    card.is("200 77 6000");
    let alert = desktop.next();
    assert_eq!(alert.title, "Graphics memory is nearly full");
    assert!(alert.body.starts_with("NVIDIA GeForce RTX 4060 Laptop GPU: 98"), "{alert:?}");
    let buttons: Vec<&str> = alert.actions.iter().step_by(2).map(String::as_str).collect();
    assert_eq!(buttons, ["programs", "reload", "smaller"]);
    let programs = desktop.press(&alert, "programs");
    assert_eq!(programs.title, "Programs on the graphics card");
    assert!(programs.body.starts_with("blender: 5.9") && programs.actions.is_empty(), "{programs:?}");
    running.wait_for(|sample| sample["alerts"][0].as_str().is_some_and(|words| words.contains("blender")));

    let again = |free: &str| {
        card.is("4000");
        running.wait_for(|sample| {
            sample["alerts"][0].as_str().is_some_and(|words| words.contains("is down to"))
        });
        card.is(free);
        desktop.next()
    };
    assert_eq!(loads(), before);
    let reloaded = desktop.press(&again("200"), "reload");
    assert_eq!(reloaded.body, "The model was loaded again");
    assert_eq!(loads(), before + 1);
    assert_eq!(world.status()["model"]["context_tokens"], 32_768, "the context is never reduced");

    let smaller = desktop.press(&again("100"), "smaller");
    assert!(smaller.body.contains("acolyte check-requirements"), "{smaller:?}");
    let begun = Instant::now();
    while !opened.exists() {
        assert!(begun.elapsed() < PATIENCE, "the window was not opened");
        std::thread::yield_now();
    }
    let arguments = std::fs::read_to_string(&opened).unwrap();
    assert_eq!(arguments.trim(), format!("--home {}", world.home().display()));

    // Between the limits nothing is said again.
    card.is("500");
    running.wait_for(|sample| sample["gpus"][0]["used_bytes"] == json!((8188_u64 - 500) << 20));
    assert!(desktop.shown.try_recv().is_err());
    running.signal(Signal::Interrupt);
    assert_eq!(running.end(), Some(130));
}

#[test]
fn without_a_notification_service_only_words_are_printed() {
    let (card, world) = (Card::new("100"), World::new(&json!({})));
    let mut command = card.beside(world.acolyte(&["monitor", "--json", "--interval", "1"]));
    command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    let running = Running::start(command);
    let sample = running.wait_for(|sample| sample["alerts"].as_array().is_some_and(|a| !a.is_empty()));
    assert!(sample["alerts"][0].as_str().unwrap().contains("99"), "{sample}");
    running.wait_for(|sample| sample["alerts"] == json!([]));
    running.signal(Signal::Interrupt);
    assert_eq!(running.end(), Some(130));
}
