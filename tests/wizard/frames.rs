//! A frame does no I/O: moving the mouse sends no command to the backend, and a backend that takes a second per call
//! slows down no frame.

use std::thread;
use std::time::{Duration, Instant};

use acolyte::text::Language;
use acolyte::wizard::backend::{Backend, BackendCommand, CommandQueue, Message, Outbox};
use eframe::egui::pos2;

use super::pictures::PAGES;
use super::scripted::{self, Scene, Scripted};
use super::stage::{Eye, Stage};

/// How long the slow backend takes for each command.
const CALL: Duration = Duration::from_secs(1);

/// A backend whose every call takes [`CALL`].
struct Slow(Scripted);

impl Backend for Slow {
    fn execute(&self, command: BackendCommand, outbox: &Outbox) {
        thread::sleep(CALL);
        self.0.execute(command, outbox);
    }
}

/// Moves the mouse across the window in 60 frames, none of which takes as long as a backend call.
fn move_mouse(stage: &mut Stage, page: &str) {
    for i in 0..60_u8 {
        stage.harness.hover_at(pos2(17.0 * f32::from(i), 11.0 * f32::from(i)));
        frame(stage, page, Stage::step);
    }
}

/// Draws frames with `draw`, none of which may wait.
fn frame(stage: &mut Stage, page: &str, draw: impl FnOnce(&mut Stage)) {
    let began = Instant::now();
    draw(stage);
    assert!(began.elapsed() < CALL, "{page}: a frame took {:?}", began.elapsed());
}

#[test]
fn moving_the_mouse_sends_no_command_on_any_page() {
    for (page, way) in PAGES {
        let mut stage = way(Eye::blind(Language::English));
        stage.harness.run();
        let before = stage.desk.borrow().commands;
        move_mouse(&mut stage, page);
        assert_eq!(stage.desk.borrow().commands, before, "{page}");
    }
}

#[test]
fn a_backend_that_takes_a_second_for_every_call_makes_no_frame_slower() {
    let eye = Eye::blind(Language::English);
    let slow =
        |scene| Stage::with_backend(eye, scene, |scripted| Box::new(CommandQueue::new(Slow(scripted))));
    let mut stage = slow(Scene::of(scripted::laptop()));
    move_mouse(&mut stage, "welcome");
    // Each click may send a command; the next page is drawn while the backend still sleeps.
    frame(&mut stage, "detect", |stage| stage.click("wizard-welcome-next"));
    move_mouse(&mut stage, "hardware, being detected");
    stage.wait_for("GeForce RTX 4060 Laptop");
    move_mouse(&mut stage, "hardware");
    for (button, page) in [
        ("wizard-continue", "compatibility"),
        ("wizard-choose-profile", "profile"),
        ("wizard-advanced", "advanced"),
        ("wizard-continue", "consent"),
    ] {
        frame(&mut stage, page, |stage| stage.click(button));
        move_mouse(&mut stage, page);
    }
    stage.tick_consent();
    frame(&mut stage, "measure the free space", |stage| stage.click("wizard-continue"));
    move_mouse(&mut stage, "summary, before the free space is known");
    let free = stage
        .text
        .say("wizard-hardware-disk-free", &[("size", stage.text.file_size(212_000_000_000).into())]);
    stage.wait_for(&free);
    frame(&mut stage, "change the theme", |stage| stage.click("wizard-theme-dark"));
    frame(&mut stage, "install", |stage| stage.click("wizard-install"));
    move_mouse(&mut stage, "install");
    let request = loop {
        if let Some((request, _, outbox)) = stage.desk.borrow().installs.last() {
            scripted::finish(request, outbox);
            break request.clone();
        }
        thread::yield_now();
    };
    stage.wait_for(&stage.say("wizard-try-title"));
    move_mouse(&mut stage, "result");

    let scene = Scene {
        installation: Some(scripted::installation(&request, acolyte::text::Language::English)),
        ..Scene::of(scripted::laptop())
    };
    let mut stage = slow(scene);
    stage.wait_for(&stage.say("wizard-manage-working"));
    move_mouse(&mut stage, "manage, being checked");
    stage.wait_for(&stage.say("wizard-manage-well"));
    frame(&mut stage, "stop", |stage| stage.click("wizard-manage-stop"));
    move_mouse(&mut stage, "manage");
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
