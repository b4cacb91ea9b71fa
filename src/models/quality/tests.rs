#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::models::{Catalogue, ModelName};

fn quality(tag: &str, kv: KvCacheType) -> Option<Quality> {
    let model = Catalogue::built_in().find(tag).expect(tag);
    Ratings::built_in().quality(&model, kv)
}

fn stars(tag: &str) -> Option<u8> {
    quality(tag, KvCacheType::Q8_0).map(|quality| quality.stars)
}

#[test]
fn the_built_in_scores_result_in_the_expected_stars() {
    for (tag, expected) in [
        ("qwen2.5-coder:0.5b", 1),
        ("qwen2.5-coder:1.5b", 1),
        ("qwen2.5-coder:3b", 1),
        ("qwen2.5-coder:7b", 2),
        ("qwen2.5-coder:14b", 2),
        ("qwen2.5-coder:32b", 3),
        ("qwen3-coder:30b", 2),
        ("qwen3.5:4b", 3),
        ("qwen3.5:9b", 3),
        ("gpt-oss:20b", 3),
        ("gemma4:12b", 3),
        ("gemma4:31b", 4),
        ("qwen3.6:27b", 5),
        ("qwen3.6:35b", 5),
        ("qwen3.8:27b", 4),
        ("devstral-small-2:24b", 3),
        ("nemotron-3.5-lightning:30b", 2),
    ] {
        assert_eq!(stars(tag), Some(expected), "{tag}");
    }
}

#[test]
fn a_model_without_scores_is_not_rated() {
    for tag in ["granite4.2:8b", "ministral-3:8b", "north-mini-code-1.0", "llama3.1:8b", "gemma2:9b"] {
        assert_eq!(stars(tag), None, "{tag}");
    }
    // A fine-tune is a different model than its base.
    let base = Catalogue::built_in().find("qwen2.5-coder:7b").unwrap();
    let tuned = Model { name: ModelName::of("someone/qwen2.5-coder-uncensored:7b"), ..(*base).clone() };
    assert_eq!(Ratings::built_in().quality(&tuned, KvCacheType::F16), None);
}

#[test]
fn other_quantisations_and_builds_of_a_model_share_its_scores() {
    for tag in [
        "qwen2.5-coder:7b-instruct-q8_0",
        "qwen2.5-coder:7b-instruct-fp16",
        "hf.co/unsloth/Qwen2.5-Coder-7B-Instruct-128K-GGUF:F16",
    ] {
        assert_eq!(stars(tag), stars("qwen2.5-coder:7b"), "{tag}");
    }
    assert_eq!(stars("gemma4:12b-it-qat"), stars("gemma4:12b"));
}

#[test]
fn a_vendors_own_scores_count_less_and_never_result_in_five_stars() {
    let text = |evaluator: &str, score: u32| {
        format!(
            "rule:\n  weights: {{independent: 3, other_maker: 1, maker: 1}}\n  maker_factor: 0.8\n  maker_only: \
             {{stars_less: 0.5, most_stars: 4}}\n  similarity: []\nbenchmarks:\n  - {{name: B, weight: 1, most: 100, \
             stars_at: [10, 20, 30, 40, 50]}}\nlosses: []\ntool_calls: []\nmodels:\n  - {{model: M, names: \
             [\"qwen2.5-coder:7b\"], scores: [{{benchmark: B, score: {score}, evaluator: {evaluator}, date: \"2026\", \
             setting: none, source: none}}]}}\n"
        )
    };
    let model = Catalogue::built_in().find("qwen2.5-coder:7b").unwrap();
    let rated = |evaluator: &str, score: u32| {
        let ratings = Ratings::from_yaml(&text(evaluator, score), Path::new("mine.yaml")).unwrap();
        let quality = ratings.quality(&model, KvCacheType::F16).unwrap();
        (quality.stars, quality.is_maker_only)
    };
    assert_eq!(rated("independent", 50), (5, false));
    assert_eq!(rated("other_maker", 50), (5, false));
    // 50 counts as 40, which is worth 4, less half a star, rounded: 4 (3.5). 40 counts as 32: 3.2, less half: 3.
    assert_eq!(rated("maker", 50), (4, true));
    assert_eq!(rated("maker", 40), (3, true));
    assert_eq!(rated("maker", 100), (4, true));
    assert_eq!((rated("independent", 0).0, rated("independent", 24).0), (1, 2));

    let wrong = |text: String| Ratings::from_yaml(&text, Path::new("mine.yaml")).unwrap_err().to_string();
    let too_high = wrong(text("independent", 101));
    assert!(too_high.contains("mine.yaml") && too_high.contains("M:"), "{too_high}");
    assert!(wrong(text("nobody", 1)).contains("mine.yaml"));
    assert!(wrong(text("maker", 1).replace("20, 30", "30, 20")).contains("ascend"));
    assert!(wrong(text("maker", 1).replace("benchmark: B", "benchmark: C")).contains("not listed"));
}

#[test]
fn a_measured_loss_by_quantisation_lowers_the_rating() {
    let model = |tag: &str| Catalogue::built_in().find(tag).expect(tag);
    let ratings = Ratings::built_in();
    let ruined = |tag: &str, kv| ratings.unusable_with(&model(tag), kv).is_some();
    // With a q4_0 cache, Qwen2.5's output is 8 % similar; Qwen3.5 and 3.6 lose nothing.
    assert!(ruined("qwen2.5-coder:14b", KvCacheType::Q4_0));
    assert!(!ruined("qwen2.5-coder:14b", KvCacheType::Q8_0));
    assert!(!ruined("qwen3.6:35b", KvCacheType::Q4_0));
    assert!(!ruined("gpt-oss:20b", KvCacheType::Q4_0), "not measured");
    let of = |tag: &str, kv| quality(tag, kv).unwrap();
    assert_eq!((of("qwen2.5-coder:32b", KvCacheType::Q4_0).stars, stars("qwen2.5-coder:32b")), (1, Some(3)));
    assert_eq!(of("qwen3.6:35b", KvCacheType::Q4_0).stars, 5);
    assert_eq!(of("qwen3.6:35b", KvCacheType::Q4_0).losses.len(), 1, "the measurement is part of the basis");
    assert_eq!(of("qwen2.5-coder:32b-instruct-q2_K", KvCacheType::F16).stars, 2);
    assert_eq!(of("qwen2.5-coder:32b-instruct-q4_K_M", KvCacheType::F16).stars, 3);
}

#[test]
fn every_score_has_date_conditions_and_source_and_they_are_sorted_by_weight() {
    let ratings = Ratings::built_in();
    for rated in &ratings.models {
        for score in &rated.scores {
            assert!(score.date.starts_with("20"), "{}: {score:?}", rated.model);
            assert!(!score.setting.is_empty() && !score.source.is_empty(), "{}: {score:?}", rated.model);
        }
    }
    let quality = quality("qwen3.6:35b", KvCacheType::Q8_0).unwrap();
    assert_eq!((quality.basis[0].evaluator, quality.basis[0].most), (Evaluator::Independent, 100.0));
    assert_eq!(quality.basis.last().unwrap().evaluator, Evaluator::Maker);
    assert!(!quality.is_maker_only);
}

#[test]
fn broken_tool_calls_are_known() {
    let trouble = |tag: &str| {
        let model = Catalogue::built_in().find(tag).expect(tag);
        Ratings::built_in().tool_call_failures(&model).map(|trouble| (trouble.worked, trouble.of))
    };
    assert_eq!(trouble("qwen3-coder:30b"), Some((16, 32)));
    assert_eq!(trouble("qwen3-coder:30b-a3b-q8_0"), Some((16, 32)));
    assert_eq!((trouble("qwen3-coder-next:q4_K_M"), trouble("qwen3:30b-a3b")), (None, None));
}
