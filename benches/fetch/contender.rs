//! The contenders: our own download and unpacking, in a separate process, and the pipe a user would type.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use acolyte::control::Control;
use acolyte::install::fetch::{DownloadRequest, GrowingFile, download};
use acolyte::install::unpack::{self, UnpackLimits};
use acolyte::ollama::http::{HttpOptions, client};

use super::Outcome;
use super::archive::Archive;

/// One run of ours.
pub struct Run {
    /// From the start of the process to its end.
    pub time: Duration,
    /// Peak memory (Linux; else 0).
    pub peak_bytes: u64,
    /// Bytes read through system calls.
    pub read_bytes: u64,
    /// Bytes written through system calls.
    pub written_bytes: u64,
}

/// Runs ours in a separate process.
pub fn ours(url: &str, archive: &Archive, folder: &Path, connections: usize) -> Outcome<Run> {
    let began = Instant::now();
    let output = Command::new(std::env::current_exe()?)
        .args(["fetch", url, &archive.sha256])
        .arg(folder)
        .arg(connections.to_string())
        .stderr(Stdio::inherit())
        .output()?;
    let time = began.elapsed();
    if !output.status.success() {
        return Err(format!("our own process ended with {}", output.status).into());
    }
    if std::fs::metadata(folder.join("engine/bin/ollama"))?.len() == 0 {
        return Err("nothing was unpacked".into());
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let mut numbers = said.split_whitespace().map(|number| number.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    Ok(Run { time, peak_bytes: next(), read_bytes: next(), written_bytes: next() })
}

/// What the installation does except for its journal: download, verify and unpack at the same time, then one rename.
pub fn fetch_here(url: &str, sha256: &str, folder: &Path, connections: usize) -> Outcome<()> {
    let (dest, staging) = (folder.join("archive.tar.zst"), folder.join("staging"));
    let (growing_file, control) = (GrowingFile::new(), Control::new());
    let following = unpack::follow(
        growing_file.clone(),
        dest.clone(),
        staging.clone(),
        UnpackLimits::default(),
        control.clone(),
    )?;
    let mut request = DownloadRequest::new(vec![url.parse()?], dest, None, sha256.parse()?);
    request.growing_file = Some(growing_file);
    request.max_connections = connections;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        download(&client(&HttpOptions::default(), [])?, &request, &|_| {}, &control).await?;
        following.outcome.await??;
        Ok::<_, Box<dyn std::error::Error>>(())
    })?;
    unpack::publish(&staging, &folder.join("engine"), &mut |_| {})?;
    std::fs::remove_file(&request.dest)?;
    let status = |file: &str, key: &str, factor: u64| {
        let text = std::fs::read_to_string(format!("/proc/self/{file}")).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default().to_owned();
        let number = line.trim_start_matches(':').split_whitespace().next().and_then(|n| n.parse().ok());
        number.unwrap_or(0_u64) * factor
    };
    println!("{} {} {}", status("status", "VmHWM", 1024), status("io", "rchar", 1), status("io", "wchar", 1));
    Ok(())
}

/// The pipe; `None` where one of its programs is missing.
pub fn curl_zstd_tar(url: &str, folder: &Path) -> Outcome<Option<Duration>> {
    let began = Instant::now();
    let start = |command: &mut Command| match command.spawn() {
        Ok(child) => Ok(Some(child)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    };
    let Some(mut curl) = start(Command::new("curl").args(["-sSf", url]).stdout(Stdio::piped()))? else {
        return Ok(None);
    };
    let from = curl.stdout.take().ok_or("no pipe")?;
    let zstd = start(Command::new("zstd").args(["-d", "-q"]).stdin(from).stdout(Stdio::piped()))?;
    let Some(mut zstd) = zstd else {
        curl.wait()?;
        return Ok(None);
    };
    let from = zstd.stdout.take().ok_or("no pipe")?;
    let tar = start(Command::new("tar").arg("-x").arg("-C").arg(folder).stdin(from))?;
    let Some(mut tar) = tar else {
        curl.wait()?;
        zstd.wait()?;
        return Ok(None);
    };
    for (name, status) in [("curl", curl.wait()?), ("zstd", zstd.wait()?), ("tar", tar.wait()?)] {
        if !status.success() {
            return Err(format!("{name} ended with {status}").into());
        }
    }
    Ok(Some(began.elapsed()))
}
