//! The list of versions that `acolyte update` reads, and its signature (docs/updates.md).

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;

use minisign::{PublicKey, SecretKeyBox};
use serde::{Deserialize, Serialize};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::packages::Packages;
use super::versions::Checkout;
use super::{PublishError, content, read, write};
use crate::plan::Form;

/// Names of the files below an address.
pub const LIST: &str = "versions.json";
/// See [`LIST`].
pub const SIGNATURE: &str = "versions.json.minisig";
/// What the newest version changes, in words.
pub const CHANGES: &str = "installer/changes.yaml";

/// `installer/changes.yaml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// The version that they are of.
    pub version: String,
    /// A sentence per language.
    pub changes: BTreeMap<String, String>,
}

/// The list.
#[derive(Debug, Serialize)]
struct List<'a> {
    schema: u32,
    serial: u64,
    valid_until: String,
    program: Program<'a>,
    engine: Engine,
}

#[derive(Debug, Serialize)]
struct Program<'a> {
    version: String,
    page: String,
    changes: &'a BTreeMap<String, String>,
    files: Vec<Download>,
}

#[derive(Debug, Serialize)]
struct Download {
    os: &'static str,
    arch: &'static str,
    bytes: u64,
    sha256: String,
}

#[derive(Debug, Serialize)]
struct Engine {
    release: serde_json::Value,
}

/// The file that a user of each system is most likely to download.
const DOWNLOADS: [(&str, &str, Form); 4] = [
    ("linux", "x86_64", Form::TarGz),
    ("linux", "aarch64", Form::TarGz),
    ("windows", "x86_64", Form::Setup),
    ("macos", "any", Form::Dmg),
];

impl Changes {
    /// Those of a checkout.
    ///
    /// # Errors
    /// When they cannot be read, or are of another version.
    pub fn of(checkout: &Checkout) -> Result<Self, PublishError> {
        let path = checkout.root.join(CHANGES);
        let changes: Self =
            serde_saphyr::from_str(&read(&path)?).map_err(|error| content(&path, error.to_string()))?;
        if changes.version != checkout.version.to_string() {
            let why = format!("it is about {}, Cargo.toml has {}", changes.version, checkout.version);
            return Err(content(&path, why));
        }
        Ok(changes)
    }
}

/// The list of this release's files, as it is published. `serial` has to be greater than that of every earlier list.
///
/// # Errors
/// When a file of the release or of the checkout is missing or of another version.
pub fn list_of(
    checkout: &Checkout,
    packages: &Packages,
    repository: &str,
    serial: u64,
    valid: Duration,
) -> Result<Vec<u8>, PublishError> {
    let mut files = Vec::new();
    for (os, arch, form) in DOWNLOADS {
        let package = packages.find(form, arch)?;
        files.push(Download { os, arch, bytes: packages.bytes(&package)?, sha256: package.sha256 });
    }
    let path = checkout.root.join("assets/ollama-release.yaml");
    let release = serde_saphyr::from_str(&read(&path)?).map_err(|error| content(&path, error.to_string()))?;
    let changes = Changes::of(checkout)?.changes;
    let version = checkout.version.to_string();
    let list = List {
        schema: 1,
        serial,
        valid_until: end_of(valid)?,
        program: Program {
            page: format!("{repository}/releases/tag/v{version}"),
            version,
            changes: &changes,
            files,
        },
        engine: Engine { release },
    };
    serialized(&list)
}

/// An earlier list with a new serial number and a new end.
///
/// # Errors
/// When it is no list, or its serial number is not smaller.
pub fn renewed(earlier: &[u8], serial: u64, valid: Duration) -> Result<Vec<u8>, PublishError> {
    let wrong = |why: &str| content(Path::new(LIST), why);
    let mut list: serde_json::Value =
        serde_json::from_slice(earlier).map_err(|error| wrong(&error.to_string()))?;
    let known = list["serial"].as_u64().ok_or_else(|| wrong("it has no serial number"))?;
    if serial <= known {
        return Err(wrong(&format!("the serial number {serial} is not above {known}")));
    }
    list["serial"] = serial.into();
    list["valid_until"] = end_of(valid)?.into();
    serialized(&list)
}

fn end_of(valid: Duration) -> Result<String, PublishError> {
    let until = (OffsetDateTime::now_utc() + valid).replace_nanosecond(0);
    let text = until.ok().and_then(|until| until.format(&Rfc3339).ok());
    text.ok_or_else(|| content(Path::new(LIST), "its end is no date"))
}

fn serialized(list: &impl Serialize) -> Result<Vec<u8>, PublishError> {
    let mut bytes =
        serde_json::to_vec_pretty(list).map_err(|error| content(Path::new(LIST), error.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Signs a list with a secret key in minisign's form. With `public_key` (base64), refuses a key that is not its other half:
/// no program would believe the list.
///
/// # Errors
/// When the key or its password is wrong, or is not the one that programs know.
pub fn signature_of(
    list: &[u8],
    secret_key: &str,
    password: &str,
    public_key: Option<&str>,
) -> Result<String, PublishError> {
    let failed = |error: minisign::PError| PublishError::Signature(error.to_string());
    // Without a password it would be asked for at a terminal. A key without encryption has its own form.
    let boxed = SecretKeyBox::from_string(secret_key.trim()).map_err(failed)?;
    let secret = if password.is_empty() {
        boxed.into_unencrypted_secret_key()
    } else {
        boxed.into_secret_key(Some(password.to_owned()))
    }
    .map_err(failed)?;
    let public = PublicKey::from_secret_key(&secret).map_err(failed)?;
    if let Some(known) = public_key
        && known.trim() != public.to_base64()
    {
        return Err(PublishError::Signature("the key is not the one of assets/updates.yaml".to_owned()));
    }
    let signed = minisign::sign(Some(&public), &secret, Cursor::new(list), None, None).map_err(failed)?;
    Ok(signed.into_string())
}

/// The public key that the programs of this checkout know; `None` before one is set.
///
/// # Errors
/// When `assets/updates.yaml` cannot be read.
pub fn known_key(checkout: &Checkout) -> Result<Option<String>, PublishError> {
    #[derive(Deserialize)]
    struct Source {
        public_key: String,
    }
    let path = checkout.root.join("assets/updates.yaml");
    let source: Source =
        serde_saphyr::from_str(&read(&path)?).map_err(|error| content(&path, error.to_string()))?;
    Ok(Some(source.public_key).filter(|key| !key.is_empty()))
}

/// Writes list and signature into a folder.
///
/// # Errors
/// When a file cannot be written.
pub fn write_list(folder: &Path, list: &[u8], signature: Option<&str>) -> Result<(), PublishError> {
    write(&folder.join(LIST), list)?;
    match signature {
        Some(signature) => write(&folder.join(SIGNATURE), signature.as_bytes()),
        None => Ok(()),
    }
}
