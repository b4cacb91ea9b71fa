//! What differs per system? One file each.
