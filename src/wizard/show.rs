//! One frame of the window's content.

use eframe::egui::{Key, Modifiers, Theme, Ui, accesskit_root_id};

use super::app::Wizard;
use super::backend::BackendCommand;
use super::pages::{Button, Intent};
use super::{frame, theme};

impl Wizard {
    /// Draws everything into `ui`, which should be the whole window, cleared with `Visuals::panel_fill`.
    pub fn show(&mut self, ui: &mut Ui) {
        self.apply_settings(ui);
        self.handle_messages();
        self.drop_focus_of_last_page(ui);
        let mut intents = self.keys(ui);
        let title = self.title();
        ui.ctx().accesskit_node_builder(accesskit_root_id(), |node| node.set_label(title));
        frame::show(self, ui, &mut intents);
        self.show_question(ui, &mut intents);
        for intent in intents {
            self.carry_out(intent, ui.visuals().dark_mode);
        }
        if self.applied_settings != Some(self.settings) {
            self.send(BackendCommand::RememberSettings(self.settings));
            ui.ctx().request_repaint();
        }
    }

    /// Applies changed settings to egui.
    fn apply_settings(&mut self, ui: &Ui) {
        let wanted = self.settings;
        let applied = self.applied_settings.replace(wanted).unwrap_or_default();
        if wanted.appearance != applied.appearance {
            theme::apply(ui.ctx(), wanted.appearance);
        }
        if let Some(dark) = wanted.dark.filter(|_| wanted.dark != applied.dark) {
            ui.ctx().set_theme(if dark { Theme::Dark } else { Theme::Light });
        }
    }

    /// Drops the focus when the page changes, so that a key does not press the button in the same place on the new page.
    fn drop_focus_of_last_page(&mut self, ui: &Ui) {
        let step = self.page.step();
        if std::mem::replace(&mut self.drawn_step, step) != step {
            ui.ctx().memory_mut(|memory| {
                if let Some(focused) = memory.focused() {
                    memory.surrender_focus(focused);
                }
            });
        }
    }

    /// Enter presses the primary button when nothing has the focus; Alt+Left goes back; Esc during an installation asks
    /// whether to stop it.
    fn keys(&self, ui: &Ui) -> Vec<Intent> {
        let mut intents = Vec::new();
        if self.question.is_some() {
            return intents;
        }
        let footer = self.page.view().footer(self.text);
        let nothing_focused = ui.ctx().memory(|memory| memory.focused().is_none());
        let (enter, back, escape) = ui.input_mut(|input| {
            (
                nothing_focused && input.consume_key(Modifiers::NONE, Key::Enter),
                input.consume_key(Modifiers::ALT, Key::ArrowLeft),
                nothing_focused && input.key_pressed(Key::Escape),
            )
        });
        let press =
            |button: Option<Button>| button.filter(|button| button.enabled).map(|button| button.intent);
        if enter {
            intents.extend(press(footer.primary));
        }
        let left = press(footer.back);
        if back && left == Some(Intent::Back) || escape && left == Some(Intent::AskToCancel) {
            intents.extend(left);
        }
        intents
    }
}
