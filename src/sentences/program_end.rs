//! Sentences about how a program ended.

use crate::platform::program_end::{CrashCause, ProgramEnd};
use crate::say;
use crate::text::Text;

impl ProgramEnd {
    /// How it ended, as part of a sentence.
    pub fn describe(self, text: Text) -> String {
        match self {
            Self::Exited { code } => say!(text, "program-end-code", code = code.to_string()),
            Self::Exception { code, .. } => say!(text, "program-end-code", code = format!("0x{code:08X}")),
            Self::Signal { number, .. } => match (self.signal_name(), number) {
                (Some(name), _) => say!(text, "program-end-signal", signal = name),
                (None, number) => {
                    say!(text, "program-end-signal", signal = number.unwrap_or_default().to_string())
                }
            },
        }
    }

    /// What it usually means and what to do, in sentences; `None` for an end by itself.
    pub fn meaning(self, text: Text) -> Option<String> {
        self.cause().map(|cause| cause.explain(text))
    }
}

impl CrashCause {
    fn explain(self, text: Text) -> String {
        match self {
            Self::IllegalInstruction => say!(text, "crash-illegal-instruction"),
            Self::Killed => say!(text, "crash-killed"),
            Self::OutOfMemory => say!(text, "crash-out-of-memory"),
            Self::SegmentationFault => say!(text, "crash-segmentation-fault"),
            Self::BusError => say!(text, "crash-bus-error"),
            Self::Aborted => say!(text, "crash-aborted"),
            Self::Terminated => say!(text, "crash-terminated"),
            Self::ForbiddenCall => say!(text, "crash-forbidden-call"),
            Self::Limit => say!(text, "crash-limit"),
            Self::LibraryMissing => say!(text, "crash-library-missing"),
            Self::LibraryUnsuitable => say!(text, "crash-library-unsuitable"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::InstallError;
    use crate::ollama::server::ServerError;
    use crate::text::Language;

    #[test]
    fn an_end_without_last_lines_says_the_signal_and_what_it_means() {
        let kill = ProgramEnd::Signal { cause: Some(CrashCause::Killed), number: None };
        let ill = ProgramEnd::Signal { cause: Some(CrashCause::IllegalInstruction), number: None };
        let missing = ProgramEnd::Exception { cause: Some(CrashCause::LibraryMissing), code: 0xC000_0135 };
        for language in Language::ALL {
            let text = Text::new(language);
            let said = |end, last_lines| ServerError::Ended { end, last_lines }.explain(text);
            for (end, parts) in [
                (kill, ["SIGKILL", "OOM"]),
                (ill, ["SIGILL", "AVX"]),
                (missing, ["0xC0000135", "Visual C++"]),
            ] {
                let alone = said(end, Vec::new());
                assert!(parts.iter().all(|part| alone.contains(part)), "{alone}");
                assert!(!alone.trim_end().ends_with(':'), "no lines are announced: {alone}");
                let with_lines = said(end, vec!["panic: x".into()]);
                assert!(with_lines.contains("panic: x") && with_lines.contains(parts[0]), "{with_lines}");
            }
        }
    }

    #[test]
    fn what_the_engine_says_of_its_child_is_explained() {
        let message = "llama-server process has terminated: signal: illegal instruction (core dumped)";
        let error = InstallError::LoadFailed { message: message.into(), error_lines: Vec::new() };
        for language in Language::ALL {
            let said = error.explain(Text::new(language));
            assert!(said.contains(message) && said.contains("AVX"), "{said}");
        }
    }
}
