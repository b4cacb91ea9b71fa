//! The window on Wayland, in a compositor without a screen (weston). What the window asks of the compositor is read from the
//! protocol, which libraries of Wayland print with `WAYLAND_DEBUG`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use acolyte::say;
use acolyte::text::{Language, Text};
use acolyte::wizard::APP_ID;
use resvg::tiny_skia::Pixmap;
use serde_json::json;

use super::common::process::{Guarded, output};
use super::common::world::{PATIENCE, World};
use super::display::{Display, Started, installer};

/// Name of the compositor's socket.
const SOCKET: &str = "acolyte-test";

/// A compositor that ends with the test.
struct Compositor {
    _server: Guarded,
    /// Its runtime folder.
    folder: PathBuf,
}

impl Compositor {
    /// `None`, and the reason on standard error, without weston.
    fn start(world: &World) -> Option<Self> {
        let folder = world.path("run");
        let mut weston = world.program("weston");
        weston.args(["--backend=headless-backend.so", "--use-pixman", "--width=1280", "--height=900"]);
        // --debug allows pictures to be taken.
        weston.args(["--no-config", "--idle-time=0", "--debug", "--socket", SOCKET]);
        weston.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").stdin(Stdio::null());
        let Ok(server) = weston.stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
            eprintln!("skipped: weston not found; apt-get install weston");
            return None;
        };
        let compositor = Self { _server: Guarded(server), folder };
        until("weston listens", || compositor.folder.join(SOCKET).exists());
        Some(compositor)
    }

    /// A command that talks to the compositor and to no X server.
    fn client(&self, mut command: Command) -> Command {
        command.env("XDG_RUNTIME_DIR", &self.folder).env("WAYLAND_DISPLAY", SOCKET).env_remove("DISPLAY");
        command.env_remove("WAYLAND_SOCKET").env("LIBGL_ALWAYS_SOFTWARE", "1").stdin(Stdio::null());
        command
    }

    /// A picture of the whole screen.
    fn picture(&self, world: &World) -> Pixmap {
        let mut screenshooter = self.client(world.program("weston-screenshooter"));
        let taken = output(screenshooter.current_dir(&self.folder));
        assert!(taken.status.success(), "{}", String::from_utf8_lossy(&taken.stderr));
        let is_picture = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "png");
        let files = std::fs::read_dir(&self.folder).unwrap().map(|entry| entry.unwrap().path());
        let file = files.filter(is_picture).max().expect("a picture");
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("window");
        std::fs::create_dir_all(&kept).unwrap();
        let kept = kept.join("wayland-welcome.png");
        std::fs::rename(&file, &kept).or_else(|_| std::fs::copy(&file, &kept).map(drop)).unwrap();
        Pixmap::load_png(&kept).unwrap()
    }
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "{what}: not within {} s", PATIENCE.as_secs());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn the_window_opens_on_wayland_with_the_name_of_its_menu_entry() {
    // Software rendering: one window at a time.
    let Some(display) = Display::start() else { return };
    let world = World::new(&json!({}));
    let Some(compositor) = Compositor::start(&world) else { return };
    let mut command = compositor.client(world.program(installer().to_str().unwrap()));
    command.args(["--lang", "en"]).env("WAYLAND_DEBUG", "1").stdout(Stdio::null());
    let mut started = Started::new(&display, command);

    let title = say!(Text::new(Language::English), "wizard-welcome-title");
    let shown = format!("set_title(\"ACOLYTE – {title}\")");
    until("the first page is shown", || {
        assert!(started.program.0.try_wait().unwrap().is_none(), "it ended: {}", started.said());
        started.said().contains(&shown)
    });
    let said = started.said();
    let names: Vec<&str> =
        said.split(".set_app_id(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(names, [APP_ID], "desktops find icon and menu entry by it");
    assert!(display.window().is_none(), "nothing was opened on the X server");

    // The page is drawn: the primary button has the accent colour of the theme, and most of the window its background.
    let is_accent = |picture: &Pixmap| {
        let accent = acolyte::wizard::theme::tokens::LIGHT.accent.to_array();
        let pixels = picture.pixels().iter();
        pixels.filter(|pixel| [pixel.red(), pixel.green(), pixel.blue(), pixel.alpha()] == accent).count()
    };
    until("the page is drawn", || is_accent(&compositor.picture(&world)) > 2000);
}
