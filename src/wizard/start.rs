//! Opens the window, or returns why that is not possible.
//!
//! A graphics driver may crash, hang or end the process that loads it, and no code in that process can prevent it. So the
//! window runs in a child process of our own program ([`child`]), and this process only reads its messages:
//!
//! 1. The first child tries wgpu on a graphics card, or glow where only the processor can render ([`renderers`]). It
//!    reports when it begins, when the first frame is shown, and how it ends.
//! 2. When it fails, crashes, or has shown nothing after [`FIRST_FRAME_LIMIT`], the next child tries the next renderer:
//!    glow, and finally wgpu with whatever it finds.
//! 3. When a Wayland display cannot be reached and an X11 display is set too, all renderers are tried there.
//! 4. Otherwise the caller gets the reason, and falls back to the terminal.
//!
//! After a frame was shown there is no retry: the user may have changed things in that window.
//!
//! On macOS the window runs in this process: the only driver is part of the system, and the Dock would show a child as a
//! second program.

mod child;
mod error;
mod protocol;
mod renderers;
mod size;
mod window;

use std::ffi::OsString;

use super::options::WizardOptions;
use child::ChildEnd;
use error::OpenError;
use protocol::ChildMessage;
use renderers::renderers_to_try;

pub use child::{FIRST_FRAME_LIMIT, WindowChild};
pub use error::StartError;
pub use renderers::RendererChoice;
pub use window::APP_ID;

/// Whether the window runs in a child.
pub const OPENS_IN_CHILD: bool = !cfg!(target_os = "macos");

/// Opens the window in a child with these arguments (without the program's name), waits until it is closed, and returns
/// the child's exit code. Tries the renderer `first` before others.
///
/// # Errors
/// When no window could be opened (nothing was changed then), or when it crashed.
pub fn start(first: Option<RendererChoice>, arguments: &[OsString]) -> Result<u8, StartError> {
    if !display_is_announced() {
        return Err(StartError::NoDisplay);
    }
    let mut failures = Failures::default();
    for only_x11 in if both_displays_are_announced() { &[false, true][..] } else { &[false] } {
        for &renderer in renderers_to_try(first) {
            match child::try_renderer(renderer, *only_x11, arguments) {
                ChildEnd::Closed(code) => return Ok(code),
                ChildEnd::Stopped(why) => return Err(StartError::Stopped(why)),
                // The other renderers need the same connection.
                ChildEnd::NotOpened(error @ OpenError::NoConnection(_)) => {
                    failures.add(renderer, &error);
                    break;
                }
                ChildEnd::NotOpened(error) => failures.add(renderer, &error),
            }
        }
        if !failures.never_connected {
            break;
        }
    }
    Err(failures.error())
}

/// Opens the window in this process, and returns when it is closed. Must be called on the main thread.
///
/// # Errors
/// As [`start`]. A driver that crashes ends this process, too.
pub fn start_here(first: Option<RendererChoice>, options: &WizardOptions) -> Result<(), StartError> {
    let mut failures = Failures::default();
    for &renderer in renderers_to_try(first) {
        let mut shown = false;
        match window::open(renderer, options, &mut |message| shown |= message == ChildMessage::Shown) {
            Ok(()) => return Ok(()),
            Err(error) if shown => return Err(StartError::Stopped(error.to_string())),
            Err(error) => failures.add(renderer, &error),
        }
    }
    Err(failures.error())
}

/// The renderers that failed.
struct Failures {
    reasons: Vec<(RendererChoice, String)>,
    never_connected: bool,
}

impl Default for Failures {
    fn default() -> Self {
        Self { reasons: Vec::new(), never_connected: true }
    }
}

impl Failures {
    fn add(&mut self, renderer: RendererChoice, error: &OpenError) {
        tracing::warn!(%renderer, %error, "the window could not be opened");
        self.never_connected &= matches!(error, OpenError::NoConnection(_));
        // The last failure of a renderer replaces the earlier ones.
        self.reasons.retain(|(earlier, _)| earlier.renderer() != renderer.renderer());
        self.reasons.push((renderer, brief(&error.to_string())));
    }

    fn error(self) -> StartError {
        let same = self.reasons.windows(2).all(|pair| pair[0].1 == pair[1].1);
        let reasons: Vec<String> = match self.reasons.first() {
            Some((_, why)) if same => vec![why.clone()],
            _ => self.reasons.iter().map(|(renderer, why)| format!("{renderer}: {why}")).collect(),
        };
        StartError::NoRenderer(reasons.join("; "))
    }
}

/// An error without the source location before it and the settings after it. The log has the whole text.
fn brief(why: &str) -> String {
    const MAX_CHARACTERS: usize = 120;
    let place_and_rest = why.rsplit_once(".rs:").and_then(|(_, rest)| rest.split_once(": "));
    let why = place_and_rest.map_or(why, |(_, rest)| rest);
    let why = why.split(['{', '\n']).next().unwrap_or_default().trim().trim_end_matches([':', '.', ';']);
    why.chars().take(MAX_CHARACTERS).collect()
}

/// Whether a display is set, for X11 and Wayland; other systems always have one.
fn display_is_announced() -> bool {
    cfg!(any(windows, target_os = "macos"))
        || is_set("DISPLAY")
        || is_set("WAYLAND_DISPLAY")
        || is_set("WAYLAND_SOCKET")
}

/// Whether both X11 and Wayland are set. Wayland is tried first then, and a stale one hides the other.
fn both_displays_are_announced() -> bool {
    cfg!(target_os = "linux") && is_set("DISPLAY") && (is_set("WAYLAND_DISPLAY") || is_set("WAYLAND_SOCKET"))
}

fn is_set(name: &str) -> bool {
    crate::platform::environment::Environment::of_process().is_set(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_short_and_not_repeated() {
        let mut failures = Failures::default();
        let missing = "Library libxkbcommon-x11.so could not be loaded.";
        for renderer in [RendererChoice::WgpuCard, RendererChoice::Glow, RendererChoice::Wgpu] {
            failures.add(renderer, &OpenError::Failed(missing.to_owned()));
        }
        assert!(!failures.never_connected);
        let shown = failures.error().to_string();
        assert_eq!(shown, "no window could be opened: Library libxkbcommon-x11.so could not be loaded");

        let mut failures = Failures::default();
        failures.add(RendererChoice::WgpuCard, &OpenError::Failed("no graphics card".to_owned()));
        failures.add(RendererChoice::Wgpu, &OpenError::Failed("Failed for any backend: {}".to_owned()));
        failures.add(
            RendererChoice::Glow,
            &OpenError::Failed("no configs: Template { red: 8 }. not found".to_owned()),
        );
        let shown = failures.error().to_string();
        assert_eq!(
            shown,
            "no window could be opened: wgpu: Failed for any backend; glow: no configs: Template"
        );
        assert_eq!(brief("os error at /a/b/mod.rs:788: No connection"), "No connection");
    }
}
