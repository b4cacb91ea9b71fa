//! From Welcome to Result, through Manage, and back after an interrupted installation.

use std::process::Command;
use std::time::{Duration, Instant};

use acolyte::say;
use serde_json::{Value, json};

use super::common::process::below;
use super::common::world::{PATIENCE, Signal, World, listing, signal};
use super::display::{Display, Started, Window};
use super::walk::{manage, text};

const PROFILE: &str = "hybrid_8gb";

/// The program on this world's machine, from this world's mirror.
fn open<'a>(display: &'a Display, world: &World, name: &str) -> Window<'a> {
    Window::of(Started::new(display, command(display, world)), name)
}

fn command(display: &Display, world: &World) -> Command {
    let mut command = display.installer(world, "en");
    command.args(["--mirror", &world.mirror.url()]).arg("--release").arg(world.path("release.json"));
    command.arg("--hardware").arg(world.path("hardware.json"));
    command
}

/// Waits until this many programs of the installation run.
fn wait_for_programs(world: &World, wanted: std::ops::RangeInclusive<usize>, what: &str) {
    let began = Instant::now();
    loop {
        let running = below(&world.home()).len();
        if wanted.contains(&running) {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{what}: {running} programs run");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn receipt(world: &World, key: &str) -> Value {
    world.json("llm/receipt.json")[key].clone()
}

/// Every frame of the summary used to start `systemctl`.
#[test]
fn moving_the_mouse_over_the_summary_starts_no_program() {
    use std::os::unix::fs::PermissionsExt as _;

    let Some(display) = Display::start() else { return };
    let world = World::new(&json!({}));
    let (tools, calls) = (world.path("tools"), world.path("calls"));
    std::fs::create_dir(&tools).unwrap();
    let systemctl = tools.join("systemctl");
    std::fs::write(&systemctl, format!("#!/bin/sh\necho \"$@\" >>{}\nexit 1\n", calls.display())).unwrap();
    std::fs::set_permissions(&systemctl, std::fs::Permissions::from_mode(0o755)).unwrap();
    let called = || std::fs::read_to_string(&calls).unwrap_or_default().lines().count();

    let mut command = command(&display, &world);
    let path = std::env::join_paths(
        [tools].into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    command.env("PATH", path.unwrap());
    let mut window = Window::of(Started::new(&display, command), "mouse");
    window.walk_to_profile();
    window.walk_to_summary(PROFILE);
    window.settle();
    let before = called();
    assert!(before > 0, "how the server starts at login was asked once, while the machine was looked at");
    for step in 0..60 {
        display.xdotool(&["mousemove", &(300 + 5 * step).to_string(), &(200 + 3 * step).to_string()]);
    }
    window.settle();
    assert_eq!(called(), before);
}

#[test]
fn a_user_installs_from_welcome_to_result_and_uninstalls() {
    let Some(display) = Display::start() else { return };
    let world = World::new(&json!({}));
    // Slow enough to observe the Install page.
    world.mirror.limit_rate(8 << 20);
    let mut window = open(&display, &world, "install");
    window.wait_for_page(&say!(text(), "wizard-welcome-title"));
    window.walk_to_profile();
    window.walk_to_summary(PROFILE);
    assert!(
        !world.home().exists(),
        "nothing is changed before the summary is confirmed: {:?}",
        listing(&world.home())
    );
    window.walk_to_install(PROFILE);
    window.result_page();
    assert_eq!(receipt(&world, "profile"), PROFILE);
    assert_eq!(receipt(&world, "measured")["context_tokens"], 32_768);
    assert!(world.json("llm/consent.json")["text"].as_str().unwrap().len() > 40);
    assert_eq!(below(&world.home()).len(), 2, "server and runner");

    window.leave_result_for_manage();
    window.press_from_the_end(manage::REMOVE, "Return");
    window.settle();
    assert!(world.home().exists(), "it is asked first");
    // The last button of the question.
    window.press_all(&["shift+Tab"]);
    window.press("Return");
    window.wait_for_page(&say!(text(), "wizard-manage-removed"));
    assert!(!world.home().exists(), "{:?}", listing(&world.home()));
    wait_for_programs(&world, 0..=0, "removed");
    window.settle();
    window.press("Escape");
    window.press("Return");
    assert_eq!(window.started.end(), Some(0), "{}", window.started.said());
}

#[test]
fn an_installation_is_managed_with_the_keyboard() {
    let Some(display) = Display::start() else { return };
    let world = World::new(&json!({}));
    let said = world.install(&["--profile", PROFILE, "--accept-degraded"]);
    assert_eq!(said.receipt()["profile"], PROFILE);
    let mut window = open(&display, &world, "manage");
    window.manage_page();

    // Health: the server is killed. Once the window has noticed, the button starts it.
    window.settle();
    for program in below(&world.home()) {
        assert!(signal(program, Signal::Kill));
    }
    wait_for_programs(&world, 0..=0, "killed");
    window.press_from_the_end(manage::CHECK_AGAIN, "Return");
    window.press_from_the_end(manage::START_OR_STOP, "Return");
    wait_for_programs(&world, 1..=2, "started");
    window.press_from_the_end(manage::START_OR_STOP, "Return");
    wait_for_programs(&world, 0..=0, "stopped");

    // Repair restores a removed file of the engine.
    let engine = listing(&world.home()).into_iter().find(|path| path.ends_with("bin/ollama")).unwrap();
    std::fs::remove_file(&engine).unwrap();
    window.press_from_the_end(manage::REPAIR, "Return");
    window.result_page();
    assert!(engine.is_file());
    window.leave_result_for_manage();
    assert_eq!(below(&world.home()).len(), 2, "server and runner");

    // Another profile.
    let other = "light_6gb";
    window.press_from_the_end(manage::CHANGE_PROFILE, "Return");
    window.wait_for_page(&say!(text(), "wizard-hardware-title"));
    window.enter_until_page(&say!(text(), "wizard-compatibility-limits"));
    window.enter_until_page(&say!(text(), "wizard-profile-title"));
    window.select_profile(7);
    window.walk_to_summary(other);
    window.walk_to_install(other);
    window.result_page();
    assert_eq!(receipt(&world, "profile"), other);
    window.settle();
    window.press("Return");
    assert_eq!(window.started.end(), Some(0), "{}", window.started.said());

    // Update: the next start finds a newer engine.
    world.put_release("0.32.16", &json!({}));
    let mut window = open(&display, &world, "update");
    window.manage_page();
    // The model of the earlier profile can be removed now, with a button of its own.
    window.press_from_the_end(manage::REPAIR + 1, "Return");
    window.result_page();
    assert_eq!(
        (receipt(&world, "engine_version"), receipt(&world, "profile")),
        (json!("0.32.16"), json!(other))
    );
    window.settle();
    window.press("Return");
    assert_eq!(window.started.end(), Some(0), "{}", window.started.said());
}

#[test]
fn closing_the_window_keeps_downloads_and_the_next_start_resumes() {
    let Some(display) = Display::start() else { return };
    let world = World::new(&json!({}));
    let asset = format!("/{}", world.asset);
    let mut window = open(&display, &world, "closed");
    window.wait_for_page(&say!(text(), "wizard-welcome-title"));
    window.walk_to_profile();
    window.walk_to_summary(PROFILE);
    // Too slow to finish.
    world.mirror.limit_rate(64 << 10);
    window.walk_to_install(PROFILE);
    let began = Instant::now();
    while !listing(&world.home()).iter().any(|path| path.metadata().is_ok_and(|file| file.len() > 200_000)) {
        assert!(began.elapsed() < PATIENCE, "nothing is fetched: {:?}", listing(&world.home()));
        std::thread::sleep(Duration::from_millis(100));
    }
    window.ask_to_close();
    // It asks whether to stop, and says what is kept; the last button stops and closes.
    std::thread::sleep(Duration::from_secs(2));
    window.press_all(&["shift+Tab"]);
    window.press("Return");
    assert_eq!(window.started.end(), Some(0), "{}", window.started.said());
    let before = world.mirror.requests().iter().filter(|asked| asked.path == asset).count();

    world.mirror.limit_rate(1 << 30);
    let mut window = open(&display, &world, "continued");
    window.wait_for_page(&say!(text(), "wizard-welcome-title"));
    // The question's last button continues.
    window.settle();
    window.press_all(&["shift+Tab"]);
    window.press("Return");
    window.result_page();
    assert_eq!(receipt(&world, "profile"), PROFILE);
    let requests = world.mirror.requests();
    let again: Vec<_> = requests.iter().filter(|asked| asked.path == asset).skip(before).collect();
    assert!(
        !again.is_empty()
            && again.iter().all(|asked| asked.range.as_deref().is_some_and(|range| range != "bytes=0-")),
        "it resumes where it stopped: {again:?}"
    );
    window.settle();
    window.press("Return");
    assert_eq!(window.started.end(), Some(0), "{}", window.started.said());
    assert!(world.run(&["uninstall", "--yes"]).status.success());
    assert!(!world.home().exists());
}
