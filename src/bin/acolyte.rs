//! The terminal program: see [`acolyte::cli`].

fn main() -> std::process::ExitCode {
    // A driver is asked in a process of its own: this one.
    acolyte::hardware::probe::run_if_asked();
    acolyte::cli::main()
}
