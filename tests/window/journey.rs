//! From Welcome to Result, and through Manage.

use std::time::Duration;

use acolyte::say;
use acolyte::text::{Language, Text};
use serde_json::json;

use super::common::process::below;
use super::common::world::{World, listing};
use super::display::{Display, Started, Window};

/// The program on this world's machine, from this world's mirror.
fn open<'a>(display: &'a Display, world: &World, name: &str) -> Window<'a> {
    let mut command = display.installer(world, "en");
    command.args(["--mirror", &world.mirror.url()]).arg("--release").arg(world.path("release.json"));
    command.arg("--hardware").arg(world.path("hardware.json"));
    Window::of(Started::new(display, command), name)
}

#[test]
fn a_stranger_gets_from_welcome_to_result_with_the_keyboard() {
    let Some(display) = Display::start() else { return };
    let world = World::new(&json!({}));
    // Slow enough to be seen installing.
    world.mirror.limit_rate(8 << 20);
    let text = Text::new(Language::English);
    let profile = "hybrid_8gb";
    let mut window = open(&display, &world, "install");
    window.wait_for_page(&say!(text, "wizard-welcome-title"));
    window.enter_until_page(&say!(text, "wizard-hardware-title"));
    window.enter_until_page(&say!(text, "wizard-compatibility-limits"));
    window.enter_until_page(&say!(text, "wizard-profile-title"));
    window.enter_until_page(&say!(text, "wizard-consent-title"));
    // Without the tick Enter must not lead on.
    window.press("Return");
    std::thread::sleep(Duration::from_secs(2));
    assert!(window.title().contains(&say!(text, "wizard-consent-title")));
    // Back from the end: the link, the back button, the tick. Then forward to the button that is enabled by now.
    window.press_all(&["shift+Tab", "shift+Tab", "shift+Tab", "space", "Tab", "Tab", "Tab"]);
    window.press("Return");
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

    window.press("Return");
    assert_eq!(window.started.end(), Some(0), "{}", window.started.said());
    assert!(world.run(&["uninstall", "--yes"]).status.success());
    assert!(!world.home().exists());
}
