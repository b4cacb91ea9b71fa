//! The catalogue compared with published figures of its models: parameters printed by Ollama, file sizes, and cache
//! sizes logged by engines.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use acolyte::models::{Catalogue, EngineVersion, KvCacheType, Model};
use acolyte::ollama::release::Release;

fn model(tag: &str) -> std::sync::Arc<Model> {
    Catalogue::built_in().find(tag).unwrap_or_else(|| panic!("{tag}"))
}

/// Weights in the matrices of the language model; a tied token embedding counts once.
fn parameters(model: &Model) -> u64 {
    let architecture = &model.architecture;
    let embedding = if architecture.tied_embeddings { 0 } else { architecture.output_parameters };
    let blocks: u64 = architecture.blocks.iter().map(|block| block.parameters).sum();
    blocks + architecture.output_parameters + embedding
}

#[test]
fn parameters_agree_with_ollamas() {
    for (tag, printed) in [
        ("qwen3.5:4b", 4_205_576_192_u64),
        ("ornith-1.5:9b", 8_953_528_320),
        ("qwen3.8:27b", 26_895_319_040),
        ("qwen3.6:35b", 34_660_433_920),
        ("qwen3-coder-next:q4_K_M", 79_674_391_296),
        ("laguna-xs-2.1", 33_437_515_776),
        ("north-mini-code-1.0", 30_484_201_472),
        ("muse-glimmer:30b", 27_854_088_704),
        ("gemma4:12b", 11_906_580_480),
        ("gemma4:26b", 25_232_441_344),
        ("gemma4:31b", 30_696_013_824),
        ("glm-4.7-flash", 29_943_136_256),
        ("nemotron-3.5-lightning:30b", 31_577_696_256),
        ("granite4.2:8b", 8_791_592_960),
    ] {
        let computed = parameters(&model(tag));
        // Norms, routers and biases are not counted.
        let share = computed.abs_diff(printed) as f64 / printed as f64;
        assert!(share < 0.001, "{tag}: {computed}, {printed}");
    }
}

#[test]
fn the_cache_per_token_agrees_with_engine_logs() {
    for (tag, bytes) in [
        ("qwen3.5:9b", 32_768_u64),
        ("qwen3.8:27b", 65_536),
        ("qwen3.6:35b", 20_480),
        ("qwen3-coder-next:q4_K_M", 24_576),
        ("laguna-xs-2.1", 40_960),
        ("north-mini-code-1.0", 26_624),
        ("muse-glimmer:30b", 13_312),
        ("gemma4:12b", 16_384),
        ("gemma4:26b", 20_480),
        ("gemma4:31b", 81_920),
        ("glm-4.7-flash", 54_144),
        ("nemotron-3.5-lightning:30b", 6_144),
        ("granite4.2:8b", 163_840),
    ] {
        let model = model(tag);
        let cache = |tokens: u32| -> u64 {
            let blocks = model.architecture.blocks.iter();
            blocks.map(|block| block.cache.bytes(tokens, 512, KvCacheType::F16)).sum()
        };
        assert_eq!((cache(65_536) - cache(32_768)) / 32_768, bytes, "{tag}");
    }
}

#[test]
fn a_download_is_little_more_than_its_tensors_and_encoder() {
    for model in &Catalogue::built_in().models {
        let draft = model.prediction_heads.map_or(0, |heads| heads.weights_bytes);
        let known = model.architecture.file_tensor_bytes() + model.image_encoder_bytes + draft;
        let (known, download) = (known as f64, model.download_bytes as f64);
        // The rest: the vocabulary, prediction heads, and rounding.
        assert!(
            known > download * 0.94 && known < download * 1.005,
            "{}: {known}, {download}",
            model.name.as_str()
        );
    }
    // If the file contains nothing else, the difference is the vocabulary.
    for (tag, vocabulary) in
        [("laguna-xs-2.1", 3_449_003), ("north-mini-code-1.0", 10_038_176), ("granite4.2:8b", 3_583_645)]
    {
        let model = model(tag);
        assert_eq!(model.download_bytes - model.architecture.file_tensor_bytes(), vocabulary, "{tag}");
    }
}

#[test]
fn every_model_can_be_installed() {
    let models = &Catalogue::built_in().models;
    assert!(models.len() >= 25, "{}", models.len());
    let pinned: EngineVersion = Release::built_in().version.parse().unwrap();
    for model in models {
        assert!(model.minimum_engine.is_none_or(|minimum| minimum <= pinned), "{}", model.name.as_str());
        assert!(model.architecture.is_known, "{}", model.name.as_str());
        assert!(!model.licence.name.as_str().is_empty(), "{}", model.name.as_str());
    }
    let draft = |tag: &str| model(tag).prediction_heads.map(|heads| heads.default_tokens);
    assert_eq!((draft("qwen3.8:27b"), draft("qwen3.6:27b")), (Some(4), Some(0)));
    assert_eq!(draft("qwen3-coder:30b"), None);
}
