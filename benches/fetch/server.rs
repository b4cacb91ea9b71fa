//! A file server with little overhead: it supports ranges and an optional rate limit per connection.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Outcome;

/// A server in a separate process; it ends when this is dropped.
pub struct Server {
    pub url: String,
    process: Child,
}

impl Server {
    /// Starts it with a limit of `bytes_per_s` per connection; 0 for no limit.
    pub fn start(file: &Path, bytes_per_s: u64) -> Outcome<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("serve")
            .arg(file)
            .arg(bytes_per_s.to_string())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().ok_or("no pipe")?).read_line(&mut line)?;
        Ok(Self { url: line.trim().to_owned(), process })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has no state to save.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Serves one file until the process is ended.
pub fn serve(file: &Path, bytes_per_s: u64) -> Outcome<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}/archive.tar.zst", listener.local_addr()?);
    for stream in listener.incoming() {
        let (stream, file) = (stream?, File::open(file)?);
        std::thread::spawn(move || {
            // Clients may close connections.
            let _ = answer(&stream, file, bytes_per_s);
        });
    }
    Ok(())
}

fn answer(mut stream: &TcpStream, mut file: File, bytes_per_s: u64) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream);
    loop {
        let (mut range, mut first) = (None, true);
        loop {
            let mut line = String::new();
            if lines.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.trim().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("range: bytes=") {
                range = value.split_once('-').map(|(a, b)| (a.parse().unwrap_or(0), b.parse().ok()));
            }
            if line.is_empty() && !first {
                break;
            }
            first = false;
        }
        let length = file.metadata()?.len();
        let (start, last): (u64, Option<u64>) = range.unwrap_or((0, None));
        let end = last.map_or(length, |last| (last + 1).min(length));
        let head = match range {
            Some(_) => format!("206 OK\r\nContent-Range: bytes {start}-{}/{length}", end - 1),
            None => "200 OK".to_owned(),
        };
        let rest = end - start;
        write!(stream, "HTTP/1.1 {head}\r\nETag: \"x\"\r\nContent-Length: {rest}\r\n\r\n")?;
        file.seek(SeekFrom::Start(start))?;
        send(stream, &mut file, rest, bytes_per_s)?;
    }
}

fn send(mut stream: &TcpStream, file: &mut File, bytes: u64, bytes_per_s: u64) -> std::io::Result<()> {
    if bytes_per_s == 0 {
        return std::io::copy(&mut file.take(bytes), &mut stream).map(drop);
    }
    let (began, mut sent) = (Instant::now(), 0);
    while sent < bytes {
        let piece = (bytes_per_s / 50).clamp(1, bytes - sent);
        std::io::copy(&mut file.take(piece), &mut stream)?;
        sent += piece;
        let due = began + Duration::from_secs_f64(sent as f64 / bytes_per_s as f64);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    Ok(())
}
