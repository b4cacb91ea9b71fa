//! What to try next when memory runs out. Never less context.
//!
//! | out of | experts in main memory | then |
//! |---|---|---|
//! | memory of the card | of more blocks, up to all | a smaller KV cache, then fewer layers on the GPU |
//! | main memory | of fewer blocks, as long as the card holds them | a smaller KV cache |
//!
//! Without experts in main memory: fewer layers on the GPU, then a smaller KV cache.

use crate::models::KvCacheType;

/// Maximum number of attempts.
pub const MAX_TRIES: usize = 12;
/// Attempts with fewer layers, or more experts in main memory, before a smaller cache is tried.
const LAYER_TRIES: usize = 4;

/// A placement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung {
    /// Layers on the GPU.
    pub gpu_layers: u32,
    /// Blocks whose routed experts are in main memory.
    pub n_cpu_moe: u32,
    /// Type of the KV cache.
    pub kv_cache_type: KvCacheType,
}

/// Which memory ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortage {
    /// The card's, as far as the engine tells.
    Card,
    /// Main memory.
    MainMemory,
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

/// The rung below the last one tried, each with the memory that ran out. `total` is all layers.
pub fn below(tried: &[(Rung, Shortage)], total: u32, four_bits: FourBits) -> NextPlacement {
    let Some(&(now, shortage)) = tried.last() else { return NextPlacement::Nothing };
    if tried.len() >= MAX_TRIES {
        return NextPlacement::Nothing;
    }
    let with_this_cache =
        tried.iter().rev().take_while(|(rung, _)| rung.kv_cache_type == now.kv_cache_type).count();
    let smaller = smaller(now.kv_cache_type);
    let asks = smaller == Some(KvCacheType::Q4_0);
    let may_shrink = smaller.filter(|_| !asks || four_bits != FourBits::Declined);
    let goes_on = with_this_cache <= LAYER_TRIES || may_shrink.is_none();
    let step = (total / 12).max(1) * if with_this_cache > LAYER_TRIES { 3 } else { 1 };
    let same_cache = match shortage {
        Shortage::Card => less_on_card(tried, total, step).filter(|_| goes_on),
        Shortage::MainMemory => fewer_experts_in_ram(tried, step),
    };
    match (same_cache, may_shrink) {
        (Some(rung), _) => NextPlacement::Try(rung),
        (None, Some(kv_cache_type)) => {
            let rung = Rung { kv_cache_type, ..now };
            if asks && four_bits == FourBits::Unasked {
                NextPlacement::Ask(rung)
            } else {
                NextPlacement::Try(rung)
            }
        }
        (None, None) => NextPlacement::Nothing,
    }
}

fn smaller(kv: KvCacheType) -> Option<KvCacheType> {
    match kv {
        KvCacheType::F16 => Some(KvCacheType::Q8_0),
        KvCacheType::Q8_0 => Some(KvCacheType::Q4_0),
        KvCacheType::Q4_0 => None,
    }
}

/// The experts of more blocks in main memory, but of fewer than main memory ran out with. Where there are none, or all of
/// them are there already, fewer layers on the GPU.
fn less_on_card(tried: &[(Rung, Shortage)], total: u32, step: u32) -> Option<Rung> {
    let &(now, _) = tried.last()?;
    let blocks = total.saturating_sub(1);
    if now.n_cpu_moe > 0 && now.n_cpu_moe < blocks {
        let too_many = experts_tried(tried, now, Shortage::MainMemory).min();
        let most = too_many.map_or(blocks, |least| least.saturating_sub(1));
        let n_cpu_moe = now.n_cpu_moe.saturating_add(step).min(most);
        return (n_cpu_moe > now.n_cpu_moe).then_some(Rung { n_cpu_moe, ..now });
    }
    let gpu_layers = now.gpu_layers.min(total).saturating_sub(step);
    (now.gpu_layers > 0).then_some(Rung { gpu_layers, ..now })
}

/// The experts of fewer blocks in main memory, but of more than the card ran out of memory with. Those of one block at
/// least stay there: without any it would be another kind of placement.
fn fewer_experts_in_ram(tried: &[(Rung, Shortage)], step: u32) -> Option<Rung> {
    let &(now, _) = tried.last()?;
    let too_few = experts_tried(tried, now, Shortage::Card).max();
    let least = too_few.map_or(1, |most| most.saturating_add(1));
    let n_cpu_moe = now.n_cpu_moe.saturating_sub(step).max(least);
    (n_cpu_moe < now.n_cpu_moe).then_some(Rung { n_cpu_moe, ..now })
}

/// Blocks whose experts were in main memory when this memory ran out, with the cache and the layers of `now`.
fn experts_tried(
    tried: &[(Rung, Shortage)],
    now: Rung,
    shortage: Shortage,
) -> impl Iterator<Item = u32> + '_ {
    let same = move |rung: &Rung| Rung { n_cpu_moe: now.n_cpu_moe, ..*rung } == now;
    tried.iter().filter(move |(rung, why)| *why == shortage && same(rung)).map(|(rung, _)| rung.n_cpu_moe)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rung(gpu_layers: u32, kv_cache_type: KvCacheType) -> Rung {
        Rung { gpu_layers, n_cpu_moe: 0, kv_cache_type }
    }

    /// Everything that is tried when nothing ever fits, for which `shortage` names the memory that ran out.
    fn all_with(
        first: Rung,
        total: u32,
        four_bits: FourBits,
        shortage: impl Fn(Rung) -> Shortage,
    ) -> (Vec<Rung>, NextPlacement) {
        let mut tried = vec![(first, shortage(first))];
        loop {
            match below(&tried, total, four_bits) {
                NextPlacement::Try(next) => tried.push((next, shortage(next))),
                end => return (tried.into_iter().map(|(rung, _)| rung).collect(), end),
            }
        }
    }

    /// The same where the card's memory always runs out.
    fn all(first: Rung, total: u32, four_bits: FourBits) -> (Vec<Rung>, NextPlacement) {
        all_with(first, total, four_bits, |_| Shortage::Card)
    }

    #[test]
    fn experts_go_to_main_memory_before_the_cache_shrinks_and_layers_go_last() {
        let first = Rung { n_cpu_moe: 20, ..rung(49, KvCacheType::F16) };
        let (tried, end) = all(first, 49, FourBits::Declined);
        let shown: Vec<_> =
            tried.iter().map(|rung| (rung.gpu_layers, rung.n_cpu_moe, rung.kv_cache_type.name())).collect();
        let expected = [
            (49, 20, "f16"),
            (49, 24, "f16"),
            (49, 28, "f16"),
            (49, 32, "f16"),
            (49, 36, "f16"),
            (49, 36, "q8_0"),
            (49, 40, "q8_0"),
            (49, 44, "q8_0"),
            (49, 48, "q8_0"),
            (45, 48, "q8_0"),
            (33, 48, "q8_0"),
            (21, 48, "q8_0"),
        ];
        assert_eq!((shown, end), (expected.to_vec(), NextPlacement::Nothing));
    }

    #[test]
    fn without_main_memory_experts_go_to_the_card_as_long_as_it_holds_them() {
        let first = Rung { n_cpu_moe: 20, ..rung(49, KvCacheType::Q8_0) };
        let experts = |rungs: &[Rung]| rungs.iter().map(|rung| rung.n_cpu_moe).collect::<Vec<_>>();
        let (tried, end) = all_with(first, 49, FourBits::Declined, |_| Shortage::MainMemory);
        assert_eq!((experts(&tried), end), (vec![20, 16, 12, 8, 4, 1], NextPlacement::Nothing));

        // Main memory holds the experts of 13 blocks, the card those of fewer than the other 35.
        let shortage = |rung: Rung| if rung.n_cpu_moe > 13 { Shortage::MainMemory } else { Shortage::Card };
        let (tried, end) = all_with(first, 49, FourBits::Declined, shortage);
        assert_eq!((experts(&tried), end), (vec![20, 16, 12, 15, 13, 14], NextPlacement::Nothing));
    }

    #[test]
    fn a_layer_less_on_the_card_does_not_help_main_memory() {
        let (tried, end) =
            all_with(rung(20, KvCacheType::F16), 29, FourBits::Unasked, |_| Shortage::MainMemory);
        assert_eq!(tried, [rung(20, KvCacheType::F16), rung(20, KvCacheType::Q8_0)]);
        assert_eq!(end, NextPlacement::Ask(rung(20, KvCacheType::Q4_0)));
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
            layers in 0u32..200,
            total in 1u32..130,
            n_cpu_moe in 0u32..130,
            full in proptest::collection::vec(0usize..2, MAX_TRIES),
            kv in 0usize..3,
            answer in 0usize..3,
        ) {
            let kv = [KvCacheType::F16, KvCacheType::Q8_0, KvCacheType::Q4_0][kv];
            let four_bits = [FourBits::Agreed, FourBits::Declined, FourBits::Unasked][answer];
            // With experts in main memory, all layers are on the GPU.
            let n_cpu_moe = n_cpu_moe.min(total - 1);
            let first = match n_cpu_moe {
                0 => rung(layers, kv),
                _ => Rung { n_cpu_moe, ..rung(total, kv) },
            };
            let shortage = |n: usize| [Shortage::Card, Shortage::MainMemory][full[n]];
            let mut tried = vec![(first, shortage(0))];
            let end = loop {
                match below(&tried, total, four_bits) {
                    NextPlacement::Try(next) => tried.push((next, shortage(tried.len()))),
                    end => break end,
                }
            };
            let tried: Vec<Rung> = tried.into_iter().map(|(rung, _)| rung).collect();
            prop_assert!(tried.len() <= MAX_TRIES);
            prop_assert!(!matches!(end, NextPlacement::Try(_)));
            for (n, one) in tried.iter().enumerate() {
                prop_assert!(!tried[..n].contains(one), "tried twice: {tried:?}");
                prop_assert!((one.n_cpu_moe > 0) == (n_cpu_moe > 0) && one.n_cpu_moe < total);
                prop_assert!(one.gpu_layers <= first.gpu_layers);
            }
            if four_bits != FourBits::Agreed && kv != KvCacheType::Q4_0 {
                prop_assert!(tried.iter().all(|rung| rung.kv_cache_type != KvCacheType::Q4_0));
            }
        }
    }
}
