//! Every step of an installation against every fault, with real processes: our program, the stand-in for Ollama, and a
//! faulty mirror and registry.
//!
//! For each cell the fault is injected into an installation in two separate worlds. In one the installation is run
//! again and must succeed, in the other it is undone and must leave nothing behind. Faults are injected at events that
//! the program reports (`--json`), never after a time. `docs/fault-matrix.md` must match the results;
//! `UPDATE_FAULT_MATRIX=1` writes it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![cfg(target_os = "linux")]

#[path = "fault_matrix/cells.rs"]
mod cells;
mod common;
#[path = "fault_matrix/inject.rs"]
mod inject;
#[path = "fault_matrix/small_disk.rs"]
mod small_disk;
#[path = "fault_matrix/table.rs"]
mod table;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use cells::{CELLS, Cell, Fault};

/// Scenarios at a time. Most of their time is spent waiting for processes.
const AT_ONCE: usize = 5;

#[test]
fn every_step_survives_every_fault() {
    let wanted = std::env::var("FAULT_MATRIX").ok();
    let mut chosen: Vec<&'static Cell> = CELLS
        .iter()
        .filter(|cell| wanted.as_ref().is_none_or(|wanted| cell.name().contains(wanted.as_str())))
        .collect();
    // Start with those in which the program waits before it retries, which take longest.
    chosen.sort_by_key(|cell| {
        let waits = [Fault::Http500, Fault::Http503, Fault::WrongLength, Fault::Disconnect];
        !waits.contains(&cell.fault)
    });
    // Built once, before the clock starts.
    common::archive::fake_ollama();
    let (next, failures, seen) = (AtomicUsize::new(0), Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(cell) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let began = Instant::now();
                    let outcome = std::panic::catch_unwind(|| inject::run_again_and_undo(cell));
                    if wanted.is_some() {
                        eprintln!("{:6.2} s  {}", began.elapsed().as_secs_f64(), cell.name());
                    }
                    match outcome {
                        Ok(outcome) => seen.lock().unwrap().push(outcome),
                        Err(panic) => {
                            let said = panic
                                .downcast_ref::<String>()
                                .cloned()
                                .or_else(|| panic.downcast_ref::<&str>().map(|said| (*said).to_owned()));
                            let said = said.unwrap_or_default();
                            failures.lock().unwrap().push(format!("{}: {said}", cell.name()));
                        }
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    eprintln!("{} cells, twice each, in {:.0} s", chosen.len(), began.elapsed().as_secs_f64());
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), chosen.len(), failures.join("\n\n"));
    if wanted.is_none() {
        compare_with_the_page(&seen.into_inner().unwrap());
    }
}

/// The page in the docs must match the results of a complete run.
fn compare_with_the_page(seen: &[inject::Seen]) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/fault-matrix.md");
    let page = table::page(seen);
    if std::env::var_os("UPDATE_FAULT_MATRIX").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(written, page, "run: UPDATE_FAULT_MATRIX=1 cargo test --test fault_matrix");
}

#[test]
fn a_really_full_disk_is_handled() {
    common::archive::fake_ollama();
    for step in small_disk::STEPS {
        if small_disk::run_again_and_undo(step).is_none() {
            eprintln!("skipped: this system does not let tests mount a file system");
            return;
        }
    }
}
