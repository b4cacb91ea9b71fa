//! Model files with a complete header and without real weights: a "7B" of a few megabytes.
//!
//! Installer and stand-in only read the header; a real engine would need the rest.

/// Dimensions of a model.
#[derive(Clone, Debug)]
pub struct Shape {
    pub name: &'static str,
    pub architecture: &'static str,
    pub blocks: u64,
    pub trained_context: u64,
    pub embedding: u64,
    pub feed_forward: u64,
    pub heads: u64,
    pub kv_heads: u64,
    pub vocabulary: u64,
    /// Experts of each block in place of one feed-forward network.
    pub experts: Option<Experts>,
    /// Values in the key and value of one head; `None` for as many as the width has for each head.
    pub head: Option<u64>,
    /// A head for multi-token prediction, as older files have it.
    pub prediction_head: bool,
    /// A chat template in the file.
    pub chat_template: Option<&'static str>,
    /// Bytes that follow the header, to have something to download; `None` for as many as the tensors take.
    pub padding: Option<usize>,
}

/// Experts of a mixture.
#[derive(Clone, Copy, Debug)]
pub struct Experts {
    pub count: u64,
    pub used: u64,
    /// Width of each.
    pub width: u64,
}

impl Shape {
    /// Qwen3-Coder 30B-A3B, of which a GPU takes 49 layers, and whose experts are nine tenths.
    pub fn qwen_30b_a3b() -> Self {
        Self {
            name: "Qwen3 Coder 30B A3B Instruct",
            architecture: "qwen3moe",
            blocks: 48,
            trained_context: 262_144,
            embedding: 2048,
            feed_forward: 6144,
            heads: 32,
            kv_heads: 4,
            vocabulary: 151_936,
            experts: Some(Experts { count: 128, used: 8, width: 768 }),
            head: Some(128),
            ..Self::qwen_7b()
        }
    }

    /// Qwen2.5-Coder 7B, of which a GPU takes 29 layers.
    pub fn qwen_7b() -> Self {
        Self {
            name: "Qwen2.5 Coder 7B Instruct",
            architecture: "qwen2",
            blocks: 28,
            trained_context: 32_768,
            embedding: 3584,
            feed_forward: 18_944,
            heads: 28,
            kv_heads: 4,
            vocabulary: 152_064,
            experts: None,
            head: None,
            prediction_head: false,
            chat_template: None,
            padding: Some(2 << 20),
        }
    }

    /// Qwen2.5-Coder 3B, of which a GPU takes 37 layers.
    pub fn qwen_3b() -> Self {
        Self {
            name: "Qwen2.5 Coder 3B Instruct",
            blocks: 36,
            embedding: 2048,
            feed_forward: 11_008,
            heads: 16,
            kv_heads: 2,
            vocabulary: 151_936,
            ..Self::qwen_7b()
        }
    }

    /// A model of two megabytes, as complete as a registry's own models must be.
    pub fn tiny() -> Self {
        Self {
            name: "Tiny",
            blocks: 4,
            embedding: 256,
            feed_forward: 512,
            heads: 4,
            kv_heads: 2,
            vocabulary: 4000,
            padding: None,
            ..Self::qwen_7b()
        }
    }

    /// The file, Q4_K_M like the published ones.
    pub fn file(&self) -> Vec<u8> {
        let (mut out, offset) = header(&self.meta(), &self.tensors());
        // Not compressible and not repeating, so that a misplaced chunk is noticed.
        let mut seed = 0x9E37_79B9_7F4A_7C15_u64 ^ self.blocks;
        let padding = self.padding.unwrap_or(offset as usize);
        for _ in 0..padding.div_ceil(8) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            out.extend(seed.to_le_bytes());
        }
        out
    }

    /// The same model in parts, as `gguf-split` of llama.cpp writes it: the metadata in the first one, and what describes the
    /// parts in each.
    pub fn parts(&self, count: usize) -> Vec<Vec<u8>> {
        let (tensors, whole) = (self.tensors(), Self { padding: None, ..self.clone() }.file());
        let mut data = &whole[header(&self.meta(), &tensors).0.len()..];
        let each = tensors.len().div_ceil(count);
        let part = |(index, part): (usize, &[NamedTensor])| {
            let mut meta = if index == 0 { self.meta() } else { Vec::new() };
            meta.extend([
                ("split.no".to_owned(), Value::U16(index as u16)),
                ("split.count".to_owned(), Value::U16(count as u16)),
                ("split.tensors.count".to_owned(), Value::U32(tensors.len() as u32)),
            ]);
            let (mut out, bytes) = header(&meta, part);
            let (own, rest) = data.split_at(bytes as usize);
            out.extend(own);
            data = rest;
            out
        };
        tensors.chunks(each).enumerate().map(part).collect()
    }

    /// Bytes of all tensors, of which the file may hold less.
    pub fn tensor_bytes(&self) -> u64 {
        let bytes = |(_, shape, (_, values, block_bytes)): &NamedTensor| {
            shape.iter().product::<u64>().div_ceil(*values) * block_bytes
        };
        self.tensors().iter().map(bytes).sum()
    }

    fn meta(&self) -> Vec<(String, Value)> {
        // A file whose architecture is none has its keys all the same.
        let prefix = if self.experts.is_some() { self.architecture } else { "qwen2" };
        let of_architecture = |key: &str| format!("{prefix}.{key}");
        let number = |key: &str, value: u64| (of_architecture(key), Value::U32(value as u32));
        let experts = self.experts.into_iter().flat_map(|experts| {
            [
                number("expert_count", experts.count),
                number("expert_used_count", experts.used),
                number("expert_feed_forward_length", experts.width),
            ]
        });
        let head = self.head.into_iter();
        let head =
            head.flat_map(|head| ["key", "value"].map(|of| number(&format!("attention.{of}_length"), head)));
        let optional: Vec<_> = experts.chain(head).collect();
        let mut meta = vec![
            ("general.architecture".to_owned(), Value::Text(self.architecture)),
            ("general.name".to_owned(), Value::Text(self.name)),
            ("general.type".to_owned(), Value::Text("model")),
            ("general.license".to_owned(), Value::Text("apache-2.0")),
            ("general.file_type".to_owned(), Value::U32(15)),
            ("general.quantization_version".to_owned(), Value::U32(2)),
            number("block_count", self.blocks),
            number("context_length", self.trained_context),
            number("embedding_length", self.embedding),
            number("feed_forward_length", self.feed_forward),
            number("attention.head_count", self.heads),
            number("attention.head_count_kv", self.kv_heads),
            (of_architecture("rope.freq_base"), Value::F32(1_000_000.0)),
            (of_architecture("attention.layer_norm_rms_epsilon"), Value::F32(1e-6)),
            ("tokenizer.ggml.model".to_owned(), Value::Text("gpt2")),
            ("tokenizer.ggml.pre".to_owned(), Value::Text("qwen2")),
            ("tokenizer.ggml.tokens".to_owned(), Value::Texts(self.vocabulary.min(1000))),
        ];
        meta.extend(optional);
        meta.extend(
            self.chat_template.map(|template| ("tokenizer.chat_template".to_owned(), Value::Text(template))),
        );
        meta
    }

    fn tensors(&self) -> Vec<NamedTensor> {
        const F32: TensorType = (0, 1, 4);
        const Q4_K: TensorType = (12, 256, 144);
        const Q6_K: TensorType = (14, 256, 210);
        let head = self.head.unwrap_or(self.embedding / self.heads);
        let (wide, narrow, queries) = (self.embedding, head * self.kv_heads, head * self.heads);
        let mut all = vec![
            ("token_embd.weight".to_owned(), vec![wide, self.vocabulary], Q4_K),
            ("output.weight".to_owned(), vec![wide, self.vocabulary], Q6_K),
            ("output_norm.weight".to_owned(), vec![wide], F32),
        ];
        if self.prediction_head {
            all.push(("mtp.layers.0.eh_proj.weight".to_owned(), vec![wide * 2, wide], Q4_K));
        }
        for block in 0..self.blocks {
            // Q4_K_M stores half of the two most sensitive tensors at six bits.
            let finer = if block % 2 == 0 { Q6_K } else { Q4_K };
            let mut tensors = vec![
                ("attn_norm.weight", vec![wide], F32),
                ("ffn_norm.weight", vec![wide], F32),
                ("attn_q.weight", vec![wide, queries], Q4_K),
                ("attn_q.bias", vec![queries], F32),
                ("attn_k.weight", vec![wide, narrow], Q4_K),
                ("attn_k.bias", vec![narrow], F32),
                ("attn_v.weight", vec![wide, narrow], finer),
                ("attn_v.bias", vec![narrow], F32),
                ("attn_output.weight", vec![queries, wide], Q4_K),
            ];
            tensors.extend(match self.experts {
                None => vec![
                    ("ffn_gate.weight", vec![wide, self.feed_forward], Q4_K),
                    ("ffn_up.weight", vec![wide, self.feed_forward], Q4_K),
                    ("ffn_down.weight", vec![self.feed_forward, wide], finer),
                ],
                Some(Experts { count, width, .. }) => vec![
                    ("ffn_gate_inp.weight", vec![wide, count], F32),
                    ("ffn_gate_exps.weight", vec![wide, width, count], Q4_K),
                    ("ffn_up_exps.weight", vec![wide, width, count], Q4_K),
                    ("ffn_down_exps.weight", vec![width, wide, count], finer),
                ],
            });
            all.extend(
                tensors.into_iter().map(|(name, shape, kind)| (format!("blk.{block}.{name}"), shape, kind)),
            );
        }
        all
    }
}

/// Number in the file, values per block, bytes per block.
type TensorType = (u32, u64, u64);

/// Name, dimensions and type.
type NamedTensor = (String, Vec<u64>, TensorType);

/// A header, padded to the beginning of the data, and the length of the data.
fn header(meta: &[(String, Value)], tensors: &[NamedTensor]) -> (Vec<u8>, u64) {
    let mut out = Vec::new();
    out.extend(b"GGUF");
    out.extend(3_u32.to_le_bytes());
    out.extend((tensors.len() as u64).to_le_bytes());
    out.extend((meta.len() as u64).to_le_bytes());
    for (key, value) in meta {
        text(&mut out, key);
        value.write(&mut out);
    }
    let mut offset = 0_u64;
    for (name, shape, (type_number, values, block_bytes)) in tensors {
        text(&mut out, name);
        out.extend((shape.len() as u32).to_le_bytes());
        for side in shape {
            out.extend(side.to_le_bytes());
        }
        out.extend(type_number.to_le_bytes());
        out.extend(offset.to_le_bytes());
        let bytes = shape.iter().product::<u64>().div_ceil(*values) * block_bytes;
        offset += bytes.next_multiple_of(32);
    }
    out.resize(out.len().next_multiple_of(32), 0);
    (out, offset)
}

enum Value {
    U16(u16),
    U32(u32),
    F32(f32),
    Text(&'static str),
    /// This many short strings, as a vocabulary.
    Texts(u64),
}

impl Value {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::U16(value) => {
                out.extend(2_u32.to_le_bytes());
                out.extend(value.to_le_bytes());
            }
            Self::U32(value) => {
                out.extend(4_u32.to_le_bytes());
                out.extend(value.to_le_bytes());
            }
            Self::F32(value) => {
                out.extend(6_u32.to_le_bytes());
                out.extend(value.to_le_bytes());
            }
            Self::Text(value) => {
                out.extend(8_u32.to_le_bytes());
                text(out, value);
            }
            Self::Texts(count) => {
                out.extend(9_u32.to_le_bytes());
                out.extend(8_u32.to_le_bytes());
                out.extend(count.to_le_bytes());
                for n in 0..*count {
                    text(out, &format!("t{n}"));
                }
            }
        }
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}
