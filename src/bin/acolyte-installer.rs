//! Terminal.
fn main() {
    // A driver is asked in a process of its own: this one.
    acolyte::hardware::probe::run_if_asked();
    // At login the system calls a copy of this program to start the server.
    acolyte::install::start_server_if_asked();
}
