//! The terminal's reports: hardware, all profiles, one estimate. No I/O. Readable without colour; the caller strips escape
//! codes if the output does not support them.

use anstyle::{AnsiColor, Style};

use crate::estimate::Speed;
use crate::machine::Hardware;
use crate::models::Model;
use crate::plan::{Choice, Improvement, NUM_BATCH, Plan, Reason, ReferenceComputer, Report, Tip, Verdict};
use crate::say;
use crate::sentences::choices::dominated_line;
use crate::sentences::machine::hardware_facts;
use crate::sentences::published::file_sentences;
use crate::sentences::terminal_page::{TerminalPage, styled};
use crate::sentences::{ReferenceWords, quality_line, wait};
use crate::text::Text;

/// Colour of a verdict.
fn colour(verdict: Verdict) -> Style {
    let colour = match verdict {
        Verdict::Compatible => AnsiColor::Green,
        Verdict::Degraded => AnsiColor::Yellow,
        Verdict::Refused => AnsiColor::Red,
    };
    colour.on_default()
}

/// The hardware, as `acolyte detect` prints it.
pub fn hardware(hardware: &Hardware, text: Text) -> String {
    let mut page = TerminalPage::default();
    page.heading(&say!(text, "cli-this-computer"));
    page.facts(&hardware_facts(hardware, text));
    if !hardware.notes.is_empty() {
        page.gap();
        page.heading(&say!(text, "cli-notes"));
        for finding in &hardware.notes {
            page.bullets(std::iter::once(finding.explain(text)));
            page.link(finding.link(text));
        }
    }
    page.into_text()
}

/// All profiles on this computer, as `acolyte check-requirements` prints them. The table is wrapped at `columns`.
pub fn requirements(report: &Report, hardware: &Hardware, text: Text, columns: Option<usize>) -> String {
    let mut page = TerminalPage::default();
    page.heading(&say!(text, "cli-this-computer"));
    page.facts(&hardware_facts(hardware, text));
    page.gap();
    page.line(&styled(colour(report.verdict), &verdict_line(report.verdict, text)));
    page.gap();
    let tips = report.tips(hardware);
    let choices = &report.choices.choices;
    if let Some(first) = choices.first() {
        page.heading(&say!(text, "cli-choices"));
        page.table(choice_table(choices, text), columns);
        page.bullets(
            choices.iter().map(|choice| format!("{}: {}", choice.role.title(text), choice.why(text))),
        );
        page.gap();
        page.heading(&first.role.title(text));
        page.facts(&plan_facts(&first.plan, text));
        page.bullets(first.plan.reasons.iter().map(|reason| reason.text(text)));
        page.gap();
        tip_list(&mut page, &tips, text);
    }
    if let Some(best) = report.recommended() {
        let grade = best.grade.map(|grade| format!(" ({})", grade.title(text))).unwrap_or_default();
        let id = best.candidate.id.as_str();
        page.heading(&format!("{}{grade}", say!(text, "cli-profiles-recommended", id = id)));
        page.facts(&plan_facts(best, text));
        page.gap();
    }
    if choices.is_empty() {
        tip_list(&mut page, &tips, text);
    }
    page.heading(&say!(text, "cli-why"));
    for reason in &report.reasons {
        page.bullets(std::iter::once(reason.text(text)));
        if let Reason::EngineRefuses { refusal } = reason {
            page.link(refusal.link(text));
        }
    }
    improvements(&mut page, &without_tips(&report.improvements, &tips), text);
    page.gap();
    page.heading(&say!(text, "cli-all-profiles"));
    page.table(profile_table(report, text), columns);
    let surpassed = report.plans.iter().filter(|plan| plan.verdict != Verdict::Refused).filter_map(|plan| {
        let why = dominated_line(report.choices.better_than(plan)?, text);
        Some(say!(text, "cli-better-choice", profile = plan.candidate.id.as_str(), why = why))
    });
    page.bullets(surpassed);
    page.line(&say!(text, "cli-range-meaning"));
    if report.plans.iter().any(Plan::speed_is_assumed) {
        page.line(&say!(text, "plan-speed-assumed"));
    }
    if let Some(best) = report.default_plan() {
        let consent = if best.verdict == Verdict::Degraded { " --accept-degraded" } else { "" };
        page.gap();
        page.line(&say!(
            text,
            "cli-to-install",
            command = format!("acolyte install --profile {}{consent}", best.candidate.id)
        ));
    }
    page.into_text()
}

/// Every profile with what it would be on this computer, as `acolyte profiles` prints them.
pub fn profiles(report: &Report, text: Text) -> String {
    let mut page = TerminalPage::default();
    for plan in &report.plans {
        let verdict = styled(colour(plan.verdict), &plan.verdict.title(text));
        page.heading(&format!("{} – {verdict}", plan.candidate.id));
        page.facts(&plan_facts(plan, text));
        if plan.verdict == Verdict::Refused {
            page.bullets(plan.reasons.iter().map(|reason| reason.text(text)));
        }
        if let Some(better) = report.choices.better_than(plan).filter(|_| plan.verdict != Verdict::Refused) {
            page.bullets(std::iter::once(dominated_line(better, text)));
        }
        page.gap();
    }
    page.into_text()
}

/// The original expectations for six computers next to the estimates, as `check-requirements --reference` prints them.
/// The row of a computer like this one is marked. The table is wrapped at `columns`.
pub fn reference(computers: &[ReferenceComputer], text: Text, columns: Option<usize>) -> String {
    let mut page = TerminalPage::default();
    page.heading(&say!(text, "plan-reference-title"));
    page.line(&say!(text, "plan-reference-about"));
    page.gap();
    let head = vec![
        String::new(),
        say!(text, "plan-reference-computer"),
        say!(text, "plan-reference-expected"),
        String::new(),
        say!(text, "plan-reference-computed"),
        String::new(),
        String::new(),
    ];
    let mut rows = vec![head];
    rows.extend(computers.iter().map(|computer| {
        let row = ReferenceWords::of(computer, text);
        let here = if computer.is_like_here { "→" } else { "" };
        let verdict = computer.report.verdict;
        vec![
            here.to_owned(),
            row.computer,
            row.expected_speed,
            row.expected_model,
            row.computed_speed,
            row.computed_profile,
            format!("{} {}", sign(verdict), verdict.title(text)),
        ]
    }));
    page.table(rows, columns);
    if computers.iter().any(|computer| computer.is_like_here) {
        page.line(&format!("→ {}", say!(text, "plan-reference-like-this")));
    }
    page.into_text()
}

/// One candidate on one machine, as `acolyte estimate` prints it.
pub fn estimate(plan: &Plan, text: Text) -> String {
    let mut page = TerminalPage::default();
    page.heading(&plan.candidate.model.title);
    page.facts(&plan_facts(plan, text));
    page.gap();
    page.line(&styled(colour(plan.verdict), &verdict_line(plan.verdict, text)));
    page.bullets(plan.reasons.iter().map(|reason| reason.text(text)));
    page.bullets(file_sentences(&plan.candidate.model, None, text).into_iter());
    improvements(&mut page, &plan.improvements, text);
    page.line(&say!(text, "cli-range-meaning"));
    if plan.speed_is_assumed() {
        page.line(&say!(text, "plan-speed-assumed"));
    }
    page.into_text()
}

/// Name and value of each line about a plan: model, layers, experts in main memory, a batch other than the usual one,
/// context, memory, speed, first token.
pub fn plan_facts(plan: &Plan, text: Text) -> Vec<(String, String)> {
    let candidate = &plan.candidate;
    let model = &candidate.model;
    let memory = &plan.memory;
    let speed = &plan.speed;
    let vram = text.memory_range(memory.vram_low_bytes, memory.vram_required_bytes);
    let free = text.memory(plan.vram_free_bytes());
    let (ram, available) = (text.memory(memory.ram_required_bytes), text.memory(plan.ram_available_bytes()));
    let mut facts = vec![
        (
            say!(text, "cli-model"),
            say!(
                text,
                "cli-model-value",
                title = model.title.as_str(),
                tag = model.name.shown(),
                quantisation = model.quantisation.name(),
                size = text.file_size(model.download_bytes)
            ),
        ),
        (say!(text, "cli-quality"), quality_line(plan.quality.as_ref(), text)),
        (
            say!(text, "cli-layers"),
            say!(
                text,
                "cli-layers-value",
                gpu = plan.gpu_layers(),
                total = plan.total_layers,
                share = text.percent(plan.gpu_layer_share())
            ),
        ),
    ];
    if plan.setting.n_cpu_moe > 0 {
        let (blocks, total) = (plan.setting.n_cpu_moe, plan.total_layers.saturating_sub(1));
        let value = say!(text, "cli-experts-value", blocks = blocks, total = total);
        facts.push((say!(text, "cli-experts"), value));
    }
    if plan.setting.num_batch != NUM_BATCH {
        let value = say!(text, "cli-batch-value", tokens = text.count(u64::from(plan.setting.num_batch)));
        facts.push((say!(text, "cli-batch"), value));
    }
    facts.extend([
        (
            say!(text, "cli-context"),
            say!(
                text,
                "cli-context-value",
                tokens = text.count(u64::from(candidate.context_tokens)),
                kv = candidate.kv_cache_type.name()
            ),
        ),
        (
            say!(text, "cli-vram"),
            match (plan.vram_total_bytes(), plan.vram_free_is_assumed()) {
                (0, _) => say!(text, "cli-no-card"),
                (_, true) => say!(text, "cli-of-free-assumed", need = vram, have = free),
                (_, false) => say!(text, "cli-of-free", need = vram, have = free),
            },
        ),
        (
            say!(text, "cli-ram"),
            if plan.ram_available_is_assumed() {
                say!(text, "cli-of-available-assumed", need = ram, have = available)
            } else {
                say!(text, "cli-of-available", need = ram, have = available)
            },
        ),
        (say!(text, "cli-speed"), speed_line(speed, text)),
        (
            say!(text, "cli-first-token"),
            say!(text, "cli-first-token-value", wait = wait(speed.first_token_full_prompt_s, text)),
        ),
    ]);
    facts
}

/// Expected speed with an empty and a full context.
pub(super) fn speed_line(speed: &Speed, text: Text) -> String {
    say!(
        text,
        "cli-speed-value",
        speed = text.range(speed.decode_tokens_per_s),
        full = text.range(speed.decode_at_full_context_tokens_per_s)
    )
}

fn verdict_line(verdict: Verdict, text: Text) -> String {
    // A symbol in addition to the colour.
    match verdict {
        Verdict::Compatible => format!("✓ {}", say!(text, "cli-verdict-compatible")),
        Verdict::Degraded => format!("! {}", say!(text, "cli-verdict-degraded")),
        Verdict::Refused => format!("✗ {}", say!(text, "cli-verdict-refused")),
    }
}

fn tip_list(page: &mut TerminalPage, tips: &[Tip], text: Text) {
    if !tips.is_empty() {
        page.heading(&say!(text, "tip-title"));
        page.bullets(tips.iter().map(|tip| tip.text(text)));
        page.gap();
    }
}

/// The improvements that no tip says better, with names and figures.
fn without_tips(improvements: &[Improvement], tips: &[Tip]) -> Vec<Improvement> {
    let is_said = |improvement: &Improvement| {
        tips.iter().any(|tip| {
            matches!(
                (improvement, tip),
                (Improvement::CloseGpuPrograms { .. }, Tip::CloseGpuPrograms { .. })
                    | (Improvement::CloseRamPrograms { .. }, Tip::CloseRamPrograms { .. })
                    | (Improvement::OtherKvCacheType { .. }, Tip::OtherKvCache { .. })
            )
        })
    };
    improvements.iter().filter(|improvement| !is_said(improvement)).cloned().collect()
}

fn improvements(page: &mut TerminalPage, improvements: &[Improvement], text: Text) {
    if !improvements.is_empty() {
        page.gap();
        page.heading(&say!(text, "cli-what-would-change-it"));
        page.bullets(improvements.iter().map(|improvement| improvement.text(text)));
    }
}

fn choice_table(choices: &[Choice], text: Text) -> Vec<Vec<String>> {
    let head = vec![
        say!(text, "cli-column-choice"),
        say!(text, "cli-column-verdict"),
        say!(text, "cli-column-model"),
        say!(text, "cli-column-quality"),
        say!(text, "cli-column-context"),
        say!(text, "cli-column-kv"),
        say!(text, "cli-column-vram"),
        say!(text, "cli-column-ram"),
        say!(text, "cli-column-speed"),
        say!(text, "cli-column-speed-full"),
        say!(text, "cli-column-first-token"),
    ];
    let rows = choices.iter().map(|choice| {
        let cells = Cells::of(&choice.plan, text);
        vec![
            choice.role.title(text),
            cells.verdict,
            cells.model,
            cells.quality,
            cells.context,
            cells.kv_cache,
            cells.vram,
            cells.ram,
            cells.speed,
            text.range(choice.plan.speed.decode_at_full_context_tokens_per_s),
            cells.first_token,
        ]
    });
    std::iter::once(head).chain(rows).collect()
}

fn profile_table(report: &Report, text: Text) -> Vec<Vec<String>> {
    let head = vec![
        say!(text, "cli-column-profile"),
        say!(text, "cli-column-verdict"),
        say!(text, "cli-column-model"),
        say!(text, "cli-column-quality"),
        say!(text, "cli-column-layers"),
        say!(text, "cli-column-context"),
        say!(text, "cli-column-kv"),
        say!(text, "cli-column-vram"),
        say!(text, "cli-column-ram"),
        say!(text, "cli-column-speed"),
        say!(text, "cli-column-first-token"),
    ];
    let rows = report.plans.iter().map(|plan| {
        let cells = Cells::of(plan, text);
        vec![
            plan.candidate.id.clone(),
            cells.verdict,
            cells.model,
            cells.quality,
            cells.layers,
            cells.context,
            cells.kv_cache,
            cells.vram,
            cells.ram,
            cells.speed,
            cells.first_token,
        ]
    });
    std::iter::once(head).chain(rows).collect()
}

/// What both tables say of a plan. A refused one has neither layers nor speed; its VRAM is what it would need.
struct Cells {
    verdict: String,
    model: String,
    quality: String,
    layers: String,
    context: String,
    kv_cache: String,
    vram: String,
    ram: String,
    speed: String,
    first_token: String,
}

impl Cells {
    fn of(plan: &Plan, text: Text) -> Self {
        let candidate = &plan.candidate;
        let refused = plan.verdict == Verdict::Refused;
        let unless_refused = |words: String| if refused { "–".to_owned() } else { words };
        let share = |part, whole| format!("{}/{}", text.memory_number(part), text.memory_number(whole));
        let verdict = match plan.reasons.first() {
            Some(reason) if refused => reason.title(text),
            _ => plan.verdict.title(text),
        };
        let vram = if refused { plan.all_layers_vram_bytes } else { plan.memory.vram_required_bytes };
        Self {
            verdict: format!("{} {verdict}", sign(plan.verdict)),
            model: model_name(&candidate.model),
            quality: plan
                .quality
                .as_ref()
                .map_or_else(|| say!(text, "plan-quality-not-rated"), |rated| rated.stars_drawn()),
            layers: unless_refused(format!("{}/{}", plan.gpu_layers(), plan.total_layers)),
            context: text.count(u64::from(candidate.context_tokens)),
            kv_cache: candidate.kv_cache_type.name().to_owned(),
            vram: share(vram, plan.vram_free_bytes()),
            ram: unless_refused(share(plan.memory.ram_required_bytes, plan.ram_available_bytes())),
            speed: unless_refused(text.range(plan.speed.decode_tokens_per_s)),
            first_token: unless_refused(wait(plan.speed.first_token_full_prompt_s, text)),
        }
    }
}

/// Title and quantisation, unless the title contains it.
fn model_name(model: &Model) -> String {
    let (title, quantisation) = (&model.title, model.quantisation.name());
    if title.contains(quantisation) { title.to_string() } else { format!("{title} {quantisation}") }
}

fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Compatible => "✓",
        Verdict::Degraded => "!",
        Verdict::Refused => "✗",
    }
}
