//! The window from Welcome to Result and Manage, with the keyboard alone and a picture of each page.

use acolyte::say;
use acolyte::text::{Language, Text};

use super::display::{Display, Started, Window};
use super::programs::Windows;

const PROFILE: &str = "hybrid_8gb";

#[test]
#[ignore = "needs the Windows programs: bash .ci/wine-walk"]
fn a_user_installs_in_the_window() {
    install_to_manage(Language::English);
}

#[test]
#[ignore = "needs the Windows programs: bash .ci/wine-walk"]
fn a_user_installs_in_the_spanish_window() {
    install_to_manage(Language::Spanish);
}

fn install_to_manage(language: Language) {
    let windows = Windows::start();
    windows.leave_desktop();
    let display = Display::start().expect("a display");
    let mut command = windows.wine(windows.program("acolyte-installer"));
    command.args(["--lang", language.tag(), "--home", &windows.home()]).args(windows.sources());
    command.env("DISPLAY", &display.name).env("LIBGL_ALWAYS_SOFTWARE", "1");
    let (text, name) = (Text::new(language), format!("wine-{}", language.tag()));
    let mut window = Window::in_language(Started::new(&display, command), &name, language);
    window.wait_for_page(&say!(text, "wizard-welcome-title"));
    window.walk_to_profile();
    window.walk_to_summary(PROFILE);
    assert!(!windows.file("").exists(), "nothing is changed before the summary is confirmed");
    window.walk_to_install(PROFILE);
    window.result_page();
    assert_eq!(windows.json("llm/receipt.json")["profile"], PROFILE);

    window.leave_result_for_manage();
    window.settle();
    // Finish is the primary button.
    window.press("Escape");
    window.press("Return");
    assert_eq!(window.started.end(), Some(0), "{}", window.started.said());
    windows.succeed(&["uninstall", "--yes"]);
    windows.assert_removed();
}
