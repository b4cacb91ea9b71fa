//! The terminal program: see [`acolyte::cli`].

fn main() -> std::process::ExitCode {
    acolyte::platform::restrict_process();
    acolyte::hardware::probe::run_if_requested();
    // At login the system calls a copy of this program to start the server.
    acolyte::install::start_server_if_asked();
    acolyte::cli::watch::run_if_asked();
    acolyte::cli::main()
}
