//! What stands between this computer and a server: a sign-in page or filter, a proxy that requires authentication, a
//! certificate that is not accepted.

use std::fmt;

use reqwest::header::{CONTENT_TYPE, HeaderMap, PROXY_AUTHENTICATE};
use reqwest::{Response, StatusCode, Url};

use super::certificate::CertificateProblem;
use crate::untrusted::UntrustedText;

/// Why a server is not reached although the network answers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkObstacle {
    /// A page for people answered in place of the server: a network's sign-in page, or a filter.
    #[error("a sign-in page or filter answered at {host}")]
    SignInPage {
        /// The host that answered.
        host: String,
    },
    /// The proxy requires authentication (HTTP 407).
    #[error("the proxy requires authentication: {0}")]
    ProxyLogin(ProxyLogin),
    /// The server's certificate is not accepted.
    #[error("the certificate of {host} is not accepted: {problem}")]
    Certificate {
        /// The server.
        host: String,
        /// Why.
        problem: CertificateProblem,
    },
}

/// How a proxy wants to be authenticated to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxyLogin {
    /// The schemes it offers, each once; empty if it names none.
    pub schemes: Vec<ProxyScheme>,
    /// Whether it refused a name and password.
    pub refused_password: bool,
}

/// A scheme of `Proxy-Authenticate`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxyScheme {
    /// Name and password (RFC 7617), the only one that this program has.
    Basic,
    /// NTLM.
    Ntlm,
    /// Negotiate: Kerberos or NTLM.
    Negotiate,
    /// Any other.
    Other(UntrustedText),
}

impl ProxyLogin {
    /// From the headers of an answer with status 407.
    pub fn of(headers: &HeaderMap, refused_password: bool) -> Self {
        let values = headers.get_all(PROXY_AUTHENTICATE).iter();
        let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        Self::of_values(values, refused_password)
    }

    /// From the values of `Proxy-Authenticate`.
    pub fn of_values(values: impl IntoIterator<Item = String>, refused_password: bool) -> Self {
        let mut schemes = Vec::new();
        for scheme in values.into_iter().flat_map(|value| challenges(&value)) {
            if !schemes.contains(&scheme) {
                schemes.push(scheme);
            }
        }
        Self { schemes, refused_password }
    }

    /// Whether a name and password in the proxy's address are enough, as far as the proxy says.
    pub fn takes_password(&self) -> bool {
        self.schemes.is_empty() || self.schemes.contains(&ProxyScheme::Basic)
    }
}

impl fmt::Display for ProxyLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.schemes.iter().map(ProxyScheme::name).collect();
        f.write_str(&names.join(", "))
    }
}

impl ProxyScheme {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Basic => "Basic",
            Self::Ntlm => "NTLM",
            Self::Negotiate => "Negotiate (Kerberos)",
            Self::Other(name) => name,
        }
    }

    fn of(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "basic" => Self::Basic,
            "ntlm" => Self::Ntlm,
            "negotiate" | "kerberos" => Self::Negotiate,
            _ => Self::Other(name.chars().take(40).collect::<String>().into()),
        }
    }
}

/// The schemes of a list of challenges (RFC 9110, 11.6.1): each is a name, with a token or parameters `NAME=VALUE` that are
/// separated by commas too.
fn challenges(value: &str) -> Vec<ProxyScheme> {
    let mut is_quoted = false;
    let parts = value.split(|c| {
        is_quoted ^= c == '"';
        c == ',' && !is_quoted
    });
    let scheme = |part: &str| {
        let part = part.trim();
        let (name, rest) = part.split_once(' ').unwrap_or((part, ""));
        let is_parameter = name.contains('=') || rest.trim_start().starts_with('=');
        (!name.is_empty() && !is_parameter).then(|| ProxyScheme::of(name))
    };
    parts.filter_map(scheme).collect()
}

impl NetworkObstacle {
    /// Whether an answer is not the server's own, by its status and headers. The answer to a request for a page is never
    /// asked about.
    pub fn in_answer(response: &Response, refused_password: bool) -> Option<Self> {
        match response.status() {
            StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                Some(Self::ProxyLogin(ProxyLogin::of(response.headers(), refused_password)))
            }
            StatusCode::NETWORK_AUTHENTICATION_REQUIRED => Some(Self::sign_in_page(response.url())),
            StatusCode::OK
            | StatusCode::NON_AUTHORITATIVE_INFORMATION
            | StatusCode::PARTIAL_CONTENT
            | StatusCode::FORBIDDEN
            | StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS
                if is_page(response.headers()) =>
            {
                Some(Self::sign_in_page(response.url()))
            }
            _ => None,
        }
    }

    /// Whether the beginning of a body is a page's, where the headers do not say so.
    pub fn in_body(url: &Url, beginning: &[u8]) -> Option<Self> {
        is_markup(beginning).then(|| Self::sign_in_page(url))
    }

    fn sign_in_page(url: &Url) -> Self {
        Self::SignInPage { host: url.host_str().unwrap_or_default().to_owned() }
    }
}

/// Whether the headers announce a page for people.
pub fn is_page(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(kind.as_str(), "text/html" | "application/xhtml+xml")
}

/// Whether bytes are the beginning of an HTML page. XML that is none is not: object stores answer with such.
fn is_markup(beginning: &[u8]) -> bool {
    const MOST: usize = 2_048;
    let text = String::from_utf8_lossy(&beginning[..beginning.len().min(MOST)]).to_ascii_lowercase();
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let is_xml = text.starts_with("<?xml");
    let begins_like_a_page = text
        .strip_prefix('<')
        .is_some_and(|rest| rest.starts_with('!') || rest.starts_with(|c: char| c.is_ascii_alphabetic()));
    if is_xml { text.contains("<html") } else { begins_like_a_page }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schemes_of_a_proxy_are_read_from_one_header_and_from_several() {
        let of = |values: &[&str]| {
            let login = ProxyLogin::of_values(values.iter().map(|value| (*value).to_owned()), false);
            (login.to_string(), login.takes_password())
        };
        let both = ("NTLM, Basic".to_owned(), true);
        assert_eq!(of(&["NTLM", "Basic realm=\"a, b\", charset=\"UTF-8\""]), both);
        assert_eq!(of(&["NTLM TlRMTVNTUAACAAAAAAAAAA==, basic realm=x, realm = y"]), both);
        assert_eq!(of(&["Negotiate, NTLM"]), ("Negotiate (Kerberos), NTLM".to_owned(), false));
        assert_eq!(of(&["Kerberos", "NEGOTIATE"]), ("Negotiate (Kerberos)".to_owned(), false));
        assert_eq!(
            of(&["Digest realm=\"x\", qop=\"auth,auth-int\", nonce=\"a==\""]),
            ("Digest".to_owned(), false)
        );
        for nothing in [&[][..], &[""], &[" , "]] {
            assert_eq!(of(nothing), (String::new(), true), "{nothing:?}");
        }
    }

    #[test]
    fn pages_are_told_from_what_registries_and_mirrors_send() {
        for page in [
            "<!DOCTYPE html><html>",
            "\u{feff}\r\n  <html lang=\"es\">",
            "<HTML><HEAD>",
            "<!-- portal --><html>",
            "<script>location='/login'</script>",
            "<meta http-equiv=\"refresh\" content=\"0; url=http://10.0.0.1/\">",
            "<?xml version=\"1.0\"?><!DOCTYPE html><html xmlns=\"http://www.w3.org/1999/xhtml\">",
        ] {
            assert!(is_markup(page.as_bytes()), "{page}");
        }
        let others: [&[u8]; 8] = [
            b"",
            b"{\"schemaVersion\":2}",
            b"GGUF\x03\0\0\0",
            b"\x28\xb5\x2f\xfd<html",
            b"PK\x03\x04",
            b"\x1f\x8b\x08",
            b"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>",
            b"0123abcd  ./ollama-linux-amd64.tar.zst\n",
        ];
        for other in others {
            assert!(!is_markup(other), "{other:?}");
        }
    }
}
