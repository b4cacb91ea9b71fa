//! How a program ended, and what that usually means.

use std::process::ExitStatus;

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgramEnd {
    /// By itself, with this code.
    Exited {
        /// Its exit code.
        code: i64,
    },
    /// The system ended it with a signal.
    Signal {
        /// What the signal is, if it is one of those with a usual meaning.
        cause: Option<CrashCause>,
        /// Its number on this system; `None` where only its name is known.
        number: Option<i32>,
    },
    /// Windows ended it with an exception.
    Exception {
        /// What the exception is, if it is one of those with a usual meaning.
        cause: Option<CrashCause>,
        /// Its code (NTSTATUS).
        code: u32,
    },
}

/// Why the system ends programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashCause {
    /// An instruction that the processor does not have: `SIGILL`, `0xC000001D`.
    IllegalInstruction,
    /// Killed from outside, most often because memory was full: `SIGKILL`.
    Killed,
    /// Memory was full: `0xC0000017`, `0xC000012D`.
    OutOfMemory,
    /// Access to memory that is not its own: `SIGSEGV`, `0xC0000005`.
    SegmentationFault,
    /// A file that is mapped into memory cannot be read: `SIGBUS`, `0xC0000006`.
    BusError,
    /// The program ended itself after an error: `SIGABRT`, `0xC0000409`.
    Aborted,
    /// Asked to end: `SIGTERM`, `SIGINT`, `SIGHUP`, `0xC000013A`.
    Terminated,
    /// A system call is not allowed: `SIGSYS`.
    ForbiddenCall,
    /// A limit of the account: `SIGXCPU`, `SIGXFSZ`.
    Limit,
    /// A library is missing: exit code 127 of the loader, `0xC0000135`.
    LibraryMissing,
    /// A library is of another version: `0xC0000139`, `0xC000007B`.
    LibraryUnsuitable,
}

/// Signals by name, as Go's library words them (`syscall.Signal.String`), and their causes.
const SIGNALS: [(&str, &str, CrashCause); 11] = [
    ("SIGILL", "illegal instruction", CrashCause::IllegalInstruction),
    ("SIGKILL", "killed", CrashCause::Killed),
    ("SIGSEGV", "segmentation fault", CrashCause::SegmentationFault),
    ("SIGBUS", "bus error", CrashCause::BusError),
    ("SIGABRT", "aborted", CrashCause::Aborted),
    ("SIGABRT", "abort trap", CrashCause::Aborted),
    ("SIGTERM", "terminated", CrashCause::Terminated),
    ("SIGINT", "interrupt", CrashCause::Terminated),
    ("SIGHUP", "hangup", CrashCause::Terminated),
    ("SIGSYS", "bad system call", CrashCause::ForbiddenCall),
    ("SIGXFSZ", "file size limit exceeded", CrashCause::Limit),
];

impl ProgramEnd {
    /// From the system's exit status.
    pub fn of(status: ExitStatus) -> Self {
        #[cfg(unix)]
        {
            use std::os::unix::process::ExitStatusExt as _;
            if let Some(number) = status.signal() {
                return Self::Signal { cause: system::cause(number), number: Some(number) };
            }
        }
        // Windows' codes are unsigned.
        let code = status.code().unwrap_or(-1);
        if cfg!(windows) {
            Self::of_code(i64::from(code.cast_unsigned()))
        } else {
            Self::of_code(i64::from(code))
        }
    }

    /// From an exit code.
    fn of_code(code: i64) -> Self {
        /// Windows' exceptions: severity "error".
        const EXCEPTIONS: std::ops::RangeInclusive<i64> = 0xC000_0000..=0xCFFF_FFFF;
        match u32::try_from(code).ok().filter(|_| EXCEPTIONS.contains(&code)) {
            Some(exception) => Self::Exception { cause: exception_cause(exception), code: exception },
            None => Self::Exited { code },
        }
    }

    /// From the words in which the engine reports the end of its child: `signal: killed`, `exit status 0xc0000005`.
    pub fn in_message(message: &str) -> Option<Self> {
        let lower = message.to_lowercase();
        if let Some((_, words)) = lower.split_once("signal: ") {
            let known = SIGNALS.iter().find(|(_, name, _)| words.starts_with(name));
            return known.map(|(_, _, cause)| Self::Signal { cause: Some(*cause), number: None });
        }
        let (_, code) = lower.split_once("exit status ")?;
        let end = code.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(code.len());
        let code = &code[..end];
        let code = match code.strip_prefix("0x") {
            Some(digits) => i64::from_str_radix(digits, 16).ok()?,
            None => code.parse().ok()?,
        };
        Some(Self::of_code(code))
    }

    /// What usually causes it; `None` for an end by itself.
    pub fn cause(self) -> Option<CrashCause> {
        match self {
            // The code with which the loaders of Linux and of macOS end.
            Self::Exited { code: 127 } => Some(CrashCause::LibraryMissing),
            Self::Exited { .. } => None,
            Self::Signal { cause, .. } | Self::Exception { cause, .. } => cause,
        }
    }

    /// Name of the signal, if it is one of the known ones.
    pub fn signal_name(self) -> Option<&'static str> {
        let Self::Signal { cause, number } = self else { return None };
        #[cfg(unix)]
        if let Some(number) = number {
            return system::name(number);
        }
        let _ = number;
        SIGNALS.iter().find(|(_, _, known)| Some(*known) == cause).map(|(name, _, _)| *name)
    }
}

#[cfg(unix)]
mod system {
    use rustix::process::Signal;

    use super::CrashCause;

    const NUMBERS: [(Signal, &str, CrashCause); 11] = [
        (Signal::ILL, "SIGILL", CrashCause::IllegalInstruction),
        (Signal::KILL, "SIGKILL", CrashCause::Killed),
        (Signal::SEGV, "SIGSEGV", CrashCause::SegmentationFault),
        (Signal::BUS, "SIGBUS", CrashCause::BusError),
        (Signal::ABORT, "SIGABRT", CrashCause::Aborted),
        (Signal::TERM, "SIGTERM", CrashCause::Terminated),
        (Signal::INT, "SIGINT", CrashCause::Terminated),
        (Signal::HUP, "SIGHUP", CrashCause::Terminated),
        (Signal::SYS, "SIGSYS", CrashCause::ForbiddenCall),
        (Signal::XCPU, "SIGXCPU", CrashCause::Limit),
        (Signal::XFSZ, "SIGXFSZ", CrashCause::Limit),
    ];

    pub fn cause(number: i32) -> Option<CrashCause> {
        NUMBERS.iter().find(|(signal, ..)| signal.as_raw() == number).map(|(.., cause)| *cause)
    }

    pub fn name(number: i32) -> Option<&'static str> {
        NUMBERS.iter().find(|(signal, ..)| signal.as_raw() == number).map(|(_, name, _)| *name)
    }
}

/// Windows' NTSTATUS values (ntstatus.h).
fn exception_cause(code: u32) -> Option<CrashCause> {
    Some(match code {
        0xC000_001D => CrashCause::IllegalInstruction,
        0xC000_0017 | 0xC000_012D | 0xC000_009A => CrashCause::OutOfMemory,
        0xC000_0005 => CrashCause::SegmentationFault,
        0xC000_0006 => CrashCause::BusError,
        0xC000_0409 | 0xC000_0374 | 0xC000_00FD => CrashCause::Aborted,
        0xC000_013A => CrashCause::Terminated,
        0xC000_0135 => CrashCause::LibraryMissing,
        0xC000_0139 | 0xC000_007B | 0xC000_0142 => CrashCause::LibraryUnsuitable,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn an_end_by_a_signal_has_its_name_and_cause() {
        use rustix::process::Signal;
        use std::os::unix::process::ExitStatusExt as _;
        for (signal, name, cause) in [
            (Signal::ILL, "SIGILL", CrashCause::IllegalInstruction),
            (Signal::KILL, "SIGKILL", CrashCause::Killed),
            (Signal::SEGV, "SIGSEGV", CrashCause::SegmentationFault),
            (Signal::BUS, "SIGBUS", CrashCause::BusError),
            (Signal::ABORT, "SIGABRT", CrashCause::Aborted),
        ] {
            // The low bits of a status of wait(2) are the signal; bit 7 says that memory was dumped.
            for dumped in [0, 0x80] {
                let end = ProgramEnd::of(ExitStatus::from_raw(signal.as_raw() | dumped));
                assert_eq!((end.signal_name(), end.cause()), (Some(name), Some(cause)));
            }
        }
        let other = ProgramEnd::of(ExitStatus::from_raw(Signal::USR1.as_raw()));
        assert_eq!((other.signal_name(), other.cause()), (None, None));
        let exited = ProgramEnd::of(ExitStatus::from_raw(3 << 8));
        assert_eq!((exited, exited.cause()), (ProgramEnd::Exited { code: 3 }, None));
        assert_eq!(ProgramEnd::of(ExitStatus::from_raw(127 << 8)).cause(), Some(CrashCause::LibraryMissing));
    }

    #[test]
    fn the_engines_words_about_its_child_are_read() {
        let of = |words: &str| {
            let message = format!("llama-server process has terminated: {words}");
            ProgramEnd::in_message(&message).map(|end| (end.signal_name(), end.cause()))
        };
        let signal = |name, cause| Some((Some(name), Some(cause)));
        assert_eq!(of("signal: killed"), signal("SIGKILL", CrashCause::Killed));
        assert_eq!(
            of("signal: illegal instruction (core dumped)"),
            signal("SIGILL", CrashCause::IllegalInstruction)
        );
        assert_eq!(of("signal: segmentation fault"), signal("SIGSEGV", CrashCause::SegmentationFault));
        assert_eq!(of("signal: bus error (core dumped)"), signal("SIGBUS", CrashCause::BusError));
        assert_eq!(of("signal: aborted (core dumped)"), signal("SIGABRT", CrashCause::Aborted));
        assert_eq!(of("signal: user defined signal 1"), None);
        assert_eq!(of("EOF"), None);
        assert_eq!(of("exit status 1: out of memory"), Some((None, None)));
        for (code, cause) in [
            ("0xc000001d", CrashCause::IllegalInstruction),
            ("0xC0000005", CrashCause::SegmentationFault),
            ("3221225477", CrashCause::SegmentationFault),
            ("0xc0000135", CrashCause::LibraryMissing),
            ("0xc000007b", CrashCause::LibraryUnsuitable),
            ("0xc0000409", CrashCause::Aborted),
            ("0xc0000017", CrashCause::OutOfMemory),
            ("127", CrashCause::LibraryMissing),
        ] {
            assert_eq!(of(&format!("exit status {code}: x")), Some((None, Some(cause))), "{code}");
        }
    }
}
