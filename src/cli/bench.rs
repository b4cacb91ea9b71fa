//! `acolyte bench`: measures what is installed again and compares it with the receipt.

use serde::Serialize;

use crate::SCHEMA;
use crate::cli::args::BenchArgs;
use crate::cli::interrupt::{INTERRUPTED, cancel_on_ctrl_c};
use crate::cli::output::{print, print_json};
use crate::cli::{Failure, Session};
use crate::control::Control;
use crate::install::manage::{BenchFigure, BenchFigures, BenchReport, BenchStep, bench};
use crate::install::{OtherWork, TuningRules};
use crate::say;
use crate::text::Text;

#[derive(Debug, Serialize)]
struct BenchJson<'a> {
    schema: u32,
    #[serde(flatten)]
    report: &'a BenchReport,
}

/// Measures and prints both. The exit code is 0, also where it is slower.
///
/// # Errors
/// When nothing is installed, the server does not answer, or the user interrupts it.
pub fn run(args: &BenchArgs, session: &Session) -> Result<u8, Failure> {
    let text = session.text;
    let control = Control::new();
    cancel_on_ctrl_c(&control)?;
    let report = bench(&session.home, &control, |step| {
        session.tell(&match step {
            BenchStep::Speed => say!(text, "install-measuring-speed"),
            BenchStep::FirstToken { tokens } => {
                say!(text, "cli-bench-first-token", tokens = text.count(tokens))
            }
        });
    });
    let report = report.map_err(|error| match error.is_cancelled() {
        true => Failure { exit_code: INTERRUPTED, message: say!(text, "cli-bench-stopped") },
        false => Failure::of_install(error, text),
    })?;
    if args.json {
        print_json(&BenchJson { schema: SCHEMA, report: &report })?;
    } else {
        print(&words(&report, text))?;
    }
    Ok(0)
}

fn words(report: &BenchReport, text: Text) -> String {
    let unknown = || say!(text, "install-unknown");
    let figure = |value: Option<f64>| value.map_or_else(unknown, |value| text.figure(value));
    let then = report.then.unwrap_or_default();
    let line = |figures: BenchFigures| {
        let tokens = figures.first_token_prompt_tokens.map_or_else(unknown, |tokens| text.count(tokens));
        (figure(figures.decode_tokens_per_s), figure(figures.first_token_s), tokens)
    };
    let ((speed, wait, tokens), (speed_then, wait_then, tokens_then)) = (line(report.now), line(then));
    let mut lines = vec![
        say!(text, "cli-bench-now", speed = speed, wait = wait, tokens = tokens),
        say!(text, "cli-bench-then", speed = speed_then, wait = wait_then, tokens = tokens_then),
    ];
    if report.slower.is_empty() {
        lines.push(say!(text, "cli-bench-as-fast"));
    }
    for figure in &report.slower {
        lines.push(match figure {
            BenchFigure::Speed => say!(text, "cli-bench-slower"),
            BenchFigure::FirstToken => say!(text, "cli-bench-slower-prompts"),
        });
    }
    let limit = TuningRules::built_in().other_work.processor_share;
    let busy = report.other_processor_share.filter(|share| *share > limit);
    lines.extend(busy.map(|share| OtherWork::Processor { share }.words(text)));
    lines.extend(report.less_on_card.map(|share| {
        let (now, then) = (text.percent(share.now), text.percent(share.then));
        say!(text, "cli-bench-less-on-card", now = now, then = then)
    }));
    lines.extend(report.other_work.iter().map(|work| work.words(text)));
    lines.extend(report.tips.iter().map(|tip| tip.text(text)));
    let is_explained = busy.is_some()
        || report.less_on_card.is_some()
        || !report.other_work.is_empty()
        || !report.tips.is_empty();
    if !report.slower.is_empty() && !is_explained {
        lines.push(say!(text, "cli-bench-advice"));
    }
    lines.join("\n") + "\n"
}
