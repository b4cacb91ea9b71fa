//! What differs per system? One file each.

pub mod process;
