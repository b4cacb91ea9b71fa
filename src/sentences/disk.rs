//! Sentences about downloads and disk space of an installation. All figures are read from the plan, so pages, terminal
//! and the installation's first step show the same.

use crate::plan::{DiskNeeds, DriveNeeds};
use crate::say;
use crate::text::Text;
use crate::untrusted::UntrustedText;

/// The engine's download: its size, `already here`, or that the size is unknown.
pub fn engine_download(needs: &DiskNeeds, text: Text) -> String {
    needs.engine_download_bytes.map_or_else(|| say!(text, "plan-size-unknown"), |bytes| size(bytes, text))
}

/// The model's download: its size, `already here`, or the size of the copy that is made of the user's file.
pub fn model_download(needs: &DiskNeeds, text: Text) -> String {
    match needs.model_copy_bytes {
        0 => size(needs.model_download_bytes, text),
        bytes => say!(text, "plan-copied-from-file", size = text.file_size(bytes)),
    }
}

/// All downloads and the disk space they need, in two sentences.
pub fn disk_summary(needs: &DiskNeeds, text: Text) -> String {
    let downloads = say!(
        text,
        "plan-downloads",
        total = text.file_size(needs.download_bytes()),
        engine = engine_download(needs, text),
        model = model_download(needs, text)
    );
    match needs.written_bytes() {
        0 => downloads,
        bytes => format!("{downloads} {}", say!(text, "plan-disk-space", size = text.file_size(bytes))),
    }
}

/// A drive has too little free space, and what to do.
pub fn drive_short(drive: &DriveNeeds, text: Text) -> String {
    say!(
        text,
        "plan-drive-short",
        path = UntrustedText::path(&drive.path),
        need = text.file_size(drive.needed_bytes()),
        free = text.file_size(drive.free_bytes.unwrap_or(0))
    )
}

fn size(bytes: u64, text: Text) -> String {
    if bytes == 0 { say!(text, "plan-already-here") } else { text.file_size(bytes) }
}
