//! `acolyte ask` and `acolyte chat`: answers of the installed model, with the banner above each where it is degraded.
//!
//! The answer goes to standard output; banner, reasoning and figures go to standard error.

use std::io::{BufRead as _, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::SCHEMA;
use crate::cli::args::{AnswerArgs, AskArgs, ChatArgs};
use crate::cli::interrupt::{AnswerInterrupts, INTERRUPTED};
use crate::cli::output::{print, print_line_of_json, print_part, talk, talk_part};
use crate::cli::{Failure, Session};
use crate::install::Installed;
use crate::install::manage::{self, Answer, AnswerEnd, AnswerPart};
use crate::ollama::client::{ChatMessage, ChatOptions, ChatRole};
use crate::platform::encoding;
use crate::platform::files;
use crate::platform::regular;
use crate::say;

/// Largest file and input that is sent, in bytes: more than any context holds.
const MAX_INPUT_BYTES: u64 = 16 << 20;
/// The file name that means standard input.
const STANDARD_INPUT: &str = "-";

/// What `acolyte ask --json` and `acolyte chat --json` print for an answer.
#[derive(Debug, Serialize)]
struct AnswerJson<'a> {
    schema: u32,
    #[serde(flatten)]
    answer: &'a Answer,
    degraded: bool,
    banner: Option<&'a str>,
    model: &'a str,
    context_tokens: u32,
}

/// Answers one question.
///
/// # Errors
/// When there is no question, a file cannot be read, nothing is installed, or the server does not answer.
pub fn ask(args: &AskArgs, session: &Session) -> Result<u8, Failure> {
    let content = question(args, session)?;
    let interrupts = AnswerInterrupts::listen()?;
    let messages = [ChatMessage { role: ChatRole::User, content }];
    let answer = Conversation::new(&args.answer, session)?.answer(&messages, &interrupts)?;
    Ok(if answer.ended == AnswerEnd::Stopped { INTERRUPTED } else { 0 })
}

/// Answers the lines of standard input, each with the conversation before it. Ctrl-C stops an answer.
///
/// # Errors
/// When nothing is installed, standard input cannot be read, or the server does not answer.
pub fn chat(args: &ChatArgs, session: &Session) -> Result<u8, Failure> {
    let conversation = Conversation::new(&args.answer, session)?;
    let interrupts = AnswerInterrupts::listen()?;
    let is_terminal = std::io::stdin().is_terminal();
    if is_terminal {
        session.tell(&say!(session.text, "cli-chat-begin"));
    }
    let mut messages: Vec<ChatMessage> = Vec::new();
    let mut input = std::io::stdin().lock();
    loop {
        if is_terminal {
            talk_part("> ");
        }
        let mut line = String::new();
        let read = (&mut input).take(MAX_INPUT_BYTES).read_line(&mut line);
        let read = read.map_err(|error| unreadable(Path::new(STANDARD_INPUT), error, session))?;
        let content = line.trim();
        if read == 0 || (content.is_empty() && is_terminal) {
            return Ok(0);
        }
        if content.is_empty() {
            continue;
        }
        messages.push(ChatMessage { role: ChatRole::User, content: content.to_owned() });
        let answer = conversation.answer(&messages, &interrupts)?;
        messages.push(ChatMessage { role: ChatRole::Assistant, content: answer.text });
    }
}

/// The question, and the files after it. Without a question or a file, or with `-`, standard input is read.
fn question(args: &AskArgs, session: &Session) -> Result<String, Failure> {
    let standard_input = PathBuf::from(STANDARD_INPUT);
    let question = args.question.as_deref().filter(|question| *question != STANDARD_INPUT);
    let mut files = args.file.clone();
    let is_asked_for = args.question.is_some() && question.is_none();
    if (is_asked_for || args.question.is_none() && files.is_empty()) && !files.contains(&standard_input) {
        files.insert(0, standard_input);
    }
    let mut parts: Vec<String> = question.map(str::to_owned).into_iter().collect();
    for file in files {
        let read = if file == Path::new(STANDARD_INPUT) {
            read_standard_input()
        } else {
            regular::read_text(&file, MAX_INPUT_BYTES)
        };
        parts.push(read.map_err(|error| unreadable(&file, error, session))?);
    }
    let whole = parts.join("\n\n");
    if whole.trim().is_empty() {
        return Err(Failure::usage(say!(session.text, "cli-ask-nothing")));
    }
    Ok(whole)
}

fn read_standard_input() -> std::io::Result<String> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().take(MAX_INPUT_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_INPUT_BYTES {
        let limit_bytes = MAX_INPUT_BYTES;
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, regular::TooLarge { limit_bytes }));
    }
    encoding::decode(bytes)
}

fn unreadable(file: &Path, source: std::io::Error, session: &Session) -> Failure {
    Failure::failed(files::reading(file)(source).explain(session.text))
}

/// What each answer is shown with.
struct Conversation<'a> {
    args: &'a AnswerArgs,
    session: &'a Session,
    installed: Installed,
    banner: Option<String>,
}

impl<'a> Conversation<'a> {
    fn new(args: &'a AnswerArgs, session: &'a Session) -> Result<Self, Failure> {
        let explain = |error| Failure::of_install(error, session.text);
        let installed = manage::installed(&session.home).map_err(explain)?;
        let banner = installed.profile.banner_in(session.text).filter(|_| installed.profile.degraded);
        Ok(Self { args, session, installed, banner })
    }

    fn answer(&self, messages: &[ChatMessage], interrupts: &AnswerInterrupts) -> Result<Answer, Failure> {
        let (text, json) = (self.session.text, self.args.json);
        // Not a message that --quiet leaves out: the mode is part of the answer.
        if let Some(banner) = self.banner.as_ref().filter(|_| !json) {
            talk(banner);
        }
        let control = interrupts.next();
        let options = ChatOptions { num_predict: self.args.max_tokens };
        let mut closed = None;
        let answer = manage::answer(&self.session.home, messages, options, &control, |part| {
            let shown = match part {
                _ if json => Ok(()),
                AnswerPart::Thinking(piece) => {
                    talk_part(piece);
                    Ok(())
                }
                AnswerPart::Text(piece) => print_part(piece),
            };
            if let Err(failure) = shown {
                closed = Some(failure);
                control.cancel();
            }
        });
        interrupts.done();
        if let Some(failure) = closed {
            return Err(failure);
        }
        let answer = answer.map_err(|error| Failure::of_install(error, text))?;
        if json {
            let profile = &self.installed.profile;
            print_line_of_json(&AnswerJson {
                schema: SCHEMA,
                answer: &answer,
                degraded: profile.degraded,
                banner: self.banner.as_deref(),
                model: profile.base_model.as_str(),
                context_tokens: profile.context_tokens,
            })?;
        } else {
            print("\n")?;
            self.session.tell(&figures(&answer, self.session));
        }
        Ok(answer)
    }
}

/// Speed and wait of an answer, and why it is not whole.
fn figures(answer: &Answer, session: &Session) -> String {
    let text = session.text;
    let mut said = Vec::new();
    match answer.ended {
        AnswerEnd::Stopped => said.push(say!(text, "cli-answer-stopped")),
        AnswerEnd::Length => said.push(say!(text, "cli-answer-length")),
        AnswerEnd::Complete => {}
    }
    if let (Some(speed), Some(wait)) = (answer.tokens_per_s, answer.first_token_s) {
        said.push(say!(text, "cli-answer-figures", speed = text.figure(speed), wait = text.figure(wait)));
    }
    said.join(" ")
}
