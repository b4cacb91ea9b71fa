//! The picture of a sample and of the minutes before it: bar and graph per card, then the model.

use std::time::Duration;

use crate::monitor::{CardSample, ModelSample, SampleHistory};
use crate::say;
use crate::text::Text;
use crate::text::wrap::wrapped;

/// Narrower terminals get lines that are cut.
const NARROWEST: usize = 20;
/// Widest bar and graph.
const WIDEST: usize = 100;
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Number of last answers whose speed is shown.
const ANSWERS_SHOWN: usize = 5;

/// The lines of a frame, none wider than `columns`. `words` are messages for the end.
pub fn frame(
    history: &SampleHistory,
    span: Duration,
    words: &[String],
    columns: usize,
    text: Text,
) -> Vec<String> {
    let width = columns.max(NARROWEST);
    let mut lines = Vec::new();
    if let Some(sample) = history.latest() {
        if sample.gpus.is_empty() {
            lines.push(say!(text, "monitor-no-answer"));
        }
        for card in &sample.gpus {
            lines.extend(wrapped(&card.memory.words(text), width).lines().map(str::to_owned));
            lines.push(bar(card, width));
            lines.extend(legend(card, text));
            let graph = graph(history, card.memory.adapter, span, width);
            let legend = say!(text, "monitor-graph", span = text.duration(span.as_secs_f64()));
            lines.push(format!("{graph}  {legend}"));
            lines.push(String::new());
        }
        for line in of_model(sample.model.as_ref(), text) {
            lines.extend(wrapped(&line, width).lines().map(str::to_owned));
        }
    }
    for message in words {
        lines.push(String::new());
        lines.extend(wrapped(message, width).lines().map(str::to_owned));
    }
    lines.push(String::new());
    lines.push(say!(text, "monitor-stop-hint"));
    lines.into_iter().map(|line| line.chars().take(columns).collect()).collect()
}

/// The model's part, that of other programs, and what is free.
fn bar(card: &CardSample, width: usize) -> String {
    let cells = width.min(WIDEST).saturating_sub(2);
    let memory = &card.memory;
    let cells_of = |bytes: u64| {
        let share = bytes as f64 / memory.total_bytes.max(1) as f64;
        ((share * cells as f64).round() as usize).min(cells)
    };
    let used = cells_of(memory.used_bytes);
    let model = cells_of(card.model_bytes.unwrap_or(0)).min(used);
    format!("[{}{}{}]", "█".repeat(model), "▒".repeat(used - model), "·".repeat(cells - used))
}

fn legend(card: &CardSample, text: Text) -> Option<String> {
    let model = card.model_bytes?;
    let others = card.memory.used_bytes.saturating_sub(model);
    Some(say!(text, "monitor-bar-model", model = text.memory(model), others = text.memory(others)))
}

/// One column for each part of the span: the highest use in it.
fn graph(history: &SampleHistory, adapter: usize, span: Duration, width: usize) -> String {
    let columns = (width.min(WIDEST) / 2).max(8);
    let mut highest = vec![None::<f64>; columns];
    for point in history.of_card(adapter) {
        let ago = point.ago.as_secs_f64() / span.as_secs_f64().max(1.0);
        let column = ((1.0 - ago) * columns as f64) as usize;
        let column = &mut highest[column.min(columns - 1)];
        *column = Some(column.map_or(point.used_share, |share| share.max(point.used_share)));
    }
    let level = |share: f64| LEVELS[((share * 8.0) as usize).min(7)];
    highest.into_iter().map(|share| share.map_or(' ', level)).collect()
}

/// One line for each thing that the engine tells about its model.
pub fn of_model(model: Option<&ModelSample>, text: Text) -> Vec<String> {
    let line = |label: String, words: String| (!words.is_empty()).then(|| format!("{label}: {words}"));
    let Some(model) = model else {
        return line(say!(text, "monitor-label-model"), say!(text, "monitor-none-loaded"))
            .into_iter()
            .collect();
    };
    [
        line(say!(text, "monitor-label-model"), model.placement(text)),
        line(say!(text, "monitor-label-context"), model.context(text)),
        line(say!(text, "monitor-label-answers"), model.speeds(ANSWERS_SHOWN, text)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GIB;
    use crate::monitor::{AnswerTiming, Sample, VramUse};
    use crate::text::Language;
    use std::time::Instant;

    const SPAN: Duration = Duration::from_secs(300);

    fn history() -> SampleHistory {
        let mut history = SampleHistory::of_last(SPAN);
        let begun = Instant::now();
        for (second, used) in [(0, 1), (150, 4), (300, 7)] {
            let gpu = CardSample {
                memory: VramUse {
                    adapter: 0,
                    gpu: "NVIDIA GeForce RTX 4060 Laptop GPU".into(),
                    used_bytes: used * GIB,
                    total_bytes: 8 * GIB,
                },
                model_bytes: Some(used * GIB / 2),
            };
            let answers =
                [51.59, 20.0].map(|tokens_per_s| AnswerTiming { tokens_per_s, tokens: 10 }).to_vec();
            let model = ModelSample {
                gpu_layers: Some(25),
                total_layers: Some(29),
                n_cpu_moe: 3,
                context_tokens: Some(32_768),
                context_used_tokens: Some(7_650),
                answers,
                ..ModelSample::default()
            };
            let at = begun + Duration::from_secs(second);
            history.push(Sample { at, gpus: vec![gpu], model: Some(model) });
        }
        history
    }

    #[test]
    fn a_frame_shows_bar_graph_and_model() {
        let text = Text::new(Language::English);
        let frame = frame(&history(), SPAN, &["An alert".to_owned()], 42, text);
        let bar = format!("[{}{}{}]", "█".repeat(18), "▒".repeat(17), "·".repeat(5));
        // The name and the figures take two lines of this width.
        assert_eq!(frame[2], bar);
        assert!(frame[3].starts_with("model 3.5"), "{frame:#?}");
        let graph: String = frame[4].chars().take(21).collect();
        assert_eq!(graph, format!("▂{}▅{}█", " ".repeat(9), " ".repeat(9)), "{frame:#?}");
        let all = frame.join(" ");
        for part in ["25 of 29 layers", "experts of 3", "7,650 of 32,768", "51.6 · 20.0 tokens/s", "An alert"]
        {
            assert!(all.contains(part), "{part}: {all}");
        }
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let message = "Graphics memory is nearly full and the model may stop at any moment".to_owned();
        for language in Language::ALL {
            for columns in [1, 10, 25, 40, 80, 200] {
                let frame =
                    frame(&history(), SPAN, std::slice::from_ref(&message), columns, Text::new(language));
                let widest = frame.iter().map(|line| line.chars().count()).max();
                assert!(widest <= Some(columns), "{columns}: {frame:#?}");
            }
        }
    }

    #[test]
    fn without_cards_and_model_it_says_so() {
        let mut history = SampleHistory::of_last(SPAN);
        history.push(Sample { at: Instant::now(), gpus: Vec::new(), model: None });
        let frame = frame(&history, SPAN, &[], 80, Text::new(Language::English)).join("\n");
        assert!(frame.contains("does not answer") && frame.contains("not in memory"), "{frame}");
    }
}
