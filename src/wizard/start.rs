//! Opens the window, or says why there can be none.
//!
//! A graphics driver may crash, hang or end the process it is loaded into, and no code in that process can prevent
//! it. So the window runs in a child of our own program ([`child`]), and this process only listens to it:
//!
//! 1. A child tries wgpu on a card, or glow where only the processor draws ([`mod@renderers`]). It says when it begins, when the
//!    first frame is on the screen, and how it ended.
//! 2. One that fails, crashes, or has drawn nothing after [`FIRST_FRAME_LIMIT`] is followed by one that tries the next:
//!    glow, and in the end wgpu with whatever it finds.
//! 3. Where a Wayland display cannot be reached but an X11 display is named as well, both are tried there.
//! 4. Otherwise the caller learns why and goes on in the terminal.
//!
//! Once a frame was shown, nothing is tried again: things may have been changed in that window.
//!
//! On macOS the window runs in this process: the only driver there is part of the system, and the Dock takes a child
//! for a second program.

mod child;
mod renderers;
mod window;

use std::ffi::OsString;
use std::time::Duration;

use super::WizardOptions;
use child::End;
use renderers::order;
use window::OpenError;

pub use child::Showing;
pub use renderers::Drawing;

/// How long a driver may take to show the first frame. A slow processor that draws by itself needs a few seconds.
pub const FIRST_FRAME_LIMIT: Duration = Duration::from_secs(20);

/// By what name the system knows the window: it finds the program's icon and menu entry by it
/// (`installer/linux/acolyte-installer.desktop`).
pub const APP_ID: &str = "acolyte-installer";

/// Whether the window runs in a child.
pub const IN_A_CHILD: bool = !cfg!(target_os = "macos");

/// Why there is no window. The same steps are possible in the terminal.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The system names no screen.
    #[error("there is no display to open a window on")]
    NoDisplay,
    /// The screen cannot be reached, nothing can draw on it, or a library is missing.
    #[error("no window could be opened: {0}")]
    NoRenderer(String),
    /// It was open, and came to an end that nobody asked for.
    #[error("the window stopped: {0}")]
    Stopped(String),
}

/// Opens the window in a child that is started with these arguments (without the program's name), and waits until it
/// is closed. Answers with the child's exit code. `first` is tried first.
///
/// # Errors
/// When no window could be opened; nothing has been changed then. Or when it stopped by itself.
pub fn start(first: Option<Drawing>, arguments: &[OsString]) -> Result<u8, StartError> {
    if !display_is_promised() {
        return Err(StartError::NoDisplay);
    }
    let mut failures = Failures::default();
    for only_x11 in if both_displays_are_promised() { &[false, true][..] } else { &[false] } {
        for &drawing in order(first) {
            match child::try_drawing(drawing, *only_x11, arguments) {
                End::Closed(code) => return Ok(code),
                End::Stopped(why) => return Err(StartError::Stopped(why)),
                // The others would need the same connection.
                End::NotOpened(error @ OpenError::NoConnection(_)) => {
                    failures.add(drawing, &error);
                    break;
                }
                End::NotOpened(error) => failures.add(drawing, &error),
            }
        }
        if !failures.never_connected {
            break;
        }
    }
    Err(failures.error())
}

/// Opens the window in this process, which must be its main thread, and stays until it is closed.
///
/// # Errors
/// As [`start`]; but a driver that crashes takes this process with it.
pub fn start_here(first: Option<Drawing>, options: &WizardOptions) -> Result<(), StartError> {
    let mut failures = Failures::default();
    for &drawing in order(first) {
        let mut shown = false;
        match window::open(drawing, options, &mut |word| shown |= word == child::Word::Shown) {
            Ok(()) => return Ok(()),
            Err(error) if shown => return Err(StartError::Stopped(error.to_string())),
            Err(error) => failures.add(drawing, &error),
        }
    }
    Err(failures.error())
}

/// What was tried in vain.
struct Failures {
    said: Vec<(Drawing, String)>,
    never_connected: bool,
}

impl Default for Failures {
    fn default() -> Self {
        Self { said: Vec::new(), never_connected: true }
    }
}

impl Failures {
    fn add(&mut self, drawing: Drawing, error: &OpenError) {
        tracing::warn!(%drawing, %error, "the window could not be opened");
        self.never_connected &= matches!(error, OpenError::NoConnection(_));
        // The last says it for both.
        self.said.retain(|(earlier, _)| earlier.renderer() != drawing.renderer());
        self.said.push((drawing, brief(&error.to_string())));
    }

    fn error(self) -> StartError {
        let same = self.said.windows(2).all(|pair| pair[0].1 == pair[1].1);
        let said: Vec<String> = match self.said.first() {
            Some((_, why)) if same => vec![why.clone()],
            _ => self.said.iter().map(|(drawing, why)| format!("{drawing}: {why}")).collect(),
        };
        StartError::NoRenderer(said.join("; "))
    }
}

/// What an error tells a person: without the place in a source file before it and the settings after it. The log has
/// all of it.
fn brief(why: &str) -> String {
    const MOST_CHARACTERS: usize = 120;
    let place_and_rest = why.rsplit_once(".rs:").and_then(|(_, rest)| rest.split_once(": "));
    let why = place_and_rest.map_or(why, |(_, rest)| rest);
    let why = why.split(['{', '\n']).next().unwrap_or_default().trim().trim_end_matches([':', '.', ';']);
    why.chars().take(MOST_CHARACTERS).collect()
}

/// Whether the system says that there is a display. Only X11 and Wayland say so.
fn display_is_promised() -> bool {
    cfg!(any(windows, target_os = "macos"))
        || is_set("DISPLAY")
        || is_set("WAYLAND_DISPLAY")
        || is_set("WAYLAND_SOCKET")
}

/// Wayland is looked for first then, and one that is gone (after a switch of the user, say) hides the other.
fn both_displays_are_promised() -> bool {
    cfg!(target_os = "linux") && is_set("DISPLAY") && (is_set("WAYLAND_DISPLAY") || is_set("WAYLAND_SOCKET"))
}

fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_reads_is_short_and_said_once() {
        let mut failures = Failures::default();
        let missing = "Library libxkbcommon-x11.so could not be loaded.";
        for drawing in [Drawing::WgpuCard, Drawing::Glow, Drawing::Wgpu] {
            failures.add(drawing, &OpenError::Failed(missing.to_owned()));
        }
        assert!(!failures.never_connected);
        let said = failures.error().to_string();
        assert_eq!(said, "no window could be opened: Library libxkbcommon-x11.so could not be loaded");

        let mut failures = Failures::default();
        failures.add(Drawing::WgpuCard, &OpenError::Failed("no graphics card".to_owned()));
        failures.add(Drawing::Wgpu, &OpenError::Failed("Failed for any backend: {}".to_owned()));
        failures
            .add(Drawing::Glow, &OpenError::Failed("no configs: Template { red: 8 }. not found".to_owned()));
        let said = failures.error().to_string();
        assert_eq!(
            said,
            "no window could be opened: wgpu: Failed for any backend; glow: no configs: Template"
        );
        assert_eq!(brief("os error at /a/b/mod.rs:788: No connection"), "No connection");
    }
}
