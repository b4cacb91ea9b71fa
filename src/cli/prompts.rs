//! The steps of the window as questions in the terminal: welcome, hardware, all profiles, the choice, then those of
//! `acolyte install` (consent, summary, progress, result).

use std::io::{BufRead, IsTerminal, Write};

use crate::cli::args::{InstallArgs, WizardArgs};
use crate::cli::detect::hardware_of;
use crate::cli::output::columns;
use crate::cli::profiles::profiles_of;
use crate::cli::{Failure, Session, install};
use crate::models::Catalogue;
use crate::plan::{Report, Verdict, plan_all};
use crate::say;
use crate::sentences::report;
use crate::text::Text;
use crate::untrusted::UntrustedText;
use crate::untrusted::escaped_except_styles;

/// Runs the steps.
///
/// # Errors
/// When standard input is not a terminal, or as [`install::run`].
pub fn run(args: &WizardArgs, session: &Session) -> Result<u8, Failure> {
    session.require_own_home()?;
    if !std::io::stdin().is_terminal() {
        return Err(Failure::failed(say!(session.text, "cli-prompts-no-terminal")));
    }
    let Some(choice) = decide(args, session)? else {
        session.tell(&say!(session.text, "cli-prompts-nothing-done"));
        return Ok(0);
    };
    let install = InstallArgs {
        profile: choice.profile,
        emergency_cpu: choice.emergency_cpu,
        source: args.source.clone(),
        plan: args.plan.clone(),
        ..InstallArgs::default()
    };
    install::run(&install, session)
}

/// Shows the hardware and the profiles and asks what to install. Releases standard input, which the installation reads
/// too.
fn decide(args: &WizardArgs, session: &Session) -> Result<Option<PromptedChoice>, Failure> {
    let text = session.text;
    let profiles = profiles_of(args.plan.profiles.as_deref(), session)?;
    let (mut input, mut output) = (std::io::stdin().lock(), anstream::stdout());
    let mut dialogue = Dialogue { input: &mut input, output: &mut output, text };
    dialogue.say(&say!(text, "cli-prompts-welcome", home = UntrustedText::path(&session.home)))?;
    dialogue.say("")?;
    let hardware = hardware_of(args.plan.hardware.as_deref(), session)?;
    let report = plan_all(&hardware, Catalogue::built_in(), &profiles);
    dialogue.say(&report::requirements(&report, &hardware, text, columns()))?;
    if args.source.model.is_some() || args.source.model_file.is_some() {
        return Ok(Some(PromptedChoice { profile: None, emergency_cpu: report.verdict == Verdict::Refused }));
    }
    dialogue.choose(&report)
}

/// The user's choice.
#[derive(Debug, PartialEq, Eq)]
struct PromptedChoice {
    /// Id of a profile; `None` with the emergency mode or a model of their own.
    profile: Option<String>,
    emergency_cpu: bool,
}

struct Dialogue<'a> {
    input: &'a mut dyn BufRead,
    output: &'a mut dyn Write,
    text: Text,
}

impl Dialogue<'_> {
    /// Asks for one of the choices and profiles that run here; `None` when the user declines.
    fn choose(&mut self, report: &Report) -> Result<Option<PromptedChoice>, Failure> {
        let choices = report.choices.choices.iter().map(|choice| &choice.plan);
        let usable: Vec<&str> = choices
            .chain(&report.plans)
            .filter(|one| one.verdict != Verdict::Refused)
            .map(|one| one.candidate.id.as_str())
            .collect();
        let Some(recommended) = report.default_plan().map(|plan| plan.candidate.id.as_str()) else {
            let emergency = self.yes(&say!(self.text, "cli-prompts-emergency"))?;
            return Ok(emergency.then_some(PromptedChoice { profile: None, emergency_cpu: true }));
        };
        for (number, id) in (1..).zip(&usable) {
            let mark = if *id == recommended { "*" } else { " " };
            self.say(&format!("{mark} {number}  {id}"))?;
        }
        loop {
            let answer = self.ask(&say!(self.text, "cli-prompts-choose", recommended = recommended))?;
            let by_number = answer.parse::<usize>().ok().and_then(|n| usable.get(n.checked_sub(1)?));
            let chosen = match answer.as_str() {
                "" => Some(recommended),
                "q" => return Ok(None),
                id => by_number.or_else(|| usable.iter().find(|usable| **usable == id)).copied(),
            };
            match chosen {
                Some(id) => {
                    return Ok(Some(PromptedChoice { profile: Some(id.to_owned()), emergency_cpu: false }));
                }
                None => self.say(&say!(self.text, "cli-prompts-not-a-choice", answer = answer))?,
            }
        }
    }

    /// Asks a yes-or-no question; any answer but yes is a no.
    fn yes(&mut self, question: &str) -> Result<bool, Failure> {
        let answer = self.ask(question)?.to_lowercase();
        Ok(["y", "yes", "s", "si", "sí"].contains(&answer.as_str()))
    }

    fn ask(&mut self, question: &str) -> Result<String, Failure> {
        let failed = |error: std::io::Error| Failure::failed(error.to_string());
        write!(self.output, "{} ", escaped_except_styles(question))
            .and_then(|()| self.output.flush())
            .map_err(failed)?;
        let mut answer = String::new();
        if self.input.read_line(&mut answer).map_err(failed)? == 0 {
            return Err(Failure::failed(say!(self.text, "cli-prompts-no-answer")));
        }
        Ok(answer.trim().to_owned())
    }

    fn say(&mut self, words: &str) -> Result<(), Failure> {
        writeln!(self.output, "{}", escaped_except_styles(words))
            .map_err(|error| Failure::failed(error.to_string()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::machine::Hardware;
    use crate::plan::Profiles;
    use crate::text::Language;

    fn report(gpus: &str) -> Report {
        let json = format!(r#"{{"schema":1,"memory":{{"total_bytes":17179869184}},"gpus":[{gpus}]}}"#);
        let hardware = Hardware::from_json(&json, Path::new("test")).unwrap();
        plan_all(&hardware, Catalogue::built_in(), Profiles::built_in())
    }

    const CARD: &str = r#"{"name":"RTX 3060","kind":"discrete","vram_total_bytes":8589934592}"#;

    /// The choice after these input lines, and the output.
    fn choose(gpus: &str, typed: &str) -> (Result<Option<PromptedChoice>, Failure>, String) {
        let (mut input, mut output) = (typed.as_bytes(), Vec::new());
        let text = Text::new(Language::English);
        let chosen = Dialogue { input: &mut input, output: &mut output, text }.choose(&report(gpus));
        (chosen, String::from_utf8(output).unwrap())
    }

    fn profile(id: &str) -> Option<PromptedChoice> {
        Some(PromptedChoice { profile: Some(id.to_owned()), emergency_cpu: false })
    }

    #[test]
    fn enter_takes_the_recommended_choice_and_a_number_or_name_another() {
        let (chosen, shown) = choose(CARD, "\n");
        assert_eq!(chosen.unwrap(), profile("recommended"));
        assert!(shown.contains("* 1  recommended") && !shown.contains("premium"), "{shown}");
        assert_eq!(choose(CARD, "4\n").0.unwrap(), profile("light_6gb"));
        assert_eq!(choose(CARD, "hybrid_8gb_quality\n").0.unwrap(), profile("hybrid_8gb_quality"));
        assert_eq!(choose(CARD, "q\n").0.unwrap(), None);
    }

    #[test]
    fn an_invalid_choice_is_asked_again_and_end_of_input_ends_the_dialogue() {
        let (chosen, shown) = choose(CARD, "0\n99\npremium_24gb\n4\n");
        assert_eq!(chosen.unwrap(), profile("light_6gb"));
        assert!(shown.contains("premium_24gb"), "says what it did not take: {shown}");
        assert_eq!(choose(CARD, "99\n").0.unwrap_err().exit_code, 1);
    }

    #[test]
    fn without_a_card_only_yes_starts_the_emergency_mode() {
        let emergency = Some(PromptedChoice { profile: None, emergency_cpu: true });
        assert_eq!(choose("", "y\n").0.unwrap(), emergency);
        assert_eq!(choose("", "Sí\n").0.unwrap(), emergency);
        for no in ["\n", "n\n", "yup\n"] {
            assert_eq!(choose("", no).0.unwrap(), None);
        }
    }
}
