//! Programs that use much main memory.

use std::collections::BTreeMap;

use crate::MIB;
use crate::machine::RamProgram;
use crate::platform::program_memory::memory_of_programs;

/// A program is listed from this much memory.
const LISTED_BYTES: u64 = 256 * MIB;
/// Maximum number of programs.
const LISTED: usize = 8;

/// Programs of this computer that use much main memory now, the largest first.
pub fn running() -> Vec<RamProgram> {
    largest(memory_of_programs())
}

/// The largest programs; processes of one name are summed.
fn largest(processes: impl IntoIterator<Item = (String, u64)>) -> Vec<RamProgram> {
    let mut sums: BTreeMap<String, u64> = BTreeMap::new();
    for (name, bytes) in processes {
        let sum = sums.entry(name).or_default();
        *sum = sum.saturating_add(bytes);
    }
    let mut programs: Vec<RamProgram> = sums
        .into_iter()
        .filter(|(_, bytes)| *bytes >= LISTED_BYTES)
        .map(|(name, bytes)| RamProgram { name: name.into(), bytes })
        .collect();
    programs.sort_by_key(|program| std::cmp::Reverse(program.bytes));
    programs.truncate(LISTED);
    programs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_of_a_program_are_summed_and_small_programs_left_out() {
        let processes =
            [("firefox", 200), ("bash", 8), ("firefox", 150), ("java", 900), ("sshd", 255), ("code", 256)]
                .map(|(name, mib)| (name.to_owned(), mib * MIB));
        let found = largest(processes);
        let named: Vec<(&str, u64)> =
            found.iter().map(|program| (program.name.as_str(), program.bytes / MIB)).collect();
        assert_eq!(named, [("java", 900), ("firefox", 350), ("code", 256)]);
    }

    #[test]
    fn no_more_than_a_few_are_listed() {
        let many = (0..20).map(|n| (format!("program{n}"), (300 + n) * MIB));
        let found = largest(many);
        assert_eq!(found.len(), LISTED);
        assert_eq!(found[0].name.as_str(), "program19");
    }
}
