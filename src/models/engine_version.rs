//! Versions of the engine and their order.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

/// Version of the engine, for example `0.32.8`. Compared number by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EngineVersion {
    major: u32,
    minor: u32,
    patch: u32,
}

/// The text is not three numbers separated by dots.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a version such as 0.32.8")]
pub struct EngineVersionError(pub String);

impl FromStr for EngineVersion {
    type Err = EngineVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers: Option<Vec<u32>> = text.split('.').map(|number| number.parse().ok()).collect();
        match numbers.as_deref() {
            Some([major, minor, patch]) => Ok(Self { major: *major, minor: *minor, patch: *patch }),
            _ => Err(EngineVersionError(text.to_owned())),
        }
    }
}

impl fmt::Display for EngineVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl<'de> Deserialize<'de> for EngineVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        let version = |text: &str| text.parse::<EngineVersion>().unwrap();
        assert!(version("0.30.9") < version("0.30.11"));
        assert!(version("0.32.15") < version("0.40.0"));
        assert_eq!(version("0.32.8").to_string(), "0.32.8");
        for wrong in ["", "0.32", "0.32.8.1", "v0.32.8", "0.32.-1"] {
            assert!(wrong.parse::<EngineVersion>().is_err(), "{wrong}");
        }
    }
}
