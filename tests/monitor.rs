//! The monitor with real child processes: a stand-in for NVIDIA's library whose memory a test changes
//! (tests/doubles/nvml.rs), and the stand-in for the engine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![cfg(target_os = "linux")]

#[path = "monitor/card.rs"]
mod card;
#[path = "monitor/command.rs"]
mod command;
mod common;
#[path = "monitor/desktop.rs"]
mod desktop;
#[path = "monitor/watcher.rs"]
mod watcher;

use std::time::{Duration, Instant};

use acolyte::hardware::live::{CardMemory, LiveMemory};
use acolyte::monitor::Sampler;
use card::Card;
use common::world::World;
use serde_json::json;

const MIB: u64 = 1 << 20;

fn figures(cards: &[CardMemory]) -> Vec<(u64, u64, Option<u64>)> {
    cards.iter().map(|c| (c.used_bytes / MIB, c.total_bytes / MIB, c.held_bytes.map(|b| b / MIB))).collect()
}

#[test]
fn the_driver_is_loaded_once_for_many_looks() {
    let (card, home) = (Card::new("8000"), tempfile::tempdir().unwrap());
    let mut live = LiveMemory::start(&card.options(home.path()));
    assert_eq!((live.is_blind(), card.starts()), (false, 1), "detection");
    assert_eq!(figures(&live.look(&[])), [(188, 8188, None)]);
    card.is("1000 77 6000");
    assert_eq!(figures(&live.look(&[77])), [(7188, 8188, Some(6000))]);
    assert_eq!(figures(&live.look(&[78])), [(7188, 8188, None)], "of another program");
    for free in 0..50 {
        card.is(&free.to_string());
        assert_eq!(figures(&live.look(&[])), [(8188 - free, 8188, None)]);
    }
    assert_eq!(card.starts(), 2, "the watching child loads it once more");
    live.rest();
    assert_eq!(figures(&live.look(&[])), [(8188 - 49, 8188, None)]);
    assert_eq!(card.starts(), 3);
}

#[test]
fn a_driver_that_crashes_costs_its_figures_only() {
    let (card, home) = (Card::new("4000"), tempfile::tempdir().unwrap());
    let mut live = LiveMemory::start(&card.options(home.path()));
    assert_eq!(figures(&live.look(&[])), [(4188, 8188, None)]);
    let of_this_test = |pid: &u32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        String::from_utf8_lossy(&environment).contains(card.state().to_str().unwrap())
    };
    let children = acolyte::platform::process::tree(std::process::id());
    let children: Vec<u32> = children.iter().map(|child| child.identity.pid).filter(of_this_test).collect();
    let [child] = children[..] else { panic!("{children:?}") };
    common::process::signal(child, common::process::Signal::Kill);
    assert_eq!(figures(&live.look(&[])), [], "no figure is better than an old one");
    let begun = Instant::now();
    assert_eq!(figures(&live.look(&[])), []);
    assert!(begun.elapsed() < Duration::from_secs(1), "it is not started again at once");
}

#[test]
fn the_model_is_seen_with_its_share_and_what_left_the_card() {
    let (card, world) = (Card::new("8000"), World::new(&json!({})));
    let said = world.install(&["--profile", "hybrid_8gb", "--accept-degraded"]);
    let layers = said.receipt()["measured"]["gpu_layers"].as_u64().unwrap();
    let runner = common::process::below(&world.home())
        .into_iter()
        .find(|pid| {
            let exe = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap();
            exe.ends_with("llama-server")
        })
        .unwrap();
    card.is(&format!("1188 {runner} 6500"));
    let mut sampler = Sampler::start(card.options(&world.home()));
    let sample = sampler.sample();
    let [gpu] = sample.gpus.as_slice() else { panic!("{sample:#?}") };
    assert_eq!((gpu.memory.used_bytes, gpu.model_bytes), (7000 * MIB, Some(6500 * MIB)));
    let model = sample.model.unwrap();
    assert_eq!(model.gpu_layers.map(u64::from), Some(layers));
    assert_eq!((model.loss, model.context_tokens), (None, Some(32_768)));
    let answers = model.answers.len();
    let question = json!({"model": "acolyte", "prompt": "What is wide?", "stream": false, "options": {"num_predict": 7}});
    world.ask("POST", "/api/generate", Some(&question));
    let model = sampler.sample().model.unwrap();
    let last = model.answers.last().unwrap();
    assert!(model.answers.len() > answers || answers == 20, "{model:#?}");
    assert!(last.tokens == 7 && last.tokens_per_s > 1.0, "{last:?}");
    assert!(model.context_used_tokens.unwrap() > 7, "{model:#?}");
    // Another program asks for fewer layers: the engine loads the model again.
    let fewer = json!({"model": "acolyte", "prompt": "", "options": {"num_gpu": layers - 4}});
    world.ask("POST", "/api/generate", Some(&fewer));
    let model = sampler.sample().model.unwrap();
    assert_eq!(serde_json::to_value(model.loss).unwrap()["layers"], 4, "{model:#?}");
    assert!(world.run(&["stop"]).status.success());
    assert_eq!(sampler.sample().model, None);
    assert!(!sampler.follow_engine());
}
