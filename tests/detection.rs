//! Detection as a whole, with real child processes and a stand-in for NVIDIA's library (tests/doubles/nvml.rs).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use acolyte::hardware::engines::Places;
use acolyte::hardware::evidence::{SourceAnswer, SysinfoGpu, WgpuAdapter};
use acolyte::hardware::probe::query;
use acolyte::hardware::{DetectOptions, detect};
use acolyte::machine::{
    Blocked, EngineRefusal, Finding, Gpu, GpuBackend, GpuKind, GpuSource, Hardware, SourceFailure,
};
use acolyte::models::Catalogue;
use acolyte::plan::{Plan, Profiles, Reason, plan_all};
use acolyte::platform::environment::Environment;
use acolyte::text::{Language, Text};

const MIB: u64 = 1 << 20;

/// Options for detection on this machine without engines and memory measurement.
fn options(home: &Path) -> DetectOptions {
    DetectOptions {
        probe_program: Some(env!("CARGO_BIN_EXE_acolyte").into()),
        measure_memory: false,
        engines: Places::default(),
        ..DetectOptions::new(home.to_owned())
    }
}

/// Built by `cargo test` next to the programs.
fn stand_in_library() -> PathBuf {
    let name = format!("{}stand_in_nvml{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let path = Path::new(env!("CARGO_BIN_EXE_acolyte")).with_file_name("examples").join(name);
    assert!(path.is_file(), "{} is missing; build it with: cargo build --examples", path.display());
    path
}

/// Runs detection with a stand-in NVML and a value of CUDA's variable.
fn detect_with_variable(behaviour: &str, value: &str) -> Hardware {
    let home = tempfile::tempdir().unwrap();
    let variable = |name: &str, value: &Path| (OsString::from(name), OsString::from(value));
    detect(&DetectOptions {
        probe_environment: vec![
            variable("ACOLYTE_NVML_PATH", &stand_in_library()),
            variable("STAND_IN_NVML", Path::new(behaviour)),
        ],
        environment: Environment::given([("CUDA_VISIBLE_DEVICES", value)]),
        ..options(home.path())
    })
}

/// Runs detection with a stand-in NVML of this behaviour.
fn detect_with_nvml(behaviour: &str) -> Hardware {
    detect_with_library(&stand_in_library(), behaviour, Duration::from_secs(10))
}

fn detect_with_library(library: &Path, behaviour: &str, driver_limit: Duration) -> Hardware {
    let home = tempfile::tempdir().unwrap();
    let variable = |name: &str, value: &Path| (OsString::from(name), OsString::from(value));
    detect(&DetectOptions {
        probe_environment: vec![
            variable("ACOLYTE_NVML_PATH", library),
            variable("STAND_IN_NVML", Path::new(behaviour)),
        ],
        driver_limit,
        ..options(home.path())
    })
}

/// NVIDIA cards of the stand-in, without real ones of the test machine.
fn nvidia(hardware: &Hardware) -> Vec<&Gpu> {
    hardware
        .gpus
        .iter()
        .filter(|gpu| gpu.sources.get("name").is_some_and(|source| source == "nvml"))
        .collect()
}

fn only_nvidia(hardware: &Hardware) -> &Gpu {
    let [gpu] = nvidia(hardware)[..] else { panic!("{hardware:#?}") };
    gpu
}

/// Why NVML did not answer.
fn nvml_failure(hardware: &Hardware) -> &SourceFailure {
    let failure = hardware.notes.iter().find_map(|finding| match finding {
        Finding::SourceFailed { source: GpuSource::Nvml, cause } => Some(cause),
        _ => None,
    });
    failure.unwrap_or_else(|| panic!("{hardware:#?}"))
}

/// The NVIDIA driver that a card needs instead of this one.
fn needed_driver(hardware: &Hardware) -> Option<(&str, &str, u32)> {
    hardware.notes.iter().find_map(|finding| match finding {
        Finding::Refusal(EngineRefusal::NvidiaDriverTooOld { gpu, driver, needed }) => {
            Some((gpu.as_str(), driver.as_str(), *needed))
        }
        _ => None,
    })
}

#[test]
fn the_document_of_this_machine_can_be_parsed_again() {
    let home = tempfile::tempdir().unwrap();
    let found = detect(&DetectOptions { measure_memory: true, ..options(&home.path().join("acolyte")) });

    let json = serde_json::to_string_pretty(&found).unwrap();
    assert_eq!(Hardware::from_json(&json, home.path()).unwrap(), found);

    assert!(found.memory.total_bytes > 256 * MIB, "{json}");
    assert!(found.memory.available_bytes.is_some_and(|bytes| bytes <= found.memory.total_bytes), "{json}");
    assert!(found.cpu.logical_cores.is_some_and(|cores| cores > 0), "{json}");
    assert_eq!(found.os.name.as_deref(), Some(std::env::consts::OS));
    assert_eq!(found.disks.len(), 1, "{json}");
}

#[test]
fn graphics_drivers_answer_in_their_own_processes() {
    let program = Path::new(env!("CARGO_BIN_EXE_acolyte"));
    let limit = Duration::from_secs(30);
    let wgpu: SourceAnswer<Vec<WgpuAdapter>> = query(program, &[], GpuSource::Wgpu, limit);
    assert!(wgpu.answer().is_some(), "{wgpu:?}");
    let sysinfo: SourceAnswer<Vec<SysinfoGpu>> = query(program, &[], GpuSource::Sysinfo, limit);
    assert!(sysinfo.answer().is_some(), "{sysinfo:?}");
}

/// Vulkan is slowest and could only find software renderers.
#[test]
fn without_a_graphics_device_vulkan_is_not_queried() {
    let home = tempfile::tempdir().unwrap();
    let evidence = acolyte::hardware::collect(&options(home.path()));
    let queried = !matches!(evidence.wgpu, SourceAnswer::NotQueried);
    let asleep = acolyte::hardware::sysfs::cards(&evidence.sysfs).iter().any(|card| card.asleep);
    assert_eq!(queried, evidence.graphics_device != Some(false) && !asleep, "{evidence:#?}");
    assert!(evidence.timings_ms.contains_key("all"));
}

#[test]
fn a_laptop_card_is_detected_completely() {
    let found = detect_with_nvml("laptop");
    let gpu = only_nvidia(&found);
    assert_eq!(gpu.name, "NVIDIA GeForce RTX 4060 Laptop GPU");
    assert_eq!(gpu.vendor.as_deref(), Some("nvidia"));
    assert_eq!(gpu.kind, GpuKind::Discrete);
    assert_eq!((gpu.vram_total_bytes, gpu.vram_free_bytes), (Some(8188 * MIB), Some(7782 * MIB)));
    assert_eq!(gpu.memory_bandwidth_gb_s, Some(256.0));
    assert_eq!(gpu.backend, Some(GpuBackend::Cuda));
    assert_eq!(gpu.driver_version.as_deref(), Some("570.86.16"));
    assert_eq!(gpu.compute_capability, "8.9".parse().ok());
    assert_eq!(needed_driver(&found), None);
}

#[test]
fn two_cards_are_listed_and_the_older_one_needs_a_newer_driver() {
    let found = detect_with_nvml("two");
    let names: Vec<&str> = nvidia(&found).iter().map(|gpu| gpu.name.as_str()).collect();
    assert_eq!(names, ["NVIDIA GeForce RTX 3090", "NVIDIA GeForce GTX 1080 Ti"]);
    assert_eq!(needed_driver(&found), Some(("NVIDIA GeForce GTX 1080 Ti", "560.35.03", 570)));
    let held = found.notes.iter().any(|finding| {
        matches!(finding, Finding::VramHeld { gpu, program, .. } if program == "blender" && gpu.contains("3090"))
    });
    assert!(held, "{found:#?}");
}

#[test]
fn a_chip_without_dedicated_memory_shares_main_memory() {
    for behaviour in ["unified", "unknown-unified"] {
        let found = detect_with_nvml(behaviour);
        let gpu = only_nvidia(&found);
        assert_eq!(gpu.kind, GpuKind::Unified, "{gpu:#?}");
        assert_eq!(gpu.vram_total_bytes, Some(found.memory.total_bytes));
        assert!(gpu.sources["vram_total_bytes"].contains("shared"), "{gpu:#?}");
        assert!(found.notes.contains(&Finding::UnifiedMemory { gpu: gpu.name.clone() }));
    }
}

#[test]
fn a_card_too_old_for_ollama_has_no_backend() {
    let found = detect_with_nvml("old");
    assert_eq!(only_nvidia(&found).backend, None);
    let too_low = EngineRefusal::CapabilityTooLow {
        gpu: only_nvidia(&found).name.clone(),
        capability: "3.7".parse().ok(),
    };
    assert!(found.notes.contains(&Finding::Refusal(too_low)), "{found:#?}");
}

#[test]
fn old_drivers_are_queried_with_the_old_function() {
    let found = detect_with_nvml("first-version");
    assert_eq!(only_nvidia(&found).vram_total_bytes, Some(8188 * MIB));
    assert_eq!(needed_driver(&found).map(|(_, _, needed)| needed), Some(550));
}

#[test]
fn a_library_without_its_driver_is_a_finding() {
    for (behaviour, cause, advice) in [
        ("driver-not-loaded", SourceFailure::DriverNotLoaded, "not loaded"),
        ("mismatch", SourceFailure::DriverUpdated, "different versions"),
        ("lost", SourceFailure::GpuLost, "Restart the computer"),
        ("unknown", SourceFailure::UnknownDriverError, "restart the container"),
        ("no-permission", SourceFailure::NoPermission, "no permission"),
        ("library-not-found", SourceFailure::LibraryNotFound, "was not found"),
    ] {
        let found = detect_with_nvml(behaviour);
        assert!(nvidia(&found).is_empty());
        assert_eq!(*nvml_failure(&found), cause);
        let said: Vec<String> =
            found.notes.iter().map(|note| note.explain(Text::new(Language::English))).collect();
        assert!(said.iter().any(|sentence| sentence.contains(advice)), "{behaviour}: {said:?}");
    }
}

#[test]
fn one_of_two_cards_that_is_lost_is_a_finding() {
    let found = detect_with_nvml("one-lost");
    assert_eq!(only_nvidia(&found).name, "NVIDIA GeForce RTX 3090");
    assert!(found.notes.contains(&Finding::CardLost { place: 2, of: 2 }), "{:#?}", found.notes);

    let later = detect_with_nvml("lost-later");
    assert_eq!(only_nvidia(&later).blocked, Some(Blocked::GpuLost));
    assert_eq!(later.usable_gpus().filter(|gpu| gpu.vendor.as_deref() == Some("nvidia")).count(), 0);
}

#[test]
fn a_partitioned_card_is_the_slice_that_the_engine_uses() {
    let found = detect_with_nvml("mig");
    let slice = only_nvidia(&found);
    assert_eq!(slice.name, "NVIDIA A100-SXM4-80GB MIG 3g.40gb");
    assert_eq!(slice.kind, GpuKind::Discrete);
    assert_eq!((slice.vram_total_bytes, slice.vram_free_bytes), (Some(40192 * MIB), Some(40000 * MIB)));
    // Its part of 2,039 GB/s, and three of seven parts of the chip.
    assert_eq!(slice.memory_bandwidth_gb_s, Some(1000.4));
    assert!((slice.compute_share.unwrap() - 3.0 / 7.0).abs() < 1e-9, "{slice:#?}");
    assert_eq!(slice.table_row().map(|row| row.name.as_str()), Some("A100 SXM4 80 GB"));

    let second = detect_with_variable("mig", "MIG-22222222-5717-562f-b3fc-2c963f66afa6");
    assert_eq!(only_nvidia(&second).vram_total_bytes, Some(9856 * MIB));
    assert_eq!(only_nvidia(&second).blocked, None);

    let empty = detect_with_nvml("mig-empty");
    let card = only_nvidia(&empty);
    assert_eq!((card.vram_total_bytes, card.blocked), (None, Some(Blocked::NoMigSlice)));
}

/// Nothing is promised of memory that may not be read.
#[test]
fn memory_that_may_not_be_read_is_unknown() {
    let found = detect_with_nvml("memory-denied");
    let card = only_nvidia(&found);
    assert_eq!((card.vram_total_bytes, card.vram_free_bytes), (None, None));
    assert_eq!(card.kind, GpuKind::Discrete);
    assert!(found.notes.contains(&Finding::VramUnreadable { gpu: card.name.clone() }), "{:#?}", found.notes);
    let mut found = found.clone();
    found.gpus.retain(|gpu| gpu.vendor.as_deref() == Some("nvidia"));
    let report = plan_all(&found, Catalogue::built_in(), Profiles::built_in());
    let fits = |plan: &Plan| plan.reasons.iter().any(|reason| matches!(reason, Reason::Fits { .. }));
    assert!(!report.plans.iter().any(fits), "{:#?}", report.plans);
}

#[test]
fn a_card_that_a_variable_hides_is_not_counted() {
    for (value, hidden) in [
        ("-1", &["NVIDIA GeForce RTX 3090", "NVIDIA GeForce GTX 1080 Ti"][..]),
        ("", &["NVIDIA GeForce RTX 3090", "NVIDIA GeForce GTX 1080 Ti"]),
        ("NoDevFiles", &["NVIDIA GeForce RTX 3090", "NVIDIA GeForce GTX 1080 Ti"]),
        ("0", &["NVIDIA GeForce GTX 1080 Ti"]),
        ("1", &["NVIDIA GeForce RTX 3090"]),
        ("0,1", &[]),
        ("GPU-bbbbbbbb-5717-4562-b3fc-2c963f66afa6", &["NVIDIA GeForce RTX 3090"]),
        ("GPU-aaaa", &["NVIDIA GeForce GTX 1080 Ti"]),
    ] {
        let found = detect_with_variable("two", value);
        let of_variable = nvidia(&found)
            .into_iter()
            .filter(|gpu| gpu.sources.get("blocked").is_some_and(|source| source.starts_with("CUDA_")))
            .map(|gpu| gpu.name.as_str());
        // The 1080 Ti needs a newer driver too, which is said first.
        let hidden: Vec<&str> = hidden.iter().copied().filter(|name| name.contains("3090")).collect();
        assert_eq!(of_variable.collect::<Vec<_>>(), hidden, "{value:?}");
        let said: Vec<String> =
            found.notes.iter().map(|note| note.explain(Text::new(Language::Spanish))).collect();
        let setting =
            format!("CUDA_VISIBLE_DEVICES={}", if value.len() > 20 { "GPU-bbbbbbbb" } else { value });
        assert_eq!(said.iter().any(|sentence| sentence.contains(&setting)), !hidden.is_empty(), "{said:?}");
    }
}

#[test]
fn a_library_that_is_not_nvml_is_a_finding() {
    let home = tempfile::tempdir().unwrap();
    let text = home.path().join("not-a-library.so");
    std::fs::write(&text, "hello").unwrap();
    let missing = home.path().join("missing.so");
    // A library that lacks the functions.
    let other = if cfg!(windows) {
        "kernel32.dll"
    } else if cfg!(target_os = "macos") {
        "libz.dylib"
    } else {
        "libm.so.6"
    };
    for library in [text.as_path(), missing.as_path(), Path::new(other)] {
        let found = detect_with_library(library, "laptop", Duration::from_secs(10));
        assert!(nvidia(&found).is_empty());
        let cause = nvml_failure(&found);
        assert!(matches!(cause, SourceFailure::NotALibrary { .. }), "{cause:?}");
    }
}

#[test]
fn a_driver_that_hangs_times_out() {
    let begun = Instant::now();
    let found = detect_with_library(&stand_in_library(), "hang", Duration::from_secs(2));
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert!(nvidia(&found).is_empty());
    assert_eq!(*nvml_failure(&found), SourceFailure::Timeout { seconds: 2.0 });
    assert!(found.memory.total_bytes > 0, "other sources are not affected");
}

#[test]
fn a_driver_that_crashes_affects_only_itself() {
    let found = detect_with_nvml("crash");
    assert!(nvidia(&found).is_empty());
    let cause = nvml_failure(&found);
    assert!(matches!(cause, SourceFailure::Crashed { .. }), "{cause:?}");
}

#[test]
fn extra_output_or_a_late_crash_does_not_lose_the_answer() {
    for behaviour in ["chatter", "crash-at-end"] {
        let found = detect_with_nvml(behaviour);
        assert_eq!(only_nvidia(&found).vram_total_bytes, Some(8188 * MIB), "{behaviour}");
    }
}

#[test]
fn a_program_that_is_not_a_probe_leads_to_findings() {
    let home = tempfile::tempdir().unwrap();
    let nothing = home.path().join("no-such-program");
    let found = detect(&DetectOptions { probe_program: Some(nothing), ..options(home.path()) });
    let cause = nvml_failure(&found);
    assert!(matches!(cause, SourceFailure::NotStarted { .. }), "{cause:?}");
}

/// On a terminal, which `script` provides, the report is printed, and saved only if the user agrees.
#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_a_report_is_shown_before_it_is_saved() {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    if Command::new("script").arg("--version").stdout(Stdio::null()).status().is_err() {
        eprintln!("skipped: script (util-linux) is not installed");
        return;
    }
    for (answer, saved) in [("n\n", false), ("y\n", true)] {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("report.json");
        let mut script = Command::new("script")
            .args([
                "--quiet",
                "--return",
                "--command",
                "\"$ACOLYTE\" doctor --output \"$REPORT\"",
                "/dev/null",
            ])
            .env("ACOLYTE", env!("CARGO_BIN_EXE_acolyte"))
            .env("REPORT", &file)
            .env("HOME", home.path())
            .env("ACOLYTE_LANG", "en")
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        script.stdin.take().unwrap().write_all(answer.as_bytes()).unwrap();
        let output = script.wait_with_output().unwrap();
        let shown = String::from_utf8_lossy(&output.stdout).replace("\r\n", "\n");
        assert!(shown.contains("\"program_version\"") && shown.contains("\"evidence\""), "{shown}");
        assert_eq!(output.status.success(), saved, "{shown}");
        assert_eq!(file.exists(), saved, "{shown}");
        if saved {
            let report = std::fs::read_to_string(&file).unwrap();
            assert!(shown.contains(report.trim_end()), "the displayed report is saved");
        }
    }
}
