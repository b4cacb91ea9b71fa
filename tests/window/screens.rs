//! The window on small screens and with large scaling: all of it is on the screen, the primary button too.

use std::time::{Duration, Instant};

use acolyte::say;
use acolyte::text::{Language, Text};
use serde_json::json;

use super::common::world::{PATIENCE, World};
use super::display::{Display, Started, Window};

/// Pixels of the screen; scaling in percent. 1366x768 at 200 % are 683x384 points.
const SCREENS: [(&str, u32); 7] = [
    ("1366x768", 100),
    ("1366x768", 125),
    ("1366x768", 150),
    ("1366x768", 200),
    ("1920x1080", 125),
    ("1920x1080", 150),
    ("1920x1080", 200),
];

#[test]
fn the_window_fits_every_usual_screen() {
    let world = World::new(&json!({}));
    for (at, (screen, percent)) in SCREENS.into_iter().enumerate() {
        let Some(display) = Display::of_size(screen) else { return };
        display.scale(percent);
        let language = [Language::English, Language::Spanish][at % 2];
        let mut command = display.installer(&world, language.tag());
        command.arg("--hardware").arg(world.path("hardware.json"));
        let name = format!("screen-{screen}-{percent}-{}", language.tag());
        let mut window = Window::in_language(Started::new(&display, command), &name, language);
        let text = Text::new(language);
        window.wait_for_page(&say!(text, "wizard-welcome-title"));
        let size: Vec<i32> = screen.split('x').map(|side| side.parse().unwrap()).collect();
        let began = Instant::now();
        loop {
            let [left, top, width, height] = window.place();
            if left >= 0 && top >= 0 && left + width <= size[0] && top + height <= size[1] {
                assert!(width >= 600 && height >= 300, "{name}: it has a usable size: {width}x{height}");
                break;
            }
            let place = window.place();
            assert!(began.elapsed() < PATIENCE, "{name}: it is not on the screen: {place:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
        window.settle();
        // The primary button of each page is pressed with the keyboard; what it looks like is seen in the pictures.
        window.enter_until_page(&say!(text, "wizard-hardware-title"));
        window.enter_until_page(&say!(text, "wizard-compatibility-limits"));
        window.enter_until_page(&say!(text, "wizard-profile-title"));
    }
}
