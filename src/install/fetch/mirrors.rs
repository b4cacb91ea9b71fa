//! The addresses of a file: what each did so far, which one is asked next, and what its failure means.

use std::time::Duration;

use reqwest::Url;

use crate::install::fetch::Patience;
use crate::install::fetch::problem::Problem;

const LONGEST_BACKOFF: Duration = Duration::from_secs(16);
/// How often the file on a server may change under us before that server is given up.
const MOST_CHANGES: u32 = 2;
/// Tries in a row that brought nothing before another address is asked in between.
const TRIES_BEFORE_ANOTHER: u32 = 2;

/// All addresses of one file.
#[derive(Debug)]
pub struct Mirrors {
    list: Vec<Mirror>,
    current: usize,
    patience: Patience,
}

/// One address.
#[derive(Debug)]
pub struct Mirror {
    /// Where.
    pub url: Url,
    /// Whether it keeps to ranges, as far as is known.
    pub ranged: bool,
    /// How many connections it takes.
    pub most_lanes: usize,
    /// Why it is not asked any more.
    struck: Option<Problem>,
    last_problem: Option<Problem>,
    /// Tries in a row that brought nothing.
    failures: u32,
    changes: u32,
}

/// What to do after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Ask again at once: another address, or the same one otherwise.
    Again,
    /// Throw away what has come, then ask again.
    StartOver,
    /// Ask again after this time.
    Wait(Duration),
}

impl Mirrors {
    /// The first one is asked first.
    pub fn new(urls: &[Url], patience: Patience, most_lanes: usize) -> Self {
        let list = urls.iter().map(|url| Mirror {
            url: url.clone(),
            ranged: true,
            most_lanes,
            struck: None,
            last_problem: None,
            failures: 0,
            changes: 0,
        });
        Self { list: list.collect(), current: 0, patience }
    }

    /// The one to ask; `None` when every one has failed for good.
    pub fn current(&self) -> Option<&Mirror> {
        self.list.get(self.current).filter(|mirror| mirror.struck.is_none())
    }

    /// Whether there is another one to turn to, failed or not.
    pub fn are_several(&self) -> bool {
        self.list.len() > 1
    }

    /// Asks the current one no more.
    pub fn strike(&mut self, problem: Problem) {
        if let Some(mirror) = self.list.get_mut(self.current) {
            mirror.struck = Some(problem);
        }
        self.turn();
    }

    /// What a failure of the current one means. `brought` tells whether anything came before it, `lanes` how many
    /// connections were at work.
    pub fn judge(&mut self, problem: &Problem, brought: bool, lanes: usize) -> Next {
        let patience = self.patience;
        let Some(mirror) = self.list.get_mut(self.current) else { return Next::Again };
        mirror.last_problem = Some(problem.clone());
        mirror.failures = if brought { 0 } else { mirror.failures + 1 };
        match problem {
            Problem::RangesIgnored { same_file } => {
                mirror.ranged = false;
                return if *same_file { Next::Again } else { Next::StartOver };
            }
            Problem::Changed => {
                mirror.changes += 1;
                if mirror.changes > MOST_CHANGES {
                    self.strike(problem.clone());
                }
                return Next::StartOver;
            }
            _ => {}
        }
        if !problem.is_passing() || mirror.failures >= patience.tries {
            self.strike(problem.clone());
            return Next::Again;
        }
        // Some servers and proxies serve one connection well and many badly.
        if lanes > 1 {
            mirror.most_lanes = (lanes / 2).max(1);
            return Next::Again;
        }
        let failures = mirror.failures;
        if failures >= TRIES_BEFORE_ANOTHER {
            self.turn();
        }
        let doubled = patience.backoff.saturating_mul(1 << failures.saturating_sub(1).min(16));
        Next::Wait(match problem {
            Problem::Status { retry_after: Some(wait), .. } => *wait,
            _ => doubled.min(LONGEST_BACKOFF),
        })
    }

    /// Each address that failed, with its reason.
    pub fn problems(&self) -> Vec<(Url, Problem)> {
        let failed = self.list.iter().filter_map(|mirror| {
            let problem = mirror.struck.as_ref().or(mirror.last_problem.as_ref())?;
            Some((mirror.url.clone(), problem.clone()))
        });
        failed.collect()
    }

    /// To the next address that is still worth asking, if any.
    fn turn(&mut self) {
        let count = self.list.len();
        let next = (1..=count).map(|step| (self.current + step) % count);
        if let Some(next) = next.into_iter().find(|index| self.list[*index].struck.is_none()) {
            self.current = next;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn mirrors(count: usize) -> Mirrors {
        let urls: Vec<Url> =
            (0..count).map(|i| Url::parse(&format!("https://m{i}.example.org/f")).unwrap()).collect();
        let patience =
            Patience { silence: Duration::from_secs(1), backoff: Duration::from_secs(1), tries: 4 };
        Mirrors::new(&urls, patience, 8)
    }

    fn host(mirrors: &Mirrors) -> &str {
        mirrors.current().unwrap().url.host_str().unwrap()
    }

    #[test]
    fn waits_double_and_end() {
        let mut one = mirrors(1);
        let waits: Vec<Next> = (0..4).map(|_| one.judge(&Problem::CutShort, false, 1)).collect();
        let wait = |seconds| Next::Wait(Duration::from_secs(seconds));
        assert_eq!(waits, [wait(1), wait(2), wait(4), Next::Again]);
        assert!(one.current().is_none());
        assert_eq!(one.problems().len(), 1);
        // As long as something comes each time, it goes on.
        let mut one = mirrors(1);
        for _ in 0..100 {
            assert_eq!(one.judge(&Problem::CutShort, true, 1), wait(1));
        }
    }

    #[test]
    fn mirrors_take_turns_and_the_hopeless_are_left_out() {
        let mut three = mirrors(3);
        three.judge(&Problem::Redirects, false, 1);
        assert_eq!(host(&three), "m1.example.org");
        three.judge(&Problem::CutShort, false, 1);
        assert_eq!(host(&three), "m1.example.org", "once is no reason to leave");
        three.judge(&Problem::CutShort, false, 1);
        assert_eq!(host(&three), "m2.example.org");
        three.strike(Problem::Redirects);
        assert_eq!(host(&three), "m1.example.org", "better than nothing");
    }

    #[test]
    fn several_connections_are_taken_back_before_anything_else() {
        let mut one = mirrors(1);
        assert_eq!(one.judge(&Problem::CutShort, false, 8), Next::Again);
        assert_eq!(one.current().unwrap().most_lanes, 4);
    }

    #[test]
    fn a_file_that_keeps_changing_is_given_up() {
        let mut one = mirrors(1);
        for _ in 0..3 {
            assert_eq!(one.judge(&Problem::Changed, true, 1), Next::StartOver);
        }
        assert!(one.current().is_none());
        assert!(mirrors(0).current().is_none());
    }
}
