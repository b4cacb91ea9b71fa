//! Models read from file headers: the same figures as from the catalogue, and no harm from hostile bytes.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::sync::Arc;

use acolyte::machine::{Gpu, GpuKind, Hardware, MainMemory};
use acolyte::models::gguf::{Header, HeaderDamage, HeaderError, MergedFile, SplitError, TensorProblem};
use acolyte::models::{Cache, Catalogue, KvCacheType, Model, ModelName, NotAModel, TensorType};
use acolyte::plan::{Layers, Plan, Profiles, Reason, custom_candidate, make_plan};
use proptest::prelude::*;

/// Writes a GGUF header, version 3.
#[derive(Default)]
struct Writer {
    metadata: Vec<u8>,
    entries: u64,
    tensors: Vec<u8>,
    tensor_count: u64,
}

const F32: u32 = 0;
const Q4_K: u32 = 12;
const Q6_K: u32 = 14;

impl Writer {
    fn text(to: &mut Vec<u8>, text: &str) {
        to.extend((text.len() as u64).to_le_bytes());
        to.extend(text.as_bytes());
    }

    fn key(&mut self, key: &str, kind: u32) {
        Self::text(&mut self.metadata, key);
        self.metadata.extend(kind.to_le_bytes());
        self.entries += 1;
    }

    fn string(mut self, key: &str, value: &str) -> Self {
        self.key(key, 8);
        Self::text(&mut self.metadata, value);
        self
    }

    fn number(mut self, key: &str, value: u32) -> Self {
        self.key(key, 4);
        self.metadata.extend(value.to_le_bytes());
        self
    }

    fn numbers(mut self, key: &str, kind: u32, values: &[u32]) -> Self {
        self.key(key, 9);
        self.metadata.extend(kind.to_le_bytes());
        self.metadata.extend((values.len() as u64).to_le_bytes());
        for value in values {
            if kind == 7 {
                self.metadata.push(u8::try_from(*value).unwrap());
            } else {
                self.metadata.extend(value.to_le_bytes());
            }
        }
        self
    }

    fn strings(mut self, key: &str, count: u64) -> Self {
        self.key(key, 9);
        self.metadata.extend(8_u32.to_le_bytes());
        self.metadata.extend(count.to_le_bytes());
        for i in 0..count {
            Self::text(&mut self.metadata, &format!("token {i}"));
        }
        self
    }

    fn tensor(mut self, name: &str, kind: u32, dimensions: &[u64]) -> Self {
        Self::text(&mut self.tensors, name);
        self.tensors.extend(u32::try_from(dimensions.len()).unwrap().to_le_bytes());
        for dimension in dimensions {
            self.tensors.extend(dimension.to_le_bytes());
        }
        self.tensors.extend(kind.to_le_bytes());
        self.tensors.extend(0_u64.to_le_bytes());
        self.tensor_count += 1;
        self
    }

    fn bytes(self) -> Vec<u8> {
        let mut all = b"GGUF".to_vec();
        all.extend(3_u32.to_le_bytes());
        all.extend(self.tensor_count.to_le_bytes());
        all.extend(self.entries.to_le_bytes());
        all.extend(self.metadata);
        all.extend(self.tensors);
        all
    }
}

/// The header of Qwen2.5-Coder 7B in Q4_K_M as written by llama.cpp's quantize.
fn qwen_7b() -> Writer {
    let mut writer = Writer::default()
        .string("general.architecture", "qwen2")
        .string("general.name", "Qwen2.5 Coder 7B Instruct")
        .string("general.license", "apache-2.0")
        .number("general.file_type", 15)
        .number("qwen2.block_count", 28)
        .number("qwen2.context_length", 32_768)
        .number("qwen2.embedding_length", 3584)
        .number("qwen2.feed_forward_length", 18_944)
        .number("qwen2.attention.head_count", 28)
        .number("qwen2.attention.head_count_kv", 4)
        .strings("tokenizer.ggml.tokens", 5000)
        .tensor("token_embd.weight", Q4_K, &[3584, 152_064])
        .tensor("output.weight", Q6_K, &[3584, 152_064])
        .tensor("output_norm.weight", F32, &[3584]);
    for i in 0..28_u32 {
        let more = !(3..24).contains(&i) || (i - 3) % 3 == 2;
        let high = if more { Q6_K } else { Q4_K };
        for (name, kind, dimensions) in [
            ("attn_norm.weight", F32, &[3584][..]),
            ("ffn_norm.weight", F32, &[3584]),
            ("attn_q.weight", Q4_K, &[3584, 3584]),
            ("attn_q.bias", F32, &[3584]),
            ("attn_k.weight", Q4_K, &[3584, 512]),
            ("attn_k.bias", F32, &[512]),
            ("attn_v.weight", high, &[3584, 512]),
            ("attn_v.bias", F32, &[512]),
            ("attn_output.weight", Q4_K, &[3584, 3584]),
            ("ffn_gate.weight", Q4_K, &[3584, 18_944]),
            ("ffn_up.weight", Q4_K, &[3584, 18_944]),
            ("ffn_down.weight", high, &[18_944, 3584]),
        ] {
            writer = writer.tensor(&format!("blk.{i}.{name}"), kind, dimensions);
        }
    }
    writer
}

fn model(writer: Writer) -> Model {
    Model::from_gguf(&Header::parse(&writer.bytes()).unwrap(), file(), 0).unwrap()
}

#[test]
fn a_header_results_in_the_catalogues_figures() {
    let read = model(qwen_7b());
    let known = Catalogue::built_in().find("qwen2.5-coder:7b").unwrap();
    assert_eq!(read.architecture, known.architecture);
    assert_eq!(read.total_layers(), 29);
    assert_eq!(read.trained_context_tokens, 32_768);
    assert_eq!(read.quantisation.name(), "Q4_K_M");
    assert_eq!((read.title.as_str(), read.licence.commercial), ("Qwen2.5 Coder 7B Instruct", Some(true)));
}

#[test]
fn block_caches_follow_their_kind() {
    let base = |family: &str, blocks: u32| {
        Writer::default()
            .string("general.architecture", family)
            .number(&format!("{family}.block_count"), blocks)
            .number(&format!("{family}.context_length"), 131_072)
            .number(&format!("{family}.embedding_length"), 256)
            .number(&format!("{family}.feed_forward_length"), 512)
            .number(&format!("{family}.attention.head_count"), 4)
            .tensor("token_embd.weight", Q4_K, &[256, 1000])
    };
    let with_k = |mut writer: Writer, blocks: std::ops::Range<u32>| {
        for i in blocks {
            writer = writer.tensor(&format!("blk.{i}.attn_k.weight"), Q4_K, &[256, 64]);
        }
        writer
    };
    let windows = |model: &Model| {
        let of = |cache| match cache {
            Cache::Attention { window, .. } => window,
            other => panic!("{other:?}"),
        };
        model.architecture.blocks.iter().map(|b| of(b.cache)).collect::<Vec<_>>()
    };

    // Gemma 3: five blocks attend to 512 tokens, the sixth to all; not stated in the file.
    let gemma = base("gemma3", 7)
        .number("gemma3.attention.head_count_kv", 1)
        .number("gemma3.attention.sliding_window", 512);
    let w = Some(512);
    assert_eq!(windows(&model(with_k(gemma, 0..7))), [w, w, w, w, w, None, w]);

    // Heads may differ by block.
    let patterned = base("laguna", 3)
        .numbers("laguna.attention.head_count_kv", 4, &[1, 2, 4])
        .number("laguna.attention.sliding_window", 100)
        .numbers("laguna.attention.sliding_window_pattern", 7, &[0, 1, 1]);
    let patterned = model(with_k(patterned, 0..3));
    assert_eq!(windows(&patterned), [None, Some(100), Some(100)]);
    let k = |i: usize| match patterned.architecture.blocks[i].cache {
        Cache::Attention { k_values, .. } => k_values,
        other => panic!("{other:?}"),
    };
    assert_eq!((k(0), k(1), k(2)), (64, 128, 256));

    // Gated delta nets keep a state; the block that attends keeps keys and values.
    let hybrid = base("qwen35", 2)
        .number("qwen35.attention.head_count_kv", 2)
        .number("qwen35.attention.key_length", 256)
        .number("qwen35.attention.value_length", 256)
        .number("qwen35.ssm.conv_kernel", 4)
        .number("qwen35.ssm.state_size", 128)
        .number("qwen35.ssm.group_count", 16)
        .number("qwen35.ssm.inner_size", 4096)
        .tensor("blk.0.ssm_out.weight", Q4_K, &[4096, 256])
        .tensor("blk.0.attn_qkv.weight", Q4_K, &[256, 8192])
        .tensor("blk.1.attn_k.weight", Q4_K, &[256, 512]);
    let hybrid = model(hybrid);
    // The engine logs 50.25 MiB over 24 blocks for Qwen3.5 9B.
    assert_eq!(
        hybrid.architecture.blocks[0].cache,
        Cache::Recurrent { bytes: 50 * 1024 * 1024 / 24 + 10_923 }
    );
    assert_eq!(
        hybrid.architecture.blocks[1].cache,
        Cache::Attention { k_values: 512, v_values: 512, window: None }
    );

    // Experts: one of four is read for a token.
    let mixture = base("qwen3moe", 1)
        .number("qwen3moe.attention.head_count_kv", 1)
        .number("qwen3moe.expert_count", 4)
        .number("qwen3moe.expert_used_count", 1)
        .number("qwen3moe.expert_feed_forward_length", 256)
        .tensor("blk.0.ffn_up_exps.weight", Q4_K, &[256, 256, 4]);
    let mixture = model(with_k(mixture, 0..1));
    let block = mixture.architecture.blocks[0];
    assert_eq!(block.expert_bytes, 4 * 256 * 144);
    assert_eq!(block.active_bytes(mixture.architecture.experts), (64 + 256) as f64 * 144.0);
}

/// The engine follows a list of windows in the files of some architectures, and ignores it in others.
#[test]
fn a_list_of_windows_counts_where_the_engine_follows_it() {
    let windows =
        |family: &str| {
            let file = attending(family, 5)
                .number(&format!("{family}.attention.sliding_window"), 512)
                .numbers(&format!("{family}.attention.sliding_window_pattern"), 7, &[0, 0, 1, 1, 1]);
            let of = |cache| matches!(cache, Cache::Attention { window: Some(512), .. });
            model(file).architecture.blocks.iter().map(|block| of(block.cache)).collect::<Vec<_>>()
        };
    for family in ["cohere2moe", "mellum", "muse-glimmer", "gemma4"] {
        assert_eq!(windows(family), [false, false, true, true, true], "{family}");
    }
    assert_eq!(windows("laguna"), [false, true, true, true, false]);
    assert_eq!(windows("olmo3"), [true, true, true, false, true]);
    assert_eq!(windows("gemma3"), [true; 5]);
}

/// Ollama's own names for what llama.cpp loads under another one, and the encoders in their files.
#[test]
fn files_with_ollamas_own_names_are_known() {
    for family in ["qwen25vl", "glmocr", "deepseekocr", "nemotron_h_omni", "glm4moelite"] {
        let plain = model(attending(family, 2));
        assert!(plain.architecture.is_known, "{family}");
        let seeing = attending(family, 2).tensor("s.patch_embed.weight", Q4_K, &[2048, 256]);
        let seeing = model(seeing.tensor("v.blk.0.attn_q.weight", Q4_K, &[2048, 256]));
        assert_eq!(seeing.image_encoder_bytes, 2 * 2048 * 256 / 256 * 144, "{family}");
        assert_eq!(seeing.architecture, plain.architecture, "{family}: not part of the language model");
    }
    let unknown = model(attending("unheard-of", 2));
    assert!(!unknown.architecture.is_known);
}

/// A header of `blocks` blocks of attention with 8 key heads of 128 values.
fn attending(family: &str, blocks: u32) -> Writer {
    let mut writer = Writer::default()
        .string("general.architecture", family)
        .number(&format!("{family}.block_count"), blocks)
        .number(&format!("{family}.context_length"), 262_144)
        .number(&format!("{family}.embedding_length"), 2048)
        .number(&format!("{family}.attention.head_count"), 64)
        .number(&format!("{family}.attention.head_count_kv"), 8)
        .number(&format!("{family}.attention.key_length"), 128)
        .number(&format!("{family}.attention.value_length"), 128)
        .tensor("token_embd.weight", Q4_K, &[2048, 1000]);
    for i in 0..blocks {
        writer = writer.tensor(&format!("blk.{i}.attn_k.weight"), Q4_K, &[2048, 1024]);
    }
    writer
}

/// The cache of 32,768 tokens in q8_0, in MiB.
fn cache_mib(model: &Model) -> f64 {
    let blocks = model.architecture.blocks.iter();
    let bytes: u64 = blocks.map(|block| block.cache.bytes(32_768, 512, KvCacheType::Q8_0)).sum();
    bytes as f64 / f64::from(1 << 20)
}

#[test]
fn windows_hard_coded_in_the_engine_are_included() {
    let read =
        |writer: Writer| Model::from_gguf(&Header::parse(&writer.bytes()).unwrap(), file(), 0).unwrap();
    // Laguna XS 2.1 as published, without `sliding_window_pattern`: 744 MiB in its report, not 2,720.
    let laguna = read(attending("laguna", 40).number("laguna.attention.sliding_window", 512));
    assert!((cache_mib(&laguna) - 743.75).abs() < 0.01, "{}", cache_mib(&laguna));
    assert!(laguna.architecture.is_known);
    let full = |model: &Model| -> Vec<usize> {
        let blocks = model.architecture.blocks.iter().enumerate();
        blocks
            .filter(|(_, b)| matches!(b.cache, Cache::Attention { window: None, .. }))
            .map(|(i, _)| i)
            .collect()
    };
    assert_eq!(full(&laguna), [0, 4, 8, 12, 16, 20, 24, 28, 32, 36]);
    // A laguna without windows has none.
    assert_eq!(full(&read(attending("laguna", 3))), [0, 1, 2]);
    // Chunks of 8,192 tokens, which are not stated in the file.
    let llama4 = read(attending("llama4", 8));
    assert_eq!(full(&llama4), [3, 7]);
    assert_eq!(
        llama4.architecture.blocks[0].cache,
        Cache::Attention { k_values: 1024, v_values: 1024, window: Some(8192) }
    );
    let north = read(attending("cohere2moe", 9).number("cohere2moe.attention.sliding_window", 4096));
    assert_eq!(full(&north), [0, 4, 8]);
    let muse = read(attending("muse-glimmer", 8).number("muse-glimmer.attention.sliding_window", 2048));
    assert_eq!(full(&muse), [3, 7]);
    // The file's period takes precedence; the phase is the engine's.
    let period = attending("laguna", 6)
        .number("laguna.attention.sliding_window", 512)
        .number("laguna.attention.sliding_window_pattern", 3);
    assert_eq!(full(&read(period)), [0, 3]);
    // The engine ignores the window of an architecture that has none.
    assert_eq!(full(&read(attending("qwen2", 3).number("qwen2.attention.sliding_window", 512))), [0, 1, 2]);
    // From block 20 on, Gemma 3n has no cache of its own.
    let shared = read(attending("gemma3n", 25).number("gemma3n.attention.sliding_window", 512));
    assert_eq!(
        shared.architecture.blocks[19].cache,
        Cache::Attention { k_values: 1024, v_values: 1024, window: None }
    );
    assert_eq!(shared.architecture.blocks[20].cache, Cache::Shared);
}

/// The plan for 32,768 tokens in q8_0 with as many layers on a 10 GB card as fit.
fn planned(model: Model) -> Plan {
    let memory =
        MainMemory { total_bytes: 32 << 30, available_bytes: Some(28 << 30), bandwidth_gb_s: Some(60.0) };
    let card = Gpu::named("NVIDIA GeForce RTX 3080", GpuKind::Discrete, Some(10 << 30));
    let card = Gpu { vram_free_bytes: Some(9100 << 20), ..card };
    let policy = &Profiles::built_in().policy;
    let candidate = custom_candidate(Arc::new(model), KvCacheType::Q8_0, 32_768, Layers::Fit, policy);
    make_plan(&candidate, &Hardware::with(memory, vec![card]), policy)
}

/// A file of 40 blocks of 180 MiB, which states the size of its window but not which blocks have one, as converted by others
/// than Ollama.
#[test]
fn all_layers_of_laguna_are_planned_where_its_windows_let_them_fit() {
    let file = |family: &str| {
        let mut writer = attending(family, 40).number(&format!("{family}.attention.sliding_window"), 512);
        for i in 0..40 {
            writer = writer.tensor(&format!("blk.{i}.ffn_down.weight"), Q4_K, &[2048, 163_000]);
        }
        model(writer)
    };
    let laguna = file("laguna");
    let known = Catalogue::built_in().find("laguna-xs-2.1").unwrap();
    assert!((cache_mib(&laguna) - 743.75).abs() < 0.01 && (cache_mib(&known) - 743.75).abs() < 0.01);
    let plan = planned(laguna);
    assert_eq!((plan.gpu_layers(), plan.total_layers), (41, 41));
    let is_unknown =
        |plan: &Plan| plan.reasons.iter().any(|reason| matches!(reason, Reason::ArchitectureUnknown { .. }));
    assert!(!is_unknown(&plan), "{:?}", plan.reasons);

    // Without the engine's pattern every block would keep the whole context.
    let unknown = planned(file("laguna9"));
    assert_eq!(unknown.gpu_layers(), 33);
    assert!(is_unknown(&unknown), "{:?}", unknown.reasons);
}

#[test]
fn an_unknown_architecture_is_flagged() {
    let read =
        |writer: Writer| Model::from_gguf(&Header::parse(&writer.bytes()).unwrap(), file(), 0).unwrap();
    let unknown = read(attending("laguna9", 40).number("laguna9.attention.sliding_window", 512));
    assert!(!unknown.architecture.is_known);
    assert!((cache_mib(&unknown) - 2720.0).abs() < 0.01, "the most that it can take");
    // Gemma 4 lists its windows in the file; without the list they are unknown.
    let gemma = || attending("gemma4", 3).number("gemma4.attention.sliding_window", 1024);
    assert!(!read(gemma()).architecture.is_known);
    let listed = read(gemma().numbers("gemma4.attention.sliding_window_pattern", 7, &[1, 1, 0]));
    assert!(listed.architecture.is_known);
    assert!(cache_mib(&listed) < cache_mib(&read(gemma())));
}

#[test]
fn image_encoders_and_prediction_heads_are_recognised_and_not_part_of_the_language_model() {
    let read =
        |writer: Writer| Model::from_gguf(&Header::parse(&writer.bytes()).unwrap(), file(), 0).unwrap();
    let plain = read(attending("qwen3", 2));
    let more = attending("qwen3", 2)
        .tensor("v.blk.0.attn_q.weight", F32, &[100, 10])
        .tensor("mm.0.weight", F32, &[100])
        .tensor("mtp.layers.0.eh_proj.weight", F32, &[100, 10]);
    let more = read(more);
    assert_eq!((plain.image_encoder_bytes, plain.prediction_heads), (0, None));
    assert_eq!(more.image_encoder_bytes, 4 * 1100);
    assert_eq!(more.prediction_heads.map(|heads| heads.default_tokens), Some(0));
    assert_eq!(plain.architecture, more.architecture);

    // A head as the last block: its weights are its own, and it attends like the other blocks.
    let last = attending("qwen35", 3).number("qwen35.nextn_predict_layers", 1).tensor(
        "blk.2.nextn.eh_proj.weight",
        F32,
        &[100, 10],
    );
    let heads = read(last).prediction_heads.unwrap();
    assert_eq!((heads.default_tokens, heads.kv_values), (0, 2 * 8 * 128));
    let k_bytes = 2048 * 1024 / 256 * 144;
    assert_eq!(heads.weights_bytes, k_bytes + 4 * 1000);
}

#[test]
fn a_file_that_is_not_a_model_is_refused_with_a_reason() {
    let refused =
        |writer: Writer| Model::from_gguf(&Header::parse(&writer.bytes()).unwrap(), file(), 0).unwrap_err();
    assert_eq!(refused(Writer::default()), NotAModel::Missing("general.architecture".into()));
    let projector = Writer::default().string("general.architecture", "clip");
    assert_eq!(refused(projector), NotAModel::Encoder);
    for (kind, refusal) in [
        ("mmproj", NotAModel::Encoder),
        ("adapter", NotAModel::Adapter),
        ("imatrix", NotAModel::ImportanceMatrix),
    ] {
        assert_eq!(refused(qwen_7b().string("general.type", kind)), refusal);
    }
    let embedding = Writer::default().string("general.architecture", "nomic-bert");
    assert_eq!(refused(embedding), NotAModel::OtherKind("nomic-bert".into()));
    assert_eq!(refused(qwen_7b().number("split.count", 3)), NotAModel::Split(3));
    let wide =
        Writer::default().string("general.architecture", "llama").number("llama.embedding_length", 1 << 30);
    assert!(matches!(refused(wide), NotAModel::Impossible { .. }));
    let header = Header::parse(&qwen_7b().bytes()).unwrap();
    assert!(matches!(Model::from_gguf(&header, file(), 1000), Err(NotAModel::LargerThanItsFile { .. })));
}

/// One of the parts of a model, with one tensor of `values` values.
fn part(number: u32, of: u32, name: &str, values: u64) -> Writer {
    let first = if number == 0 { qwen_metadata() } else { Writer::default() };
    let writer = first.number("split.no", number).number("split.count", of).number("split.tensors.count", 2);
    let writer =
        if number == 0 { writer.string("general.name", "after the keys of the parts") } else { writer };
    writer.tensor(name, F32, &[values])
}

fn qwen_metadata() -> Writer {
    Writer::default().string("general.architecture", "qwen2").number("general.alignment", 64)
}

#[test]
fn merged_parts_have_every_tensor_at_its_place_and_no_key_of_the_parts() {
    let bytes = [part(0, 2, "a", 3).bytes(), part(1, 2, "b", 5).bytes()];
    let headers: Vec<Header> = bytes.iter().map(|part| Header::parse(part).unwrap()).collect();
    assert_eq!((headers[0].data_start() % 64, headers[1].data_start() % 32), (0, 0));
    assert_eq!(headers[0].file_bytes(), headers[0].data_start() + 12);
    let merged = MergedFile::new(&headers, &bytes[0]).unwrap();
    let header = Header::parse(&merged.header).unwrap();
    assert_eq!(header.text("general.name"), Some("after the keys of the parts"));
    assert!(header.metadata.keys().all(|key| !key.starts_with("split.")));
    assert_eq!(header.layout.entry_count, 3);
    let offsets: Vec<_> = header.tensors.iter().map(|one| (one.name.as_str(), one.offset)).collect();
    assert_eq!(offsets, [("a", 0), ("b", 64)], "aligned as the first part says");
    let pieces: Vec<_> =
        merged.pieces.iter().map(|one| (one.part, one.range.clone().count(), one.padding)).collect();
    assert_eq!(pieces, [(0, 12, 52), (1, 20, 44)]);
    assert_eq!(merged.pieces[1].range.start, headers[1].data_start());
    assert_eq!(merged.bytes(), header.data_start() + 128);
    assert_eq!(Header::of_parts(headers).unwrap().tensors.len(), 2);
}

#[test]
fn parts_that_do_not_belong_together_are_refused() {
    let refused = |parts: Vec<Writer>| {
        let headers = parts.into_iter().map(|part| Header::parse(&part.bytes()).unwrap()).collect();
        Header::of_parts(headers).unwrap_err()
    };
    let again = vec![part(0, 2, "a", 3), part(0, 2, "b", 5)];
    assert_eq!(refused(again), SplitError::OtherPart { part: 2, of: 2 });
    let fewer = vec![part(0, 3, "a", 3), part(1, 3, "b", 5)];
    assert_eq!(refused(fewer), SplitError::OtherPart { part: 1, of: 2 });
    let twice = vec![part(0, 2, "a", 3), part(1, 2, "a", 5)];
    assert_eq!(refused(twice), SplitError::Tensor { name: "a".into() });
    let overlapping = vec![part(0, 2, "a", 3), part(1, 2, "b", 5).tensor("c", F32, &[1])];
    assert_eq!(refused(overlapping), SplitError::Tensor { name: "c".into() });
    let more = vec![part(0, 1, "a", 3)];
    assert_eq!(refused(more), SplitError::TensorCount { found: 1, wanted: 2 });
}

#[test]
fn a_header_of_the_other_byte_order_is_recognised() {
    let mut bytes = qwen_7b().bytes();
    bytes[4..8].reverse();
    assert!(matches!(Header::parse(&bytes), Err(HeaderError::BigEndian)));
}

#[test]
fn a_truncated_header_is_reported_as_truncated() {
    let bytes = qwen_7b().bytes();
    for length in (0..bytes.len()).step_by(97).chain([bytes.len() - 1]) {
        assert!(matches!(Header::parse(&bytes[..length]), Err(HeaderError::Incomplete { .. })), "{length}");
    }
    assert!(matches!(Header::parse(b"PK\x03\x04..........."), Err(HeaderError::NotGguf)));
    assert!(matches!(Header::parse(b"GGUF\x01\0\0\0........"), Err(HeaderError::Version(1))));
}

fn file() -> ModelName {
    ModelName::Other("file.gguf".into())
}

/// What is wrong in a damaged header.
fn damage(bytes: &[u8]) -> HeaderDamage {
    match Header::parse(bytes) {
        Err(HeaderError::Damaged(damage)) => damage,
        other => panic!("{other:?}"),
    }
}

#[test]
fn large_declared_lengths_allocate_nothing() {
    let huge = |count: u64| {
        let mut bytes = b"GGUF\x03\0\0\0".to_vec();
        bytes.extend(count.to_le_bytes());
        bytes.extend(count.to_le_bytes());
        bytes
    };
    assert_eq!(damage(&huge(u64::MAX)), HeaderDamage::TooManyTensors(u64::MAX));
    assert!(matches!(Header::parse(&huge(60_000)), Err(HeaderError::Incomplete { .. })));
    // An array and a string with a huge declared length.
    for (kind, rest) in
        [(9_u32, [4_u8, 0, 0, 0].as_slice()), (8, &[]), (9, &[8, 0, 0, 0]), (9, &[9, 0, 0, 0])]
    {
        let mut writer = Writer::default();
        writer.key("general.big", kind);
        writer.metadata.extend(rest);
        writer.metadata.extend(u64::MAX.to_le_bytes());
        let error = Header::parse(&writer.bytes()).unwrap_err();
        assert!(!matches!(error, HeaderError::NotGguf), "{error}");
    }
    let endless = std::io::repeat(0xff);
    assert!(Header::read(std::io::Read::chain(&b"GGUF\x03\0\0\0"[..], endless)).is_err());
}

#[test]
fn an_invalid_tensor_is_reported_with_its_problem() {
    let tensor = |dimensions: &[u64]| Writer::default().tensor("a", Q4_K, dimensions);
    for (writer, problem) in [
        (tensor(&[u64::MAX, u64::MAX]), TensorProblem::Length(u64::MAX)),
        (tensor(&[256, 0]), TensorProblem::Length(0)),
        (tensor(&[256; 5]), TensorProblem::Dimensions(5)),
        (tensor(&[100]), TensorProblem::Row(TensorType::from_ggml(Q4_K).unwrap())),
        (Writer::default().tensor("a", 99, &[256]), TensorProblem::Type(99)),
        (tensor(&[256]).tensor("a", Q4_K, &[256]), TensorProblem::Twice),
    ] {
        let expected = HeaderDamage::Tensor { name: "a".into(), problem };
        assert_eq!(damage(&writer.bytes()), expected);
    }
}

/// 64 MiB of small values, each of which takes many times its size when kept.
#[cfg(target_os = "linux")]
#[test]
fn a_large_header_takes_little_memory() {
    let entry = |key: &str, kind: u32, length: u64| {
        let mut bytes = Vec::new();
        Writer::text(&mut bytes, key);
        bytes.extend(9_u32.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(length.to_le_bytes());
        bytes
    };
    let head = |entries: u64| {
        let mut bytes = b"GGUF\x03\0\0\0".to_vec();
        bytes.extend(0_u64.to_le_bytes());
        bytes.extend(entries.to_le_bytes());
        bytes
    };
    const ENTRIES: u64 = 60_000;
    let before = peak_kib();
    // Unused keys are not kept.
    let unread = (0..ENTRIES).flat_map(|i| {
        let mut bytes = entry(&format!("tokenizer.ggml.{i}"), 0, 1000);
        bytes.extend([0; 1000]);
        bytes
    });
    let header = Header::read(Bytes(head(ENTRIES).into_iter().chain(unread))).unwrap();
    assert!(header.metadata.is_empty(), "{}", header.metadata.len());
    // Used keys, of as many architectures.
    let read = (0..ENTRIES).flat_map(|i| {
        let mut bytes = entry(&format!("a{i}.block_count"), 0, 1000);
        bytes.extend([0; 1000]);
        bytes
    });
    let error = Header::read(Bytes(head(ENTRIES).into_iter().chain(read))).unwrap_err();
    assert!(matches!(error, HeaderError::TooMuch), "{error}");
    let grown = peak_kib().saturating_sub(before);
    assert!(grown < 200 << 10, "{grown} KiB");
}

/// Peak memory of this process in KiB.
#[cfg(target_os = "linux")]
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Bytes generated while they are read.
#[cfg(target_os = "linux")]
struct Bytes<I>(I);

#[cfg(target_os = "linux")]
impl<I: Iterator<Item = u8>> std::io::Read for Bytes<I> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut filled = 0;
        for (place, byte) in buffer.iter_mut().zip(&mut self.0) {
            *place = byte;
            filled += 1;
        }
        Ok(filled)
    }
}

proptest! {
    #[test]
    fn damaged_headers_never_panic(damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40)) {
        let mut bytes = qwen_7b().bytes();
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(header) = Header::parse(&bytes) {
            let _ = Model::from_gguf(&header, file(), 1 << 33);
        }
    }

    #[test]
    fn noise_never_panics(noise in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut bytes = b"GGUF\x03\0\0\0".to_vec();
        bytes.extend(noise);
        let _ = Header::parse(&bytes);
    }
}
