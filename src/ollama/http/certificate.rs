//! Why a server's certificate is not accepted: the verifier's error, with what the certificate says of itself.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, OtherError, SignatureScheme};

use super::causes::causes;
use super::der::CertificateFacts;
use crate::untrusted::UntrustedText;

/// Why a certificate is not accepted. Times are seconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateProblem {
    /// By this computer's clock it is not valid yet.
    #[error("valid from {begin:?} on, and the clock says {}", clocks.here)]
    NotYetValid {
        /// When it begins to be valid.
        begin: Option<u64>,
        /// What the clocks say.
        clocks: Clocks,
    },
    /// By this computer's clock it is not valid any more.
    #[error("valid until {end:?}, and the clock says {}", clocks.here)]
    Expired {
        /// When it ends to be valid.
        end: Option<u64>,
        /// What the clocks say.
        clocks: Clocks,
    },
    /// It was issued by an authority that this computer does not trust.
    #[error("issued by {issuer:?}, which is not trusted (UnknownIssuer)")]
    UnknownIssuer {
        /// Name of the authority, if it has one.
        issuer: Option<UntrustedText>,
    },
    /// It is signed by itself.
    #[error("signed by itself: {subject:?}")]
    SelfSigned {
        /// Whom it names, if it names anybody.
        subject: Option<UntrustedText>,
    },
    /// It is for other host names.
    #[error("valid for {names:?} only")]
    WrongName {
        /// The names that it is for, if known.
        names: Vec<UntrustedText>,
    },
    /// Its authority has revoked it.
    #[error("revoked")]
    Revoked,
    /// Anything else, in the library's words.
    #[error("{0}")]
    Other(UntrustedText),
}

/// This computer's clock and the server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// This computer's.
    pub here: u64,
    /// The server's, if a plain answer had it (`Date`).
    pub there: Option<u64>,
}

/// Which clock is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockVerdict {
    /// This computer's, by the server's.
    Here,
    /// None: both say the same, so the certificate is wrong.
    Neither,
    /// Nobody knows.
    Unknown,
}

impl Clocks {
    /// Clocks that differ by less agree; time zones that were mixed up differ by more.
    const TOLERANCE_S: u64 = 900;

    /// Which clock is wrong, as far as the server's tells.
    pub fn verdict(self) -> ClockVerdict {
        match self.there {
            None => ClockVerdict::Unknown,
            Some(there) if there.abs_diff(self.here) <= Self::TOLERANCE_S => ClockVerdict::Neither,
            Some(_) => ClockVerdict::Here,
        }
    }
}

impl CertificateProblem {
    /// The problem, where a certificate is why a request failed.
    pub fn in_causes_of(error: &reqwest::Error) -> Option<Self> {
        causes(error).find_map(|cause| match cause.downcast_ref()? {
            rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(known))) => {
                let known = known.downcast_ref::<Self>().cloned();
                Some(known.unwrap_or_else(|| Self::Other(cause.to_string().into())))
            }
            rustls::Error::InvalidCertificate(_) => Some(Self::Other(cause.to_string().into())),
            _ => None,
        })
    }

    /// Whether a wrong clock may be the cause.
    pub fn is_about_time(&self) -> bool {
        matches!(self, Self::NotYetValid { .. } | Self::Expired { .. })
    }

    /// With what the server's clock says.
    #[must_use]
    pub fn with_server_clock(mut self, there: Option<u64>) -> Self {
        if let Self::NotYetValid { clocks, .. } | Self::Expired { clocks, .. } = &mut self {
            clocks.there = there;
        }
        self
    }

    fn of(error: &CertificateError, certificate: &CertificateDer<'_>, now: UnixTime) -> Self {
        let facts = CertificateFacts::of(certificate).unwrap_or_default();
        let clocks = Clocks { here: now.as_secs(), there: None };
        match error {
            CertificateError::NotValidYetContext { not_before, .. } => {
                Self::NotYetValid { begin: Some(not_before.as_secs()), clocks }
            }
            CertificateError::ExpiredContext { not_after, .. } => {
                Self::Expired { end: Some(not_after.as_secs()), clocks }
            }
            // Windows has one error for both.
            CertificateError::NotValidYet | CertificateError::Expired => match facts.begin {
                Some(begin) if begin > clocks.here => Self::NotYetValid { begin: Some(begin), clocks },
                _ if *error == CertificateError::NotValidYet => {
                    Self::NotYetValid { begin: facts.begin, clocks }
                }
                _ => Self::Expired { end: facts.end, clocks },
            },
            CertificateError::NotValidForNameContext { presented, .. } => {
                Self::WrongName { names: presented.iter().map(|name| shown_name(name)).collect() }
            }
            CertificateError::NotValidForName => Self::WrongName { names: Vec::new() },
            CertificateError::Revoked => Self::Revoked,
            // As an authority, or without extensions, it is refused as a server's before its issuer is looked at.
            CertificateError::UnknownIssuer | CertificateError::Other(_) | CertificateError::BadSignature
                if facts.is_self_signed =>
            {
                Self::SelfSigned { subject: facts.subject }
            }
            CertificateError::UnknownIssuer => Self::UnknownIssuer { issuer: facts.issuer },
            other => Self::Other(other.to_string().into()),
        }
    }
}

/// `DnsName("example.org")` → `example.org`, `IpAddress(10.0.0.1)` → `10.0.0.1`.
fn shown_name(presented: &str) -> UntrustedText {
    let inner = presented.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')')).map(|(name, _)| name);
    inner.unwrap_or(presented).trim_matches('"').into()
}

/// Verifies as another verifier does, and explains its refusals.
pub struct ExplainingVerifier {
    inner: Arc<dyn ServerCertVerifier>,
    own: Vec<CertificateDer<'static>>,
}

impl ExplainingVerifier {
    /// Around another one. `own` are the certificates that the user named.
    pub fn new(inner: Arc<dyn ServerCertVerifier>, own: Vec<CertificateDer<'static>>) -> Self {
        Self { inner, own }
    }

    /// Accepts a server's own certificate that the user named: signed by itself, it may be marked as an authority, which the
    /// library refuses for a server. Its names and times are verified.
    ///
    /// # Errors
    /// Why it is not accepted all the same.
    fn verify_named(
        &self,
        certificate: &CertificateDer<'_>,
        server_name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<ServerCertVerified, CertificateProblem> {
        let facts = CertificateFacts::of(certificate).unwrap_or_default();
        let clocks = Clocks { here: now.as_secs(), there: None };
        if facts.begin.is_none_or(|begin| clocks.here < begin) {
            return Err(CertificateProblem::NotYetValid { begin: facts.begin, clocks });
        }
        if facts.end.is_none_or(|end| clocks.here > end) {
            return Err(CertificateProblem::Expired { end: facts.end, clocks });
        }
        let named = ParsedCertificate::try_from(certificate)
            .and_then(|parsed| rustls::client::verify_server_name(&parsed, server_name));
        match named {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            Err(rustls::Error::InvalidCertificate(error)) => {
                Err(CertificateProblem::of(&error, certificate, now))
            }
            Err(error) => Err(CertificateProblem::Other(error.to_string().into())),
        }
    }
}

impl fmt::Debug for ExplainingVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl ServerCertVerifier for ExplainingVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified =
            self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        let verified = verified.map_err(|error| match error {
            rustls::Error::InvalidCertificate(error) => CertificateProblem::of(&error, end_entity, now),
            other => CertificateProblem::Other(other.to_string().into()),
        });
        let is_named = self.own.iter().any(|own| own.as_ref() == end_entity.as_ref());
        let verified = match verified {
            Err(CertificateProblem::SelfSigned { .. }) if is_named => {
                self.verify_named(end_entity, server_name, now)
            }
            other => other,
        };
        verified.map_err(|problem| {
            rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(problem))))
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use std::time::Duration;

    use rustls::client::WebPkiServerVerifier;
    use rustls::pki_types::pem::PemObject as _;

    use super::*;

    const AUTHORITY: &[u8] = include_bytes!("../../../tests/data/tls/authority.pem");
    const SERVER: &[u8] = include_bytes!("../../../tests/data/tls/server.pem");
    /// As `openssl req -x509` makes it, for localhost.
    const SELF_SIGNED: &[u8] = include_bytes!("../../../tests/data/tls/self_signed.pem");
    const SELF_SIGNED_BEGIN: u64 = 1_795_790_750;
    /// When both begin to be valid, and when the server's ends: 2026-11-23 05:53:40 and 2126-10-30 05:53:40.
    const BEGIN: u64 = 1_795_413_220;
    const END: u64 = 4_949_013_220;

    fn certificate(pem: &[u8]) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(pem).unwrap()
    }

    /// Why this certificate is refused for a name, at a time, where this authority is trusted.
    fn problem(pem: &[u8], name: &str, now: u64, trusted: &CertificateDer<'static>) -> CertificateProblem {
        verify(pem, name, now, trusted, &[]).unwrap_err()
    }

    /// The same, where the user named these certificates.
    fn verify(
        pem: &[u8],
        name: &str,
        now: u64,
        trusted: &CertificateDer<'static>,
        own: &[CertificateDer<'static>],
    ) -> Result<(), CertificateProblem> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(trusted.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        let verifier = ExplainingVerifier::new(inner, own.to_vec());
        let now = UnixTime::since_unix_epoch(Duration::from_secs(now));
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let refused = verifier.verify_server_cert(&certificate(pem), &[], &name, &[], now);
        match refused {
            Ok(_) => Ok(()),
            Err(rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(cause)))) => {
                Err(cause.downcast_ref::<CertificateProblem>().unwrap().clone())
            }
            other => panic!("{other:?}"),
        }
    }

    /// As `openssl req -x509` makes it: marked as an authority. The tests' own authority has no names of servers.
    #[test]
    fn a_self_signed_certificate_that_the_user_named_still_needs_its_name_and_times() {
        let (own, other) = (certificate(AUTHORITY), webpki_root_certs::TLS_SERVER_ROOT_CERTS[0].clone());
        let verify = |now| verify(AUTHORITY, "localhost", now, &other, std::slice::from_ref(&own));
        assert!(matches!(verify(BEGIN + 86_400), Err(CertificateProblem::WrongName { .. })));
        let named = certificate(SELF_SIGNED);
        let of = |name: &str, now| {
            super::tests::verify(SELF_SIGNED, name, now, &other, std::slice::from_ref(&named))
        };
        assert_eq!(of("localhost", SELF_SIGNED_BEGIN + 86_400), Ok(()));
        assert!(matches!(
            of("example.org", SELF_SIGNED_BEGIN + 86_400),
            Err(CertificateProblem::WrongName { .. })
        ));
        assert!(matches!(of("localhost", 5), Err(CertificateProblem::NotYetValid { .. })));
        assert!(matches!(of("localhost", u64::MAX / 2), Err(CertificateProblem::Expired { .. })));
        let unnamed = super::tests::verify(SELF_SIGNED, "localhost", SELF_SIGNED_BEGIN + 86_400, &other, &[]);
        assert_eq!(unnamed, Err(CertificateProblem::SelfSigned { subject: Some("localhost".into()) }));
    }

    #[test]
    fn each_cause_is_told_apart_with_what_the_certificate_says() {
        let (authority, other) =
            (certificate(AUTHORITY), webpki_root_certs::TLS_SERVER_ROOT_CERTS[0].clone());
        let now = BEGIN + 86_400;
        let clocks = |here| Clocks { here, there: None };
        assert_eq!(
            problem(SERVER, "127.0.0.1", 86_400, &authority),
            CertificateProblem::NotYetValid { begin: Some(BEGIN), clocks: clocks(86_400) }
        );
        assert_eq!(
            problem(SERVER, "127.0.0.1", END + 5, &authority),
            CertificateProblem::Expired { end: Some(END), clocks: clocks(END + 5) }
        );
        assert_eq!(
            problem(SERVER, "127.0.0.1", now, &other),
            CertificateProblem::UnknownIssuer { issuer: Some("ACOLYTE installer tests: authority".into()) }
        );
        assert_eq!(
            problem(AUTHORITY, "127.0.0.1", now, &other),
            CertificateProblem::SelfSigned { subject: Some("ACOLYTE installer tests: authority".into()) }
        );
        let CertificateProblem::WrongName { names } = problem(SERVER, "example.org", now, &authority) else {
            panic!("another cause");
        };
        let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
        assert!(names.contains(&"localhost") && names.contains(&"127.0.0.1"), "{names:?}");
    }

    #[test]
    fn windows_one_error_for_both_times_is_told_apart_by_the_certificate() {
        let of = |now: u64| {
            let now = UnixTime::since_unix_epoch(Duration::from_secs(now));
            CertificateProblem::of(&CertificateError::Expired, &certificate(SERVER), now)
        };
        assert!(matches!(of(5), CertificateProblem::NotYetValid { begin: Some(BEGIN), .. }));
        assert!(matches!(of(END + 5), CertificateProblem::Expired { end: Some(END), .. }));
    }

    #[test]
    fn the_servers_clock_tells_which_one_is_wrong() {
        let verdict = |there| Clocks { here: 1_000_000, there }.verdict();
        assert_eq!(verdict(None), ClockVerdict::Unknown);
        assert_eq!(verdict(Some(1_000_060)), ClockVerdict::Neither);
        assert_eq!(verdict(Some(1_000_000 + 3_600)), ClockVerdict::Here);
        assert_eq!(verdict(Some(5)), ClockVerdict::Here);
    }
}
