//! Sleep is inhibited during an installation: the whole program with a real D-Bus daemon and a stand-in for
//! systemd-logind. A lock of logind is a pipe; it is held while the other end is open.
//!
//! Needs `dbus-daemon` (Debian: `apt-get install dbus-daemon`); without it the tests are skipped with a message.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![cfg(target_os = "linux")]

mod common;

use std::io::{Read, pipe};
use std::sync::mpsc::{Receiver, Sender, channel};

use common::bus::{BusType, start_bus};
use common::process::Guarded;
use common::world::{PATIENCE, Running, Signal, World};
use serde_json::json;
use zbus::blocking::{Connection, connection};
use zbus::zvariant::OwnedFd;

/// A requested lock.
struct Lock {
    what: String,
    who: String,
    why: String,
    mode: String,
    /// Receives when it is released.
    released: Receiver<()>,
}

/// As `org.freedesktop.login1.Manager.Inhibit` of systemd: the reply is the writing end of a pipe.
struct Logind {
    requests: Sender<Lock>,
    may_block_sleep: bool,
}

#[zbus::interface(name = "org.freedesktop.login1.Manager")]
impl Logind {
    fn inhibit(&self, what: &str, who: &str, why: &str, mode: &str) -> zbus::fdo::Result<OwnedFd> {
        if what == "sleep" && !self.may_block_sleep {
            return Err(zbus::fdo::Error::AccessDenied("Interactive authentication required.".to_owned()));
        }
        let (mut ours, theirs) = pipe().unwrap();
        let (tell, released) = channel();
        std::thread::spawn(move || {
            // Nothing is written: the read ends when the last writer closes the pipe.
            let _ = ours.read(&mut [0]);
            let _ = tell.send(());
        });
        let [what, who, why, mode] = [what, who, why, mode].map(str::to_owned);
        self.requests.send(Lock { what, who, why, mode, released }).unwrap();
        Ok(std::os::fd::OwnedFd::from(theirs).into())
    }
}

struct Bus {
    _daemon: Guarded,
    _logind: Connection,
    address: String,
    requests: Receiver<Lock>,
}

impl Bus {
    /// `None` without a daemon.
    fn start(world: &World, may_block_sleep: bool) -> Option<Self> {
        let (daemon, address) = start_bus(world, BusType::System)?;
        let (sender, requests) = channel();
        let logind = connection::Builder::address(address.as_str())
            .unwrap()
            .serve_at("/org/freedesktop/login1", Logind { requests: sender, may_block_sleep })
            .unwrap()
            .name("org.freedesktop.login1")
            .unwrap()
            .build()
            .unwrap();
        Some(Self { _daemon: daemon, _logind: logind, address, requests })
    }

    fn begin_install(&self, world: &World) -> Running {
        let mut command = world.install_command(&["--profile", "light_6gb", "--accept-degraded"]);
        command.env("DBUS_SYSTEM_BUS_ADDRESS", &self.address);
        Running::start(command)
    }
}

#[test]
fn sleep_is_inhibited_until_the_installation_ends_or_is_interrupted() {
    for signal in [Signal::Interrupt, Signal::Kill] {
        let world = World::new(&json!({}));
        let Some(bus) = Bus::start(&world, true) else { return };
        world.mirror.limit_rate(1 << 20);
        let running = bus.begin_install(&world);
        let locks = [(); 2].map(|()| bus.requests.recv_timeout(PATIENCE).expect("a lock"));
        assert_eq!([&*locks[0].what, &*locks[1].what], ["idle", "sleep"]);
        for lock in &locks {
            assert_eq!((&*lock.who, &*lock.why, &*lock.mode), ("ACOLYTE", "Installing ACOLYTE", "block"));
        }
        running.wait_for(|event| {
            event["step"] == "fetch_engine" && event["bytes_done"].as_u64() > Some(300_000)
        });
        for lock in &locks {
            assert!(lock.released.try_recv().is_err(), "{} is held while it runs", lock.what);
        }
        running.signal(signal);
        running.end();
        for lock in &locks {
            lock.released.recv_timeout(PATIENCE).expect("the lock is released");
        }
    }
}

#[test]
fn if_sleep_cannot_be_inhibited_idle_is() {
    let world = World::new(&json!({}));
    let Some(bus) = Bus::start(&world, false) else { return };
    let running = bus.begin_install(&world);
    // The first attempt requested both and was refused the second.
    let first = bus.requests.recv_timeout(PATIENCE).expect("a lock");
    let second = bus.requests.recv_timeout(PATIENCE).expect("another lock");
    assert_eq!([&*first.what, &*second.what], ["idle", "idle"]);
    first.released.recv_timeout(PATIENCE).expect("the partially refused request is released");
    let (code, _) = running.end_with_events();
    assert_eq!(code, Some(0));
    second.released.recv_timeout(PATIENCE).expect("the lock is released");
}
