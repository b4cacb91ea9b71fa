//! Messages of the window's process to its parent: lines of JSON with a prefix on standard output, which drivers also use.

use std::io::{BufRead, BufReader, Read, Write};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde::{Deserialize, Serialize};

/// Begins each line of the protocol.
const PREFIX: &str = "ACOLYTE-WINDOW ";

/// A message of the window's process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum ChildMessage {
    /// It starts to load the renderer.
    Opening,
    /// The first frame was handed to the display.
    Shown,
    /// The display cannot be reached.
    NoConnection(String),
    /// The window could not be opened, or not be kept open.
    Failed(String),
    /// The window was closed, or not opened because of an error of ours; the exit code.
    Ended(u8),
}

/// Sends a message to the parent. Does nothing when the parent has ended.
pub(super) fn tell_parent(message: &ChildMessage) {
    let Ok(json) = serde_json::to_string(message) else { return };
    let mut out = std::io::stdout().lock();
    // Start with a line break: a driver may have printed an incomplete line.
    let _parent_is_gone = write!(out, "\n{PREFIX}{json}\n").and_then(|()| out.flush());
}

/// Reads messages on its own thread until the child ends, so that the child's output never blocks.
pub(super) fn messages(stdout: impl Read + Send + 'static) -> Receiver<ChildMessage> {
    let (send, receive) = channel();
    thread::spawn(move || {
        let mut lines = BufReader::new(stdout);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line);
            let json = text.trim_end().strip_prefix(PREFIX);
            if let Some(message) = json.and_then(|json| serde_json::from_str(json).ok()) {
                // The parent no longer listens after a timeout.
                let _timed_out = send.send(message);
            }
            line.clear();
        }
    });
    receive
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_of_drivers_is_ignored() {
        let printed = format!(
            "MESA: warning\nhalf a line\n{PREFIX}\"Opening\"\n{PREFIX}nonsense\n\n{PREFIX}{{\"Failed\":\"a\\nb\"}}\n"
        );
        let received: Vec<ChildMessage> = messages(std::io::Cursor::new(printed)).iter().collect();
        assert_eq!(received, [ChildMessage::Opening, ChildMessage::Failed("a\nb".to_owned())]);
    }
}
