//! What a certificate says of itself, for messages: names and times. Nothing is verified here.
//!
//! Only the outer structure of X.509 (RFC 5280, 4.1) is read, with the lengths and tags of DER.

use time::{Date, Month, PrimitiveDateTime, Time};

use crate::untrusted::UntrustedText;

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const OBJECT_ID: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const BMP_STRING: u8 = 0x1e;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
/// The version of a certificate, which older ones leave out.
const VERSION: u8 = 0xa0;
/// The ids of a common name and of an organisation.
const NAMES: [&[u8]; 2] = [&[0x55, 4, 3], &[0x55, 4, 10]];
/// PKCS #7 data: `1.2.840.113549.1.7`.
const PKCS7: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7];
const MAX_NAME_CHARS: usize = 120;

/// One certificate's names and times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateFacts {
    /// Name of its authority.
    pub issuer: Option<UntrustedText>,
    /// Its own name.
    pub subject: Option<UntrustedText>,
    /// Whether both are the same.
    pub is_self_signed: bool,
    /// When it begins to be valid, in seconds since the Unix epoch.
    pub begin: Option<u64>,
    /// When it ends to be valid, in seconds since the Unix epoch.
    pub end: Option<u64>,
}

/// What a DER structure is, by its first fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DerKind {
    /// A certificate.
    Certificate,
    /// A private key: PKCS #1, PKCS #8 (encrypted or not) or SEC 1.
    PrivateKey,
    /// A container of certificates: PKCS #7.
    Pkcs7,
    /// A container of a key and its certificates: PKCS #12.
    Pkcs12,
    /// Anything else.
    Other,
}

impl CertificateFacts {
    /// Reads a certificate; `None` if it is none.
    pub fn of(der: &[u8]) -> Option<Self> {
        let mut certificate = DerReader(DerReader(der).expect(SEQUENCE)?);
        let mut signed = DerReader(certificate.expect(SEQUENCE)?);
        signed.skip_if(VERSION);
        signed.expect(INTEGER)?;
        signed.expect(SEQUENCE)?;
        let issuer = signed.expect(SEQUENCE)?;
        let mut validity = DerReader(signed.expect(SEQUENCE)?);
        let subject = signed.expect(SEQUENCE)?;
        Some(Self {
            issuer: name(issuer),
            subject: name(subject),
            is_self_signed: issuer == subject,
            begin: validity.next().and_then(|(tag, digits)| seconds(tag, digits)),
            end: validity.next().and_then(|(tag, digits)| seconds(tag, digits)),
        })
    }
}

/// What bytes are; `None` if they are not DER.
pub fn kind_of(der: &[u8]) -> Option<DerKind> {
    let (tag, content) = DerReader(der).next()?;
    if tag != SEQUENCE {
        return None;
    }
    let mut fields = DerReader(content);
    let first = fields.next()?;
    let second = fields.next();
    Some(match (first, second) {
        _ if CertificateFacts::of(der).is_some() => DerKind::Certificate,
        ((OBJECT_ID, id), _) if id.starts_with(PKCS7) => DerKind::Pkcs7,
        ((INTEGER, _), Some((SEQUENCE, inner))) => match DerReader(inner).next() {
            Some((OBJECT_ID, id)) if id.starts_with(PKCS7) => DerKind::Pkcs12,
            _ => DerKind::PrivateKey,
        },
        ((INTEGER, _), Some((INTEGER | OCTET_STRING, _))) => DerKind::PrivateKey,
        // An encrypted key of PKCS #8: algorithm and octets.
        ((SEQUENCE, _), Some((OCTET_STRING, _))) if fields.next().is_none() => DerKind::PrivateKey,
        _ => DerKind::Other,
    })
}

/// The first structure of some bytes, and what follows it; `None` if the bytes do not begin with a whole one.
pub fn split_first(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut reader = DerReader(bytes);
    reader.next()?;
    let whole = bytes.len() - reader.0.len();
    Some(bytes.split_at(whole))
}

struct DerReader<'a>(&'a [u8]);

impl<'a> DerReader<'a> {
    /// Tag and content of the next structure.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&[tag, first], rest) = self.0.split_first_chunk::<2>()?;
        let (length, rest) = match first {
            // 0x80 is a length that follows the content, which DER does not have.
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x84 => {
                let (digits, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
                (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }

    fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next().filter(|(found, _)| *found == tag).map(|(_, content)| content)
    }

    fn skip_if(&mut self, tag: u8) {
        if self.0.first() == Some(&tag) {
            self.next();
        }
    }
}

/// The common name of a distinguished name, else its organisation.
fn name(distinguished: &[u8]) -> Option<UntrustedText> {
    NAMES.iter().find_map(|wanted| {
        let mut sets = DerReader(distinguished);
        std::iter::from_fn(|| sets.next()).filter(|(tag, _)| *tag == SET).find_map(|(_, set)| {
            let mut attribute = DerReader(DerReader(set).expect(SEQUENCE)?);
            let id = attribute.expect(OBJECT_ID)?;
            let (tag, value) = attribute.next().filter(|_| id == *wanted)?;
            Some(text(tag, value).chars().take(MAX_NAME_CHARS).collect::<String>().into())
        })
    })
}

fn text(tag: u8, value: &[u8]) -> String {
    if tag != BMP_STRING {
        return String::from_utf8_lossy(value).into_owned();
    }
    let units: Vec<u16> = value.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    String::from_utf16_lossy(&units)
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`; zero before 1970.
fn seconds(tag: u8, digits: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(digits).ok()?.strip_suffix('Z')?;
    if !digits.is_ascii() {
        return None;
    }
    let (year, rest) = match tag {
        UTC_TIME => {
            let year: i32 = digits.get(..2)?.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, digits.get(2..)?)
        }
        GENERALIZED_TIME => (digits.get(..4)?.parse().ok()?, digits.get(4..)?),
        _ => return None,
    };
    let two = |at: usize| rest.get(at..at + 2)?.parse::<u8>().ok();
    let date = Date::from_calendar_date(year, Month::try_from(two(0)?).ok()?, two(2)?).ok()?;
    let time = Time::from_hms(two(4)?, two(6)?, two(8)?).ok()?;
    let seconds = PrimitiveDateTime::new(date, time).assume_utc().unix_timestamp();
    Some(u64::try_from(seconds).unwrap_or(0))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};

    use super::*;

    #[test]
    fn names_and_times_of_a_certificate_are_read() {
        let pem = include_bytes!("../../../tests/data/tls/server.pem");
        let facts = CertificateFacts::of(&CertificateDer::from_pem_slice(pem).unwrap()).unwrap();
        assert_eq!(facts.issuer.as_deref(), Some("ACOLYTE installer tests: authority"));
        assert_eq!(facts.subject.as_deref(), Some("ACOLYTE installer tests: server"));
        assert_eq!((facts.begin, facts.end), (Some(1_795_413_220), Some(4_949_013_220)));
        assert!(!facts.is_self_signed);
        for root in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
            let facts = CertificateFacts::of(root).unwrap();
            assert!(facts.is_self_signed && facts.subject.is_some() && facts.end > facts.begin, "{facts:?}");
            assert_eq!(kind_of(root), Some(DerKind::Certificate));
        }
    }

    #[test]
    fn what_is_no_certificate_is_told_apart() {
        let key =
            PrivateKeyDer::from_pem_slice(include_bytes!("../../../tests/data/tls/server.key")).unwrap();
        assert_eq!(kind_of(key.secret_der()), Some(DerKind::PrivateKey));
        let pkcs7 = [&[0x30, 11, OBJECT_ID, 9][..], PKCS7, &[2]].concat();
        assert_eq!(kind_of(&pkcs7), Some(DerKind::Pkcs7));
        let pkcs12 = [&[0x30, 16, INTEGER, 1, 3, SEQUENCE, 11, OBJECT_ID, 9][..], PKCS7, &[1]].concat();
        assert_eq!(kind_of(&pkcs12), Some(DerKind::Pkcs12));
        assert_eq!(kind_of(&[SEQUENCE, 3, SET, 1, 0]), Some(DerKind::Other));
        for wrong in [&b""[..], b"-----BEGIN", &[SEQUENCE, 200, 1], &[SEQUENCE, 0x85, 1, 1, 1, 1, 1]] {
            assert_eq!(kind_of(wrong), None, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (kind_of(&bytes), CertificateFacts::of(&bytes), split_first(&bytes));
        }
    }
}
