//! Starts and measures the windows; see `examples/first_frame.rs`.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    ChangeWindowAttributesAux, ConnectionExt as _, EventMask, ImageFormat, Window,
};
use x11rb::rust_connection::RustConnection;

type Outcome<T> = Result<T, Box<dyn Error>>;

const ROUNDS: usize = 10;
const LIMIT: Duration = Duration::from_secs(60);
/// Time for a page to settle, and then the time of the measurement.
const SETTLING: Duration = Duration::from_secs(8);
const WATCHED: Duration = Duration::from_secs(10);
/// Interval of reading the middle pixel once the window is mapped.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// Limit of the goal, as a ratio.
const GOAL: f64 = 1.25;

/// A child that is killed when this is dropped.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The two programs, and a folder in which nothing is installed.
struct Programs {
    ours: PathBuf,
    empty: PathBuf,
    home: tempfile::TempDir,
    display: String,
}

/// A timed program: its name, and how it is started.
type Contender = (&'static str, fn(&Programs) -> Command);
/// Ours with default options comes first. An empty eframe window is drawn with wgpu unless it selects glow.
const CONTENDERS: [Contender; 6] = [
    ("ours", |programs| programs.ours()),
    ("ours, wgpu", |programs| with(programs.ours(), &["--renderer", "wgpu"])),
    ("ours, glow", |programs| with(programs.ours(), &["--renderer", "glow"])),
    ("empty", |programs| programs.empty()),
    ("empty, glow", |programs| with(programs.empty(), &["glow"])),
    ("one word", |programs| with(programs.empty(), &["word"])),
];
/// Pairs to compare, as indexes into [`CONTENDERS`]; the goal is about the first pair.
const PAIRS: [(usize, usize); 5] = [(0, 3), (0, 5), (0, 4), (1, 3), (2, 4)];

fn with(mut command: Command, arguments: &[&str]) -> Command {
    command.args(arguments);
    command
}

impl Programs {
    fn ours(&self) -> Command {
        let mut command = Command::new(&self.ours);
        command.args(["--lang", "en", "--home"]).arg(self.home.path().join("none"));
        self.on_display(command)
    }

    fn empty(&self) -> Command {
        self.on_display(Command::new(&self.empty))
    }

    fn on_display(&self, mut command: Command) -> Command {
        command.env("DISPLAY", &self.display).env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

/// When the window appeared, after the start of its process.
#[derive(Clone, Copy)]
struct FirstFrame {
    mapped_s: f64,
    drawn_s: f64,
}

/// Measures and prints.
pub fn measure() -> Outcome<()> {
    let rounds = std::env::args().nth(1).map_or(Ok(ROUNDS), |rounds| rounds.parse())?;
    let (server, display) = virtual_display()?;
    let examples = std::env::current_exe()?;
    let examples = examples.parent().ok_or("this program lies in no folder")?;
    let programs = Programs {
        ours: examples.with_file_name("acolyte-installer"),
        empty: examples.join("empty_window"),
        home: tempfile::tempdir()?,
        display,
    };
    println!("{} against {}", programs.ours.display(), programs.empty.display());
    println!("seconds from the start of the process until the window is mapped / drawn");
    print!("round");
    for (name, _) in CONTENDERS {
        print!("  {name:>15}");
    }
    println!();
    let mut kept: [Vec<FirstFrame>; CONTENDERS.len()] = Default::default();
    for round in 0..=rounds {
        // Rotate the order.
        let mut frames = [None; CONTENDERS.len()];
        for turn in 0..frames.len() {
            let who = (turn + round) % frames.len();
            frames[who] = Some(first_frame(&programs, CONTENDERS[who].1(&programs))?);
        }
        // The first round fills the caches and does not count.
        print!("{:>5}", if round == 0 { "-".to_owned() } else { round.to_string() });
        for (kept, frame) in kept.iter_mut().zip(frames.into_iter().flatten()) {
            print!("  {:>7.3} {:>7.3}", frame.mapped_s, frame.drawn_s);
            if round > 0 {
                kept.push(frame);
            }
        }
        println!();
    }
    for (one, other) in PAIRS {
        type Moment = fn(&FirstFrame) -> f64;
        let moments: [(&str, Moment); 2] =
            [("mapped", |frame| frame.mapped_s), ("drawn", |frame| frame.drawn_s)];
        for (what, of) in moments {
            let medians = [one, other].map(|who| median(kept[who].iter().map(of)));
            let ratio = medians[0] / medians[1];
            let [name, against] = [one, other].map(|who| CONTENDERS[who].0);
            let verdict = if ratio <= GOAL { "within" } else { "beyond" };
            println!(
                "{name} against {against}, {what}: median {:.3} s, {:.3} s, ratio {ratio:.2}, {verdict} {GOAL}",
                medians[0], medians[1]
            );
        }
    }
    idle(&programs)?;
    drop(server);
    Ok(())
}

fn virtual_display() -> Outcome<(Ends, String)> {
    let mut server = Command::new("Xvfb")
        .args(["-displayfd", "1", "-screen", "0", "1920x1080x24", "-nolisten", "tcp", "-noreset"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("Xvfb is needed: {error}"))?;
    let mut number = String::new();
    let output = server.stdout.take().ok_or("Xvfb cannot be heard")?;
    BufReader::new(output).read_line(&mut number)?;
    Ok((Ends(server), format!(":{}", number.trim())))
}

/// Starts a program, and ends it once its window is drawn.
fn first_frame(programs: &Programs, mut command: Command) -> Outcome<FirstFrame> {
    let watch = Watch::new(&programs.display)?;
    let began = Instant::now();
    let program = Ends(command.spawn()?);
    let (window, mapped) = watch.mapped(began)?;
    let drawn = watch.drawn(window, began)?;
    drop(program);
    watch.gone(window, began)?;
    let seconds = |at: Instant| at.duration_since(began).as_secs_f64();
    Ok(FirstFrame { mapped_s: seconds(mapped), drawn_s: seconds(drawn) })
}

/// Observes the display.
struct Watch {
    connection: RustConnection,
}

impl Watch {
    fn new(display: &str) -> Outcome<Self> {
        let (connection, screen) = RustConnection::connect(Some(display))?;
        let root = connection.setup().roots[screen].root;
        let windows = ChangeWindowAttributesAux::new().event_mask(EventMask::SUBSTRUCTURE_NOTIFY);
        connection.change_window_attributes(root, &windows)?.check()?;
        Ok(Self { connection })
    }

    /// Waits until a window is mapped.
    fn mapped(&self, began: Instant) -> Outcome<(Window, Instant)> {
        loop {
            match self.connection.poll_for_event()? {
                Some(Event::MapNotify(mapped)) => return Ok((mapped.window, Instant::now())),
                Some(_) => {}
                None => std::thread::sleep(LOOK_EVERY),
            }
            in_time(began, "no window was opened")?;
        }
    }

    /// Waits until the middle of a window is drawn; until then it is black.
    fn drawn(&self, window: Window, began: Instant) -> Outcome<Instant> {
        let size = self.connection.get_geometry(window)?.reply()?;
        let (x, y) = (i16::try_from(size.width / 2)?, i16::try_from(size.height / 2)?);
        loop {
            let image = self.connection.get_image(ImageFormat::Z_PIXMAP, window, x, y, 8, 8, !0)?;
            if image.reply()?.data.iter().any(|byte| *byte != 0) {
                return Ok(Instant::now());
            }
            in_time(began, "nothing was drawn")?;
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Waits until a window is closed.
    fn gone(&self, window: Window, began: Instant) -> Outcome<()> {
        while self.connection.get_geometry(window)?.reply().is_ok() {
            in_time(began, "the window does not close")?;
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }
}

fn in_time(began: Instant, what: &str) -> Outcome<()> {
    if began.elapsed() < LIMIT { Ok(()) } else { Err(format!("{what} within {} s", LIMIT.as_secs()).into()) }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 }
}

/// Measures the idle window on three pages.
fn idle(programs: &Programs) -> Outcome<()> {
    let watch = Watch::new(&programs.display)?;
    let began = Instant::now();
    let program = Ends(programs.ours().spawn()?);
    let (window, _) = watch.mapped(began)?;
    watch.drawn(window, began)?;
    let xdotool = |arguments: &[&str]| -> Outcome<String> {
        let output = Command::new("xdotool").args(arguments).env("DISPLAY", &programs.display).output();
        let output = output.map_err(|error| format!("xdotool is needed: {error}"))?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let window = window.to_string();
    xdotool(&["windowfocus", "--sync", &window])?;
    for page in 0..3 {
        if page > 0 {
            // The previous page may still be working: press again until the next page is shown.
            let before = xdotool(&["getwindowname", &window])?;
            let began = Instant::now();
            while xdotool(&["getwindowname", &window])? == before {
                xdotool(&["key", "--clearmodifiers", "Return"])?;
                in_time(began, "Enter does not lead on")?;
                std::thread::sleep(Duration::from_secs(2));
            }
        }
        std::thread::sleep(SETTLING);
        let before = processor_s(program.0.id())?;
        std::thread::sleep(WATCHED);
        let used = processor_s(program.0.id())? - before;
        let title = xdotool(&["getwindowname", &window])?;
        println!("idle: {used:.2} s of processor time in {} s on {title:?}", WATCHED.as_secs());
    }
    Ok(())
}

/// Processor time of a process and all below it, in seconds.
fn processor_s(process: u32) -> Outcome<f64> {
    /// Linux' unit of processor time, on all relevant architectures.
    const TICKS_PER_S: f64 = 100.0;
    let folder = Path::new("/proc").join(process.to_string());
    let stat = std::fs::read_to_string(folder.join("stat"))?;
    // The name, in brackets, may hold anything; the fields after it are numbers. User and system time are the 12th and
    // 13th of those.
    let (_, fields) = stat.rsplit_once(')').ok_or("/proc/PID/stat is not understood")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
    let own = ticks.sum::<Result<f64, _>>()? / TICKS_PER_S;
    let children = std::fs::read_to_string(folder.join(format!("task/{process}/children")))?;
    let below = children.split_whitespace().map(|child| processor_s(child.parse()?));
    Ok(own + below.sum::<Outcome<f64>>()?)
}
