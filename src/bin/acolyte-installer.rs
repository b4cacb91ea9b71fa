//! Terminal.
fn main() {
    // A driver is asked in a process of its own: this one.
    acolyte::hardware::probe::run_if_asked();
}
