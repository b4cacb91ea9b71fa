//! Everything can be reached with the keyboard, in a small window, and with a screen reader.

use std::collections::BTreeMap;

use acolyte::text::Language;
use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Rect, pos2, vec2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::pictures::PAGES;
use super::stage::{Eye, Stage};

const CONTROLS: [Role; 8] = [
    Role::Button,
    Role::RadioButton,
    Role::CheckBox,
    Role::Slider,
    Role::TextInput,
    Role::MultilineTextInput,
    Role::ComboBox,
    Role::Link,
];

/// More than any page has.
const MAX_CONTROLS: usize = 80;

/// Names of the enabled controls, by their ids.
fn controls(stage: &Stage) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for role in CONTROLS {
        for node in stage.harness.query_all_by_role(role) {
            let node = node.accesskit_node();
            if !node.is_disabled() {
                found.insert(
                    format!("{:?}", node.id()),
                    format!("{role:?} {}", node.label().unwrap_or_default()),
                );
            }
        }
    }
    found
}

/// Id, name and rectangle of the focused control.
fn focused(stage: &Stage) -> Option<(String, String, Rect)> {
    CONTROLS.into_iter().find_map(|role| {
        let node = stage.harness.query_all_by_role(role).find(|node| node.is_focused())?;
        let known = node.accesskit_node();
        let name = format!("{role:?} {}", known.label().unwrap_or_default());
        Some((format!("{:?}", known.id()), name, node.rect()))
    })
}

/// Presses Tab until the focus returns to the first control; returns the visited ones in order.
fn go_round(stage: &mut Stage, page: &str) -> Vec<(String, String)> {
    let mut visited: Vec<(String, String)> = Vec::new();
    let screen = Rect::from_min_size(pos2(0.0, 0.0), stage.harness.ctx.content_rect().size());
    for _ in 0..MAX_CONTROLS {
        stage.harness.key_press(Key::Tab);
        stage.harness.run();
        let Some((id, name, rect)) = focused(stage) else { continue };
        if visited.iter().any(|(known, _)| *known == id) {
            break;
        }
        // Controls higher than the page are visible in part only.
        let seen = screen.expand(1.0).contains_rect(rect) || rect.height() > 400.0;
        assert!(seen, "{page}: {name} has the keyboard and cannot be seen: {rect:?} of {screen:?}");
        visited.push((id, name));
    }
    visited
}

#[test]
fn tab_reaches_every_control_in_the_smallest_window() {
    for (index, (page, way)) in PAGES.iter().enumerate() {
        let language = Language::ALL[index % Language::ALL.len()];
        let mut stage = way(Eye { size: (800.0, 560.0), ..Eye::blind(language) });
        stage.harness.run();
        let there = controls(&stage);
        for name in there.values() {
            assert!(!name.ends_with(' '), "{page}: a control without a name: {there:#?}");
        }
        let visited = go_round(&mut stage, page);
        // A dialog, which has six controls at most, keeps the focus until it is answered.
        if stage.harness.query_by_role(Role::Dialog).is_some() {
            assert!((1..=6).contains(&visited.len()), "{page}: {visited:#?}");
            continue;
        }
        for (id, name) in &there {
            let reached = visited.iter().any(|(known, _)| known == id);
            assert!(reached, "{page}: Tab does not reach {name}: {visited:#?}");
        }
    }
}

#[test]
fn a_smaller_window_keeps_everything_reachable() {
    for (page, way) in PAGES {
        let mut stage = way(Eye { size: (1440.0, 860.0), ..Eye::blind(Language::English) });
        stage.harness.run();
        let before: Vec<String> = controls(&stage).into_values().collect();
        stage.harness.set_size(vec2(800.0, 560.0));
        stage.harness.run();
        let mut after: Vec<String> = controls(&stage).into_values().collect();
        for name in before {
            let place = after.iter().position(|known| *known == name);
            assert!(place.is_some(), "{page}: {name} is lost in a small window: {after:#?}");
            place.map(|place| after.swap_remove(place));
        }
    }
}
