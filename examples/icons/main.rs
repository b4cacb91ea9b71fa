//! Makes the application's icon files from the drawings in `assets/icons`: `cargo run --example icons`.

mod make;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/icons");
    let files = match make::files(&folder) {
        Ok(files) => files,
        Err(error) => {
            eprintln!("icons: {error}");
            return ExitCode::FAILURE;
        }
    };
    for file in files {
        let path = folder.join(&file.name);
        let written = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        if let Err(error) = written.and_then(|()| std::fs::write(&path, &file.bytes)) {
            eprintln!("icons: {}: {error}", path.display());
            return ExitCode::FAILURE;
        }
        println!("{} ({} bytes)", path.display(), file.bytes.len());
    }
    ExitCode::SUCCESS
}
