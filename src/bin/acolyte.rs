//! The terminal program: see [`acolyte::cli`].

fn main() -> std::process::ExitCode {
    acolyte::cli::main()
}
