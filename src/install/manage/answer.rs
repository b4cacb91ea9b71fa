//! Answers of the installed model.

use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::control::Control;
use crate::install::InstallError;
use crate::install::blocking::runtime;
use crate::install::manage::client;
use crate::install::state::documents::SERVED_MODEL;
use crate::ollama::client::{ChatMessage, ChatOptions, ChatRequest};

/// Timeout while the engine sends nothing: long prompts take minutes on a processor.
const SILENCE: Duration = Duration::from_secs(900);

/// A piece of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerPart<'a> {
    /// Of the reasoning before the answer.
    Thinking(&'a str),
    /// Of the answer.
    Text(&'a str),
}

/// An answer and what was measured on it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Answer {
    /// The text.
    #[serde(rename = "answer")]
    pub text: String,
    /// The reasoning before it, if the model shows any.
    pub thinking: Option<String>,
    /// How it ended.
    pub ended: AnswerEnd,
    /// Tokens written per second; `None` when it was stopped.
    pub tokens_per_s: Option<f64>,
    /// Seconds to the first token; `None` when none came.
    pub first_token_s: Option<f64>,
    /// Tokens of the conversation before it; `None` when it was stopped.
    pub prompt_tokens: Option<u64>,
    /// Its tokens; `None` when it was stopped.
    pub answer_tokens: Option<u64>,
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerEnd {
    /// The user stopped it.
    #[default]
    Stopped,
    /// The model ended it.
    Complete,
    /// At the limit of tokens, or at the end of the context.
    Length,
}

/// Streams the next answer of a conversation. Blocks until it ends or is cancelled, which is not an error: the answer so far
/// is returned.
///
/// # Errors
/// When nothing is installed, the server does not run or is another one, or the engine fails.
pub fn answer(
    home: &Path,
    messages: &[ChatMessage],
    options: ChatOptions,
    control: &Control,
    mut on_part: impl FnMut(AnswerPart<'_>),
) -> Result<Answer, InstallError> {
    let client = client(home)?;
    let request =
        ChatRequest { model: SERVED_MODEL.clone(), messages: messages.to_vec(), truncate: false, options };
    let mut answer = Answer::default();
    let began = Instant::now();
    let runtime = runtime()?;
    let ended = runtime.block_on(control.or_cancelled(client.chat(&request, SILENCE, |line| {
        let thinking = line.thinking.as_deref().unwrap_or_default();
        if !(thinking.is_empty() && line.response.is_empty()) {
            answer.first_token_s.get_or_insert_with(|| began.elapsed().as_secs_f64());
        }
        if !thinking.is_empty() {
            answer.thinking.get_or_insert_default().push_str(thinking);
            on_part(AnswerPart::Thinking(thinking));
        }
        if !line.response.is_empty() {
            answer.text.push_str(&line.response);
            on_part(AnswerPart::Text(&line.response));
        }
    })));
    let Ok(ended) = ended else { return Ok(answer) };
    let last = ended?;
    let seconds = last.eval_duration as f64 / 1e9;
    Ok(Answer {
        ended: if last.done_reason.as_deref() == Some("length") {
            AnswerEnd::Length
        } else {
            AnswerEnd::Complete
        },
        tokens_per_s: (seconds > 0.0).then(|| last.eval_count as f64 / seconds),
        prompt_tokens: Some(last.prompt_eval_count),
        answer_tokens: Some(last.eval_count),
        ..answer
    })
}
