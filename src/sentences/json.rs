//! The JSON that `check-requirements --json` and `estimate --json` print; described in `docs/json.md`.
//!
//! They are separate types, so that internal types can change without changing the documents.

use serde::Serialize;

use crate::SCHEMA;
use crate::figures::Range;
use crate::machine::Hardware;
use crate::models::{Evaluator, KvCacheType, ModelFileRecord, Quality, file_record};
use crate::plan::{Choice, Expected, Plan, Reason, ReferenceComputer, Report, Role, Verdict};
use crate::sentences::choices::dominated_line;
use crate::sentences::document::HardwareDocument;
use crate::sentences::report::speed_line;
use crate::sentences::tips::{TipJson, tips_json};
use crate::text::Text;

/// What `check-requirements --json` prints.
#[derive(Debug, Serialize)]
pub struct ReportJson<'a> {
    schema: u32,
    verdict: Verdict,
    recommended: Option<&'a str>,
    reasons: Vec<ReasonJson>,
    hardware: HardwareDocument<'a>,
    profiles: Vec<ProfileJson<'a>>,
    choices: Vec<ChoiceJson<'a>>,
    /// `null` when no model runs on the processor alone.
    emergency_cpu: Option<ProfileJson<'a>>,
    tips: Vec<TipJson>,
}

/// What `profiles --json` prints.
#[derive(Debug, Serialize)]
pub struct ProfilesJson<'a> {
    schema: u32,
    profiles: Vec<ExpectedJson<'a>>,
}

#[derive(Debug, Serialize)]
struct ExpectedJson<'a> {
    /// In words, as a table shows it; the figures are in `speed`. `null` for a refused profile.
    expected_speed: Option<String>,
    #[serde(flatten)]
    plan: ProfileJson<'a>,
}

/// One of the three choices.
#[derive(Debug, Serialize)]
struct ChoiceJson<'a> {
    role: Role,
    #[serde(flatten)]
    plan: ProfileJson<'a>,
}

/// One profile, and what `estimate --json` prints.
#[derive(Debug, Serialize)]
pub struct ProfileJson<'a> {
    id: &'a str,
    verdict: Verdict,
    reasons: Vec<ReasonJson>,
    model: &'a str,
    model_file: ModelFileRecord,
    /// `null` when the model is not rated.
    quality: Option<QualityJson>,
    context_tokens: u32,
    kv_cache_type: KvCacheType,
    gpu_layers: u32,
    total_layers: u32,
    n_cpu_moe: u32,
    num_batch: u32,
    memory: MemoryJson,
    speed: SpeedJson,
    /// Why it was chosen, or what is better in every respect; `null` where there is nothing to say.
    why: Option<String>,
}

/// What `check-requirements --reference --json` prints.
#[derive(Debug, Serialize)]
pub struct ReferenceJson<'a> {
    schema: u32,
    rows: Vec<ReferenceRowJson<'a>>,
}

#[derive(Debug, Serialize)]
struct ReferenceRowJson<'a> {
    vram_gb: u32,
    ram_gb: u32,
    like_this_computer: bool,
    expected: &'a Expected,
    card: &'a str,
    verdict: Verdict,
    recommended: Option<ProfileJson<'a>>,
}

#[derive(Debug, Serialize)]
struct ReasonJson {
    code: &'static str,
    text: String,
}

#[derive(Debug, Serialize)]
struct QualityJson {
    stars: u8,
    word: &'static str,
    basis: Vec<ScoreJson>,
}

#[derive(Debug, Serialize)]
struct ScoreJson {
    benchmark: String,
    score: f64,
    of: f64,
    evaluator: Evaluator,
    setting: String,
    date: String,
    source: String,
}

impl From<Quality> for QualityJson {
    fn from(quality: Quality) -> Self {
        let word = quality.code();
        let basis = quality.basis.into_iter().map(|score| ScoreJson {
            benchmark: score.benchmark,
            score: score.score,
            of: score.most,
            evaluator: score.evaluator,
            setting: score.setting,
            date: score.date,
            source: score.source,
        });
        Self { stars: quality.stars, word, basis: basis.collect() }
    }
}

#[derive(Debug, Serialize)]
struct MemoryJson {
    weights_gpu_bytes: u64,
    kv_gpu_bytes: u64,
    compute_gpu_bytes: u64,
    /// Prediction heads or a draft model, their cache and buffers.
    draft_gpu_bytes: u64,
    overhead_gpu_bytes: u64,
    /// Upper end of the range.
    vram_required_bytes: u64,
    /// Lower end of the range.
    vram_low_bytes: u64,
    ram_required_bytes: u64,
    /// Of `ram_required_bytes`, for the engine's cache of earlier prompts.
    prompt_cache_ram_bytes: u64,
}

#[derive(Debug, Serialize)]
struct SpeedJson {
    decode_tokens_per_s: Range,
    decode_at_full_context_tokens_per_s: Range,
    first_token_full_prompt_s: Range,
    /// Whether they are assumed from related chips.
    is_assumed: bool,
}

impl<'a> ReportJson<'a> {
    /// The document of a report.
    pub fn new(report: &'a Report, hardware: &'a Hardware, text: Text) -> Self {
        Self {
            schema: SCHEMA,
            verdict: report.verdict,
            recommended: report.recommended.as_deref(),
            reasons: reasons(&report.reasons, text),
            hardware: hardware.into(),
            profiles: report.plans.iter().map(|one| ProfileJson::in_report(one, report, text)).collect(),
            choices: report.choices.choices.iter().map(|one| ChoiceJson::new(one, text)).collect(),
            emergency_cpu: report.choices.emergency_cpu.as_ref().map(|one| ProfileJson::new(one, text)),
            tips: tips_json(report.tips(hardware), text),
        }
    }
}

impl<'a> ProfilesJson<'a> {
    /// The document of a report's profiles.
    pub fn new(report: &'a Report, text: Text) -> Self {
        let one = |plan: &'a Plan| ExpectedJson {
            expected_speed: (plan.verdict != Verdict::Refused).then(|| speed_line(&plan.speed, text)),
            plan: ProfileJson::in_report(plan, report, text),
        };
        Self { schema: SCHEMA, profiles: report.plans.iter().map(one).collect() }
    }
}

impl<'a> ChoiceJson<'a> {
    fn new(choice: &'a Choice, text: Text) -> Self {
        let plan = ProfileJson { why: Some(choice.why(text)), ..ProfileJson::new(&choice.plan, text) };
        Self { role: choice.role, plan }
    }
}

impl<'a> ReferenceJson<'a> {
    /// The document of the reference table.
    pub fn new(computers: &'a [ReferenceComputer], text: Text) -> Self {
        let row = |computer: &'a ReferenceComputer| ReferenceRowJson {
            vram_gb: computer.row.vram_gb,
            ram_gb: computer.row.ram_gb,
            like_this_computer: computer.is_like_here,
            expected: &computer.row.expected,
            card: &computer.row.card,
            verdict: computer.report.verdict,
            recommended: computer.report.recommended().map(|one| ProfileJson::new(one, text)),
        };
        Self { schema: SCHEMA, rows: computers.iter().map(row).collect() }
    }
}

impl<'a> ProfileJson<'a> {
    /// The object of a profile, which a choice may surpass in every respect.
    fn in_report(plan: &'a Plan, report: &'a Report, text: Text) -> Self {
        let better = Some(plan).filter(|plan| plan.verdict != Verdict::Refused);
        let better = better.and_then(|plan| report.choices.better_than(plan));
        Self { why: better.map(|better| dominated_line(better, text)), ..Self::new(plan, text) }
    }

    /// The object of a plan.
    pub fn new(plan: &'a Plan, text: Text) -> Self {
        let candidate = &plan.candidate;
        let memory = &plan.memory;
        let speed = &plan.speed;
        Self {
            id: &candidate.id,
            verdict: plan.verdict,
            reasons: reasons(&plan.reasons, text),
            model: candidate.model.name.as_str(),
            model_file: file_record(&candidate.model),
            quality: plan.quality.clone().map(QualityJson::from),
            context_tokens: candidate.context_tokens,
            kv_cache_type: candidate.kv_cache_type,
            gpu_layers: plan.gpu_layers(),
            total_layers: plan.total_layers,
            n_cpu_moe: plan.setting.n_cpu_moe,
            num_batch: plan.setting.num_batch,
            memory: MemoryJson {
                weights_gpu_bytes: memory.weights_gpu_bytes,
                kv_gpu_bytes: memory.kv_gpu_bytes,
                compute_gpu_bytes: memory.compute_gpu_bytes,
                draft_gpu_bytes: memory.draft_gpu_bytes,
                overhead_gpu_bytes: memory.overhead_gpu_bytes,
                vram_required_bytes: memory.vram_required_bytes,
                vram_low_bytes: memory.vram_low_bytes,
                ram_required_bytes: memory.ram_required_bytes,
                prompt_cache_ram_bytes: memory.prompt_cache_ram_bytes,
            },
            speed: SpeedJson {
                decode_tokens_per_s: speed.decode_tokens_per_s,
                decode_at_full_context_tokens_per_s: speed.decode_at_full_context_tokens_per_s,
                first_token_full_prompt_s: speed.first_token_full_prompt_s,
                is_assumed: plan.speed_is_assumed(),
            },
            why: None,
        }
    }
}

fn reasons(reasons: &[Reason], text: Text) -> Vec<ReasonJson> {
    reasons.iter().map(|reason| ReasonJson { code: reason.code(), text: reason.text(text) }).collect()
}
