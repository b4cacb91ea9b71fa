//! Downloads one file of known SHA-256, through interruptions, faulty servers and full disks.
//!
//! 1. A finished file that verifies is used as is.
//! 2. An interrupted download resumes: `NAME.partial` holds bytes, `NAME.partial.json` says which. They are hashed
//!    again, once, while the rest arrives.
//! 3. The first connection requests the rest by range (`If-Range` where a validator is known). A 206 must begin at the
//!    requested byte and name the known length; a 200 means that ranges are ignored or the file has changed.
//! 4. While more connections make it faster, more are opened, each taking half of the longest segment
//!    ([`transfer`]). After failures: first fewer connections, then a pause, then the next mirror.
//! 5. Bytes are written where they belong and hashed in order as they arrive ([`writer`]).
//!    A [`GrowingFile`] lets a reader follow as far as the file is hashed.
//! 6. The checksum decides. A wrong file is deleted and downloaded once more, from another mirror if
//!    there is one. The right one is renamed to its place.
//!
//! Free disk space is checked throughout, so that a file that will not fit fails early.
//! Cancelling and pausing drop the connections and keep what was downloaded.

mod connection;
mod growing_file;
mod mirrors;
mod partial;
mod problem;
mod ramp_up;
mod ranges;
mod rate;
mod request;
mod transfer;
mod workers;
mod writer;

use std::path::PathBuf;

use crate::control::Control;
use crate::ollama::http::HttpClient;
pub use growing_file::{AttemptEnd, DownloadAttempt, GrowingFile, GrowingFileReader};
pub use problem::TransferProblem;
pub use rate::{Limiter, parse_rate};
pub use request::{DownloadError, DownloadProgress, DownloadRequest, DownloadWait, RetryPolicy, verifies};

/// Downloads and verifies a file. The client must follow no redirects itself ([`crate::ollama::http::client`]).
/// `progress` is called a few times a second.
///
/// # Errors
/// See [`DownloadError`].
pub async fn download(
    client: &HttpClient,
    request: &DownloadRequest,
    progress: &dyn Fn(DownloadProgress),
    control: &Control,
) -> Result<PathBuf, DownloadError> {
    transfer::run(client, request, progress, control).await
}

#[cfg(test)]
mod tests;
