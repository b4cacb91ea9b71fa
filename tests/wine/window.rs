//! The window from Welcome to Result, Manage and Remove, with the keyboard alone and a picture of each page.

use acolyte::say;

use super::display::{Display, Started, Window};
use super::programs::Windows;
use super::walk::text;

const PROFILE: &str = "hybrid_8gb";
/// Position of Remove on Manage, counted from the end of the page.
const REMOVE: usize = 7;

#[test]
fn a_user_installs_and_uninstalls_in_the_window() {
    let Some(windows) = Windows::start() else { return };
    let Some(display) = Display::start() else { return };
    let mut command = windows.wine(windows.program("acolyte-installer"));
    command.args(["--lang", "en", "--home", &windows.home()]).args(windows.sources());
    command.env("DISPLAY", &display.name).env("LIBGL_ALWAYS_SOFTWARE", "1");
    let mut window = Window::of(Started::new(&display, command), "wine");
    window.wait_for_page(&say!(text(), "wizard-welcome-title"));
    window.walk_to_profile();
    window.walk_to_summary(PROFILE);
    assert!(!windows.file("").exists(), "nothing is changed before the summary is confirmed");
    window.walk_to_install(PROFILE);
    window.result_page();
    assert_eq!(windows.json("llm/receipt.json")["profile"], PROFILE);

    window.leave_result_for_manage();
    window.press_from_the_end(REMOVE, "Return");
    window.settle();
    assert!(windows.file("").exists(), "it is asked first");
    window.press_all(&["shift+Tab"]);
    window.press("Return");
    window.wait_for_page(&say!(text(), "wizard-manage-removed"));
    assert!(!windows.file("").exists());
    window.settle();
    window.press("Escape");
    window.press("Return");
    assert_eq!(window.started.end(), Some(0), "{}", window.started.said());
}
