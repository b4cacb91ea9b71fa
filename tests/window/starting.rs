//! The window starts on any system: with another renderer if one is unavailable, crashes or hangs. Where no window is
//! possible, the same steps follow in the terminal, after one line with the reason.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use acolyte::say;
use acolyte::text::{Language, Text};
use acolyte::wizard::FIRST_FRAME_LIMIT;
use serde_json::json;

use super::common::process::{end_of, output};
use super::common::world::{PATIENCE, Signal, World, signal};
use super::display::{Display, Started, Window, installer};

const NOWHERE: &str = "/nonexistent";

/// Sets Vulkan's drivers, with the old and the new variable of its loader.
fn vulkan_drivers(command: &mut Command, manifest: &Path) {
    command.env("VK_DRIVER_FILES", manifest).env("VK_ICD_FILENAMES", manifest);
}

/// A folder with broken libraries that are found before those of the system.
fn broken(world: &World, libraries: &[&str]) -> PathBuf {
    let folder = world.path(&format!("broken-{}", libraries.join("-")));
    std::fs::create_dir_all(&folder).unwrap();
    for library in libraries {
        std::fs::write(folder.join(library), "").unwrap();
        // Some are also looked up without the version.
        let (name, _) = library.split_once(".so").unwrap();
        std::fs::write(folder.join(format!("{name}.so")), "").unwrap();
    }
    folder
}

/// Asserts that the window opens after this renderer failed.
fn opens_without(renderer: &str, display: &Display, mut command: Command, case: &str) {
    command.args(["--verbose", "--renderer", renderer]);
    let mut started = Started::new(display, command);
    started.window();
    let said = started.said();
    let failed = "the window could not be opened renderer=";
    assert!(said.contains(&format!("{failed}{renderer}")), "{case}: {renderer} was to fail: {said}");
    assert_eq!(said.matches(failed).count(), 1, "{case}: {said}");
    drop(started);
    gone(display, case);
}

/// Waits until the window of a program that was killed is gone.
fn gone(display: &Display, case: &str) {
    let began = Instant::now();
    while display.window().is_some() {
        assert!(began.elapsed() < PATIENCE, "{case}: the window outlives its program");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Asserts that without window and terminal the program prints the reason and the command to use.
fn leads_to_the_terminal(mut started: Started<'_>, expected: &str, case: &str) {
    let code = started.end();
    let said = started.said();
    let text = Text::new(Language::English);
    let lines: Vec<&str> = said.lines().filter(|line| !line.starts_with("error: XDG_RUNTIME_DIR")).collect();
    assert_eq!(code, Some(1), "{case}: {said}");
    assert_eq!(lines.len(), 2, "{case}: {said}");
    assert!(lines[0].contains(expected) && lines[0].chars().count() < 320, "{case}: {said}");
    assert!(lines[1].contains(&say!(text, "cli-prompts-no-terminal")), "{case}: {said}");
}

#[test]
fn without_a_display_one_line_says_so_and_the_terminal_follows() {
    let world = World::new(&json!({}));
    for (tag, language) in [("en", Language::English), ("es", Language::Spanish)] {
        let text = Text::new(language);
        let mut command = world.program(installer().to_str().unwrap());
        command.args(["--lang", tag]).env("WAYLAND_DISPLAY", "").stdin(Stdio::null());
        let output = output(command.env_remove("DISPLAY").env_remove("WAYLAND_SOCKET"));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        let expected =
            format!("{}\nacolyte: {}\n", say!(text, "cli-no-display"), say!(text, "cli-prompts-no-terminal"));
        assert_eq!(said, expected);
    }
    assert!(!world.home().exists());
}

/// Whether script(1) works here; it needs a pseudo-terminal.
fn plays_a_terminal(mut script: std::process::Command) -> bool {
    script
        .args(["-qefc", "true", "/dev/null"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    script.status().is_ok_and(|status| status.success())
}

/// With a terminal the same steps are asked there, and nothing is done without an answer.
#[test]
fn without_a_display_the_terminal_asks_for_the_steps() {
    let world = World::new(&json!({}));
    let mut command = world.program("script");
    let program = installer();
    let hardware = world.path("hardware.json");
    let line = format!("'{}' --lang en --hardware '{}'", program.display(), hardware.display());
    command.args(["-qefc", &line, "/dev/null"]).env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    command.env_remove("WAYLAND_SOCKET").stdin(Stdio::piped()).stdout(Stdio::piped());
    if !plays_a_terminal(world.program("script")) {
        eprintln!(
            "skipped: script(1) is missing, or /dev/pts is not mounted, so nothing can play a terminal"
        );
        return;
    }
    let mut child = command.spawn().unwrap();
    // Close standard input: no answers.
    drop(child.stdin.take());
    let said = String::from_utf8(end_of(child).stdout).unwrap();
    let text = Text::new(Language::English);
    assert!(said.contains(&say!(text, "cli-no-display")), "{said}");
    assert!(said.contains("hybrid_8gb"), "the profiles are shown: {said}");
    assert!(!world.home().exists());
}

#[test]
fn a_display_that_does_not_answer_leads_to_the_terminal() {
    let Some(display) = Display::start() else { return };
    let world = World::new(&json!({}));
    let mut command = display.installer(&world, "en");
    command.env("DISPLAY", ":59999");
    leads_to_the_terminal(Started::new(&display, command), "X server", "no X server");

    // A missing Wayland display does not hide the X11 display.
    let mut command = display.installer(&world, "en");
    command.env("WAYLAND_DISPLAY", "wayland-59999");
    Started::new(&display, command).window();
}

#[test]
fn a_library_that_is_missing_leads_to_the_terminal() {
    let Some(display) = Display::start() else { return };
    let world = World::new(&json!({}));
    for (libraries, expected) in [
        (&["libX11-xcb.so.1"][..], "shared libraries"),
        (&["libXcursor.so.1"], "shared libraries"),
        (&["libXi.so.6"], "shared libraries"),
        (&["libxkbcommon-x11.so.0"], "libxkbcommon-x11"),
        // Nothing that can draw.
        (&["libvulkan.so.1", "libEGL.so.1", "libGL.so.1", "libGLX.so.0"], "wgpu: "),
    ] {
        let mut command = display.installer(&world, "en");
        command.env("LD_LIBRARY_PATH", broken(&world, libraries));
        leads_to_the_terminal(Started::new(&display, command), expected, &libraries.join(", "));
    }
    assert!(!world.home().exists());
}

#[test]
fn without_what_wgpu_needs_the_window_opens_with_glow() {
    let Some(display) = Display::start() else { return };
    let world = World::new(&json!({}));
    let mut command = display.installer(&world, "en");
    vulkan_drivers(&mut command, Path::new(NOWHERE));
    opens_without("wgpu", &display, command, "no driver");

    let mut command = display.installer(&world, "en");
    command.env("LD_LIBRARY_PATH", broken(&world, &["libvulkan.so.1"]));
    opens_without("wgpu", &display, command, "no library");
}

#[test]
fn without_what_glow_needs_the_window_opens_with_wgpu() {
    let Some(display) = Display::start() else { return };
    let world = World::new(&json!({}));
    let mut command = display.installer(&world, "en");
    command.env("LD_LIBRARY_PATH", broken(&world, &["libEGL.so.1", "libGL.so.1", "libGLX.so.0"]));
    opens_without("glow", &display, command, "no library");
}

#[test]
fn an_unknown_renderer_is_wrong_usage() {
    let world = World::new(&json!({}));
    let mut command = world.program(installer().to_str().unwrap());
    let output = output(command.args(["--renderer", "teletype"]));
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("teletype") && said.contains("wgpu or glow"), "{said}");
}

#[test]
fn a_driver_that_crashes_or_hangs_affects_only_its_renderer() {
    let Some(display) = Display::start() else { return };
    let world = World::new(&json!({}));
    // Built by `cargo test` next to the programs.
    let driver = Path::new(env!("CARGO_BIN_EXE_acolyte-installer"))
        .with_file_name("examples")
        .join("libstand_in_vulkan.so");
    assert!(driver.is_file(), "{} is missing; build it with: cargo build --examples", driver.display());
    let manifest = world.write(
        "driver.json",
        &json!({"file_format_version": "1.0.0", "ICD": {"library_path": driver, "api_version": "1.3.0"}}),
    );
    // When it is loaded, and when it presents the first frame.
    let cases = ["segfault", "abort", "panic", "hang"].map(|how| (how, None));
    let software = software_driver().map(|library| ("segfault", Some(library)));
    for (how, real) in cases.into_iter().chain(software) {
        let mut command = display.installer(&world, "en");
        vulkan_drivers(&mut command, &manifest);
        command.env("STAND_IN_VULKAN", how);
        let case = format!("{how} {real:?}");
        command.envs(real.map(|library| ("STAND_IN_VULKAN_REAL", library)));
        let began = Instant::now();
        opens_without("wgpu", &display, command, &case);
        assert!(how == "hang" || began.elapsed() < FIRST_FRAME_LIMIT, "{case}: it was waited for");
    }
}

/// The manifest of Mesa's software driver.
fn software_manifest() -> Option<PathBuf> {
    let manifests = std::fs::read_dir("/usr/share/vulkan/icd.d").ok()?;
    let is_it =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("lvp_icd"));
    manifests.filter_map(Result::ok).map(|manifest| manifest.path()).find(is_it)
}

/// Its library.
fn software_driver() -> Option<String> {
    let manifest = std::fs::read(software_manifest()?).ok()?;
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).ok()?;
    Some(manifest["ICD"]["library_path"].as_str()?.to_owned())
}

/// A card may support OpenGL only, so glow is tried before a software Vulkan driver.
#[test]
fn glow_is_tried_before_a_software_vulkan_driver() {
    let Some(display) = Display::start() else { return };
    let Some(manifest) = software_manifest() else {
        eprintln!("skipped: Mesa's driver that draws with the processor is not there");
        return;
    };
    let world = World::new(&json!({}));
    let mut command = world.program(installer().to_str().unwrap());
    command.args(["show-window", "wgpu-card", "--lang", "en"]).env("DISPLAY", &display.name);
    command.env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET");
    vulkan_drivers(&mut command, &manifest);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let said = String::from_utf8(end_of(child).stdout).unwrap();
    assert!(said.contains("Failed") && said.contains("with a graphics card"), "{said}");
    assert!(!said.contains("Shown"), "{said}");
}

#[test]
fn a_crash_of_the_window_is_reported() {
    let Some(display) = Display::start() else { return };
    let world = World::new(&json!({}));
    let started = Started::new(&display, display.installer(&world, "en"));
    let mut window = Window::of(started, "crash");
    // Wait for frames.
    window.press_all(&["Tab"]);
    assert!(signal(window.started.window_process().unwrap(), Signal::Abort));
    assert_eq!(window.started.end(), Some(1));
    let said = window.started.said();
    assert!(said.contains("SIGABRT") && said.contains("acolyte install"), "{said}");
}

/// The window is the user's once it is shown: Ctrl-C in the terminal that started it, or closing that, does not end it.
#[test]
fn the_window_outlives_what_started_it_and_ends_when_the_session_does() {
    let Some(display) = Display::start() else { return };
    let world = World::new(&json!({}));
    let started = Started::new(&display, display.installer(&world, "en"));
    let mut window = Window::of(started, "outlives");
    // Wait for frames.
    window.press_all(&["Tab"]);
    let process = window.started.window_process().unwrap();
    let status = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // After the name: state, parent, process group.
    let group = status.rsplit_once(')').unwrap().1.split_whitespace().nth(2).unwrap().to_owned();
    assert_eq!(group, process.to_string(), "Ctrl-C of the terminal reaches another process group");
    assert!(signal(window.started.program.0.id(), Signal::Kill));
    window.started.end();
    window.press_all(&["Tab"]);
    assert!(display.window().is_some());
    assert!(signal(process, Signal::Terminate));
    gone(&display, "terminated");
}

#[test]
fn a_file_that_cannot_be_read_is_wrong_usage_and_reported_once() {
    let Some(display) = Display::start() else { return };
    let world = World::new(&json!({}));
    let mut command = display.installer(&world, "en");
    command.args(["--hardware", "nowhere.json"]);
    let mut started = Started::new(&display, command);
    assert_eq!(started.end(), Some(2), "{}", started.said());
    assert_eq!(started.said().matches("nowhere.json").count(), 1, "{}", started.said());
}
