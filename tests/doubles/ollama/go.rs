//! Errors of files in the words of Go.

use std::io;
use std::path::Path;

/// `rename A B: why`.
pub fn file_error(operation: &str, paths: &[&Path], error: &io::Error) -> String {
    let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    format!("{operation} {}: {}", paths.join(" "), reason(error))
}

/// Windows, which Go asks for English. Wine has other texts.
fn reason(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::StorageFull {
        return "no space left on device".to_owned();
    }
    match error.raw_os_error().filter(|_| cfg!(windows)) {
        Some(5) => "Access is denied.".to_owned(),
        Some(32) => IN_USE.to_owned(),
        _ => error.to_string(),
    }
}

/// Error 32 of Windows.
pub const IN_USE: &str = "The process cannot access the file because it is being used by another process.";
