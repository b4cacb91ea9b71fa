//! How large the window is at the start: as designed, or as large as the desktop allows beside its panels.

use crate::wizard::theme::size::{WINDOW, WINDOW_MIN};

/// Space in points that a window's title bar and borders take.
const FRAME: [f32; 2] = [16.0, 40.0];
/// Space in points for panels, where the system tells the size of the screen only.
const PANELS: [f32; 2] = [0.0, 64.0];

/// Size of the window's content in points, and the smallest that the user can give it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct WindowSize {
    pub inner: [f32; 2],
    pub smallest: [f32; 2],
}

impl WindowSize {
    /// For a desktop with this free area in points; `None` if it is not known.
    pub fn on(work_area: Option<[f32; 2]>) -> Self {
        let fit = |wanted: [f32; 2]| match work_area {
            Some(area) => {
                std::array::from_fn(|axis| wanted[axis].min((area[axis] - FRAME[axis]).max(1.0)).floor())
            }
            None => wanted,
        };
        Self { inner: fit(WINDOW), smallest: fit(WINDOW_MIN) }
    }

    /// For a screen of this size in points.
    pub fn on_screen(screen: [f32; 2]) -> Self {
        Self::on(Some(std::array::from_fn(|axis| screen[axis] - PANELS[axis])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The desktop of a screen at a scaling in percent, without a taskbar of 48 points.
    fn desktop(pixels: [f32; 2], percent: f32) -> [f32; 2] {
        let scale = percent / 100.0;
        [pixels[0] / scale, pixels[1] / scale - 48.0]
    }

    #[test]
    fn the_window_fits_usual_screens() {
        for (pixels, percent) in [
            ([1920.0, 1080.0], 100.0),
            ([1920.0, 1080.0], 125.0),
            ([1920.0, 1080.0], 150.0),
            ([1366.0, 768.0], 100.0),
            ([1366.0, 768.0], 125.0),
            ([2560.0, 1600.0], 200.0),
            ([3840.0, 2160.0], 300.0),
            ([1280.0, 720.0], 150.0),
        ] {
            let area = desktop(pixels, percent);
            let size = WindowSize::on(Some(area));
            for axis in 0..2 {
                let outer = size.inner[axis] + FRAME[axis];
                assert!(outer <= area[axis], "{pixels:?} at {percent} %: {size:?} on {area:?}");
                assert!(size.smallest[axis] <= size.inner[axis]);
            }
        }
    }

    #[test]
    fn a_large_or_unknown_desktop_gets_the_designed_size() {
        let designed = WindowSize { inner: WINDOW, smallest: WINDOW_MIN };
        assert_eq!(WindowSize::on(None), designed);
        assert_eq!(WindowSize::on(Some(desktop([1920.0, 1080.0], 100.0))), designed);
        assert_eq!(WindowSize::on_screen([1920.0, 1080.0]), designed);
        assert!(WindowSize::on_screen([1280.0, 720.0]).inner[1] < WINDOW[1]);
    }
}
