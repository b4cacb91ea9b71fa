//! The window: see [`acolyte::wizard`], and [`acolyte::cli::installer`] for how it starts.
#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

fn main() -> std::process::ExitCode {
    acolyte::platform::restrict_process();
    acolyte::hardware::probe::run_if_requested();
    // At login the system calls a copy of the program that installed, which may be this one, to start the server.
    acolyte::install::start_server_if_asked();
    acolyte::cli::watch::run_if_asked();
    // Packages for Linux have one file with two names.
    if acolyte::cli::is_called_as_terminal() {
        return acolyte::cli::main();
    }
    acolyte::cli::installer::main()
}
