//! Changes of single settings in words: what would change, what was measured, what is set by hand.

use crate::install::{HandNumber, HandSettings, Receipt, SettingPlan, SettingProblem};
use crate::plan::{NUM_BATCH, Plan, Verdict};
use crate::say;
use crate::sentences::report::plan_facts;
use crate::sentences::terminal_page::TerminalPage;
use crate::text::Text;

/// Width of a bar in a terminal, in characters.
const BAR_WIDTH: u32 = 20;

/// Memory and speed before and after, what is refused or may fail, and what the new setting costs. The table is wrapped at
/// `columns`.
pub fn setting_comparison(plan: &SettingPlan, text: Text, columns: Option<usize>) -> String {
    let mut page = TerminalPage::default();
    let head = vec![String::new(), say!(text, "set-column-before"), say!(text, "set-column-after")];
    let (before, after) = (facts(&plan.before, text), facts(&plan.after, text));
    let value = |facts: &[(String, String)], name: &str| {
        facts
            .iter()
            .find(|(known, _)| known == name)
            .map_or_else(|| "–".to_owned(), |(_, value)| value.clone())
    };
    let mut names: Vec<&String> = after.iter().map(|(name, _)| name).collect();
    names.extend(
        before.iter().map(|(name, _)| name).filter(|name| after.iter().all(|(known, _)| known != *name)),
    );
    let rows = names.into_iter().map(|name| vec![name.clone(), value(&before, name), value(&after, name)]);
    page.table(std::iter::once(head).chain(rows).collect(), columns);
    page.gap();
    if plan.is_refused() {
        page.line(&format!("✗ {}", say!(text, "set-refused")));
    }
    let is_fact = |plan: &Plan| plan.verdict != Verdict::Compatible;
    page.bullets(plan.after.reasons.iter().filter(|_| is_fact(&plan.after)).map(|reason| reason.text(text)));
    if plan.is_refused() {
        page.bullets(plan.after.improvements.iter().map(|improvement| improvement.text(text)));
    }
    if let Some(reason) = &plan.may_fail {
        page.line(&format!("! {} {}", reason.text(text), say!(text, "set-may-fail")));
    }
    if let Some(by_hand) = plan.by_hand.as_ref().filter(|_| !plan.is_refused()) {
        page.line(&by_hand.set.words(text));
    }
    page.into_text().trim_end().to_owned() + "\n"
}

/// What of a plan a change of its setting can change, with bars for the memory.
fn facts(plan: &Plan, text: Text) -> Vec<(String, String)> {
    let mut facts = plan_facts(plan, text);
    // Model and quality stay.
    facts.drain(..2);
    if plan.setting.num_batch == NUM_BATCH {
        // The usual batch is no fact of a plan, but it may be what changes.
        let value = say!(text, "cli-batch-value", tokens = text.count(u64::from(NUM_BATCH)));
        facts.insert(1, (say!(text, "cli-batch"), value));
    }
    let bar = |need: u64, have: u64| format!("{} ", bar(need, have));
    for (name, value) in &mut facts {
        if *name == say!(text, "cli-vram") && plan.vram_total_bytes() > 0 {
            value.insert_str(0, &bar(plan.memory.vram_required_bytes, plan.vram_free_bytes()));
        }
        if *name == say!(text, "cli-ram") {
            value.insert_str(0, &bar(plan.memory.ram_required_bytes, plan.ram_available_bytes()));
        }
    }
    facts
}

/// A bar of what is needed of what there is; full where more is needed.
fn bar(need: u64, have: u64) -> String {
    let share = if have == 0 { 1.0 } else { (need as f64 / have as f64).min(1.0) };
    let full = (share * f64::from(BAR_WIDTH)).round() as usize;
    let empty = (BAR_WIDTH as usize).saturating_sub(full);
    "█".repeat(full) + &"░".repeat(empty)
}

/// What was predicted and measured, after a change.
pub fn setting_result(receipt: &Receipt, text: Text) -> String {
    let unknown = || say!(text, "install-unknown");
    let (predicted, measured) = (&receipt.predicted, &receipt.measured);
    let figure = |value: Option<f64>| value.map_or_else(unknown, |value| text.figure(value));
    let memory = |bytes: Option<u64>| bytes.map_or_else(unknown, |bytes| text.memory(bytes));
    let layers = measured.gpu_layers.unwrap_or(predicted.gpu_layers);
    let mut said = say!(
        text,
        "set-result",
        layers = layers,
        total = predicted.total_layers,
        context = text.count(u64::from(measured.context_tokens.unwrap_or(predicted.context_tokens))),
        kv = measured.kv_cache_type.clone().map_or_else(unknown, String::from),
        batch = measured.num_batch.map_or_else(unknown, |tokens| text.count(u64::from(tokens))),
        speed = figure(measured.decode_tokens_per_s),
        speed_promised = text.range(predicted.decode_tokens_per_s),
        wait = figure(measured.first_token_s),
        wait_promised = text.range(predicted.first_token_s),
        tokens = text.count(measured.first_token_prompt_tokens.unwrap_or(0)),
        vram = memory(measured.vram_bytes),
        vram_promised = text.memory(predicted.vram_bytes),
        ram = memory(measured.ram_bytes),
        ram_promised = text.memory(predicted.ram_bytes)
    );
    if predicted.n_cpu_moe > 0 {
        let blocks = measured.n_cpu_moe.map_or_else(unknown, |blocks| blocks.to_string());
        let promised = predicted.n_cpu_moe.to_string();
        let line = say!(text, "install-cli-result-experts", measured = blocks, promised = promised);
        said.push_str(&format!("\n{line}"));
    }
    for shortfall in &receipt.shortfalls {
        said.push_str(&format!("\n! {}", shortfall.words(text)));
    }
    said
}

impl HandSettings {
    /// What is set by hand, and how to return to the plan.
    pub fn words(&self, text: Text) -> String {
        let number = |number: HandNumber| match number {
            HandNumber::Count(count) => text.count(u64::from(count)),
            HandNumber::Auto(_) => say!(text, "set-by-hand-auto"),
        };
        let tokens = |tokens: u32| text.count(u64::from(tokens));
        let mut parts = Vec::new();
        match self.gpu_layers {
            Some(HandNumber::Count(0)) => parts.push(say!(text, "set-by-hand-cpu-only")),
            Some(layers) => parts.push(say!(text, "set-by-hand-layers", layers = number(layers))),
            None => {}
        }
        // Fewer layers mean that no experts are placed apart: that is no decision of its own.
        let experts =
            self.n_cpu_moe.filter(|blocks| *blocks != HandNumber::Count(0) || self.gpu_layers.is_none());
        parts.extend(experts.map(|blocks| say!(text, "set-by-hand-experts", blocks = number(blocks))));
        parts.extend(self.kv_cache_type.map(|kv| say!(text, "set-by-hand-kv", kv = kv.name())));
        parts.extend(self.context_tokens.map(|n| say!(text, "set-by-hand-context", tokens = tokens(n))));
        parts.extend(self.num_batch.map(|n| say!(text, "set-by-hand-batch", tokens = tokens(n))));
        say!(text, "set-by-hand", what = parts.join(", "))
    }
}

impl SettingProblem {
    /// Why the change is not possible.
    pub fn explain(&self, text: Text) -> String {
        match *self {
            Self::NoExperts => say!(text, "set-no-experts"),
            Self::TooManyLayers { total } => say!(text, "set-too-many-layers", total = total),
            Self::TooManyBlocks { blocks } => say!(text, "set-too-many-blocks", blocks = blocks),
            Self::ExpertsWithLayers { total } => say!(text, "set-experts-with-layers", total = total),
        }
    }
}
