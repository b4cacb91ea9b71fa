//! Downloading, verifying and unpacking a release, compared with shell commands, in one run: `cargo bench --bench
//! fetch`.
//!
//! 1. An archive of 1 GB (`ACOLYTE_BENCH_MB` sets another size) over loopback: ours, with the hash verified, against
//!    `curl | zstd -d | tar -x`, which verifies nothing. Goal: at most 1.05 times the time.
//! 2. A server that limits each connection to 20 MB/s: ours with several connections against one. Goal: at least 3
//!    times as fast.
//! 3. Peak memory of our process. Goal: under 100 MB.
//! 4. Bytes that our process reads and writes through the system per byte of the archive.
//!
//! Each contender runs several times, alternating, with the disk idle at the start; the best time counts, because other
//! load only adds time. The server is a separate process.

mod archive;
mod contender;
mod server;

use std::path::{Path, PathBuf};
use std::time::Duration;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const ROUNDS: usize = 5;
const RATIO_LIMIT: f64 = 1.05;
const SPEEDUP_GOAL: f64 = 3.0;
const MEMORY_LIMIT_BYTES: u64 = 100_000_000;
const THROTTLE_BYTES_PER_S: u64 = 20_000_000;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", file, rate] => server::serve(Path::new(file), rate.parse()?),
        ["fetch", url, sha256, dest, connections] => {
            contender::fetch_here(url, sha256, Path::new(dest), connections.parse()?)
        }
        _ => compare(),
    }
}

fn compare() -> Outcome<()> {
    let megabytes: u64 =
        std::env::var("ACOLYTE_BENCH_MB").ok().and_then(|mb| mb.parse().ok()).unwrap_or(1000);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fetch-bench");
    std::fs::create_dir_all(&folder)?;
    let archive = archive::of(megabytes * 1_000_000, &folder)?;
    println!(
        "archive: {:.0} MB, unpacked {:.0} MB; load of the computer at the start: {}",
        archive.bytes as f64 / 1e6,
        archive.unpacked_bytes as f64 / 1e6,
        load()
    );
    let mut missed = Vec::new();
    let scratch = folder.join("scratch");

    let fast = server::Server::start(&archive.path, 0)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(contender::ours(&fast.url, &archive, &clean(&scratch)?, 8)?);
        if let Some(time) = contender::curl_zstd_tar(&fast.url, &clean(&scratch)?)? {
            theirs.push(time);
        }
    }
    drop(fast);
    let best = ours.iter().map(|run| run.time).min().unwrap_or_default();
    let memory = ours.iter().map(|run| run.peak_bytes).max().unwrap_or(0);
    println!("ours, verified:          {}", times(ours.iter().map(|run| run.time)));
    if let Some(their_best) = theirs.iter().min() {
        println!("curl | zstd -d | tar -x: {}", times(theirs.iter().copied()));
        let ratio = best.as_secs_f64() / their_best.as_secs_f64();
        println!("ratio of the best times: {ratio:.2} (goal: at most {RATIO_LIMIT})");
        if ratio > RATIO_LIMIT {
            missed.push("time against curl | zstd | tar");
        }
    } else {
        println!("curl | zstd -d | tar -x: not compared, one of them is not installed");
    }
    if let Some(run) = ours.last().filter(|run| run.peak_bytes > 0) {
        println!("most memory:             {:.0} MB (goal: under 100 MB)", memory as f64 / 1e6);
        let share = |bytes: u64| bytes as f64 / archive.bytes as f64;
        println!(
            "for each byte of the archive: {:.2} read, {:.2} written ({:.2} of them unpacked)",
            share(run.read_bytes),
            share(run.written_bytes),
            share(archive.unpacked_bytes)
        );
        if memory > MEMORY_LIMIT_BYTES {
            missed.push("memory");
        }
    }

    let throttled = server::Server::start(&archive.path, THROTTLE_BYTES_PER_S)?;
    let one = contender::ours(&throttled.url, &archive, &clean(&scratch)?, 1)?.time;
    let many = contender::ours(&throttled.url, &archive, &clean(&scratch)?, 8)?.time;
    drop(throttled);
    let speedup = one.as_secs_f64() / many.as_secs_f64();
    println!(
        "throttled to {} MB/s a connection: {:.2} s over one, {:.2} s over as many as pay, {speedup:.1} times as fast \
         (goal: at least {SPEEDUP_GOAL})",
        THROTTLE_BYTES_PER_S / 1_000_000,
        one.as_secs_f64(),
        many.as_secs_f64()
    );
    if speedup < SPEEDUP_GOAL {
        missed.push("throttled server");
    }
    clean(&scratch)?;
    println!("load of the computer at the end: {}", load());
    if missed.is_empty() { Ok(()) } else { Err(format!("missed: {}", missed.join(", ")).into()) }
}

/// An empty folder on an idle disk.
fn clean(scratch: &Path) -> Outcome<PathBuf> {
    if scratch.exists() {
        std::fs::remove_dir_all(scratch)?;
    }
    std::fs::create_dir_all(scratch)?;
    if cfg!(unix) {
        // Without this program, times only vary more.
        let _synced = std::process::Command::new("sync").status();
        // The disk still processes the removal (discard) for a moment, and its end cannot be observed. It would delay
        // only contenders that sync.
        std::thread::sleep(Duration::from_secs(2));
    }
    Ok(scratch.to_owned())
}

fn times(times: impl Iterator<Item = Duration>) -> String {
    let mut times: Vec<f64> = times.map(|time| time.as_secs_f64()).collect();
    times.sort_by(f64::total_cmp);
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    format!(
        "best {:.2} s, median {median:.2} s of {}",
        times.first().copied().unwrap_or_default(),
        times.len()
    )
}

fn load() -> String {
    std::fs::read_to_string("/proc/loadavg").map_or_else(
        |_| "unknown".to_owned(),
        |load| load.split_whitespace().take(1).collect::<Vec<_>>().join(" "),
    )
}
