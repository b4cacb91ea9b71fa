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
