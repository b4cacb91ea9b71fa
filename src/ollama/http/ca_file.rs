//! A file of certificate authorities, in the forms that people have: PEM with any line ends and marks, also in UTF-16, DER,
//! and bare Base64. Entries that cannot be used are skipped and named.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

use super::ca_problem::{CaEntryProblem, CaFileProblem, SkippedEntry};
use super::der::{self, CertificateFacts, DerKind};
use super::error::HttpError;
use crate::platform::regular;
use crate::untrusted::UntrustedText;

/// Upper limit of a CA file; all authorities of a system are some hundred kilobytes.
const MAX_CA_FILE_BYTES: u64 = 16 << 20;
const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
/// Characters of a line of PEM (RFC 7468).
const LINE: usize = 64;

/// The authorities of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaFile {
    /// Those that can be used, one at least.
    pub certificates: Vec<CertificateDer<'static>>,
    /// Entries that cannot be used.
    pub skipped: Vec<SkippedEntry>,
    /// Whether every program reads the file, not only this one: PEM without marks.
    pub is_plain_pem: bool,
}

impl CaFile {
    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, or holds no certificate that can be used.
    pub fn read(path: &Path) -> Result<Self, HttpError> {
        let bytes = regular::read(path, MAX_CA_FILE_BYTES)
            .map_err(|source| HttpError::CaFile { path: path.to_owned(), source })?;
        Self::parse(&bytes).map_err(|problem| HttpError::NoCertificates { path: path.to_owned(), problem })
    }

    /// Parses the content of a file.
    ///
    /// # Errors
    /// If there is no certificate in it that can be used.
    pub fn parse(bytes: &[u8]) -> Result<Self, CaFileProblem> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Err(CaFileProblem::Empty);
        }
        let (entries, is_plain_pem) = match decoded(bytes) {
            Some(text) if text.contains(BEGIN) => {
                (pem_entries(&text), text.as_bytes() == bytes && is_plain(&text))
            }
            text => {
                (der_entries(&text.and_then(|text| bare_base64(&text)).unwrap_or(bytes.to_owned())), false)
            }
        };
        let mut found = Self { is_plain_pem, ..Self::default() };
        for (index, entry) in entries.into_iter().enumerate() {
            match entry.and_then(authority) {
                Ok(certificate) => found.certificates.push(certificate),
                Err((problem, subject)) => {
                    found.skipped.push(SkippedEntry { index: index + 1, subject, problem });
                }
            }
        }
        if !found.certificates.is_empty() {
            return Ok(found);
        }
        Err(if found.skipped.is_empty() {
            CaFileProblem::NoFormat
        } else {
            CaFileProblem::NothingUsable(found.skipped)
        })
    }

    /// The certificates as PEM, for programs that read nothing else.
    pub fn to_pem(&self) -> String {
        let mut pem = String::new();
        for certificate in &self.certificates {
            let digits = STANDARD.encode(certificate);
            pem.push_str("-----BEGIN CERTIFICATE-----\n");
            for line in digits.as_bytes().chunks(LINE) {
                pem.push_str(&String::from_utf8_lossy(line));
                pem.push('\n');
            }
            pem.push_str("-----END CERTIFICATE-----\n");
        }
        pem
    }
}

/// DER of an entry, or what is wrong with it.
type CaEntry = Result<Vec<u8>, (CaEntryProblem, Option<UntrustedText>)>;

/// Text in UTF-8 or UTF-16, without a byte-order mark; `None` if it is no text.
fn decoded(bytes: &[u8]) -> Option<String> {
    let utf_16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        String::from_utf16(&units).ok()
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf_16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf_16(rest, u16::from_be_bytes),
        [b'-', 0, ..] => utf_16(bytes, u16::from_le_bytes),
        [0, b'-', ..] => utf_16(bytes, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => Some(String::from_utf8_lossy(rest).into_owned()),
        // Comments between the certificates may be in any encoding. DER begins with a control character.
        [0x30, second, ..] if !second.is_ascii_graphic() => None,
        _ => Some(String::from_utf8_lossy(bytes).into_owned()),
    }
}

/// Whether every reader of PEM takes each block for a certificate.
fn is_plain(text: &str) -> bool {
    let has_marks = text.contains('\u{feff}') || text.replace("\r\n", "\n").contains('\r');
    !has_marks
        && text.lines().filter(|line| line.contains(BEGIN)).all(|line| line == "-----BEGIN CERTIFICATE-----")
}

/// The blocks of a PEM file, with any line ends; text between them is skipped.
fn pem_entries(text: &str) -> Vec<CaEntry> {
    let mut entries = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in
        text.split(['\n', '\r']).map(|line| line.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}'))
    {
        if let Some(label) = line.strip_prefix(BEGIN).map(|rest| rest.trim_end_matches('-')) {
            // The block before has no end.
            entries.extend(open.replace((label.to_owned(), String::new())).map(|_| damaged()));
        } else if line.starts_with(END) || line.ends_with(DASHES) && line.contains("END ") {
            entries.extend(open.take().map(|(label, digits)| pem_entry(&label, &digits)));
        } else if let Some((_, digits)) = &mut open {
            digits.push_str(line);
        }
    }
    entries.extend(open.map(|_| damaged()));
    entries
}

fn damaged() -> CaEntry {
    Err((CaEntryProblem::Damaged, None))
}

fn pem_entry(label: &str, digits: &str) -> CaEntry {
    let decode = || {
        let digits: String = digits.chars().filter(|c| !c.is_whitespace()).collect();
        STANDARD.decode(digits).map_err(|_| (CaEntryProblem::Damaged, None))
    };
    match label {
        "CERTIFICATE" | "X509 CERTIFICATE" => decode(),
        // OpenSSL appends what the certificate is trusted for.
        "TRUSTED CERTIFICATE" => {
            let whole = decode()?;
            der::split_first(&whole).map_or_else(damaged, |(certificate, _)| Ok(certificate.to_owned()))
        }
        "PKCS7" | "CMS" => Err((CaEntryProblem::Pkcs7, None)),
        label if label.ends_with("PRIVATE KEY") => Err((CaEntryProblem::PrivateKey, None)),
        label => {
            let label: String = label.chars().take(40).collect();
            Err((CaEntryProblem::OtherKind(label.into()), None))
        }
    }
}

/// A certificate in Base64 without the lines around it.
fn bare_base64(text: &str) -> Option<Vec<u8>> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    STANDARD.decode(digits).ok().filter(|der| der::kind_of(der).is_some())
}

/// The structures of a DER file, usually one.
fn der_entries(mut bytes: &[u8]) -> Vec<CaEntry> {
    let mut entries = Vec::new();
    while let Some((first, rest)) = der::split_first(bytes).filter(|_| bytes.first() == Some(&0x30)) {
        entries.push(Ok(first.to_owned()));
        bytes = rest;
    }
    // A file that is cut short.
    if entries.is_empty()
        && bytes.first() == Some(&0x30)
        && bytes.get(1).is_some_and(|second| *second >= 0x80)
    {
        entries.push(damaged());
    }
    entries
}

/// Accepts a certificate that can be an authority.
fn authority(der: Vec<u8>) -> Result<CertificateDer<'static>, (CaEntryProblem, Option<UntrustedText>)> {
    match der::kind_of(&der) {
        Some(DerKind::Certificate) => {
            let subject = CertificateFacts::of(&der).and_then(|facts| facts.subject);
            let certificate = CertificateDer::from(der);
            let usable = RootCertStore::empty().add(certificate.clone());
            usable.map(|()| certificate).map_err(|_| (CaEntryProblem::Unusable, subject))
        }
        Some(DerKind::PrivateKey) => Err((CaEntryProblem::PrivateKey, None)),
        Some(DerKind::Pkcs7) => Err((CaEntryProblem::Pkcs7, None)),
        Some(DerKind::Pkcs12) => Err((CaEntryProblem::Pkcs12, None)),
        Some(DerKind::Other) | None => Err((CaEntryProblem::Damaged, None)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use proptest::prelude::*;
    use rustls::pki_types::pem::PemObject as _;

    use super::*;

    const PEM: &str = include_str!("../../../tests/data/tls/authority.pem");
    const KEY: &str = include_str!("../../../tests/data/tls/server.key");

    fn der() -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(PEM.as_bytes()).unwrap()
    }

    fn utf_16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(unit).collect()
    }

    #[test]
    fn a_certificate_is_read_in_every_form_that_people_have() {
        let crlf = PEM.replace('\n', "\r\n");
        let digits: String = PEM.lines().filter(|line| !line.starts_with('-')).collect();
        let indented: String = PEM.lines().map(|line| format!("  {line}\t\n")).collect();
        let trusted = STANDARD.encode([der().as_ref(), &[0x30, 2, 0x05, 0]].concat());
        let forms: Vec<(&str, Vec<u8>)> = vec![
            ("plain", PEM.into()),
            ("CRLF", crlf.clone().into()),
            ("CR", PEM.replace('\n', "\r").into()),
            ("BOM", format!("\u{feff}{PEM}").into()),
            ("BOM and CRLF", format!("\u{feff}{crlf}").into()),
            ("BOM within", format!("# ours\n\u{feff}{PEM}").into()),
            ("comments", format!("# Fábrica S.A.\nBag Attributes\n{PEM}\n# end").into()),
            ("Latin-1", [b"# F\xe1brica\n", PEM.as_bytes()].concat()),
            ("indented", indented.into()),
            ("no last line end", PEM.trim_end().into()),
            ("X509", PEM.replace("CERTIFICATE", "X509 CERTIFICATE").into()),
            (
                "trusted",
                format!("-----BEGIN TRUSTED CERTIFICATE-----\n{trusted}\n-----END TRUSTED CERTIFICATE-----")
                    .into(),
            ),
            ("UTF-16 LE", utf_16(&format!("\u{feff}{crlf}"), u16::to_le_bytes)),
            ("UTF-16 BE", utf_16(&format!("\u{feff}{PEM}"), u16::to_be_bytes)),
            ("UTF-16 without a mark", utf_16(PEM, u16::to_le_bytes)),
            ("DER", der().to_vec()),
            ("bare Base64", digits.into()),
        ];
        for (form, bytes) in forms {
            let read = CaFile::parse(&bytes).unwrap_or_else(|problem| panic!("{form}: {problem:?}"));
            assert_eq!((read.certificates.as_slice(), read.skipped.len()), (&[der()][..], 0), "{form}");
            assert_eq!(CaFile::parse(read.to_pem().as_bytes()).unwrap().certificates, [der()], "{form}");
            let others_read_it = ["plain", "CRLF", "comments", "no last line end"].contains(&form);
            assert_eq!(read.is_plain_pem, others_read_it, "{form}");
        }
        let two = [der().as_ref(), der().as_ref()].concat();
        assert_eq!(CaFile::parse(&two).unwrap().certificates.len(), 2, "two in DER");
    }

    #[test]
    fn bad_entries_of_a_bundle_are_skipped_and_named() {
        let good = PEM.trim_end();
        let cut: String = PEM.lines().take(3).map(|line| format!("{line}\n")).collect();
        let bundle = [
            good,
            "-----BEGIN CERTIFICATE-----\nno*base64\n-----END CERTIFICATE-----",
            KEY.trim_end(),
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
            "-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----",
            "-----BEGIN PKCS7-----\nMAA=\n-----END PKCS7-----",
            cut.trim_end(),
            good,
            cut.trim_end(),
        ]
        .join("\n");
        let read = CaFile::parse(bundle.as_bytes()).unwrap();
        assert_eq!(read.certificates, [der(), der()]);
        let skipped: Vec<(usize, CaEntryProblem)> =
            read.skipped.into_iter().map(|entry| (entry.index, entry.problem)).collect();
        let expected = [
            (2, CaEntryProblem::Damaged),
            (3, CaEntryProblem::PrivateKey),
            (4, CaEntryProblem::Damaged),
            (5, CaEntryProblem::OtherKind("CERTIFICATE REQUEST".into())),
            (6, CaEntryProblem::Pkcs7),
            (7, CaEntryProblem::Damaged),
            (9, CaEntryProblem::Damaged),
        ];
        assert_eq!(skipped, expected);
    }

    #[test]
    fn a_file_without_any_certificate_says_why() {
        let only = |problem: CaEntryProblem| {
            CaFileProblem::NothingUsable(vec![SkippedEntry { index: 1, subject: None, problem }])
        };
        let key = rustls::pki_types::PrivateKeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
        let pkcs7 = [0x30, 11, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
        let cases: Vec<(Vec<u8>, CaFileProblem)> = vec![
            (b"".into(), CaFileProblem::Empty),
            (b" \r\n".into(), CaFileProblem::Empty),
            (b"not a certificate".into(), CaFileProblem::NoFormat),
            (b"<html>Sign in</html>".into(), CaFileProblem::NoFormat),
            (KEY.into(), only(CaEntryProblem::PrivateKey)),
            (utf_16(KEY, u16::to_le_bytes), only(CaEntryProblem::PrivateKey)),
            (key.secret_der().into(), only(CaEntryProblem::PrivateKey)),
            (pkcs7.into(), only(CaEntryProblem::Pkcs7)),
            (b"-----BEGIN PKCS7-----\nMAA=\n-----END PKCS7-----\n".into(), only(CaEntryProblem::Pkcs7)),
            (der()[..100].into(), only(CaEntryProblem::Damaged)),
        ];
        for (bytes, problem) in cases {
            assert_eq!(CaFile::parse(&bytes), Err(problem), "{}", String::from_utf8_lossy(&bytes));
        }
    }

    proptest! {
        #[test]
        fn any_file_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = CaFile::parse(&bytes);
        }
    }
}
