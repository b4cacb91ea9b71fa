//! A virtual display with a window that is observed and controlled from outside.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use acolyte::text::{Language, Text};
use x11rb::protocol::xproto::{AtomEnum, ClientMessageEvent, ConnectionExt as _, EventMask, PropMode};
use x11rb::wrapper::ConnectionExt as _;

use super::common::process::{Guarded, output};
use super::common::world::{PATIENCE, Signal, World, signal};

/// The program under test: the one that `ACOLYTE_INSTALLER_BIN` names, else the one that was built with the tests.
pub fn installer() -> PathBuf {
    match std::env::var_os("ACOLYTE_INSTALLER_BIN") {
        Some(path) => std::path::absolute(path).unwrap(),
        None => env!("CARGO_BIN_EXE_acolyte-installer").into(),
    }
}

/// A virtual display that ends with the test.
pub struct Display {
    _server: Guarded,
    pub name: String,
    _turn: MutexGuard<'static, ()>,
}

/// One window at a time, because software rendering is slow.
static TURN: Mutex<()> = Mutex::new(());

impl Display {
    /// Starts one on a free number; `None`, and the reason on standard error, where the programs for it are missing.
    pub fn start() -> Option<Self> {
        Self::of_size("1280x900")
    }

    /// The same with a screen of this size, as `WIDTHxHEIGHT`.
    pub fn of_size(size: &str) -> Option<Self> {
        if let Some(why) = missing() {
            eprintln!("skipped: {why}");
            return None;
        }
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", &format!("{size}x24"), "-nolisten", "tcp", "-noreset"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb was found before");
        let mut server = Guarded(server);
        let name = format!(":{}", server.first_line());
        Some(Self { _server: server, name, _turn: turn })
    }

    /// Sets the scaling of the desktop, in percent, as desktops tell it to programs.
    pub fn scale(&self, percent: u32) {
        let (connection, screen) = x11rb::connect(Some(&self.name)).unwrap();
        let root = x11rb::connection::Connection::setup(&connection).roots[screen].root;
        let resources = format!("Xft.dpi:\t{}\n", 96 * percent / 100);
        let (name, kind) = (AtomEnum::RESOURCE_MANAGER, AtomEnum::STRING);
        let set = connection.change_property8(PropMode::REPLACE, root, name, kind, resources.as_bytes());
        set.unwrap().check().unwrap();
    }

    pub fn xdotool(&self, arguments: &[&str]) -> Option<String> {
        let mut xdotool = Command::new("xdotool");
        xdotool.args(arguments).env("DISPLAY", &self.name);
        let output = output(xdotool);
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    pub fn press(&self, key: &str) {
        assert!(self.xdotool(&["key", "--clearmodifiers", key]).is_some(), "key {key}");
    }

    /// Presses a key and waits until a frame shows its effect.
    pub fn press_and_see(&self, key: &str) {
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

    /// Pixels of the display; `None` without ImageMagick.
    pub fn pixels(&self) -> Option<Vec<u8>> {
        let output = Command::new("import")
            .args(["-silent", "-window", "root", "ppm:-"])
            .env("DISPLAY", &self.name)
            .stderr(Stdio::null())
            .output()
            .ok()?;
        output.status.success().then_some(output.stdout)
    }

    pub fn picture(&self, path: &Path) {
        // ImageMagick may be missing: the pictures are for review only.
        let _ = Command::new("import")
            .args(["-silent", "-window", "root"])
            .arg(path)
            .env("DISPLAY", &self.name)
            .stderr(Stdio::null())
            .status();
    }

    /// The id of our window, when it can be seen.
    pub fn window(&self) -> Option<String> {
        let found = self.xdotool(&["search", "--onlyvisible", "--name", "ACOLYTE"])?;
        found.lines().next().map(str::to_owned)
    }

    /// Asks a window to close, as a window manager does.
    pub fn ask_to_close(&self, window: &str) {
        let (connection, _) = x11rb::connect(Some(&self.name)).unwrap();
        let atom = |name: &str| connection.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom;
        let (protocols, delete) = (atom("WM_PROTOCOLS"), atom("WM_DELETE_WINDOW"));
        let window: u32 = window.parse().unwrap();
        let message = ClientMessageEvent::new(32, window, protocols, [delete, 0, 0, 0, 0]);
        connection.send_event(false, window, EventMask::NO_EVENT, message).unwrap().check().unwrap();
    }

    /// The program in this world and on this display, with software rendering, in this language.
    pub fn installer(&self, world: &World, language: &str) -> Command {
        let mut command = world.program(installer().to_str().unwrap());
        command
            .args(["--lang", language])
            .env("DISPLAY", &self.name)
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("WAYLAND_SOCKET")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command
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

/// A program that opens a window, and its output.
pub struct Started<'a> {
    pub display: &'a Display,
    pub program: Guarded,
    said: tempfile::NamedTempFile,
}

impl<'a> Started<'a> {
    pub fn new(display: &'a Display, mut command: Command) -> Self {
        let said = tempfile::NamedTempFile::new().unwrap();
        let program = Guarded(command.stderr(said.reopen().unwrap()).spawn().unwrap());
        Self { display, program, said }
    }

    /// Id of the process that shows the window, which outlives the one that started it.
    pub fn window_process(&self) -> Option<u32> {
        let id = self.program.0.id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).ok()?;
        children.split_whitespace().next()?.parse().ok()
    }

    /// Everything on standard error until now.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.said.path()).unwrap()).into_owned()
    }

    /// Waits for the window; its id.
    pub fn window(&mut self) -> String {
        let began = Instant::now();
        loop {
            if let Some(id) = self.display.window() {
                return id;
            }
            assert!(
                self.program.0.try_wait().unwrap().is_none() && began.elapsed() < PATIENCE,
                "no window opened; a software renderer is needed (apt-get install libgl1-mesa-dri): {}",
                self.said()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits for the end; the exit code.
    pub fn end(&mut self) -> Option<i32> {
        let status = self.program.wait();
        status.unwrap_or_else(|| panic!("the program does not end; it said: {}", self.said())).code()
    }
}

impl Drop for Started<'_> {
    fn drop(&mut self) {
        if let Some(process) = self.window_process() {
            signal(process, Signal::Kill);
        }
    }
}

/// The window on its display, while it runs.
pub struct Window<'a> {
    pub started: Started<'a>,
    id: String,
    /// The language that the window speaks.
    pub text: Text,
    pictures: PathBuf,
    pub shown: Vec<String>,
    last_pixels: Vec<u8>,
}

impl<'a> Window<'a> {
    /// Waits for the window of a program that speaks English, and gives it the keyboard. Pictures of its pages go to
    /// `target/tmp/window`, and their names begin with `name`.
    pub fn of(started: Started<'a>, name: &str) -> Self {
        Self::in_language(started, name, Language::English)
    }

    /// The same in another language.
    pub fn in_language(mut started: Started<'a>, name: &str, language: Language) -> Self {
        let id = started.window();
        started.display.xdotool(&["windowfocus", "--sync", &id]);
        let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("window");
        std::fs::create_dir_all(&pictures).unwrap();
        let (text, pictures) = (Text::new(language), pictures.join(name));
        Self { started, id, text, pictures, shown: Vec::new(), last_pixels: Vec::new() }
    }

    pub fn title(&self) -> String {
        self.started.display.xdotool(&["getwindowname", &self.id]).unwrap_or_default()
    }

    /// Left, top, width and height on the screen, in pixels.
    pub fn place(&self) -> [i32; 4] {
        let told = self.started.display.xdotool(&["getwindowgeometry", "--shell", &self.id]).unwrap();
        ["X", "Y", "WIDTH", "HEIGHT"].map(|name| {
            let value = told.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            value.and_then(|value| value.parse().ok()).expect("a place")
        })
    }

    pub fn press(&self, key: &str) {
        self.started.display.press(key);
    }

    /// Closes it as a user does with the mouse.
    pub fn ask_to_close(&self) {
        self.started.display.ask_to_close(&self.id);
    }

    /// Waits until nothing moves any more.
    pub fn settle(&self) {
        let began = Instant::now();
        let mut before = None;
        loop {
            let now = self.started.display.pixels();
            if before == Some(now.clone()) {
                return;
            }
            before = Some(now);
            assert!(began.elapsed() < PATIENCE, "the window does not come to rest");
            std::thread::sleep(Duration::from_millis(400));
        }
    }

    /// Goes to a control, counted from the end of the page, where the primary button is the first, and presses it.
    pub fn press_from_the_end(&self, position: usize, key: &str) {
        self.settle();
        // Remove the keyboard focus.
        self.press("Escape");
        self.settle();
        self.press_all(&vec!["shift+Tab"; position]);
        self.press(key);
    }

    /// Presses keys, waiting for the effect of each.
    pub fn press_all(&self, keys: &[&str]) {
        for key in keys {
            self.started.display.press_and_see(key);
        }
    }

    /// Waits until the title names a page, and takes its picture.
    pub fn wait_for_page(&mut self, heading: &str) {
        self.wait_for_one_of(&[heading.to_owned()]);
    }

    /// The same, for a page with several headings.
    pub fn wait_for_one_of(&mut self, headings: &[String]) {
        self.try_page(headings, PATIENCE, |_| ()).unwrap_or_else(|title| {
            panic!(
                "none of {headings:?} came; the title is {title:?} after {:?}; it said: {}",
                self.shown,
                self.started.said()
            )
        });
    }

    /// Presses Enter, repeatedly if there is no effect, until the next page is shown: a page may have to wait for the
    /// backend, and a frame can take seconds with software rendering.
    pub fn enter_until_page(&mut self, heading: &str) {
        let display = self.started.display;
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
            if began.elapsed() > limit || self.started.program.0.try_wait().unwrap().is_some() {
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
        let display = self.started.display;
        let began = Instant::now();
        while let Some(pixels) = display.pixels() {
            if pixels != self.last_pixels {
                self.last_pixels = pixels;
                break;
            }
            assert!(began.elapsed() < PATIENCE, "{name}: the page is not drawn");
            std::thread::sleep(Duration::from_millis(100));
        }
        let folder_and_name = format!("{}-{name}", self.pictures.display());
        display.picture(Path::new(&folder_and_name));
    }
}
