//! The test harness of the wizard: the scripted backend, and functions to reach each page.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use acolyte::install::{Installed, Request};
use acolyte::text::{Language, Text};
use acolyte::wizard::backend::{Backend, Outbox};
use acolyte::wizard::flow::Page;
use acolyte::wizard::{Wizard, WizardOptions, theme};
use eframe::egui::{self, Theme, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::scripted::{Scene, Scripted, SharedDesk};

/// Language and appearance of the window.
#[derive(Clone, Copy)]
pub struct Eye {
    pub language: Language,
    pub theme: Theme,
    pub size: (f32, f32),
    pub pixels_per_point: f32,
    pub paints: bool,
}

impl Eye {
    pub fn blind(language: Language) -> Self {
        Self { language, theme: Theme::Light, size: (1040.0, 700.0), pixels_per_point: 1.0, paints: false }
    }
}

/// The harness leaves a margin around what it draws, and clears nothing; a window has no margin, and is cleared with
/// the page's background.
fn show(ui: &mut egui::Ui, wizard: &mut Wizard) {
    let whole = egui::UiBuilder::new().max_rect(ui.ctx().content_rect());
    ui.scope_builder(whole, |ui| {
        ui.set_clip_rect(ui.max_rect());
        ui.painter().rect_filled(ui.max_rect(), 0.0, ui.visuals().panel_fill);
        wizard.show(ui);
    });
}

/// Runs a journey in every language, without pictures.
pub fn in_both_languages(journey: impl Fn(Eye)) {
    for language in Language::ALL {
        journey(Eye::blind(language));
    }
}

pub struct Stage {
    pub harness: Harness<'static, Wizard>,
    pub desk: SharedDesk,
    pub text: Text,
    /// Receives when the backend wakes the window.
    woken: Receiver<()>,
}

impl Stage {
    pub fn new(eye: Eye, scene: Scene) -> Self {
        Self::with_backend(eye, scene, |scripted| Box::new(scripted))
    }

    /// With the scripted backend behind another one.
    pub fn with_backend(eye: Eye, scene: Scene, wrap: impl FnOnce(Scripted) -> Box<dyn Backend>) -> Self {
        let options = WizardOptions { language: Some(eye.language), ..scene.options() };
        let (scripted, desk) = Scripted::new(scene);
        let (wake, woken) = channel();
        let wake = Arc::new(move || {
            // The stage may be dropped.
            let _gone = wake.send(());
        });
        let wizard = Wizard::new(options, wrap(scripted), wake);
        let mut builder = Harness::builder()
            .with_size(vec2(eye.size.0, eye.size.1))
            .with_pixels_per_point(eye.pixels_per_point)
            .with_theme(eye.theme)
            .with_max_steps(20)
            .with_render_cursor(false)
            .with_context_setup(|ctx: &egui::Context| theme::install(ctx));
        if eye.paints {
            builder = builder.wgpu();
        }
        let mut harness = builder.build_ui_state(show, wizard);
        harness.run();
        Self { harness, desk, text: Text::new(eye.language), woken }
    }

    /// Draws frames as answers arrive, until the page shows this. Fails after half a minute without an answer.
    pub fn wait_for(&mut self, label: &str) {
        self.harness.run();
        while !self.sees(label) {
            let woken = self.woken.recv_timeout(Duration::from_secs(30));
            assert!(woken.is_ok(), "nothing was answered while waiting for {label:?}");
            self.harness.run();
        }
    }

    /// Draws one frame.
    pub fn step(&mut self) {
        self.harness.step();
    }

    pub fn say(&self, key: &str) -> String {
        self.text.say(key, &[])
    }

    pub fn click(&mut self, key: &str) {
        let label = self.say(key);
        self.click_label(&label);
    }

    pub fn click_label(&mut self, label: &str) {
        self.click_control(egui::accesskit::Role::Button, label);
    }

    /// The names of cards and of a table's rows, from top to bottom.
    pub fn rows(&self) -> Vec<String> {
        let rows = self.harness.query_all_by_role(egui::accesskit::Role::RadioButton);
        let mut rows: Vec<_> =
            rows.filter_map(|node| Some((node.rect().top(), node.accesskit_node().label()?))).collect();
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        rows.into_iter().map(|(_, label)| label).collect()
    }

    /// Clicks the row of a table that begins with this name.
    pub fn press_row(&mut self, name: &str) {
        let row =
            self.rows().into_iter().find(|label| label.starts_with(name)).expect("a row with that name");
        self.choose(&row);
    }

    /// Chooses a card.
    pub fn choose(&mut self, label: &str) {
        self.click_control(egui::accesskit::Role::RadioButton, label);
    }

    /// Clicks a control, and scrolls to it first where it is not in sight, as a user would.
    pub fn click_control(&mut self, role: egui::accesskit::Role, label: &str) {
        /// The footer covers the lower end of a page.
        const FOOTER_HEIGHT: f32 = 68.0;

        let node = self.harness.get_by_role_and_label(role, label);
        let in_sight = self.harness.ctx.content_rect().height() - FOOTER_HEIGHT;
        if node.rect().bottom() > in_sight || node.rect().top() < 0.0 {
            node.scroll_to_me();
            self.harness.run();
        }
        self.harness.get_by_role_and_label(role, label).click();
        self.harness.run();
    }

    /// Clicks the control with this name, of any role.
    pub fn press(&mut self, label: &str) {
        self.harness.get_by_label(label).click();
        self.harness.run();
    }

    /// Chooses a language in the menu of the sidebar.
    pub fn switch_to(&mut self, language: Language) {
        let now = self.text.language().endonym();
        let menu = self.text.say("wizard-language-switch", &[("language", now.into())]);
        self.click_label(&menu);
        self.press(language.endonym());
        self.text = Text::new(language);
    }

    pub fn sees(&self, label: &str) -> bool {
        self.harness.query_all_by_label_contains(label).next().is_some()
    }

    pub fn is_disabled(&self, key: &str) -> bool {
        let label = self.say(key);
        self.harness
            .get_by_role_and_label(egui::accesskit::Role::Button, &label)
            .accesskit_node()
            .is_disabled()
    }

    pub fn reach_hardware(mut self) -> Self {
        self.click("wizard-welcome-next");
        self
    }

    pub fn reach_compatibility(mut self) -> Self {
        self = self.reach_hardware();
        self.click("wizard-continue");
        self
    }

    pub fn reach_profile(mut self) -> Self {
        self = self.reach_compatibility();
        self.click("wizard-choose-profile");
        self
    }

    pub fn reach_consent(mut self) -> Self {
        self = self.reach_profile();
        self.click("wizard-continue");
        self
    }

    /// Goes to the summary, through the consent page if there is one.
    pub fn reach_summary(mut self) -> Self {
        self = self.reach_consent();
        if self.sees(&self.say("wizard-consent-title")) {
            self.tick_consent();
            self.click("wizard-continue");
        }
        self
    }

    /// Ticks a box, or unticks it.
    pub fn tick(&mut self, key: &str) {
        let label = self.say(key);
        self.click_control(egui::accesskit::Role::CheckBox, &label);
    }

    pub fn tick_consent(&mut self) {
        self.harness.get_by_role(egui::accesskit::Role::CheckBox).click();
        self.harness.run();
    }

    pub fn reach_install(mut self) -> Self {
        self = self.reach_summary();
        self.click("wizard-install");
        self
    }

    /// What is installed, as the Manage page shows it.
    pub fn installed(&self) -> Installed {
        match self.harness.state().page() {
            Page::Manage(page) => (*page.installation.installed).clone(),
            _ => panic!("the page is not Manage"),
        }
    }

    /// The last requested installation.
    pub fn installation(&self) -> (Request, Outbox) {
        let desk = self.desk.borrow();
        let (request, _, outbox) = desk.installs.last().expect("nothing was installed");
        (request.clone(), outbox.clone())
    }
}

impl Stage {
    /// Types into a field by its label, in place of what is there.
    pub fn type_into(&mut self, key: &str, text: &str) {
        let label = self.say(key);
        let role = egui::accesskit::Role::TextInput;
        self.harness.get_by_role_and_label(role, &label).focus();
        self.harness.run();
        self.harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::A);
        self.harness.get_by_role_and_label(role, &label).type_text(text);
        self.harness.run();
    }

    /// Scrolls until a field can be seen.
    pub fn scroll_to(&mut self, key: &str) {
        let label = self.say(key);
        let role = egui::accesskit::Role::TextInput;
        self.harness.get_by_role_and_label(role, &label).scroll_to_me();
        self.harness.run();
    }

    /// Types a prompt on the result page and asks it.
    pub fn ask(&mut self, prompt: &str) {
        let field = self.harness.get_by_role(egui::accesskit::Role::TextInput);
        field.focus();
        self.harness.run();
        self.harness.get_by_role(egui::accesskit::Role::TextInput).type_text(prompt);
        self.harness.run();
        self.click("wizard-try-ask");
    }
}
