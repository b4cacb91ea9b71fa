//! Sentences about what stands between this computer and a server, and about files of certificates.

use std::path::Path;

use crate::ollama::http::{
    CaEntryProblem, CaFile, CaFileProblem, CertificateProblem, ClockVerdict, Clocks, NetworkObstacle,
    ProxyLogin, SkippedEntry,
};
use crate::say;
use crate::text::Text;
use crate::untrusted::UntrustedText;

/// Names and entries of lists that are said.
const MOST_LISTED: usize = 5;

impl NetworkObstacle {
    /// What happened, as the end of a sentence.
    pub fn explain(&self, text: Text) -> String {
        match self {
            Self::SignInPage { host } => say!(text, "network-sign-in-page", host = host.as_str()),
            Self::ProxyLogin(login) => login.explain(text),
            Self::Certificate { host, problem } => problem.explain(host, text),
        }
    }

    /// What to do, in sentences.
    pub fn advice(&self, text: Text) -> String {
        match self {
            Self::SignInPage { .. } => say!(text, "network-advice-sign-in"),
            Self::ProxyLogin(login) => login.advice(text),
            Self::Certificate { problem, .. } => problem.advice(text),
        }
    }
}

impl ProxyLogin {
    fn explain(&self, text: Text) -> String {
        if self.refused_password && self.takes_password() {
            return say!(text, "network-proxy-refused");
        }
        if self.takes_password() {
            return say!(text, "network-proxy-password");
        }
        say!(text, "network-proxy-schemes", schemes = self.to_string())
    }

    fn advice(&self, text: Text) -> String {
        if !self.takes_password() {
            say!(text, "network-advice-proxy-schemes")
        } else if self.refused_password {
            say!(text, "network-advice-proxy-refused")
        } else {
            say!(text, "network-advice-proxy-password")
        }
    }
}

impl CertificateProblem {
    fn explain(&self, host: &str, text: Text) -> String {
        match self {
            Self::NotYetValid { begin: Some(begin), clocks } => say!(
                text,
                "certificate-not-yet-valid",
                begin = text.moment(*begin),
                clock = text.moment(clocks.here)
            ),
            Self::NotYetValid { begin: None, clocks } => {
                say!(text, "certificate-not-yet-valid-unknown", clock = text.moment(clocks.here))
            }
            Self::Expired { end: Some(end), clocks } => {
                say!(text, "certificate-expired", end = text.moment(*end), clock = text.moment(clocks.here))
            }
            Self::Expired { end: None, clocks } => {
                say!(text, "certificate-expired-unknown", clock = text.moment(clocks.here))
            }
            Self::UnknownIssuer { issuer: Some(issuer) } => {
                say!(text, "certificate-unknown-issuer", issuer = issuer)
            }
            Self::UnknownIssuer { issuer: None } => say!(text, "certificate-unnamed-issuer"),
            Self::SelfSigned { subject: Some(subject) } => {
                say!(text, "certificate-self-signed", subject = subject)
            }
            Self::SelfSigned { subject: None } => say!(text, "certificate-self-signed-unnamed"),
            Self::WrongName { names } if names.is_empty() => {
                say!(text, "certificate-other-name", host = host)
            }
            Self::WrongName { names } => {
                let names: Vec<&str> = names.iter().take(MOST_LISTED).map(UntrustedText::as_str).collect();
                say!(text, "certificate-wrong-name", names = names.join(", "), host = host)
            }
            Self::Revoked => say!(text, "certificate-revoked"),
            Self::Other(problem) => say!(text, "certificate-refused", problem = problem),
        }
    }

    fn advice(&self, text: Text) -> String {
        match self {
            Self::NotYetValid { clocks, .. } | Self::Expired { clocks, .. } => clocks.advice(text),
            Self::UnknownIssuer { .. } => say!(text, "certificate-advice-issuer"),
            Self::SelfSigned { .. } => say!(text, "certificate-advice-self-signed"),
            Self::WrongName { .. } => say!(text, "certificate-advice-name"),
            Self::Revoked | Self::Other(_) => say!(text, "certificate-advice-other"),
        }
    }
}

impl Clocks {
    fn advice(self, text: Text) -> String {
        let there = text.moment(self.there.unwrap_or_default());
        match self.verdict() {
            ClockVerdict::Here => say!(text, "certificate-advice-clock-here", server = there),
            ClockVerdict::Neither => say!(text, "certificate-advice-clock-neither"),
            ClockVerdict::Unknown => say!(text, "certificate-advice-clock"),
        }
    }
}

impl CaFile {
    /// Which entries are not used; `None` if all are.
    pub fn warning(&self, path: &Path, text: Text) -> Option<String> {
        (!self.skipped.is_empty()).then(|| {
            say!(
                text,
                "fetch-ca-skipped",
                path = UntrustedText::path(path),
                count = self.skipped.len(),
                total = (self.skipped.len() + self.certificates.len()).to_string(),
                entries = listed(&self.skipped, text)
            )
        })
    }
}

impl CaFileProblem {
    /// Why a file holds no certificates, and what to do.
    pub fn explain(&self, path: &Path, text: Text) -> String {
        let shown = UntrustedText::path(path);
        match self {
            Self::Empty => say!(text, "fetch-ca-no-content", path = shown),
            Self::NoFormat => say!(text, "fetch-ca-empty", path = shown),
            Self::NothingUsable(entries) => {
                let all = |problem: &CaEntryProblem| entries.iter().all(|entry| entry.problem == *problem);
                if all(&CaEntryProblem::PrivateKey) {
                    say!(text, "fetch-ca-private-key", path = shown)
                } else if all(&CaEntryProblem::Pkcs7) {
                    say!(text, "fetch-ca-pkcs7", path = shown)
                } else if all(&CaEntryProblem::Pkcs12) {
                    say!(text, "fetch-ca-pkcs12", path = shown)
                } else {
                    say!(text, "fetch-ca-nothing-usable", path = shown, entries = listed(entries, text))
                }
            }
        }
    }
}

fn listed(entries: &[SkippedEntry], text: Text) -> String {
    let mut said: Vec<String> = entries.iter().take(MOST_LISTED).map(|entry| entry.explain(text)).collect();
    if entries.len() > MOST_LISTED {
        said.push("…".to_owned());
    }
    said.join("; ")
}

impl SkippedEntry {
    fn explain(&self, text: Text) -> String {
        let (index, problem) = (self.index.to_string(), self.problem.explain(text));
        match &self.subject {
            Some(subject) => {
                say!(text, "fetch-ca-entry-of", index = index, subject = subject, problem = problem)
            }
            None => say!(text, "fetch-ca-entry", index = index, problem = problem),
        }
    }
}

impl CaEntryProblem {
    fn explain(&self, text: Text) -> String {
        match self {
            Self::PrivateKey => say!(text, "fetch-ca-entry-private-key"),
            Self::Pkcs7 => say!(text, "fetch-ca-entry-container", kind = "PKCS #7"),
            Self::Pkcs12 => say!(text, "fetch-ca-entry-container", kind = "PKCS #12"),
            Self::OtherKind(kind) => say!(text, "fetch-ca-entry-other", kind = kind),
            Self::Damaged => say!(text, "fetch-ca-entry-damaged"),
            Self::Unusable => say!(text, "fetch-ca-entry-unusable"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ollama::http::ProxyScheme;
    use crate::text::Language;

    fn all(obstacle: &NetworkObstacle) -> [String; 2] {
        Language::ALL.map(|language| {
            let text = Text::new(language);
            format!("{}. {}", obstacle.explain(text), obstacle.advice(text)).replace('\u{a0}', " ")
        })
    }

    fn certificate(problem: CertificateProblem) -> NetworkObstacle {
        NetworkObstacle::Certificate { host: "registry.ollama.ai".to_owned(), problem }
    }

    #[test]
    fn a_wrong_clock_is_said_with_both_times_and_what_to_do() {
        let begin = Some(1_795_729_374 + 86_400);
        let not_yet = |there| {
            all(&certificate(CertificateProblem::NotYetValid {
                begin,
                clocks: Clocks { here: 1_795_729_374, there },
            }))
        };
        let [english, spanish] = not_yet(None);
        for part in
            ["27 November 2026, 21:42 UTC", "26 November 2026, 21:42 UTC", "Set this computer's clock"]
        {
            assert!(english.contains(part), "{english}");
        }
        for part in ["27 de noviembre de 2026, 21:42 UTC", "26 de noviembre de 2026", "reloj"] {
            assert!(spanish.contains(part), "{spanish}");
        }
        let [english, _] = not_yet(Some(1_798_761_600));
        assert!(english.contains("The server's clock says 1 January 2027, 00:00 UTC"), "{english}");
        let [english, _] = not_yet(Some(1_795_729_380));
        assert!(english.contains("the certificate is wrong and not the clock"), "{english}");
        let clocks = Clocks { here: 1_795_729_374, there: None };
        let [english, _] = all(&certificate(CertificateProblem::Expired { end: Some(951_782_400), clocks }));
        assert!(english.contains("expired on 29 February 2000, 00:00 UTC"), "{english}");
    }

    #[test]
    fn each_obstacle_says_what_works() {
        let login = |schemes: &[ProxyScheme], refused_password| {
            NetworkObstacle::ProxyLogin(ProxyLogin { schemes: schemes.to_vec(), refused_password })
        };
        let windows = [ProxyScheme::Negotiate, ProxyScheme::Ntlm];
        let names = vec!["portal.example".into(), "localhost".into()];
        let cases: Vec<(NetworkObstacle, &[&str])> = vec![
            (
                NetworkObstacle::SignInPage { host: "registry.ollama.ai".to_owned() },
                &["registry.ollama.ai", "--proxy", "--ca"],
            ),
            (login(&[], false), &["http://", "@", "--proxy"]),
            (login(&[ProxyScheme::Ntlm, ProxyScheme::Basic], false), &["http://", "@"]),
            (login(&[ProxyScheme::Basic], true), &["%"]),
            (login(&windows, true), &["Negotiate (Kerberos), NTLM", "px", "cntlm", "--archive"]),
            (
                certificate(CertificateProblem::UnknownIssuer { issuer: Some("Zscaler Root CA".into()) }),
                &["Zscaler Root CA", "--ca"],
            ),
            (certificate(CertificateProblem::SelfSigned { subject: None }), &["--ca"]),
            (
                certificate(CertificateProblem::WrongName { names }),
                &["portal.example, localhost", "registry.ollama.ai"],
            ),
        ];
        for (obstacle, parts) in cases {
            for said in all(&obstacle) {
                assert!(parts.iter().all(|part| said.contains(part)), "{parts:?}: {said}");
            }
        }
        let [english, _] = all(&NetworkObstacle::SignInPage { host: "h".to_owned() });
        assert!(english.starts_with("a sign-in page or filter answered at h. Open a browser"), "{english}");
    }

    #[test]
    fn entries_of_a_certificate_file_are_named() {
        let entry = |index, problem| SkippedEntry { index, subject: Some("Old CA".into()), problem };
        let file = CaFile {
            certificates: vec![Vec::new().into()],
            skipped: vec![entry(2, CaEntryProblem::Unusable), entry(3, CaEntryProblem::PrivateKey)],
            is_plain_pem: true,
        };
        let path = Path::new("/etc/company.pem");
        for language in Language::ALL {
            let text = Text::new(language);
            let said = file.warning(path, text).unwrap_or_default();
            for part in ["/etc/company.pem", "2", "3", "Old CA"] {
                assert!(said.contains(part), "{said}");
            }
            let only = |problem| CaFileProblem::NothingUsable(vec![entry(1, problem)]).explain(path, text);
            assert!(only(CaEntryProblem::Pkcs7).contains("openssl pkcs7"));
            assert!(only(CaEntryProblem::Pkcs12).contains("openssl pkcs12"));
            let key = only(CaEntryProblem::PrivateKey);
            assert!(key.contains("private key") || key.contains("clave privada"), "{key}");
        }
    }
}
