//! How long until the first frame is on the screen, against an empty eframe window, and what the window costs while
//! nothing happens. Run by `bash benches/first_frame/run`, which builds what it starts.
//!
//! Each round starts the programs, one after the other, on a virtual display of its own (Xvfb). The clock runs from
//! just before the process is started until the display's server has the window mapped and its middle drawn; both are
//! seen from outside. Afterwards one window is left alone on Welcome, Hardware and Compatibility, and the processor
//! time of all its processes is read before and after ten seconds.
#![allow(clippy::print_stdout, reason = "its output is what it is for")]

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
