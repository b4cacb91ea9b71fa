//! Memory of cards per process, by the counters of Windows (`GPU Process Memory`). Their instances are called
//! `pid_1234_luid_0x00000000_0x0000D3C5_phys_0`: process, adapter, and part of it.
//!
//! The interface of the driver (DXGI) tells a process only about itself, so it cannot tell what the engine uses.

/// Memory of these processes, in bytes: the sum over all adapters. `None` if none of them has a counter.
pub fn of_processes(counters: &[(String, u64)], processes: &[u32]) -> Option<u64> {
    let ours = |(instance, bytes): &(String, u64)| {
        process_of(instance).is_some_and(|pid| processes.contains(&pid)).then_some(*bytes)
    };
    let held: Vec<u64> = counters.iter().filter_map(ours).collect();
    (!held.is_empty()).then(|| held.iter().fold(0, |sum: u64, bytes| sum.saturating_add(*bytes)))
}

fn process_of(instance: &str) -> Option<u32> {
    instance.strip_prefix("pid_")?.split('_').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `Get-Counter '\GPU Process Memory(*)\Shared Usage'` lists them on a laptop with two adapters.
    const RECORDED: [(&str, u64); 5] = [
        ("pid_4_luid_0x00000000_0x0000d3c5_phys_0", 12_288),
        ("pid_9120_luid_0x00000000_0x0000d3c5_phys_0", 1_610_612_736),
        ("pid_9120_luid_0x00000000_0x0001a2b0_phys_0", 4_096),
        ("pid_912_luid_0x00000000_0x0001a2b0_phys_0", 99),
        ("luid_0x00000000_0x0001a2b0_phys_0", 5),
    ];

    #[test]
    fn counters_of_a_process_are_summed_over_its_adapters() {
        let counters = RECORDED.map(|(instance, bytes)| (instance.to_owned(), bytes));
        assert_eq!(of_processes(&counters, &[9120]), Some(1_610_616_832));
        assert_eq!(of_processes(&counters, &[4, 912]), Some(12_387));
        assert_eq!(of_processes(&counters, &[91]), None);
        assert_eq!(of_processes(&[], &[4]), None);
    }
}
