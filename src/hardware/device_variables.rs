//! Environment variables that choose the cards which CUDA, ROCm and Vulkan show to the engine.

use std::collections::BTreeMap;

use crate::ollama::server::DEVICE_VARIABLES;
use crate::platform::environment::Environment;

/// Digits of a UUID that are kept: enough to tell the cards of a machine apart, too few to recognise the machine.
const UUID_DIGITS: usize = 8;
/// Characters of a value that are kept.
const MAX_CHARS: usize = 200;

/// Those that are set, with their values; an empty value is one.
pub fn read(environment: &Environment) -> BTreeMap<String, String> {
    let set = DEVICE_VARIABLES.iter().filter_map(|name| {
        let value = environment.variable(name)?.to_string_lossy().into_owned();
        let entries: Vec<String> = value.split(',').map(short_uuid).collect();
        Some(((*name).to_owned(), entries.join(",").chars().take(MAX_CHARS).collect()))
    });
    set.collect()
}

/// A UUID up to its first digits: `GPU-5ebe9f43`. Other text is unchanged.
pub fn short_uuid(text: &str) -> String {
    for prefix in ["MIG-GPU-", "GPU-", "MIG-"] {
        let start = text.get(..prefix.len()).filter(|start| start.eq_ignore_ascii_case(prefix));
        if let (Some(start), Some(digits)) = (start, text.get(prefix.len()..)) {
            return start.chars().chain(digits.chars().take(UUID_DIGITS)).collect();
        }
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_kept_without_what_identifies_a_machine() {
        let environment = Environment::given([
            ("CUDA_VISIBLE_DEVICES", "GPU-5ebe9f43-ac33-420c-bd07-9ed9b8b1c1a2,1"),
            ("GGML_VK_VISIBLE_DEVICES", ""),
            ("PATH", "/bin"),
        ]);
        let found = read(&environment);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found["CUDA_VISIBLE_DEVICES"], "GPU-5ebe9f43,1");
        assert_eq!(found["GGML_VK_VISIBLE_DEVICES"], "");
        assert_eq!(short_uuid("MIG-GPU-5ebe9f43-ac33/1/0"), "MIG-GPU-5ebe9f43");
    }
}
