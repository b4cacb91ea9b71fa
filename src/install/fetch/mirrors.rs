//! The mirrors of a file: results of each so far, which is next, and what to do after a failure.

use std::time::Duration;

use reqwest::Url;

use crate::install::fetch::problem::TransferProblem;
use crate::install::fetch::request::RetryPolicy;

const MAX_BACKOFF: Duration = Duration::from_secs(16);
/// A mirror is given up when its file changes this often during the download.
const MAX_CHANGES: u32 = 2;
/// Consecutive attempts without data before another mirror is tried.
const TRIES_BEFORE_ANOTHER: u32 = 2;

/// All mirrors of one file.
#[derive(Debug)]
pub struct Mirrors {
    list: Vec<Mirror>,
    current: usize,
    retry_policy: RetryPolicy,
}

/// One mirror.
#[derive(Debug)]
pub struct Mirror {
    /// Where.
    pub url: Url,
    /// Whether it supports ranges, as far as is known.
    pub ranged: bool,
    /// Most connections it accepts.
    pub most_segments: usize,
    /// Why it was given up.
    given_up: Option<TransferProblem>,
    last_problem: Option<TransferProblem>,
    /// Consecutive attempts without data.
    failures: u32,
    changes: u32,
}

/// What to do after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryDecision {
    /// Retry at once, with another mirror or another kind of request.
    Again,
    /// Discard what was downloaded, then retry.
    StartOver,
    /// Retry after this time.
    Wait(Duration),
}

impl Mirrors {
    /// Starts with the first one.
    pub fn new(urls: &[Url], retry_policy: RetryPolicy, most_segments: usize) -> Self {
        let list = urls.iter().map(|url| Mirror {
            url: url.clone(),
            ranged: true,
            most_segments,
            given_up: None,
            last_problem: None,
            failures: 0,
            changes: 0,
        });
        Self { list: list.collect(), current: 0, retry_policy }
    }

    /// The current mirror; `None` when every one was given up.
    pub fn current(&self) -> Option<&Mirror> {
        self.list.get(self.current).filter(|mirror| mirror.given_up.is_none())
    }

    /// Whether there are several, given up or not.
    pub fn are_several(&self) -> bool {
        self.list.len() > 1
    }

    /// Gives the current one up.
    pub fn record_failure(&mut self, problem: TransferProblem) {
        if let Some(mirror) = self.list.get_mut(self.current) {
            mirror.given_up = Some(problem);
        }
        self.switch();
    }

    /// Decides what to do after a failure of the current one. `delivered`: whether it delivered any data; `segments`:
    /// number of connections.
    pub fn decide_after_failure(
        &mut self,
        problem: &TransferProblem,
        delivered: bool,
        segments: usize,
    ) -> RetryDecision {
        let retry_policy = self.retry_policy;
        let Some(mirror) = self.list.get_mut(self.current) else { return RetryDecision::Again };
        mirror.last_problem = Some(problem.clone());
        mirror.failures = if delivered { 0 } else { mirror.failures + 1 };
        match problem {
            TransferProblem::RangesIgnored { same_file } => {
                mirror.ranged = false;
                return if *same_file { RetryDecision::Again } else { RetryDecision::StartOver };
            }
            TransferProblem::Changed => {
                mirror.changes += 1;
                if mirror.changes > MAX_CHANGES {
                    self.record_failure(problem.clone());
                }
                return RetryDecision::StartOver;
            }
            _ => {}
        }
        if !problem.is_temporary() || mirror.failures >= retry_policy.tries {
            self.record_failure(problem.clone());
            return RetryDecision::Again;
        }
        // Some servers and proxies fail with several connections.
        if segments > 1 {
            mirror.most_segments = (segments / 2).max(1);
            return RetryDecision::Again;
        }
        let failures = mirror.failures;
        if failures >= TRIES_BEFORE_ANOTHER {
            self.switch();
        }
        let doubled = retry_policy.backoff.saturating_mul(1 << failures.saturating_sub(1).min(16));
        RetryDecision::Wait(match problem {
            TransferProblem::Status { retry_after: Some(wait), .. } => *wait,
            _ => doubled.min(MAX_BACKOFF),
        })
    }

    /// Each mirror that failed, with its reason.
    pub fn problems(&self) -> Vec<(Url, TransferProblem)> {
        let failed = self.list.iter().filter_map(|mirror| {
            let problem = mirror.given_up.as_ref().or(mirror.last_problem.as_ref())?;
            Some((mirror.url.clone(), problem.clone()))
        });
        failed.collect()
    }

    /// Switches to the next mirror not given up, if any.
    fn switch(&mut self) {
        let count = self.list.len();
        let next = (1..=count).map(|step| (self.current + step) % count);
        if let Some(next) = next.into_iter().find(|index| self.list[*index].given_up.is_none()) {
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
        let retry_policy =
            RetryPolicy { silence: Duration::from_secs(1), backoff: Duration::from_secs(1), tries: 4 };
        Mirrors::new(&urls, retry_policy, 8)
    }

    fn host(mirrors: &Mirrors) -> &str {
        mirrors.current().unwrap().url.host_str().unwrap()
    }

    #[test]
    fn retry_waits_double_and_are_limited() {
        let mut one = mirrors(1);
        let waits: Vec<RetryDecision> =
            (0..4).map(|_| one.decide_after_failure(&TransferProblem::EndedEarly, false, 1)).collect();
        let wait = |seconds| RetryDecision::Wait(Duration::from_secs(seconds));
        assert_eq!(waits, [wait(1), wait(2), wait(4), RetryDecision::Again]);
        assert!(one.current().is_none());
        assert_eq!(one.problems().len(), 1);
        // It continues as long as each attempt brings data.
        let mut one = mirrors(1);
        for _ in 0..100 {
            assert_eq!(one.decide_after_failure(&TransferProblem::EndedEarly, true, 1), wait(1));
        }
    }

    #[test]
    fn mirrors_alternate_and_failed_ones_are_skipped() {
        let mut three = mirrors(3);
        three.decide_after_failure(&TransferProblem::Redirects, false, 1);
        assert_eq!(host(&three), "m1.example.org");
        three.decide_after_failure(&TransferProblem::EndedEarly, false, 1);
        assert_eq!(host(&three), "m1.example.org", "once is no reason to leave");
        three.decide_after_failure(&TransferProblem::EndedEarly, false, 1);
        assert_eq!(host(&three), "m2.example.org");
        three.record_failure(TransferProblem::Redirects);
        assert_eq!(host(&three), "m1.example.org", "better than nothing");
    }

    #[test]
    fn several_connections_are_reduced_to_one_first() {
        let mut one = mirrors(1);
        assert_eq!(one.decide_after_failure(&TransferProblem::EndedEarly, false, 8), RetryDecision::Again);
        assert_eq!(one.current().unwrap().most_segments, 4);
    }

    #[test]
    fn a_mirror_whose_file_keeps_changing_is_given_up() {
        let mut one = mirrors(1);
        for _ in 0..3 {
            assert_eq!(
                one.decide_after_failure(&TransferProblem::Changed, true, 1),
                RetryDecision::StartOver
            );
        }
        assert!(one.current().is_none());
        assert!(mirrors(0).current().is_none());
    }
}
