#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::text::Text;
use std::path::Path;

use super::*;
use crate::text::Language;

const BUILT_IN: &str = include_str!("../../../assets/profiles.yaml");

fn line_of(text: &str, words: &str) -> u64 {
    text.lines().position(|line| line.contains(words)).expect("the line is there") as u64 + 1
}

fn read(text: &str) -> Result<Profiles, ProfilesError> {
    Profiles::from_yaml(text, Path::new("my.yaml"), Catalogue::built_in())
}

/// The mistake found after replacing the first `old` by `new`: line, key, what.
fn mistake(old: &str, new: &str) -> (u64, String, Mistake) {
    assert!(BUILT_IN.contains(old), "{old} is not in the profiles");
    let text = BUILT_IN.replacen(old, new, 1);
    match read(&text) {
        Err(ProfilesError { line, key, mistake, path }) => {
            assert_eq!(path, Path::new("my.yaml"));
            (line, key.into(), mistake)
        }
        other => panic!("{new} was taken: {other:?}"),
    }
}

#[test]
fn the_built_in_profiles_are_valid_and_include_the_original_four() {
    let profiles = Profiles::built_in();
    for id in ["light_6gb", "hybrid_8gb", "basic_12gb", "standard_16gb", "premium_24gb"] {
        assert!(profiles.find(id).is_some(), "{id}");
    }
    let policy = &profiles.policy;
    assert_eq!(
        (policy.refused_below_vram_gb, policy.degraded_below_vram_gb, policy.recommended_from_vram_gb),
        (6, 12, 16)
    );
    assert_eq!((policy.slow_below_tokens_per_s, policy.slow_above_first_token_s), (10.0, 60.0));
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    let (line, key, what) = mistake("kv_cache_type: q8_0", "kv_cache_typ: q8_0");
    assert_eq!(
        (line, key.as_str(), what),
        (line_of(BUILT_IN, "    kv_cache_type: q8_0"), "kv_cache_typ", Mistake::UnknownKey)
    );
    let (_, key, what) = mistake("  vram_margin_mib:", "  vram_margin:");
    assert_eq!((key.as_str(), what), ("vram_margin", Mistake::UnknownKey));
}

#[test]
fn less_context_than_acolyte_needs_is_refused() {
    let (line, key, what) = mistake("context: 32768", "context: 32767");
    assert_eq!(line, line_of(BUILT_IN, "    context: 32768"));
    assert_eq!((key.as_str(), what), ("profiles.light_6gb.context", Mistake::ContextTooSmall(32_767)));
}

#[test]
fn a_wrong_value_lists_the_allowed_ones() {
    let (line, key, what) = mistake("kv_cache_type: f16", "kv_cache_type: q5_1");
    assert_eq!(line, line_of(BUILT_IN, "    kv_cache_type: f16"));
    assert_eq!(key, "profiles.premium_24gb_f16.kv_cache_type");
    assert_eq!(what, Mistake::Value { found: "q5_1".into(), allowed: "f16, q8_0, q4_0".to_owned() });

    for (old, new, key) in [
        ("min_vram_gb: 6", "min_vram_gb: 0", "profiles.light_6gb.min_vram_gb"),
        ("min_ram_gb: 8", "min_ram_gb: 5000", "profiles.light_6gb.min_ram_gb"),
        ("min_ram_gb: 8", "min_ram_gb: 8\n    num_gpu: all", "profiles.light_6gb.num_gpu"),
        ("min_ram_gb: 8", "min_ram_gb: 8\n    num_gpu: 0", "profiles.light_6gb.num_gpu"),
        ("min_ram_gb: 8", "min_ram_gb: 8\n    num_batch: 7", "profiles.light_6gb.num_batch"),
        ("schema: 1", "schema: 2", "schema"),
        ("id: light_6gb", "id: Light 6", "profiles.id"),
        ("premium_from_vram_gb: 24", "premium_from_vram_gb: 4", "policy.premium_from_vram_gb"),
        ("slow_below_tokens_per_s: 10", "slow_below_tokens_per_s: .nan", "policy.slow_below_tokens_per_s"),
        ("assumed_unified_share: 0.66", "assumed_unified_share: 1.5", "policy.assumed_unified_share"),
    ] {
        let (line, found, what) = mistake(old, new);
        assert_eq!(found, key);
        assert!(matches!(what, Mistake::Value { .. }), "{new}: {what:?}");
        assert!(line >= line_of(BUILT_IN, old), "{new}: line {line}");
    }
}

#[test]
fn the_same_profile_twice_is_refused() {
    let (line, key, what) = mistake("- id: hybrid_8gb\n", "- id: light_6gb\n");
    assert_eq!(
        (line, key.as_str(), what),
        (line_of(BUILT_IN, "- id: hybrid_8gb"), "profiles.light_6gb", Mistake::Twice)
    );
    let (_, key, what) = mistake("schema: 1\n", "schema: 1\nschema: 1\n");
    assert_eq!((key.as_str(), what), ("schema", Mistake::Twice));
}

#[test]
fn a_missing_key_is_named() {
    let (line, key, what) = mistake("    context: 32768\n", "");
    assert_eq!((key.as_str(), what), ("context", Mistake::MissingKey));
    assert!(line >= line_of(BUILT_IN, "- id: light_6gb"), "{line}");
}

#[test]
fn a_model_must_be_known_and_support_the_context() {
    let (_, key, what) = mistake("model: qwen2.5-coder:3b", "model: qwen2.5 coder:3b");
    assert_eq!(
        (key.as_str(), what),
        ("profiles.light_6gb.model", Mistake::TagForm("qwen2.5 coder:3b".into()))
    );
    // The proposal's own tag, which was never published.
    let (line, key, what) = mistake("model: qwen2.5-coder:7b", "model: acme/unheard-of:7b");
    assert_eq!(line, line_of(BUILT_IN, "model: qwen2.5-coder:7b"));
    assert_eq!(
        (key.as_str(), what),
        ("hybrid_8gb.model", Mistake::UnknownModel(ModelTag::parse("acme/unheard-of:7b").unwrap()))
    );
    let (_, _, what) = mistake("model: qwen3.5:9b", "model: qwen2.5-coder:7b");
    assert_eq!(what, Mistake::ContextNotSupported { wanted: 65_536, supported: 32_768 });
}

#[test]
fn invalid_yaml_is_an_error() {
    for text in ["", "{", "a: [", "- - -", "schema: 1", "\u{0}", "&a [*a, *a]", "schema: {}\nprofiles: 3"] {
        assert!(read(text).is_err(), "{text:?}");
    }
}

#[test]
fn a_mistake_is_explained_with_file_line_and_key_in_both_languages() {
    let text = BUILT_IN.replacen("context: 32768", "context: 4096", 1);
    let error = read(&text).unwrap_err();
    let line = line_of(BUILT_IN, "    context: 32768").to_string();
    for language in Language::ALL {
        let message = error.explain(Text::new(language));
        for part in ["my.yaml", line.as_str(), "profiles.light_6gb.context"] {
            assert!(message.contains(part), "{message}");
        }
    }
}
