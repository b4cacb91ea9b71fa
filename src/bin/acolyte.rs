//! The terminal program: see [`acolyte::cli`].

fn main() -> std::process::ExitCode {
    acolyte::hardware::probe::run_if_asked();
    acolyte::cli::main()
}
