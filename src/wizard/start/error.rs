//! Why there is no window.

/// Why there is no window. The same steps are possible in the terminal.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No display is set.
    #[error("there is no display to open a window on")]
    NoDisplay,
    /// The display cannot be reached, no renderer works on it, or a library is missing.
    #[error("no window could be opened: {0}")]
    NoRenderer(String),
    /// It crashed after it was opened.
    #[error("the window stopped: {0}")]
    Stopped(String),
}

/// Why one renderer opened no window.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    /// The display cannot be reached.
    #[error("{0}")]
    NoConnection(String),
    /// The renderer refused, or something panicked, as a missing library does.
    #[error("{0}")]
    Failed(String),
}
