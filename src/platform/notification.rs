//! Notifications of the desktop, with buttons where it has them.
//!
//! Linux: the notification service of the session (freedesktop.org, Desktop Notifications Specification), with buttons.
//! Windows: toasts, without buttons. macOS: Script Editor's notifications, without buttons. Where there is no such service,
//! nothing is shown, and that is only logged: what a notification says is also printed.

#[cfg(target_os = "macos")]
use std::time::Duration;

/// Longest text of a notification in characters; services cut what is longer.
const MAX_CHARS: usize = 1000;

/// What a notification says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DesktopNotice {
    /// Its first line.
    pub title: String,
    /// The rest.
    pub body: String,
    /// Buttons: an identifier, and the words on it.
    pub buttons: Vec<(&'static str, String)>,
}

/// Why a notification could not be shown.
#[derive(Debug, thiserror::Error)]
#[error("no notification can be shown: {0}")]
pub struct NotificationError(String);

impl DesktopNotice {
    /// Shows it. With buttons, blocks until the user presses one, whose identifier is returned, or closes it.
    ///
    /// # Errors
    /// If there is no notification service, or it refuses.
    pub fn show(&self) -> Result<Option<&'static str>, NotificationError> {
        self.show_by_system()
    }

    /// On Linux text may contain markup, so that names of programs and cards could pretend to be something else.
    fn without_markup(text: &str) -> String {
        let plain = |c: char| match c {
            '<' => '‹',
            '>' => '›',
            '&' => '+',
            other => other,
        };
        text.chars().map(plain).filter(|c| *c == '\n' || !c.is_control()).take(MAX_CHARS).collect()
    }

    #[cfg(not(target_os = "macos"))]
    fn to_show(&self) -> notify_rust::Notification {
        let mut shown = notify_rust::Notification::new();
        shown
            .appname("ACOLYTE")
            .summary(&Self::without_markup(&self.title))
            .body(&Self::without_markup(&self.body));
        shown
    }

    #[cfg(all(unix, not(target_os = "macos")))]
    fn show_by_system(&self) -> Result<Option<&'static str>, NotificationError> {
        let mut shown = self.to_show();
        shown.icon("dialog-warning");
        if self.buttons.is_empty() {
            return shown.show().map(|_| None).map_err(|error| NotificationError(error.to_string()));
        }
        // It stays until the user has seen it.
        shown.urgency(notify_rust::Urgency::Critical).timeout(notify_rust::Timeout::Never);
        for (id, words) in &self.buttons {
            shown.action(id, words);
        }
        let handle = shown.show().map_err(|error| NotificationError(error.to_string()))?;
        let mut pressed = None;
        handle.wait_for_action(|action| {
            pressed = self.buttons.iter().map(|(id, _)| *id).find(|id| *id == action);
        });
        Ok(pressed)
    }

    #[cfg(windows)]
    fn show_by_system(&self) -> Result<Option<&'static str>, NotificationError> {
        self.to_show().show().map(|_| None).map_err(|error| NotificationError(error.to_string()))
    }

    /// Arguments of `osascript`. The texts are arguments of the script, not part of it.
    #[cfg(any(target_os = "macos", test))]
    fn script_arguments(&self) -> Vec<String> {
        const SCRIPT: [&str; 3] =
            ["on run argv", "display notification (item 1 of argv) with title (item 2 of argv)", "end run"];
        let mut arguments: Vec<String> =
            SCRIPT.iter().flat_map(|line| ["-e".to_owned(), (*line).to_owned()]).collect();
        arguments.extend([
            "--".to_owned(),
            Self::without_markup(&self.body),
            Self::without_markup(&self.title),
        ]);
        arguments
    }

    #[cfg(target_os = "macos")]
    fn show_by_system(&self) -> Result<Option<&'static str>, NotificationError> {
        let mut command = super::program::command("/usr/bin/osascript");
        command.args(self.script_arguments());
        let failed = |message: String| NotificationError(message);
        let output = super::program::run(command, Duration::from_secs(10))
            .map_err(|error| failed(error.to_string()))?;
        if output.status.success() { Ok(None) } else { Err(failed(output.stderr)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_control_characters_do_not_reach_the_desktop() {
        let plain = DesktopNotice::without_markup("<b>x</b> & \u{1b}[31my\nz");
        assert_eq!(plain, "‹b›x‹/b› + [31my\nz");
        assert_eq!(DesktopNotice::without_markup(&"x".repeat(5000)).len(), MAX_CHARS);
    }

    #[test]
    fn texts_are_arguments_of_the_script_on_macos() {
        let notice = DesktopNotice {
            title: "-e do shell script".to_owned(),
            body: "\" & quit & \"".to_owned(),
            ..DesktopNotice::default()
        };
        let arguments = notice.script_arguments();
        let end = arguments.iter().position(|argument| argument == "--");
        assert_eq!(
            end.map(|at| arguments[at..].to_vec()),
            Some(["--", "\" + quit + \"", "-e do shell script"].map(str::to_owned).to_vec())
        );
        assert!(arguments[..6].iter().all(|argument| !argument.contains("quit")), "{arguments:?}");
    }
}
