//! Prediction and measurement: a row for each figure, drawn on one scale.

use eframe::egui::{Sense, Ui, accesskit::Role, vec2};

use crate::GIB;
use crate::install::Receipt;
use crate::say;
use crate::text::Text;
use crate::wizard::theme::{TextRole, Tone};
use crate::wizard::widgets::{Chip, Column, Paragraph, Table, describe_value, prediction_scale};

/// One line of the comparison.
struct Row {
    name: String,
    promised: String,
    measured: String,
    range: (f64, f64),
    value: Option<f64>,
    top: f64,
    verdict: (Tone, String),
}

/// The table of a receipt; Manage shows it too.
pub(super) fn comparison(ui: &mut Ui, text: Text, receipt: &Receipt) {
    let head = |head: String, min_width: f32, grow: f32, right: bool| Column {
        head,
        min_width,
        grow,
        right,
        sorted: None,
    };
    let columns = vec![
        head(String::new(), 118.0, 0.6, false),
        head(say!(text, "wizard-promised"), 78.0, 0.0, false),
        head(say!(text, "wizard-measured"), 78.0, 0.0, false),
        head(String::new(), 90.0, 2.0, false),
        head(String::new(), 118.0, 0.3, true),
    ];
    let name = format!("{} – {}", say!(text, "wizard-promised"), say!(text, "wizard-measured"));
    ui.spacing_mut().item_spacing.y = 0.0;
    Table::show(ui, &name, columns, 0.0, |ui, table| show_rows(ui, table, &rows(text, receipt)));
}

fn show_rows(ui: &mut Ui, table: &Table, rows: &[Row]) {
    table.head(ui, false);
    for (i, row) in rows.iter().enumerate() {
        table.row(ui, 36.0, None, i + 1 == rows.len(), |ui, column| match column {
            0 => _ = Paragraph::new(ui).add(TextRole::TableStrong, Tone::Ink, &row.name).show_line(ui),
            1 => _ = Paragraph::new(ui).add(TextRole::Table, Tone::Ink, &row.promised).show_line(ui),
            2 => _ = Paragraph::new(ui).add(TextRole::TableStrong, Tone::Ink, &row.measured).show_line(ui),
            3 => {
                let (rect, response) =
                    ui.allocate_exact_size(vec2(ui.available_width(), 16.0), Sense::hover());
                prediction_scale(ui, rect, row.range, row.value, row.top, row.verdict.0);
                if let Some(value) = row.value {
                    describe_value(&response, Role::Meter, &row.name, value, row.top);
                }
            }
            _ => _ = Chip::new(row.verdict.0, &row.verdict.1).show(ui),
        });
    }
}

fn rows(text: Text, receipt: &Receipt) -> Vec<Row> {
    let (promise, measured) = (&receipt.predicted, &receipt.measured);
    let unknown = || say!(text, "wizard-unknown");
    let decode = promise.decode_tokens_per_s;
    let first = promise.first_token_s;
    let context = f64::from(promise.context_tokens);
    let layers =
        |n: u32| say!(text, "wizard-of", part = n.to_string(), whole = promise.total_layers.to_string());
    let mut rows = vec![
        Row {
            name: say!(text, "wizard-tokens-a-second"),
            promised: text.range(decode),
            measured: measured.decode_tokens_per_s.map_or_else(unknown, |value| text.figure(value)),
            range: (decode.low, decode.high),
            value: measured.decode_tokens_per_s,
            top: decode.high.max(measured.decode_tokens_per_s.unwrap_or(0.0)) * 1.4,
            verdict: match measured.decode_tokens_per_s {
                Some(value) if value > decode.high => better(text),
                other => more_is_better(text, decode.low, other),
            },
        },
        Row {
            name: match measured.first_token_prompt_tokens {
                Some(tokens) => say!(text, "wizard-first-token-of", tokens = text.count(tokens)),
                None => say!(text, "wizard-table-first-token"),
            },
            promised: format!("{}\u{a0}s", text.range(first)),
            measured: measured
                .first_token_s
                .map_or_else(unknown, |value| format!("{}\u{a0}s", text.figure(value))),
            range: (first.low, first.high),
            value: measured.first_token_s,
            top: first.high.max(measured.first_token_s.unwrap_or(0.0)) * 1.4,
            verdict: match measured.first_token_s {
                Some(value) if value < first.low => better(text),
                other => less_is_better(text, first.high, other),
            },
        },
    ];
    if promise.vram_bytes > 0 {
        let name = say!(text, "wizard-memory-graphics");
        rows.push(memory_row(text, name, promise.vram_bytes, measured.vram_bytes, 0.1));
        rows.push(Row {
            name: say!(text, "wizard-layers"),
            promised: layers(promise.gpu_layers),
            measured: measured.gpu_layers.map_or_else(unknown, layers),
            range: (f64::from(promise.gpu_layers), f64::from(promise.gpu_layers)),
            value: measured.gpu_layers.map(f64::from),
            top: f64::from(promise.total_layers) * 1.05,
            verdict: more_is_better(text, f64::from(promise.gpu_layers), measured.gpu_layers.map(f64::from)),
        });
    }
    let name = say!(text, "wizard-memory-main");
    rows.push(memory_row(text, name, promise.ram_bytes, measured.ram_bytes, 0.15));
    rows.push(Row {
        name: say!(text, "wizard-context"),
        promised: text.count(u64::from(promise.context_tokens)),
        measured: measured.context_tokens.map_or_else(unknown, |tokens| text.count(u64::from(tokens))),
        range: (context, context),
        value: measured.context_tokens.map(f64::from),
        top: context * 1.05,
        verdict: match measured.context_tokens {
            Some(tokens) if tokens >= promise.context_tokens => {
                (Tone::Good, say!(text, "wizard-result-verified"))
            }
            other => more_is_better(text, context, other.map(f64::from)),
        },
    });
    rows
}

/// A row of memory, in bytes. `tolerance`: share of the prediction within which the measurement is as promised.
fn memory_row(text: Text, name: String, promised: u64, measured: Option<u64>, tolerance: f64) -> Row {
    let (promise, value) = (promised as f64, measured.map(|bytes| bytes as f64));
    Row {
        name,
        promised: text.memory(promised),
        measured: measured.map_or_else(|| say!(text, "wizard-unknown"), |bytes| text.memory(bytes)),
        // In GiB, which is the unit that a screen reader gets.
        range: (promise / GIB as f64, promise / GIB as f64),
        value: value.map(|bytes| bytes / GIB as f64),
        top: promise.max(value.unwrap_or(0.0)) * 1.6 / GIB as f64,
        verdict: near_is_better(text, promise, tolerance, value),
    }
}

/// Better than the promised range. Shown, because then the estimate was wrong too.
fn better(text: Text) -> (Tone, String) {
    (Tone::Good, say!(text, "wizard-result-better"))
}

fn more_is_better(text: Text, least: f64, measured: Option<f64>) -> (Tone, String) {
    match measured {
        None => (Tone::Soft, say!(text, "wizard-result-not-reported")),
        Some(value) if value >= least => (Tone::Good, say!(text, "wizard-result-as-promised")),
        Some(value) => (Tone::Warning, less(text, value, least)),
    }
}

fn less(text: Text, value: f64, than: f64) -> String {
    say!(text, "wizard-result-less", share = text.percent(1.0 - value / than.max(f64::MIN_POSITIVE)))
}

fn less_is_better(text: Text, most: f64, measured: Option<f64>) -> (Tone, String) {
    match measured {
        None => (Tone::Soft, say!(text, "wizard-result-not-reported")),
        Some(value) if value <= most => (Tone::Good, say!(text, "wizard-result-as-promised")),
        Some(value) => {
            let share = text.percent(value / most.max(f64::MIN_POSITIVE) - 1.0);
            (Tone::Warning, say!(text, "wizard-result-more", share = share))
        }
    }
}

/// For memory: much less than promised is harmless, but is shown. No use at all is a warning: the model does not run where
/// it should.
fn near_is_better(text: Text, promised: f64, tolerance: f64, measured: Option<f64>) -> (Tone, String) {
    match measured {
        Some(value) if value < promised * (1.0 - tolerance) => {
            let tone = if value > 0.0 { Tone::Good } else { Tone::Warning };
            (tone, less(text, value, promised))
        }
        other => less_is_better(text, promised * (1.0 + tolerance), other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Language;

    #[test]
    fn memory_is_as_promised_near_the_promise_only() {
        let verdict = |measured| near_is_better(Text::new(Language::English), 10.0, 0.1, measured);
        for near in [9.0, 10.0, 11.0] {
            assert_eq!(verdict(Some(near)), (Tone::Good, "as promised".to_owned()));
        }
        assert_eq!(verdict(Some(7.0)), (Tone::Good, "30\u{a0}% less".to_owned()));
        assert_eq!(verdict(Some(0.0)), (Tone::Warning, "100\u{a0}% less".to_owned()));
        assert_eq!(verdict(Some(22.0)), (Tone::Warning, "100\u{a0}% more".to_owned()));
        assert_eq!(verdict(None), (Tone::Soft, "not reported".to_owned()));
    }
}
