//! The actual placement of a loaded model, read from the engine's log.
//!
//! The HTTP API returns the context and usually the bytes on the GPU, but not the KV cache type. The log of a load has
//! everything: the command line of `llama-server`, the layers on the GPU, and the size of every buffer on every device.
//! Only the log proves that q8_0 is in use or that everything is on the GPU; what it does not contain is unknown.

use std::collections::BTreeMap;
use std::fmt;

use crate::MIB;
use crate::models::KvCacheType;
use crate::ollama::failure::EngineFailure;
use crate::ollama::replies::Loaded;
use crate::untrusted::UntrustedText;

/// Facts from the log of one load.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LoadEvidence {
    /// The command line with which `llama-server` was started.
    pub command_line: Vec<String>,
    /// Context of the slot in tokens, after all clamping.
    pub context_tokens: Option<u32>,
    /// Layers on the GPU, and all layers. `None` without a GPU.
    pub offloaded: Option<(u32, u32)>,
    /// Free memory of the first device before this load, in bytes.
    pub device_free_bytes: Option<u64>,
    /// Types of the KV cache, from the cache's log line.
    pub kv_cache_types: Option<CacheTypes>,
    /// Whether flash attention is on.
    pub flash_attention: Option<bool>,
    /// Prompt tokens processed at once.
    pub num_batch: Option<u32>,
    /// Limit of the cache of earlier prompts, in MiB; 0 when it is off.
    pub prompt_cache_mib: Option<u32>,
    /// Most checkpoints of a prompt; 0 if it makes none.
    pub context_checkpoints: Option<u32>,
    /// Threads on the processor.
    pub num_thread: Option<u32>,
    /// Threads that the processor can run at the same time.
    pub logical_cores: Option<u32>,
    /// Whether the file is mapped into memory.
    pub use_mmap: Option<bool>,
    /// By device, the layers on it of which the engine's own choice put a part into main memory, such as experts. Empty
    /// unless the engine chose the placement of a model that does not fit.
    pub overflowing_layers: BTreeMap<String, u32>,
    /// Whether memory could not be page-locked. The engine goes on with memory that is not.
    pub pinning_failed: bool,
    /// Every buffer.
    pub buffers: Vec<Buffer>,
    /// Log lines with the cause of a failed load.
    pub error_lines: Vec<UntrustedText>,
}

/// Types of K and V by the engine's names, including types that we do not offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheTypes {
    /// Type of K.
    pub k: UntrustedText,
    /// Type of V.
    pub v: UntrustedText,
}

impl CacheTypes {
    /// The common type of K and V, if they are equal and we offer it.
    pub fn uniform(&self) -> Option<KvCacheType> {
        self.k.parse().ok().filter(|_| self.k == self.v)
    }
}

/// `q8_0`, or `f16/q8_0` if K and V differ.
impl fmt::Display for CacheTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.k == self.v { f.write_str(&self.k) } else { write!(f, "{}/{}", self.k, self.v) }
    }
}

/// A buffer of a loaded model.
#[derive(Clone, Debug, PartialEq)]
pub struct Buffer {
    /// `CUDA0`, `CPU`, `CUDA_Host`, `MTL0_Mapped`, …
    pub device: UntrustedText,
    /// `model`, `KV`, `compute`, `output`, `RS`.
    pub kind: UntrustedText,
    /// Size in bytes.
    pub bytes: u64,
}

/// Kind of the buffers that hold weights.
const WEIGHTS: &str = "model";

/// Prefixes of log lines with the cause of a failed load.
const ERROR_PREFIXES: &[&str] =
    &["error while handling argument", "llama_init_from_model: quantized", "error loading model"];

/// Most lines that are kept of one load, which may go on for months.
const MAX_ERROR_LINES: usize = 1000;

/// Reads a log line by line, for a log that is followed. A new load replaces the last one.
#[derive(Clone, Debug, Default)]
pub struct LoadReader {
    evidence: LoadEvidence,
    /// A draft (heads for multi-token prediction, or a model of its own) comes after the model, and has a context of its
    /// own, whose KV cache is always f16.
    of_draft: bool,
}

impl LoadReader {
    /// Takes the next line. Returns whether a load starts with it.
    pub fn push(&mut self, line: &str) -> bool {
        if line.contains("msg=\"starting llama-server\"") {
            let command_line = command_line(line);
            *self =
                Self { evidence: LoadEvidence { command_line, ..LoadEvidence::default() }, of_draft: false };
            return true;
        }
        if line.starts_with("common_speculative_init_result: creating")
            || line.contains("loading draft model")
        {
            self.of_draft = true;
        } else if self.of_draft && (line.starts_with("llama_context:") || is_kv_cache(line)) {
        } else if !self.of_draft && line.starts_with("load_tensors: loading model tensors") {
            // Earlier lines are from trial runs, by which the engine fits the model to the free memory.
            self.evidence.buffers.clear();
            self.evidence.offloaded = None;
            self.evidence.kv_cache_types = None;
            self.evidence.use_mmap = after(line, "load_mode = ").map(|mode| mode.starts_with("mmap"));
        } else {
            self.evidence.take(line);
        }
        false
    }

    /// What was read of the last load.
    pub fn evidence(&self) -> &LoadEvidence {
        &self.evidence
    }
}

impl LoadEvidence {
    /// Parses the last load in an excerpt of the server's log. Unknown lines are skipped.
    pub fn parse(log: &str) -> Self {
        let mut reader = LoadReader::default();
        for line in log.lines() {
            reader.push(line);
        }
        reader.evidence
    }

    fn take(&mut self, line: &str) {
        if let Some(buffer) = buffer(line) {
            self.buffers.push(buffer);
        } else if line.contains(" MiB of pinned memory") {
            self.pinning_failed = true;
        } else if let Some((device, layers)) = overflowing(line) {
            // The engine says it for each of its steps: the last one counts.
            self.overflowing_layers.insert(device, layers);
        } else if let Some(batch) =
            line.strip_prefix("llama_context: n_ubatch").and_then(|rest| after(rest, "= "))
        {
            self.num_batch = leading_number(batch);
        } else if let Some(threads) = after(line, "system_info: n_threads = ") {
            self.num_thread = leading_number(threads);
            self.logical_cores = after(threads, ") / ").and_then(leading_number);
        } else if let Some(limit) = after(line, "prompt cache is enabled, size limit: ") {
            self.prompt_cache_mib = leading_number(limit);
        } else if line.contains("prompt cache is disabled") {
            self.prompt_cache_mib = Some(0);
        } else if let Some(limit) = after(line, "context checkpoints enabled, max = ") {
            self.context_checkpoints = leading_number(limit);
        } else if line.contains("context checkpoints disabled") {
            self.context_checkpoints = Some(0);
        } else if let Some(after) = after(line, "offloaded ").filter(|after| after.contains("layers to GPU"))
        {
            self.offloaded = after.split_whitespace().next().and_then(|pair| {
                let (on, all) = pair.split_once('/')?;
                Some((on.parse().ok()?, all.parse().ok()?))
            });
        } else if let Some(device) =
            after(line, "using device ").filter(|rest| rest.trim_end().ends_with("MiB free"))
        {
            let free = device.trim_end().trim_end_matches("MiB free").trim_end();
            let mib = free.rsplit(' ').next().and_then(|mib| mib.parse::<u64>().ok());
            // The first of several GPUs.
            self.device_free_bytes = self.device_free_bytes.or(mib.and_then(|mib| mib.checked_mul(MIB)));
        } else if let (Some(k), Some(v)) = (after(line, " K ("), after(line, " V (")) {
            let name = |rest: &str| rest.split(')').next().map(UntrustedText::new);
            self.kv_cache_types = name(k).zip(name(v)).map(|(k, v)| CacheTypes { k, v });
        } else if let Some(tokens) = after(line, "n_ctx_slot = ") {
            self.context_tokens = leading_number(tokens);
        } else if let Some(state) =
            line.strip_prefix("llama_context: flash_attn").and_then(|rest| after(rest, "= "))
        {
            self.flash_attention = match state.trim() {
                "enabled" => Some(true),
                "disabled" => Some(false),
                _ => self.flash_attention,
            };
        } else if line.contains("Flash Attention enabled") {
            self.flash_attention = Some(true);
        } else if self.error_lines.len() < MAX_ERROR_LINES
            && (ERROR_PREFIXES.iter().any(|start| line.starts_with(start)) || ran_out_of_memory(line))
        {
            self.error_lines.push(line.trim().chars().take(300).collect::<String>().into());
        }
    }

    /// Bytes of all buffers on GPUs; `None` if the log lists no buffers.
    pub fn gpu_bytes(&self) -> Option<u64> {
        self.sum(|buffer| is_on_gpu(&buffer.device))
    }

    /// Bytes of all buffers in main memory; `None` if the log lists no buffers.
    pub fn host_bytes(&self) -> Option<u64> {
        self.sum(|buffer| !is_on_gpu(&buffer.device))
    }

    /// Bytes of weights on GPUs; `None` when the log names no buffers.
    pub fn weights_gpu_bytes(&self) -> Option<u64> {
        self.sum(|buffer| buffer.kind == WEIGHTS && is_on_gpu(&buffer.device))
    }

    /// Bytes of weights in main memory; `None` when the log names no buffers. Where the file is mapped, this is the
    /// stretch of it from the first to the last of these weights.
    pub fn weights_ram_bytes(&self) -> Option<u64> {
        self.sum(|buffer| buffer.kind == WEIGHTS && !is_on_gpu(&buffer.device))
    }

    /// Tokens that are drafted at once, by the command line of `llama-server`; 0 for none, `None` without a command line.
    pub fn draft_num_predict(&self) -> Option<u32> {
        let drafted = argument(&self.command_line, "--spec-draft-n-max").and_then(|value| value.parse().ok());
        drafted.or_else(|| (!self.command_line.is_empty()).then_some(0))
    }

    fn sum(&self, wanted: impl Fn(&Buffer) -> bool) -> Option<u64> {
        (!self.buffers.is_empty())
            .then(|| self.buffers.iter().filter(|buffer| wanted(buffer)).map(|buffer| buffer.bytes).sum())
    }

    /// Types of the KV cache in use: from the cache's log line, else from the command line of `llama-server`.
    pub fn kv_cache_types(&self) -> Option<CacheTypes> {
        let argument = |flag| argument(&self.command_line, flag);
        self.kv_cache_types.clone().or_else(|| {
            Some(CacheTypes { k: argument("--cache-type-k")?.into(), v: argument("--cache-type-v")?.into() })
        })
    }

    /// Which memory ran out, as the log says; `None` when none did.
    pub fn out_of_memory(&self) -> Option<EngineFailure> {
        let failure = EngineFailure::of(&self.error_lines.join("\n"));
        failure.is_out_of_memory().then_some(failure)
    }

    /// Whether a load failed because the driver did not page-lock as much memory as it was asked to. It says so, or a
    /// call of the driver fails where no buffer of the card did.
    pub fn failed_for_pinned_memory(&self) -> bool {
        let any =
            |parts: &[&str]| self.error_lines.iter().any(|line| parts.iter().any(|part| line.contains(part)));
        let of_driver = any(&["CUDA error: out of memory", "ROCm error: out of memory"]);
        let of_card = any(&[
            "cudaMalloc failed",
            "hipMalloc failed",
            "failed to allocate CUDA",
            "failed to allocate ROCm",
        ]);
        self.pinning_failed || (of_driver && !of_card)
    }
}

/// Share of a loaded model's bytes on the GPU, 0 to 1; `None` if the engine's figures are unreliable.
///
/// If the engine cannot parse its own log, it reports the file's size for both figures, which looks like "everything on
/// the GPU". A share above zero is therefore trusted only if the log lists buffers on a GPU.
pub fn gpu_share(loaded: &Loaded, evidence: &LoadEvidence) -> Option<f64> {
    if loaded.size_vram == 0 {
        return Some(0.0);
    }
    let seen = evidence.gpu_bytes().is_some_and(|bytes| bytes > 0);
    (seen && loaded.size > 0).then(|| (loaded.size_vram as f64 / loaded.size as f64).clamp(0.0, 1.0))
}

fn ran_out_of_memory(line: &str) -> bool {
    EngineFailure::of(line).is_out_of_memory()
}

/// Value of a command line flag.
pub fn argument(command_line: &[String], flag: &str) -> Option<String> {
    let at = command_line.iter().position(|argument| argument == flag)?;
    command_line.get(at + 1).cloned()
}

/// Pinned host memory (`…_Host`) is host memory; a mapped file on the GPU (`…_Mapped`) is GPU memory.
fn is_on_gpu(device: &str) -> bool {
    device != "CPU" && device != "BLAS" && !device.starts_with("CPU_") && !device.ends_with("_Host")
}

/// `load_tensors:   CPU_REPACK model buffer size =    12.66 MiB`
fn buffer(line: &str) -> Option<Buffer> {
    let (before, size) = line.split_once(" buffer size")?;
    let mut words = before.split_whitespace().rev();
    let (kind, device) = (words.next()?, words.next()?);
    if !words.next()?.ends_with(':') || !["model", "KV", "compute", "output", "RS"].contains(&kind) {
        return None;
    }
    let mib: f64 = size.trim_start_matches([' ', '=']).strip_suffix("MiB")?.trim().parse().ok()?;
    let sane = mib.is_finite() && (0.0..1e9).contains(&mib);
    sane.then(|| Buffer { device: device.into(), kind: kind.into(), bytes: (mib * MIB as f64) as u64 })
}

/// `common_params_fit_impl:   - CUDA0 (NVIDIA …): 49 layers (12 overflowing),  7012 MiB used,   1023 MiB free`
fn overflowing(line: &str) -> Option<(String, u32)> {
    let (device, rest) = after(line, "params_fit_impl:   - ")?.split_once(' ')?;
    let (layers, _) = after(rest, " layers (")?.split_once(" overflowing)")?;
    Some((device.to_owned(), layers.trim().parse().ok()?))
}

/// Words of `cmd="…"`. A path with spaces is split, but only the flags after it are used.
fn command_line(line: &str) -> Vec<String> {
    let Some(rest) = after(line, "cmd=\"") else { return Vec::new() };
    rest.trim_end().trim_end_matches('"').split_whitespace().map(str::to_owned).collect()
}

fn after<'a>(line: &'a str, mark: &str) -> Option<&'a str> {
    line.find(mark).map(|at| &line[at + mark.len()..])
}

fn leading_number(text: &str) -> Option<u32> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    text[..digits].parse().ok()
}

/// `llama_kv_cache: size = …, K (q8_0): …, V (q8_0): …`.
fn is_kv_cache(line: &str) -> bool {
    line.contains(" K (") && line.contains(" V (")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const Q8_0: &str = include_str!("../../tests/fixtures/ollama/server-log-load-q8_0-cpu.log");
    const F16: &str = include_str!("../../tests/fixtures/ollama/server-log-load-f16-cpu.log");
    const Q4_0: &str = include_str!("../../tests/fixtures/ollama/server-log-load-q4_0-cpu.log");
    const BAD_TYPE: &str = include_str!("../../tests/fixtures/ollama/server-log-load-failed-kv-type.log");
    const NO_FLASH: &str =
        include_str!("../../tests/fixtures/ollama/server-log-load-failed-no-flash-attention.log");
    const CUDA: &str = include_str!("../../tests/fixtures/ollama/made-up-cuda-partial.log");
    const EXPERTS: &str = include_str!("../../tests/fixtures/ollama/made-up-cuda-experts.log");

    fn mib(bytes: Option<u64>) -> f64 {
        (bytes.unwrap() as f64 / MIB as f64 * 100.0).round() / 100.0
    }

    #[test]
    fn a_load_on_the_processor() {
        let evidence = LoadEvidence::parse(Q8_0);
        assert_eq!(evidence.context_tokens, Some(32_768));
        assert_eq!(evidence.offloaded, None, "the engine logs no layers without a GPU");
        assert_eq!(evidence.kv_cache_types().unwrap().to_string(), "q8_0");
        assert_eq!(evidence.flash_attention, Some(true));
        assert_eq!(evidence.gpu_bytes(), Some(0));
        // 222.51 + 12.66 + 1.00 + 51.00 + 7.97 + 51.30: both cache groups are included.
        assert_eq!(mib(evidence.host_bytes()), 346.44);
        assert_eq!(argument(&evidence.command_line, "-ngl").unwrap(), "0");
        assert_eq!(evidence.error_lines, Vec::<String>::new());
    }

    #[test]
    fn every_cache_type_is_parsed() {
        assert_eq!(LoadEvidence::parse(F16).kv_cache_types().unwrap().to_string(), "f16");
        assert_eq!(LoadEvidence::parse(Q4_0).kv_cache_types().unwrap().to_string(), "q4_0");
        assert_eq!(LoadEvidence::parse("nothing of interest").kv_cache_types(), None);
        let only_command = Q8_0.lines().find(|line| line.contains("starting llama-server")).unwrap();
        assert_eq!(LoadEvidence::parse(only_command).kv_cache_types().unwrap().to_string(), "q8_0");
    }

    #[test]
    fn a_failed_load_has_its_cause() {
        let evidence = LoadEvidence::parse(BAD_TYPE);
        assert!(evidence.error_lines[0].contains("Unsupported cache type: q8"), "{evidence:?}");
        assert_eq!(evidence.out_of_memory(), None);
        let evidence = LoadEvidence::parse(NO_FLASH);
        assert!(evidence.error_lines[0].contains("requires flash_attn"), "{evidence:?}");
    }

    #[test]
    fn a_partial_load_on_a_card() {
        let evidence = LoadEvidence::parse(CUDA);
        assert_eq!(evidence.offloaded, Some((25, 29)));
        assert_eq!(mib(evidence.gpu_bytes()), 4794.15);
        assert_eq!(mib(evidence.host_bytes()), 992.69, "pinned memory is main memory");
    }

    #[test]
    fn a_load_with_experts_in_main_memory() {
        let evidence = LoadEvidence::parse(EXPERTS);
        assert_eq!(
            evidence.offloaded,
            Some((49, 49)),
            "layers with their experts in main memory count as offloaded"
        );
        assert_eq!(mib(evidence.weights_gpu_bytes()), 6398.61);
        assert_eq!(mib(evidence.weights_ram_bytes()), 11_541.22);
        assert_eq!((evidence.num_batch, evidence.prompt_cache_mib), (Some(2048), Some(1632)));
        assert_eq!(evidence.overflowing_layers, BTreeMap::new(), "the engine did not choose");
        assert!(!evidence.pinning_failed);
    }

    #[test]
    fn what_the_engine_chose_and_what_it_switched_off_is_read_back() {
        let log = "common_params_fit_impl:   - CUDA0 (NVIDIA GeForce RTX 4090): 49 layers,   7687 MiB used,  15186 MiB free\n\
                   0.04 I common_params_fit_impl:   - CUDA0 (NVIDIA GeForce RTX 4090): 49 layers (38 overflowing),  20092 MiB used,   2781 MiB free\n\
                   0.04 I common_params_fit_impl:   - CUDA0 (NVIDIA GeForce RTX 4090): 49 layers (35 overflowing),  21092 MiB used,   1781 MiB free\n\
                   srv    load_model: prompt cache is disabled - use `--cache-ram N` to enable it";
        let evidence = LoadEvidence::parse(log);
        assert_eq!(evidence.overflowing_layers, BTreeMap::from([("CUDA0".to_owned(), 35)]));
        assert_eq!((evidence.prompt_cache_mib, evidence.context_checkpoints), (Some(0), None));
        let checkpoints = |line| LoadEvidence::parse(line).context_checkpoints;
        let limited = "srv    load_model: context checkpoints enabled, max = 6, min spacing = 8192";
        assert_eq!(checkpoints(limited), Some(6));
        assert_eq!(checkpoints("srv    load_model: context checkpoints disabled"), Some(0));
        let unlimited = "srv    load_model: prompt cache is enabled, size limit: no limit";
        assert_eq!(LoadEvidence::parse(unlimited).prompt_cache_mib, None);
        let q8_0 = LoadEvidence::parse(Q8_0);
        assert_eq!((q8_0.num_batch, q8_0.prompt_cache_mib), (Some(512), Some(8192)));
        assert_eq!((q8_0.num_thread, q8_0.logical_cores, q8_0.use_mmap), (Some(2), Some(2), Some(false)));
        assert_eq!((evidence.draft_num_predict(), q8_0.draft_num_predict()), (None, Some(0)));
        let drafting = "msg=\"starting llama-server\" cmd=\"x --spec-type draft-mtp --spec-draft-n-max 4\"";
        assert_eq!(LoadEvidence::parse(drafting).draft_num_predict(), Some(4));
        assert_eq!(LoadEvidence::parse(CUDA).use_mmap, Some(true));
    }

    #[test]
    fn memory_that_cannot_be_page_locked_is_told_from_a_full_card() {
        let failed = |log: &str| LoadEvidence::parse(log).failed_for_pinned_memory();
        let pinned = "ggml_cuda_host_malloc: failed to allocate 15012.17 MiB of pinned memory: out of memory";
        let driver = "CUDA error: out of memory";
        let card = "ggml_backend_cuda_buffer_type_alloc_buffer: allocating 304.75 MiB on device 0: cudaMalloc \
                    failed: out of memory";
        assert!(failed(pinned) && failed(driver));
        assert!(!failed(card) && !failed(&format!("{card}\n{driver}")) && !failed(Q8_0));
        assert!(LoadEvidence::parse(pinned).error_lines.is_empty(), "the engine goes on without");
        assert_eq!(LoadEvidence::parse(driver).out_of_memory(), Some(EngineFailure::OutOfMemory));
    }

    #[test]
    fn only_the_last_load_counts() {
        let evidence = LoadEvidence::parse(&format!("{CUDA}\n{F16}"));
        assert_eq!(
            (evidence.offloaded, evidence.kv_cache_types().unwrap().to_string()),
            (None, "f16".to_owned())
        );
        assert_eq!(evidence.gpu_bytes(), Some(0));
    }

    #[test]
    fn a_gpu_share_is_trusted_only_with_gpu_buffers_in_the_log() {
        let loaded = |size, size_vram| Loaded { size, size_vram, ..Loaded::default() };
        let (cpu, cuda) = (LoadEvidence::parse(Q8_0), LoadEvidence::parse(CUDA));
        assert_eq!(gpu_share(&loaded(100, 0), &cpu), Some(0.0));
        assert_eq!(
            gpu_share(&loaded(253_113_024, 253_113_024), &cpu),
            None,
            "the engine's fallback, not a fact"
        );
        assert_eq!(gpu_share(&loaded(100, 100), &LoadEvidence::default()), None);
        assert_eq!(gpu_share(&loaded(100, 80), &cuda), Some(0.8));
    }

    proptest! {
        #[test]
        fn any_log_is_parsed_without_panic(log in "(load_tensors: |llama_kv_cache: |CUDA0|offloaded | buffer size =|[0-9]{1,30}| MiB|/|K \\(|V \\(|\\)|n_ctx_slot = |cmd=\"|\n|.){0,40}") {
            let evidence = LoadEvidence::parse(&log);
            let _ = (evidence.gpu_bytes(), evidence.host_bytes(), evidence.kv_cache_types());
        }
    }

    /// As the engine logs a model with a head for multi-token prediction (b10488).
    #[test]
    fn the_context_of_a_draft_is_not_taken_for_the_models() {
        let log = "\
            load_tensors: loading model tensors, this can take a while... (load_mode = none)\n\
            llama_context: constructing llama_context\n\
            llama_context: n_ubatch              = 512\n\
            llama_kv_cache: size =    2.12 MiB (  8192 cells,   1 layers,  1/1 seqs), K (q8_0):    1.06 MiB, V (q8_0):    1.06 MiB\n\
            common_speculative_init_result: creating MTP draft context against the target model 'x'\n\
            llama_context: constructing llama_context\n\
            llama_context: n_ubatch              = 32\n\
            llama_kv_cache: size =    4.00 MiB (  8192 cells,   1 layers,  1/1 seqs), K (f16):    2.00 MiB, V (f16):    2.00 MiB\n";
        let evidence = LoadEvidence::parse(log);
        assert_eq!(evidence.kv_cache_types().unwrap().uniform(), Some(KvCacheType::Q8_0));
        assert_eq!(evidence.num_batch, Some(512));
    }
}
