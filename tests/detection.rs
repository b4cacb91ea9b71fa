//! Detection as a whole, with real child processes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;

use acolyte::hardware::{DetectOptions, Hardware, detect};

fn options(home: PathBuf) -> DetectOptions {
    DetectOptions { probe_program: Some(env!("CARGO_BIN_EXE_acolyte").into()), ..DetectOptions::new(home) }
}

#[test]
fn this_machine_is_described_by_a_document_that_can_be_read_again() {
    let home = tempfile::tempdir().unwrap();
    let begun = std::time::Instant::now();
    let found = detect(&options(home.path().join("acolyte")));
    println!("{:?}", begun.elapsed());

    let json = serde_json::to_string_pretty(&found).unwrap();
    println!("{json}");
    assert_eq!(Hardware::from_json(&json, home.path()).unwrap(), found);

    assert!(found.memory.total_bytes > 1 << 28, "{json}");
    assert!(found.memory.available_bytes.is_some_and(|bytes| bytes <= found.memory.total_bytes), "{json}");
    assert!(found.cpu.logical_cores.is_some_and(|cores| cores > 0), "{json}");
    assert_eq!(found.os.name.as_deref(), Some(std::env::consts::OS));
    assert_eq!(found.disks.len(), 1, "{json}");
}
