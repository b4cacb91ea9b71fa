//! Time to the first frame, compared with an empty eframe window, and processor time of the idle window. Run by `bash
//! benches/first_frame/run`, which builds the programs.
//!
//! Each round starts the programs one after the other on a virtual display (Xvfb). The time is measured from just
//! before the start of the process until the window is mapped and its middle is drawn, observed from outside.
//! Afterwards one window is idle on Welcome, Hardware and Compatibility, and the processor time of all its processes is
//! read before and after ten seconds.
#![allow(clippy::print_stdout, reason = "prints its results")]

#[cfg(target_os = "linux")]
#[path = "../benches/first_frame/linux.rs"]
mod linux;

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    linux::measure()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("It watches an X server, so it runs on Linux only.");
}
