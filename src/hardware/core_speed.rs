//! Measures how fast the cores multiply quantised weights.
//!
//! Decoding a token on the processor multiplies every 4-bit weight with an 8-bit value. Few or slow cores do that more
//! slowly than memory delivers the weights, so their speed is measured as well as the bandwidth: all threads at once
//! multiply a few kibibytes of made-up weights that stay in their caches, as llama.cpp does for `Q4_K` blocks. The best
//! of a few short passes counts, because other programs only slow it down.
//!
//! Only for x86 with AVX2, for which the resulting estimates were compared with a real engine (docs/estimates.md).

use std::thread;
use std::time::{Duration, Instant};

/// How long all threads compute in one pass.
const PASS: Duration = Duration::from_millis(3);
const PASSES: usize = 3;

/// Measures how many decimal GB of 4-bit weights all threads together multiply per second. `None` on other processors,
/// and in builds without optimisation, which would measure their own slowness.
pub fn dot_product_gb_s() -> Option<f64> {
    let measured = if cfg!(debug_assertions) { None } else { bytes_per_s() };
    measured.map(|bytes_per_s| (bytes_per_s / 1e8).round() / 10.0).filter(|gb_s| *gb_s > 0.0)
}

fn bytes_per_s() -> Option<f64> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    (0..PASSES)
        .filter_map(|_| {
            let rates: Option<Vec<f64>> = thread::scope(|scope| {
                let cores: Vec<_> = (0..threads).map(|_| scope.spawn(one_core_bytes_per_s)).collect();
                cores.into_iter().map(|core| core.join().ok().flatten()).collect()
            });
            rates.map(|rates| rates.iter().sum::<f64>())
        })
        .reduce(f64::max)
}

/// Bytes of weights per second on this thread.
fn one_core_bytes_per_s() -> Option<f64> {
    let begun = Instant::now();
    let mut bytes = 0;
    while begun.elapsed() < PASS {
        bytes += kernel::multiply()?;
    }
    Some(bytes as f64 / begun.elapsed().as_secs_f64())
}

#[cfg(target_arch = "x86_64")]
mod kernel {
    use std::arch::x86_64::{
        __m256i, _mm256_add_epi32, _mm256_and_si256, _mm256_extract_epi32, _mm256_madd_epi16,
        _mm256_maddubs_epi16, _mm256_set1_epi8, _mm256_set1_epi16, _mm256_setzero_si256, _mm256_srli_epi16,
    };
    use std::hint::black_box;

    /// Vectors of 64 weights each: 16 KiB.
    const VECTORS: usize = 512;
    /// Rounds over the same weights between two reads of the clock.
    const ROUNDS: usize = 16;

    /// Multiplies some weights and returns how many bytes they were; `None` without AVX2.
    pub fn multiply() -> Option<usize> {
        if !is_x86_feature_detected!("avx2") {
            return None;
        }
        // SAFETY: AVX2 was detected above.
        #[allow(unsafe_code)]
        unsafe {
            some_rounds();
        }
        Some(ROUNDS * VECTORS * size_of::<__m256i>())
    }

    #[target_feature(enable = "avx2")]
    fn some_rounds() {
        let weights = [_mm256_set1_epi8(0x35); VECTORS];
        let values = [_mm256_set1_epi8(-3); 8];
        for _ in 0..ROUNDS {
            let sum = dot(black_box(&weights), black_box(&values));
            black_box(_mm256_extract_epi32::<0>(sum));
        }
    }

    /// Low and high halves of every byte of `weights`, times `values` in rotation, times a scale.
    #[target_feature(enable = "avx2")]
    pub(super) fn dot(weights: &[__m256i], values: &[__m256i; 8]) -> __m256i {
        let low_half = _mm256_set1_epi8(15);
        let scale = _mm256_set1_epi16(3);
        let mut sum = _mm256_setzero_si256();
        for (weights, values) in weights.iter().zip(values.chunks_exact(2).cycle()) {
            let low = _mm256_and_si256(*weights, low_half);
            let high = _mm256_and_si256(_mm256_srli_epi16::<4>(*weights), low_half);
            let low = _mm256_madd_epi16(_mm256_maddubs_epi16(low, values[0]), scale);
            let high = _mm256_madd_epi16(_mm256_maddubs_epi16(high, values[1]), scale);
            sum = _mm256_add_epi32(sum, _mm256_add_epi32(low, high));
        }
        sum
    }

    #[cfg(test)]
    #[test]
    fn the_product_is_right() {
        if !is_x86_feature_detected!("avx2") {
            return;
        }
        #[target_feature(enable = "avx2")]
        fn lane() -> i32 {
            let sum = dot(&[_mm256_set1_epi8(0x35); 10], &[_mm256_set1_epi8(-3); 8]);
            _mm256_extract_epi32::<3>(sum)
        }
        // SAFETY: AVX2 was detected above.
        #[allow(unsafe_code)]
        let lane = unsafe { lane() };
        // Ten vectors; in each 32-bit lane four weights of 5 and four of 3, times -3, times the scale.
        assert_eq!(lane, 10 * 4 * (5 + 3) * -3 * 3);
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod kernel {
    /// Not measured on other processors, for which it was not compared with a real engine.
    pub fn multiply() -> Option<usize> {
        None
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_positive_speed_is_measured_where_supported() {
        let measured = super::bytes_per_s();
        assert_eq!(measured.is_some(), super::kernel::multiply().is_some());
        assert!(
            measured.is_none_or(|bytes_per_s| bytes_per_s > 0.0 && bytes_per_s.is_finite()),
            "{measured:?}"
        );
    }
}
