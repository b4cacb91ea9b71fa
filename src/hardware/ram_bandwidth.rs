//! Read bandwidth of the main memory with all cores.
//!
//! 1. Every core fills a block of memory, in total much larger than the caches.
//! 2. In each of a few passes, all cores start together and read their blocks repeatedly for the same short time; the
//!    bytes read are summed.
//! 3. The best pass counts, because other programs only slow it down.
//!
//! Decoding is limited by reads: all weights are read once per token. A block is read by comparing its halves, which
//! uses the system's vectorised comparison in every build.

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use crate::MIB;

/// How long all cores read in one pass.
const PASS: Duration = Duration::from_millis(8);
const PASSES: usize = 4;
/// Filling stops after this time once [`least_bytes`] are filled: allocating memory is slow in some virtual machines.
const FILL_LIMIT: Duration = Duration::from_millis(35);
/// Bytes filled where allocation is fast.
const USUAL_BYTES: u64 = 256 * MIB;
/// Larger than the caches of most desktop processors.
const MIN_BYTES: u64 = 64 * MIB;
/// Larger than the caches of one socket of the largest servers.
const MAX_BYTES: u64 = 1024 * MIB;
/// Words compared or filled between two reads of the clock: half a mebibyte.
const BLOCK_WORDS: usize = 1 << 16;
/// More threads than memory channels can feed do not help.
const MAX_THREADS: usize = 64;

/// Measures the bandwidth in decimal GB/s; `None` if there is too little free memory.
pub fn ram_bandwidth() -> Option<f64> {
    let available = super::processor::memory().available_bytes;
    Measurement::prepare(available).run()
}

/// Filled memory, one block per thread. Preparing it may overlap with other work, the passes should not.
pub struct Measurement {
    pieces: Vec<Vec<u64>>,
}

impl Measurement {
    /// Fills at most an eighth of the available memory; nothing if that would fit the caches.
    pub fn prepare(available_bytes: Option<u64>) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let least = least_bytes(cores);
        let affordable = available_bytes.map_or(USUAL_BYTES, |available| available / 8);
        let wanted = USUAL_BYTES.max(2 * least).min(affordable);
        if wanted < least {
            return Self { pieces: Vec::new() };
        }
        let threads = cores.min(MAX_THREADS);
        let words = |bytes: u64| usize::try_from(bytes / 8).unwrap_or(usize::MAX).div_ceil(threads);
        let begun = Instant::now();
        let pieces = thread::scope(|scope| {
            let filling: Vec<_> =
                (0..threads).map(|_| scope.spawn(|| filled(words(wanted), words(least), begun))).collect();
            filling.into_iter().filter_map(|thread| thread.join().ok()).collect()
        });
        Self { pieces }
    }

    /// Runs the passes and returns the bandwidth in decimal GB/s.
    pub fn run(&self) -> Option<f64> {
        let start = Barrier::new(self.pieces.len());
        let rates: Vec<[f64; PASSES]> = thread::scope(|scope| {
            let readers: Vec<_> =
                self.pieces.iter().map(|piece| scope.spawn(|| read_rates(piece, &start))).collect();
            readers.into_iter().filter_map(|thread| thread.join().ok()).collect()
        });
        let of_pass = |pass: usize| rates.iter().map(|reader| reader[pass]).sum::<f64>();
        let best = (0..PASSES).map(of_pass).fold(0.0, f64::max);
        let gb_s = (best / 1e8).round() / 10.0;
        (gb_s > 0.0).then_some(gb_s)
    }
}

/// Twice the size of all last-level caches: less would partly stay in them.
fn least_bytes(cores: usize) -> u64 {
    let caches = last_level_caches_bytes(cores).unwrap_or(0);
    (2 * caches).clamp(MIN_BYTES, MAX_BYTES)
}

/// Allocates and writes memory, because the system provides pages only on write. Stops after [`FILL_LIMIT`] if
/// `least_words` are filled.
fn filled(wanted_words: usize, least_words: usize, begun: Instant) -> Vec<u64> {
    let mut words = vec![0_u64; wanted_words];
    let mut done = 0;
    for block in words.chunks_mut(BLOCK_WORDS) {
        if done >= least_words && begun.elapsed() > FILL_LIMIT {
            break;
        }
        block.fill(1);
        done += block.len();
    }
    words.truncate(done);
    words
}

/// Bytes per second of one reader in each pass.
fn read_rates(piece: &[u64], start: &Barrier) -> [f64; PASSES] {
    let (front, back) = piece.split_at(piece.len() / 2);
    let mut blocks = front.chunks(BLOCK_WORDS).zip(back.chunks(BLOCK_WORDS)).cycle();
    [(); PASSES].map(|()| {
        start.wait();
        let begun = Instant::now();
        let mut bytes = 0;
        while begun.elapsed() < PASS {
            let Some((a, b)) = blocks.next() else { return 0.0 };
            black_box(black_box(a) == black_box(b));
            bytes += size_of_val(a) + size_of_val(b);
        }
        bytes as f64 / begun.elapsed().as_secs_f64()
    })
}

/// Size of all last-level caches, by CPUID.
#[cfg(target_arch = "x86_64")]
fn last_level_caches_bytes(cores: usize) -> Option<u64> {
    use std::arch::x86_64::{__cpuid, __cpuid_count};

    const INTEL: u32 = 4;
    const AMD: u32 = 0x8000_001d;
    let leaf =
        if __cpuid(0x8000_0000).eax >= AMD && __cpuid_count(AMD, 0).eax & 0x1f != 0 { AMD } else { INTEL };
    if leaf == INTEL && __cpuid(0).eax < INTEL {
        return None;
    }
    (0..8).map(|index| __cpuid_count(leaf, index)).take_while(|cache| cache.eax & 0x1f != 0).last().map(
        |cache| {
            let ways = u64::from(cache.ebx >> 22) + 1;
            let partitions = u64::from(cache.ebx >> 12 & 0x3ff) + 1;
            let line = u64::from(cache.ebx & 0xfff) + 1;
            let sets = u64::from(cache.ecx) + 1;
            let sharing = (u64::from(cache.eax >> 14 & 0xfff) + 1).max(1);
            let instances = (cores as u64).div_ceil(sharing).max(1);
            ways * partitions * line * sets * instances
        },
    )
}

/// Not readable by programs on Arm.
#[cfg(not(target_arch = "x86_64"))]
fn last_level_caches_bytes(_cores: usize) -> Option<u64> {
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn with_little_free_memory_nothing_is_measured() {
        assert_eq!(Measurement::prepare(Some(100 * MIB)).run(), None);
    }

    #[test]
    fn filling_stops_after_the_limit_if_enough_is_filled() {
        let long_ago = Instant::now().checked_sub(2 * FILL_LIMIT).unwrap();
        assert_eq!(filled(10 * BLOCK_WORDS, 3 * BLOCK_WORDS, long_ago).len(), 3 * BLOCK_WORDS);
        assert_eq!(filled(BLOCK_WORDS, BLOCK_WORDS, long_ago).len(), BLOCK_WORDS);
    }

    #[test]
    fn the_measured_bandwidth_is_plausible() {
        // From one slow core of a shared machine to a server with twelve memory channels.
        let measured = Measurement::prepare(Some(2048 * MIB)).run().unwrap();
        assert!((0.5..2_000.0).contains(&measured), "{measured} GB/s");
    }
}
