//! What do you type? A thin terminal twin of the window, over the same library.
