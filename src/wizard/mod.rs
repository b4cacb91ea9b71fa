//! What do you see? Draws state and sends commands; does no input or output itself.
