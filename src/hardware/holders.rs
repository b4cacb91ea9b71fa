//! Which programs use the cards' memory.

use std::collections::BTreeMap;
use std::time::Duration;

use super::detect::gpu_processes;
use super::system;
use crate::untrusted::UntrustedText;

/// Program of the engine that holds the model.
const RUNNER: &str = "llama-server";

/// A program that uses memory of cards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryHolder {
    /// Its name.
    pub name: UntrustedText,
    /// Memory of all its processes on all cards, in bytes.
    pub bytes: u64,
}

impl MemoryHolder {
    /// Whether it is the engine.
    pub fn is_engine(&self) -> bool {
        self.name.trim_end_matches(".exe") == RUNNER
    }
}

/// Programs that use memory of cards, as drivers tell, the largest first. Blocks, at most `limit` for a driver.
pub fn memory_holders(limit: Duration) -> Vec<MemoryHolder> {
    let of_nvidia =
        gpu_processes(limit).into_iter().filter_map(|found| Some((found.name, found.used_bytes?)));
    let of_kernel = system::gpu_clients().into_iter().map(|client| (client.name, client.vram_bytes));
    summed(of_nvidia.chain(of_kernel))
}

fn summed(held: impl Iterator<Item = (String, u64)>) -> Vec<MemoryHolder> {
    let mut by_name: BTreeMap<String, u64> = BTreeMap::new();
    for (name, bytes) in held {
        let sum = by_name.entry(name).or_default();
        *sum = sum.saturating_add(bytes);
    }
    let mut holders: Vec<MemoryHolder> =
        by_name.into_iter().map(|(name, bytes)| MemoryHolder { name: name.into(), bytes }).collect();
    holders.sort_by_key(|holder| std::cmp::Reverse(holder.bytes));
    holders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_of_a_program_are_summed_and_the_largest_comes_first() {
        let held = [("firefox", 100), ("llama-server", 6000), ("firefox", 200)];
        let holders = summed(held.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)));
        let found: Vec<_> = holders.iter().map(|h| (h.name.as_str(), h.bytes, h.is_engine())).collect();
        assert_eq!(found, [("llama-server", 6000, true), ("firefox", 300, false)]);
    }
}
