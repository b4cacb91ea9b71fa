//! What an installation of what is recommended would need on the disks of a machine.

use crate::hardware::evidence::{Evidence, Needs};
use crate::hardware::merge::merge;
use crate::hardware::{DetectOptions, collect};
use crate::machine::{Backend, Hardware};
use crate::models::Catalogue;
use crate::ollama::release::{AssetRole, Release};
use crate::plan::{Profiles, Report, chosen_gpu, plan_all};

/// Asks the machine, and puts down what an installation needs on each disk. Blocks as [`crate::hardware::detect`] does.
/// `release` is what would be installed; without it the engine's size is that of the policy.
pub fn survey(
    options: &DetectOptions,
    profiles: &Profiles,
    release: Option<&Release>,
) -> (Evidence, Hardware) {
    let mut evidence = collect(options);
    let hardware = merge(&evidence);
    let report = plan_all(&hardware, Catalogue::built_in(), profiles);
    evidence.needs = Some(needs(&hardware, &report, profiles, release));
    let hardware = merge(&evidence);
    (evidence, hardware)
}

/// The engine's archive and what comes out of it, and the model: the recommended one, else the smallest there is.
fn needs(hardware: &Hardware, report: &Report, profiles: &Profiles, release: Option<&Release>) -> Needs {
    let smallest = || report.plans.iter().min_by_key(|one| one.candidate.model.download_bytes);
    let model = report.recommended().or_else(smallest);
    let rocm = chosen_gpu(hardware, &profiles.policy).and_then(|gpu| gpu.backend) == Some(Backend::Rocm);
    let published = release.and_then(|release| published_bytes(release, rocm));
    let engine_bytes = published.unwrap_or((profiles.policy.engine_disk_gb * 1e9) as u64);
    Needs { engine_bytes, model_bytes: model.map_or(0, |one| one.candidate.model.download_bytes) }
}

/// `None` where the release does not say how large its archive is.
fn published_bytes(release: &Release, rocm: bool) -> Option<u64> {
    let bytes = |role| {
        let asset = release.asset(role, std::env::consts::OS, std::env::consts::ARCH).ok()?;
        Some(asset.bytes?.saturating_add(asset.unpacked_estimate_bytes()?))
    };
    let extra = if rocm { bytes(AssetRole::Rocm).unwrap_or(0) } else { 0 };
    Some(bytes(AssetRole::Base)?.saturating_add(extra))
}
