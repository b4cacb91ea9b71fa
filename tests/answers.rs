//! `acolyte ask`, `chat` and `restart`, and what other programs read and call (docs/integration.md), with a private server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![cfg(unix)]

mod common;

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use common::world::World;
use serde_json::{Value, json};

/// A degraded installation and its banner.
fn installed() -> (World, String) {
    let world = World::new(&json!({}));
    world.install(&["--profile", "hybrid_8gb", "--accept-degraded", "--no-autostart"]).receipt();
    let banner = world.status()["profile"]["banner"].as_str().expect("it is degraded").to_owned();
    (world, banner)
}

fn with_input(mut command: Command, input: &str) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

fn json_lines(output: &Output) -> Vec<Value> {
    said(output).0.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_question_is_answered_below_the_banner_from_argument_file_and_standard_input() {
    let (world, banner) = installed();
    let output = world.run(&["ask", "Say hello", "--max-tokens", "5"]);
    let (answer, messages) = said(&output);
    assert!(output.status.success(), "{messages}");
    assert!(!answer.trim().is_empty() && !answer.contains(&banner), "{answer}");
    assert!(messages.starts_with(&banner), "{messages}");
    assert!(messages.contains("tokens/s, first token after"), "{messages}");
    // The banner belongs to the answer, so it is not left out.
    let (_, messages) = said(&world.run(&["ask", "Say hello", "--max-tokens", "5", "--quiet"]));
    assert_eq!(messages.trim(), banner);

    let asked = |question: &[&str], input: &str| {
        let mut arguments = vec!["ask", "--json", "--max-tokens", "3"];
        arguments.extend(question);
        let output = with_input(world.acolyte(&arguments), input);
        assert!(output.status.success(), "{:?}", said(&output));
        let answers = json_lines(&output);
        assert_eq!(answers.len(), 1);
        answers[0].clone()
    };
    let alone = asked(&["one two three"], "not read");
    assert_eq!((&alone["degraded"], &alone["banner"]), (&json!(true), &json!(banner)));
    assert_eq!((&alone["ended"], &alone["context_tokens"]), (&json!("length"), &json!(32_768)));
    assert_eq!(alone["answer_tokens"], 3);
    assert!(alone["tokens_per_s"].as_f64().unwrap() > 0.0 && alone["first_token_s"].as_f64().unwrap() > 0.0);
    let tokens = |answer: &Value| answer["prompt_tokens"].as_u64().unwrap();
    // More text is more prompt tokens.
    let from_input = asked(&[], "one two three");
    assert_eq!(tokens(&from_input), tokens(&alone));
    let long = "word ".repeat(200);
    std::fs::write(world.path("main.rs"), &long).unwrap();
    let file = world.path("main.rs").display().to_string();
    assert!(tokens(&asked(&["one two three", "--file", &file], "")) > tokens(&alone) + 100);
    assert!(tokens(&asked(&["one two three", "--file", "-"], &long)) > tokens(&alone) + 100);
    assert!(tokens(&asked(&["-", "--file", &file], &long)) > tokens(&alone) + 300);
}

#[test]
fn what_cannot_be_asked_is_said_and_nothing_is_sent() {
    let world = World::new(&json!({}));
    let (_, messages) = said(&world.run(&["ask", "Say hello"]));
    assert!(messages.contains("Nothing is installed") || messages.contains("not installed"), "{messages}");
    let (world, _) = installed();
    let output = with_input(world.acolyte(&["ask"]), " \n");
    assert_eq!(output.status.code(), Some(2), "{:?}", said(&output));
    assert!(said(&output).1.contains("There is no question"));
    let missing = world.path("missing.rs").display().to_string();
    let output = world.run(&["ask", "Explain", "--file", &missing]);
    assert!(said(&output).1.contains(&missing), "{:?}", said(&output));
    std::fs::write(world.path("picture.png"), [0x89, 0xff, 0xfe]).unwrap();
    let picture = world.path("picture.png").display().to_string();
    let output = world.run(&["ask", "Explain", "--file", &picture]);
    assert_eq!((output.status.code(), said(&output).0.as_str()), (Some(1), ""));
    // Longer than the context: said, and not silently shortened.
    let output = with_input(world.acolyte(&["ask"]), &"word ".repeat(40_000));
    assert!(said(&output).1.contains("longer than the model's context"), "{:?}", said(&output));
    assert!(world.run(&["stop"]).status.success());
    let output = world.run(&["ask", "Say hello"]);
    assert!(!output.status.success());
    assert!(said(&output).1.contains("acolyte start"), "{:?}", said(&output));
    assert!(world.run(&["restart"]).status.success());
    assert!(world.run(&["ask", "Say hello", "--max-tokens", "2"]).status.success());
}

#[test]
fn a_conversation_keeps_what_was_said_with_the_banner_above_each_answer() {
    let (world, banner) = installed();
    let questions = "first question\n\nsecond question\n";
    let output = with_input(world.acolyte(&["chat", "--max-tokens", "4"]), questions);
    let (answers, messages) = said(&output);
    assert!(output.status.success(), "{messages}");
    assert_eq!(messages.matches(&banner).count(), 2, "{messages}");
    assert_eq!(answers.trim().lines().filter(|line| !line.is_empty()).count(), 2, "{answers}");
    let output = with_input(world.acolyte(&["chat", "--json", "--max-tokens", "4"]), questions);
    let [first, second] = &json_lines(&output)[..] else { panic!("{:?}", said(&output)) };
    let tokens = |answer: &Value| answer["prompt_tokens"].as_u64().unwrap();
    assert!(tokens(second) > tokens(first), "the history is sent: {first} {second}");
    assert_eq!((&first["banner"], &second["banner"]), (&json!(banner), &json!(banner)));
}

#[test]
fn what_is_installed_is_measured_again_and_compared_with_the_receipt() {
    let (world, _) = installed();
    let output = world.run(&["bench", "--json"]);
    assert!(output.status.success(), "{:?}", said(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let receipt = world.json("llm/receipt.json");
    assert_eq!(report["then"]["decode_tokens_per_s"], receipt["measured"]["decode_tokens_per_s"]);
    let (now, then) = (&report["now"], &report["then"]);
    assert!(
        now["decode_tokens_per_s"].as_f64().unwrap() > 0.0 && now["first_token_s"].as_f64().unwrap() > 0.0
    );
    let tokens = |of: &Value| of["first_token_prompt_tokens"].as_f64().unwrap();
    assert!((tokens(now) / tokens(then) - 1.0).abs() < 0.2, "a prompt of the same length: {report}");

    // A receipt of a faster time.
    let path = world.home().join("llm/receipt.json");
    let mut faster = receipt;
    faster["measured"]["decode_tokens_per_s"] = json!(now["decode_tokens_per_s"].as_f64().unwrap() * 100.0);
    faster["measured"]["prefill_tokens_per_s"] = json!(now["prefill_tokens_per_s"].as_f64().unwrap() * 100.0);
    std::fs::write(&path, faster.to_string()).unwrap();
    let report: Value = serde_json::from_slice(&world.run(&["bench", "--json"]).stdout).unwrap();
    assert_eq!(report["slower"], json!(["speed", "first_token"]));
    assert_eq!(report["less_on_card"], Value::Null);
    let (words, _) = said(&world.run(&["bench"]));
    assert!(words.contains("It writes slower than after installing"), "{words}");
    assert!(words.contains("It reads prompts slower than after installing"), "{words}");
    assert!(world.run(&["stop"]).status.success());
    let output = world.run(&["bench"]);
    assert!(!output.status.success() && said(&output).1.contains("acolyte start"), "{:?}", said(&output));
}

/// Every file and call of docs/integration.md, with a plain HTTP client.
#[test]
fn other_programs_find_the_server_and_use_both_of_its_apis() {
    let (world, banner) = installed();
    let documented = std::fs::read_to_string("docs/integration.md").unwrap();
    let profile = std::fs::read_to_string(world.home().join("llm/profile.yaml")).unwrap();
    let line =
        |key: &str| profile.lines().find(|line| line.starts_with(&format!("{key}: "))).map(str::to_owned);
    for key in ["endpoint", "port", "model", "context_tokens", "degraded", "banner", "kv_cache_type"] {
        assert!(documented.contains(&format!("`{key}`")), "{key} is not documented");
        assert!(line(key).is_some(), "{key} is not in {profile}");
    }
    assert!(line("banner").unwrap().contains(&banner));
    let port = line("port").unwrap().trim_start_matches("port: ").to_owned();
    assert!(line("endpoint").unwrap().ends_with(&format!("http://127.0.0.1:{port}")));

    let messages = json!([{"role": "user", "content": "Say hello"}]);
    let chat = json!({"model": "acolyte:latest", "messages": messages, "stream": false, "truncate": false,
                      "options": {"num_predict": 4}});
    assert!(documented.contains("/api/chat"));
    let answer = world.ask("POST", "/api/chat", Some(&chat));
    assert_eq!(answer["message"]["role"], "assistant", "{answer}");
    assert!(answer["done"] == true && answer["eval_count"] == 4);
    assert!(documented.contains("/v1/chat/completions"));
    let chat = json!({"model": "acolyte:latest", "messages": messages, "max_tokens": 4});
    let answer = world.ask("POST", "/v1/chat/completions", Some(&chat));
    assert!(
        answer["choices"][0]["message"]["content"].as_str().is_some_and(|text| !text.is_empty()),
        "{answer}"
    );
    assert_eq!(answer["usage"]["completion_tokens"], 4);
    assert!(documented.contains("/api/ps"));
    let loaded = world.ask("GET", "/api/ps", None);
    assert_eq!(
        (&loaded["models"][0]["name"], &loaded["models"][0]["context_length"]),
        (&json!("acolyte:latest"), &json!(32_768))
    );
}
