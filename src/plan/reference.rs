//! The table of ACOLYTE's original expectations (`assets/reference.yaml`), next to estimates for the same computers.
//!
//! The table's figures are older than all estimates and measurements. Each row names a typical card of its size, and
//! that computer is planned like the user's.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::GIB;
use crate::built_in;
use crate::machine::{Gpu, GpuKind, Hardware, MainMemory};
use crate::models::Catalogue;
use crate::plan::{Policy, Profiles, Report, chosen_gpu, plan_profiles};

/// A row of the table.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferenceRow {
    /// Advertised graphics memory in GB.
    pub vram_gb: u32,
    /// Advertised main memory in GB.
    pub ram_gb: u32,
    /// A typical card of that size.
    pub card: String,
    /// Expectations for such a computer.
    pub expected: Expected,
}

/// Expectations for a computer, neither computed nor measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Size and quantisation of the model, such as `7B Q4`.
    pub model: String,
    /// Layers on the card.
    pub gpu_layers: u32,
    /// Layers on the processor.
    pub cpu_layers: u32,
    /// Tokens of context.
    #[serde(rename(deserialize = "context", serialize = "context_tokens"))]
    pub context_tokens: u32,
    /// Tokens per second, from and to; equal if the table has one figure.
    pub tokens_per_s: [f64; 2],
}

/// A row with the report for such a computer.
#[derive(Clone, Debug)]
pub struct ReferenceComputer {
    /// The row.
    pub row: &'static ReferenceRow,
    /// Plans of all profiles on a typical computer of that size.
    pub report: Report,
    /// Whether this computer has as much memory as the row.
    pub is_like_here: bool,
}

static ROWS: LazyLock<Vec<ReferenceRow>> = LazyLock::new(|| {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct ReferenceFile {
        rows: Vec<ReferenceRow>,
    }
    let file = serde_saphyr::from_str(include_str!("../../assets/reference.yaml"));
    built_in::valid::<ReferenceFile, _>("assets/reference.yaml", file).rows
});

/// Checks every computer of the table against these profiles and compares it with `here`. Takes about a millisecond.
pub fn reference_computers(
    here: &Hardware,
    catalogue: &Catalogue,
    profiles: &Profiles,
) -> Vec<ReferenceComputer> {
    let plan = |row: &'static ReferenceRow| ReferenceComputer {
        row,
        report: plan_profiles(&row.hardware(), catalogue, profiles),
        is_like_here: row.is_like(here, &profiles.policy),
    };
    ROWS.iter().map(plan).collect()
}

impl ReferenceRow {
    /// A typical computer of this size. Free memory is left to the policy's assumptions.
    fn hardware(&self) -> Hardware {
        let card = Gpu::named(&self.card, GpuKind::Discrete, Some(u64::from(self.vram_gb) * GIB));
        let memory = MainMemory { total_bytes: u64::from(self.ram_gb) * GIB, ..MainMemory::default() };
        Hardware::with(memory, vec![card])
    }

    /// Whether a computer has the same advertised VRAM and main memory as this row.
    fn is_like(&self, hardware: &Hardware, policy: &Policy) -> bool {
        let vram = chosen_gpu(hardware, policy)
            .filter(|gpu| gpu.kind == GpuKind::Discrete)
            .and_then(|gpu| gpu.vram_total_bytes);
        vram.is_some_and(|bytes| policy.nominal_vram_gb(bytes) == self.vram_gb)
            && policy.nominal_ram_gb(hardware.memory.total_bytes) == self.ram_gb
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]
mod tests {
    use super::*;
    use crate::machine::gpu_table;
    use crate::plan::Verdict;

    fn computers() -> Vec<ReferenceComputer> {
        let here = ROWS[2].hardware();
        reference_computers(&here, Catalogue::built_in(), Profiles::built_in())
    }

    #[test]
    fn every_row_names_a_known_card_of_its_size() {
        for computer in computers() {
            let row = computer.row;
            let bytes = u64::from(row.vram_gb) * GIB;
            let known = gpu_table::lookup(&row.card, Some(bytes)).unwrap_or_else(|| panic!("{}", row.card));
            assert_eq!(known.vram_bytes, bytes, "{}", row.card);
        }
    }

    #[test]
    fn the_original_expectations_are_met_except_for_one_speed() {
        for ReferenceComputer { row, report, .. } in computers() {
            let best = report.recommended().unwrap();
            let expected = &row.expected;
            assert_ne!(best.verdict, Verdict::Refused);
            assert!(best.candidate.context_tokens >= expected.context_tokens, "{row:?}");
            let share = f64::from(expected.gpu_layers) / f64::from(expected.gpu_layers + expected.cpu_layers);
            assert!(best.gpu_layer_share() >= share, "{row:?}");
            assert!(best.speed.decode_tokens_per_s.high >= expected.tokens_per_s[0], "{row:?}");
        }
    }

    #[test]
    fn a_computer_matches_only_the_row_of_its_size() {
        let policy = &Profiles::built_in().policy;
        for one in ROWS.iter() {
            let like: Vec<_> = ROWS.iter().filter(|row| row.is_like(&one.hardware(), policy)).collect();
            assert_eq!(like, [one]);
        }
        let mut none = ROWS[0].hardware();
        none.gpus.clear();
        assert!(!ROWS.iter().any(|row| row.is_like(&none, policy)));
        // 8,188 MiB of VRAM and 16 GB less the firmware's part are advertised as 8 and 16 GB.
        let mut real = ROWS[2].hardware();
        real.gpus[0].vram_total_bytes = Some(8_188 << 20);
        real.memory.total_bytes = 15_900 << 20;
        assert!(ROWS[2].is_like(&real, policy));
    }
}
