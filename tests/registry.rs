//! A model looked up in a registry over HTTP equals the model of its file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use acolyte::models::Model;
use acolyte::models::gguf::Header;
use acolyte::models::{ModelName, ModelTag};
use acolyte::ollama::http::HttpOptions;
use acolyte::ollama::registry::{RegistryError, fetch_model};
use common::gguf::Shape;
use common::mirror::{Mirror, ModelFiles};

/// A complete model file with zeros as weights.
fn model_file(shape: &Shape) -> Vec<u8> {
    let mut file = shape.file();
    let header = Header::parse(&file).unwrap();
    let weights: u64 = header.tensors.iter().map(|tensor| tensor.bytes()).sum();
    file.resize(file.len() + usize::try_from(weights).unwrap(), 0);
    file
}

#[test]
fn a_model_from_its_registry_equals_the_one_from_its_file() {
    let mirror = Mirror::start().unwrap();
    let file = model_file(&Shape { padding: Some(0), ..Shape::tiny() });
    let files = ModelFiles {
        gguf: file.clone(),
        template: Some("{{ .Prompt }}".to_owned()),
        params: None,
        family: "qwen2".to_owned(),
        parameter_size: "10M".to_owned(),
        quantisation: "Q4_K_M".to_owned(),
    };
    mirror.put_model("acme/tiny:q4", &files);
    let reference = ModelTag::parse(&format!("{}/acme/tiny:q4", mirror.host())).unwrap();
    let model = fetch_model(&reference, true, &HttpOptions::default()).unwrap();

    let header = Header::parse(&file).unwrap();
    let expected = Model::from_gguf(&header, ModelName::Tag(reference), file.len() as u64).unwrap();
    assert_eq!(model.architecture, expected.architecture);
    assert_eq!(
        model.name.as_str(),
        format!("{}/acme/tiny:q4", mirror.host()),
        "the name under which the engine lists it"
    );
    assert_eq!(model.trained_context_tokens, 32_768);
    assert_eq!(model.total_layers(), 5);
    assert!(model.download_bytes >= file.len() as u64);

    // The parameters say how many tokens are drafted; without them heads in the file are off.
    assert_eq!(model.prediction_heads, None);
    let with_heads = Shape { prediction_head: true, padding: Some(0), ..Shape::tiny() };
    let drafts = |name: &str, params: Option<&str>| {
        let files = ModelFiles {
            gguf: model_file(&with_heads),
            template: None,
            params: params.map(str::to_owned),
            family: "qwen2".to_owned(),
            parameter_size: "10M".to_owned(),
            quantisation: "Q4_K_M".to_owned(),
        };
        mirror.put_model(name, &files);
        let tag = ModelTag::parse(&format!("{}/{name}", mirror.host())).unwrap();
        let heads = fetch_model(&tag, true, &HttpOptions::default()).unwrap().prediction_heads.unwrap();
        assert!(heads.weights_bytes > 0);
        heads.default_tokens
    };
    assert_eq!(drafts("acme/heads:off", None), 0);
    assert_eq!(drafts("acme/heads:on", Some(r#"{"draft_num_predict":3,"stop":["x"]}"#)), 3);
    assert_eq!(drafts("acme/heads:odd", Some("not JSON")), 0);

    let missing = ModelTag::parse(&format!("{}/acme/tiny:q8", mirror.host())).unwrap();
    assert!(matches!(
        fetch_model(&missing, true, &HttpOptions::default()),
        Err(RegistryError::NotFound { .. })
    ));
}

/// Regression test: with `HTTP_PROXY` a registry on this computer was asked through the proxy.
#[test]
fn a_registry_on_this_computer_is_asked_without_a_proxy() {
    let world = common::world::World::new(&serde_json::json!({}));
    let model = format!("{}/library/qwen2.5-coder:7b", world.mirror.host());
    let mut command = world.acolyte(&["estimate", "--insecure-registry", "--json", "--model", &model]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env(name, "http://127.0.0.1:9");
    }
    command.env_remove("NO_PROXY").env_remove("no_proxy");
    let output = common::process::output(command);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A bundle of a company, as people have it: what cannot be used is named, and the rest is used.
#[test]
fn entries_of_a_certificate_file_that_cannot_be_used_are_named() {
    let world = common::world::World::new(&serde_json::json!({}));
    let (good, key) = (include_str!("data/tls/authority.pem"), include_str!("data/tls/server.key"));
    let model = format!("{}/library/qwen2.5-coder:7b", world.mirror.host());
    let ask = |name: &str, bytes: &[u8]| {
        let file = world.path(name);
        std::fs::write(&file, bytes).unwrap();
        let file = file.to_str().unwrap();
        let arguments = ["estimate", "--insecure-registry", "--model", &model, "--ca", file];
        let output = world.run(&arguments);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = ask("bundle.pem", format!("\u{feff}{good}{key}").as_bytes());
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("1 of 2 entries is not used: entry 2: a private key"), "{said}");
    let (code, said) = ask("crlf.pem", format!("\u{feff}{}", good.replace('\n', "\r\n")).as_bytes());
    assert_eq!((code, said.contains("not used")), (Some(0), false), "{said}");
    let (code, said) = ask("key.pem", key.as_bytes());
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("holds a private key and no certificate"), "{said}");
}
