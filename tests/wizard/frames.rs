//! A frame does no I/O: moving the mouse sends no command to the backend, and no frame waits for a backend whose calls do not
//! return.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use acolyte::text::Language;
use acolyte::wizard::backend::{Backend, BackendCommand, CommandQueue, Message, Outbox};
use eframe::egui::pos2;

use super::pictures::PAGES;
use super::scripted::{self, Scene, Scripted};
use super::stage::{Eye, Stage};

/// How long a call is held at most.
const PATIENCE: Duration = Duration::from_secs(60);

/// Holds the backend's calls while it is closed.
#[derive(Clone, Default)]
struct Gate(Arc<GateState>);

#[derive(Default)]
struct GateState {
    is_closed: Mutex<bool>,
    changed: Condvar,
    /// Whether a call gave up: only then a frame that waits for it goes on.
    gave_up: AtomicBool,
}

impl Gate {
    fn set_closed(&self, closed: bool) {
        *self.0.is_closed.lock().unwrap() = closed;
        self.0.changed.notify_all();
    }

    /// Waits until it is open.
    fn pass(&self) {
        let closed = self.0.is_closed.lock().unwrap();
        let waited = self.0.changed.wait_timeout_while(closed, PATIENCE, |closed| *closed).unwrap();
        if waited.1.timed_out() {
            self.0.gave_up.store(true, Ordering::Relaxed);
        }
    }
}

/// A backend whose calls wait at the gate.
struct Held(Scripted, Gate);

impl Backend for Held {
    fn execute(&self, command: BackendCommand, outbox: &Outbox) {
        self.1.pass();
        self.0.execute(command, outbox);
    }
}

/// A stage whose backend is held while frames are drawn.
struct HeldStage {
    stage: Stage,
    gate: Gate,
}

impl HeldStage {
    fn new(scene: Scene) -> Self {
        let gate = Gate::default();
        let held = gate.clone();
        let stage = Stage::with_backend(Eye::blind(Language::English), scene, |scripted| {
            Box::new(CommandQueue::new(Held(scripted, held)))
        });
        Self { stage, gate }
    }

    /// Draws frames, none of which may wait for the backend.
    fn frames(&mut self, page: &str, draw: impl FnOnce(&mut Stage)) {
        self.gate.set_closed(true);
        draw(&mut self.stage);
        assert!(!self.gate.0.gave_up.load(Ordering::Relaxed), "{page}: a frame waited for the backend");
    }

    fn move_mouse(&mut self, page: &str) {
        self.frames(page, move_mouse);
    }

    /// Lets the backend answer, until the page shows this.
    fn wait_for(&mut self, label: &str) {
        self.gate.set_closed(false);
        self.stage.wait_for(label);
    }
}

impl Drop for HeldStage {
    /// The backend's thread is joined.
    fn drop(&mut self) {
        self.gate.set_closed(false);
    }
}

/// Moves the mouse across the window in 60 frames.
fn move_mouse(stage: &mut Stage) {
    for i in 0..60_u8 {
        stage.harness.hover_at(pos2(17.0 * f32::from(i), 11.0 * f32::from(i)));
        stage.step();
    }
}

#[test]
fn moving_the_mouse_sends_no_command_on_any_page() {
    for (page, way) in PAGES {
        let mut stage = way(Eye::blind(Language::English));
        stage.harness.run();
        let before = stage.desk.borrow().commands;
        move_mouse(&mut stage);
        assert_eq!(stage.desk.borrow().commands, before, "{page}");
    }
}

#[test]
fn no_frame_waits_for_the_backend() {
    let mut held = HeldStage::new(Scene::of(scripted::laptop()));
    held.move_mouse("welcome");
    // Each click may send a command; the next page is drawn while the backend still works.
    held.frames("detect", |stage| stage.click("wizard-welcome-next"));
    held.move_mouse("hardware, being detected");
    held.wait_for("GeForce RTX 4060 Laptop");
    held.move_mouse("hardware");
    for (button, page) in [
        ("wizard-continue", "compatibility"),
        ("wizard-choose-profile", "profile"),
        ("wizard-advanced", "advanced"),
        ("wizard-continue", "consent"),
    ] {
        held.frames(page, |stage| stage.click(button));
        held.move_mouse(page);
    }
    held.stage.tick_consent();
    held.frames("measure the free space", |stage| stage.click("wizard-continue"));
    held.move_mouse("summary, before the free space is known");
    let size = held.stage.text.file_size(212_000_000_000);
    held.wait_for(&held.stage.text.say("wizard-hardware-disk-free", &[("size", size.into())]));
    held.frames("change the theme", |stage| stage.click("wizard-theme-dark"));
    held.frames("install", |stage| stage.click("wizard-install"));
    held.move_mouse("install");
    held.gate.set_closed(false);
    let request = loop {
        if let Some((request, _, outbox)) = held.stage.desk.borrow().installs.last() {
            scripted::finish(request, outbox);
            break request.clone();
        }
        thread::yield_now();
    };
    held.wait_for(&held.stage.say("wizard-try-title"));
    held.move_mouse("result");

    let scene = Scene {
        installation: Some(scripted::installation(&request, Language::English)),
        ..Scene::of(scripted::laptop())
    };
    let mut held = HeldStage::new(scene);
    held.wait_for(&held.stage.say("wizard-manage-well"));
    held.frames("check again", |stage| stage.click("wizard-check-again"));
    held.move_mouse("manage, being checked");
    held.wait_for(&held.stage.say("wizard-manage-well"));
    held.frames("stop", |stage| stage.click("wizard-manage-stop"));
    held.move_mouse("manage");
}

#[test]
fn a_panic_of_the_backend_is_reported() {
    struct Panicking;
    impl Backend for Panicking {
        fn execute(&self, command: BackendCommand, outbox: &Outbox) {
            match command {
                BackendCommand::LookForInstallation => outbox.send(Message::Installation(Ok(None))),
                other => panic!("{other:?}"),
            }
        }
    }
    let scene = Scene::of(scripted::laptop());
    let mut stage =
        Stage::with_backend(Eye::blind(Language::English), scene, |_| Box::new(CommandQueue::new(Panicking)));
    stage.click("wizard-welcome-next");
    stage.wait_for(&stage.say("wizard-worker-crashed"));
    // The worker thread survives: the next command is answered too.
    stage.click("wizard-detect-again");
    stage.wait_for(&stage.say("wizard-worker-crashed"));
}
