//! One run of the real window, from Welcome to Result, on a virtual display and with the keyboard alone.
//!
//! The program runs as a person would start it; what it downloads and runs are the doubles. The window is watched
//! from outside, through its title, which names the page. A picture of every page is left in
//! `target/tmp/window`. Needs Xvfb and xdotool (Debian: `apt-get install xvfb xdotool libgl1-mesa-dri`), and
//! ImageMagick for the pictures; without them it says that it was skipped.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![cfg(target_os = "linux")]

mod common;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use acolyte::say;
use acolyte::text::{Language, Text};
use common::process::{Guarded, below};
use common::world::{PATIENCE, World, listing};
use serde_json::json;

/// A virtual display that ends with the test.
struct Display {
    _server: Guarded,
    name: String,
}

impl Display {
    /// Starts one on a free number.
    fn start(folder: &Path) -> Self {
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1280x900x24", "-nolisten", "tcp", "-noreset"])
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb was found before");
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
        Self { _server: Guarded(server), name: format!(":{}", number.trim()) }
    }

    fn xdotool(&self, arguments: &[&str]) -> Option<String> {
        let output = Command::new("xdotool").args(arguments).env("DISPLAY", &self.name).output().unwrap();
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn press(&self, key: &str) {
        assert!(self.xdotool(&["key", "--clearmodifiers", key]).is_some(), "key {key}");
    }

    /// Presses a key that must show: the next key only counts once a frame was drawn with this one.
    fn press_and_see(&self, key: &str) {
        let before = self.pixels();
        self.press(key);
        let began = Instant::now();
        while before.is_some() && self.pixels() == before {
            assert!(began.elapsed() < PATIENCE, "{key} changes nothing that can be seen");
            std::thread::sleep(Duration::from_millis(50));
        }
        if before.is_none() {
            std::thread::sleep(Duration::from_secs(2));
        }
    }

    /// What is on the display, if ImageMagick is there to say.
    fn pixels(&self) -> Option<Vec<u8>> {
        let output = Command::new("import")
            .args(["-silent", "-window", "root", "ppm:-"])
            .env("DISPLAY", &self.name)
            .stderr(Stdio::null())
            .output()
            .ok()?;
        output.status.success().then_some(output.stdout)
    }

    fn picture(&self, path: &Path) {
        // ImageMagick may be missing: the pictures are for people, the test does without.
        let _ = Command::new("import")
            .args(["-silent", "-window", "root"])
            .arg(path)
            .env("DISPLAY", &self.name)
            .stderr(Stdio::null())
            .status();
    }
}

/// Why the test cannot run here, if it cannot.
fn missing() -> Option<String> {
    let absent = |program: &&str| {
        let found = std::env::var_os("PATH")
            .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()));
        !found
    };
    let absent: Vec<&str> = ["Xvfb", "xdotool"].into_iter().filter(absent).collect();
    (!absent.is_empty()).then(|| format!("{} not found; apt-get install xvfb xdotool", absent.join(" and ")))
}

/// The window on its display, while it runs.
struct Window<'a> {
    display: &'a Display,
    program: Guarded,
    id: String,
    pictures: PathBuf,
    shown: Vec<String>,
    last_pixels: Vec<u8>,
}

impl Window<'_> {
    fn title(&self) -> String {
        self.display.xdotool(&["getwindowname", &self.id]).unwrap_or_default()
    }

    /// Waits until the title names a page, and takes its picture.
    fn wait_for_page(&mut self, heading: &str) {
        self.wait_for_one_of(&[heading.to_owned()]);
    }

    /// The same, for a page with several headings.
    fn wait_for_one_of(&mut self, headings: &[String]) {
        self.try_page(headings, PATIENCE, |_| ()).unwrap_or_else(|title| {
            panic!("none of {headings:?} came; the title is {title:?} after {:?}", self.shown)
        });
    }

    /// Presses Enter, again when nothing came of it for long, until the next page is there: a page may have to find
    /// something out first, and a frame may take seconds where the processor draws and is busy.
    fn enter_until_page(&mut self, heading: &str) {
        let display = self.display;
        let before = self.title();
        let mut pressed: Option<Instant> = None;
        let press = |title: &str| {
            if title == before && pressed.is_none_or(|at| at.elapsed() > Duration::from_secs(8)) {
                display.press("Return");
                pressed = Some(Instant::now());
            }
        };
        self.try_page(&[heading.to_owned()], PATIENCE, press).unwrap_or_else(|title| {
            panic!("Enter does not lead to {heading:?}; the title is {title:?} after {:?}", self.shown)
        });
    }

    fn try_page(
        &mut self,
        headings: &[String],
        limit: Duration,
        mut doing: impl FnMut(&str),
    ) -> Result<(), String> {
        let began = Instant::now();
        let heading = loop {
            let title = self.title();
            if let Some(heading) = headings.iter().find(|heading| title.contains(*heading)) {
                break heading;
            }
            if began.elapsed() > limit || self.program.0.try_wait().unwrap().is_some() {
                return Err(title);
            }
            doing(&title);
            std::thread::sleep(Duration::from_millis(100));
        };
        self.shown.push(heading.clone());
        let name = format!("{}-{}.png", self.shown.len(), heading.to_lowercase().replace(' ', "-"));
        self.picture(&name);
        Ok(())
    }

    /// Takes a picture as soon as it differs from the one before: the title changes a little before the page is drawn.
    fn picture(&mut self, name: &str) {
        let began = Instant::now();
        while let Some(pixels) = self.display.pixels() {
            if pixels != self.last_pixels {
                self.last_pixels = pixels;
                break;
            }
            assert!(began.elapsed() < PATIENCE, "{name}: the page is not drawn");
            std::thread::sleep(Duration::from_millis(100));
        }
        self.display.picture(&self.pictures.join(name));
    }
}

#[test]
fn a_stranger_gets_from_welcome_to_result_with_the_keyboard() {
    if let Some(why) = missing() {
        eprintln!("skipped: {why}");
        return;
    }
    let world = World::new(&json!({}));
    // Slow enough to be seen installing.
    world.mirror.limit_rate(8 << 20);
    let display = Display::start(world.folder.path());
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("window");
    std::fs::create_dir_all(&pictures).unwrap();
    let log = world.path("window.log");
    let mut command = world.program(env!("CARGO_BIN_EXE_acolyte-installer"));
    command
        .args(["--lang", "en", "--mirror", &world.mirror.url()])
        .arg("--release")
        .arg(world.path("release.json"))
        .arg("--hardware")
        .arg(world.path("hardware.json"))
        .env("DISPLAY", &display.name)
        .env("LIBGL_ALWAYS_SOFTWARE", "1")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("WAYLAND_SOCKET")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(&log).unwrap());
    let mut program = Guarded(command.spawn().unwrap());
    let began = Instant::now();
    let id = loop {
        let found = display.xdotool(&["search", "--onlyvisible", "--name", "ACOLYTE"]);
        if let Some(id) = found.as_deref().and_then(|all| all.lines().next()) {
            break id.to_owned();
        }
        let said = std::fs::read_to_string(&log).unwrap();
        assert!(
            program.0.try_wait().unwrap().is_none() && began.elapsed() < PATIENCE,
            "no window opened; a software renderer is needed (apt-get install libgl1-mesa-dri): {said}"
        );
        std::thread::sleep(Duration::from_millis(100));
    };
    display.xdotool(&["windowfocus", "--sync", &id]);

    let text = Text::new(Language::English);
    let profile = "hybrid_8gb";
    let mut window =
        Window { display: &display, program, id, pictures, shown: Vec::new(), last_pixels: Vec::new() };
    window.wait_for_page(&say!(text, "wizard-welcome-title"));
    window.enter_until_page(&say!(text, "wizard-hardware-title"));
    window.enter_until_page(&say!(text, "wizard-compatibility-limits"));
    window.enter_until_page(&say!(text, "wizard-profile-title"));
    window.enter_until_page(&say!(text, "wizard-consent-title"));
    // Without the tick Enter must not lead on.
    display.press("Return");
    std::thread::sleep(Duration::from_secs(2));
    assert!(window.title().contains(&say!(text, "wizard-consent-title")));
    // Back from the end: the link, the back button, the tick. Then forward to the button that is enabled by now.
    for key in ["shift+Tab", "shift+Tab", "shift+Tab", "space", "Tab", "Tab", "Tab"] {
        display.press_and_see(key);
    }
    display.press("Return");
    window.wait_for_page(&say!(text, "wizard-summary-title", profile = profile));
    assert!(
        !world.home().exists(),
        "nothing is changed before the summary is confirmed: {:?}",
        listing(&world.home())
    );
    window.enter_until_page(&say!(text, "wizard-install-title", profile = profile));
    // On a slow machine a promise may be missed, which the heading then says.
    let met = say!(text, "wizard-result-title");
    let ends = [met, say!(text, "wizard-result-missed")];
    window.wait_for_one_of(&ends);

    let receipt = world.json("llm/receipt.json");
    assert_eq!(
        (&receipt["profile"], &receipt["measured"]["context_tokens"]),
        (&json!(profile), &json!(32_768))
    );
    assert!(world.json("llm/consent.json")["text"].as_str().unwrap().len() > 40);
    assert_eq!(below(&world.home()).len(), 2, "server and runner");

    display.press("Return");
    let status = wait_for_end(&mut window.program);
    assert_eq!(status, Some(0), "{}", std::fs::read_to_string(&log).unwrap());
    assert!(world.run(&["uninstall", "--yes"]).status.success());
    assert!(!world.home().exists());
}

fn wait_for_end(program: &mut Guarded) -> Option<i32> {
    let began = Instant::now();
    loop {
        if let Some(status) = program.0.try_wait().unwrap() {
            return status.code();
        }
        assert!(began.elapsed() < PATIENCE, "the window does not close");
        std::thread::sleep(Duration::from_millis(50));
    }
}
