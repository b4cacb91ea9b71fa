//! What to try next when memory runs out: fewer layers on the GPU, then a smaller type of KV cache. Never less context.

use crate::models::KvCacheType;

/// Maximum number of attempts.
pub const MAX_TRIES: usize = 12;
/// Attempts with fewer layers before a smaller cache is tried.
const LAYER_TRIES: usize = 4;

/// A placement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung {
    /// Layers on the GPU.
    pub gpu_layers: u32,
    /// Type of the KV cache.
    pub kv_cache_type: KvCacheType,
}

/// Whether the user accepts a cache at 4 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FourBits {
    /// Yes.
    Agreed,
    /// No: only try fewer layers.
    Declined,
    /// The user was not asked.
    Unasked,
}

/// What to try next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextPlacement {
    /// This.
    Try(Rung),
    /// This, if the user agrees.
    Ask(Rung),
    /// Nothing is left.
    Nothing,
}

/// The next smaller placement. `total`: all layers.
pub fn below(tried: &[Rung], total: u32, four_bits: FourBits) -> NextPlacement {
    let Some(now) = tried.last().copied() else { return NextPlacement::Nothing };
    if tried.len() >= MAX_TRIES {
        return NextPlacement::Nothing;
    }
    let with_this_cache =
        tried.iter().rev().take_while(|rung| rung.kv_cache_type == now.kv_cache_type).count();
    let smaller = smaller(now.kv_cache_type);
    let asks = smaller == Some(KvCacheType::Q4_0);
    let may_shrink = smaller.filter(|_| !asks || four_bits != FourBits::Declined);
    if now.gpu_layers > 0 && (with_this_cache <= LAYER_TRIES || may_shrink.is_none()) {
        return NextPlacement::Try(Rung { gpu_layers: fewer(now.gpu_layers, total, with_this_cache), ..now });
    }
    match may_shrink {
        Some(kv_cache_type) => {
            let rung = Rung { kv_cache_type, ..now };
            if asks && four_bits == FourBits::Unasked {
                NextPlacement::Ask(rung)
            } else {
                NextPlacement::Try(rung)
            }
        }
        None => NextPlacement::Nothing,
    }
}

fn smaller(kv: KvCacheType) -> Option<KvCacheType> {
    match kv {
        KvCacheType::F16 => Some(KvCacheType::Q8_0),
        KvCacheType::Q8_0 => Some(KvCacheType::Q4_0),
        KvCacheType::Q4_0 => None,
    }
}

/// Reduces the layers by a twelfth each time, and by three times that from the fifth attempt on, down to none.
fn fewer(now: u32, total: u32, tried: usize) -> u32 {
    let step = (total / 12).max(1) * if tried > LAYER_TRIES { 3 } else { 1 };
    now.min(total).saturating_sub(step)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rung(gpu_layers: u32, kv_cache_type: KvCacheType) -> Rung {
        Rung { gpu_layers, kv_cache_type }
    }

    /// Everything that is tried when nothing ever fits.
    fn all(first: Rung, total: u32, four_bits: FourBits) -> (Vec<Rung>, NextPlacement) {
        let mut tried = vec![first];
        loop {
            match below(&tried, total, four_bits) {
                NextPlacement::Try(next) => tried.push(next),
                end => return (tried, end),
            }
        }
    }

    #[test]
    fn layers_come_before_the_cache_and_four_bits_are_asked_about() {
        let (tried, end) = all(rung(29, KvCacheType::F16), 29, FourBits::Unasked);
        let shown: Vec<_> = tried.iter().map(|rung| (rung.gpu_layers, rung.kv_cache_type.name())).collect();
        let expected = [
            (29, "f16"),
            (27, "f16"),
            (25, "f16"),
            (23, "f16"),
            (21, "f16"),
            (21, "q8_0"),
            (19, "q8_0"),
            (17, "q8_0"),
            (15, "q8_0"),
            (13, "q8_0"),
        ];
        assert_eq!(shown, expected);
        assert_eq!(end, NextPlacement::Ask(rung(13, KvCacheType::Q4_0)));
    }

    #[test]
    fn without_consent_layers_go_down_to_none() {
        let (tried, end) = all(rung(29, KvCacheType::Q8_0), 29, FourBits::Declined);
        assert!(tried.iter().all(|rung| rung.kv_cache_type == KvCacheType::Q8_0), "{tried:?}");
        assert_eq!((tried.last().map(|rung| rung.gpu_layers), end), (Some(0), NextPlacement::Nothing));
    }

    #[test]
    fn without_a_card_only_the_cache_gets_smaller() {
        let (tried, end) = all(rung(0, KvCacheType::F16), 29, FourBits::Agreed);
        assert_eq!(tried.len(), 3);
        assert_eq!(end, NextPlacement::Nothing);
    }

    proptest! {
        #[test]
        fn it_ends_only_goes_down_and_asks_before_four_bits(
            layers in 0u32..200, total in 1u32..130, kv in 0usize..3, answer in 0usize..3,
        ) {
            let kv = [KvCacheType::F16, KvCacheType::Q8_0, KvCacheType::Q4_0][kv];
            let four_bits = [FourBits::Agreed, FourBits::Declined, FourBits::Unasked][answer];
            let (tried, end) = all(rung(layers, kv), total, four_bits);
            prop_assert!(tried.len() <= MAX_TRIES);
            for pair in tried.windows(2) {
                prop_assert!(pair[1].gpu_layers <= pair[0].gpu_layers);
                prop_assert!(pair[1] != pair[0]);
            }
            if four_bits != FourBits::Agreed && kv != KvCacheType::Q4_0 {
                prop_assert!(tried.iter().all(|rung| rung.kv_cache_type != KvCacheType::Q4_0));
            }
            prop_assert!(!matches!(end, NextPlacement::Try(_)));
        }
    }
}
