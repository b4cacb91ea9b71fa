//! The words of a [`Note`]: English in the document, any language on the screen.

use std::collections::BTreeMap;

use crate::machine::Note;
use crate::say;
use crate::text::{Language, Text};

impl Note {
    /// A note of one of our own codes, with the figures and names it speaks of.
    pub fn new(code: &str, details: &[(&str, &str)]) -> Self {
        let details: BTreeMap<String, String> =
            details.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let mut note = Self { code: code.to_owned(), text: String::new(), details };
        note.text = note.say(Text::new(Language::English));
        note
    }

    /// One or two sentences: what was found, what it means, what to do. A note that somebody wrote by hand says its
    /// own text.
    pub fn say(&self, text: Text) -> String {
        let detail = |key: &str| self.details.get(key).map_or("", String::as_str).to_owned();
        let memory = |key: &str| detail(key).parse().map_or_else(|_| detail(key), |bytes| text.memory(bytes));
        match self.code.as_str() {
            "source_failed" => {
                let source = match detail("source").as_str() {
                    "nvml" => say!(text, "hardware-source-nvml"),
                    "wgpu" => say!(text, "hardware-source-wgpu"),
                    "dxgi" => say!(text, "hardware-source-dxgi"),
                    _ => say!(text, "hardware-source-sysinfo"),
                };
                say!(text, "hardware-source-failed", source = source, why = why(&detail("why"), text))
            }
            "software_adapter" => say!(text, "hardware-software-adapter", gpu = detail("gpu")),
            "integrated_dropped" => say!(text, "hardware-integrated-dropped", gpu = detail("gpu")),
            "unified_memory" => say!(text, "hardware-unified-memory", gpu = detail("gpu")),
            "mig_enabled" => say!(text, "hardware-mig-enabled", gpu = detail("gpu")),
            "gpu_passed_through" => say!(text, "hardware-gpu-passed-through", gpu = detail("gpu")),
            "gpu_asleep" => say!(text, "hardware-gpu-asleep", gpu = detail("gpu")),
            "rocm_package" => say!(text, "hardware-rocm-package", gpu = detail("gpu")),
            "rocm_needed" => say!(text, "hardware-rocm-needed", gpu = detail("gpu")),
            "gpu_denied" => say!(text, "hardware-gpu-denied", gpu = detail("gpu")),
            "gpu_unreachable" => say!(text, "hardware-gpu-unreachable", gpu = detail("gpu")),
            "source_late" => match detail("source").as_str() {
                "disks" => say!(text, "hardware-late-disks"),
                "models" => say!(text, "hardware-late-models"),
                _ => say!(text, "hardware-late-engines"),
            },
            "nvidia_driver_missing" => say!(text, "hardware-nvidia-driver-missing", gpu = detail("gpu")),
            "nvidia_driver_too_old" => say!(
                text,
                "hardware-nvidia-driver-too-old",
                gpu = detail("gpu"),
                driver = detail("driver"),
                needed = detail("needed"),
            ),
            "capability_too_low" => say!(
                text,
                "hardware-capability-too-low",
                gpu = detail("gpu"),
                capability = detail("capability"),
            ),
            "no_flash_attention" => say!(
                text,
                "hardware-no-flash-attention",
                gpu = detail("gpu"),
                capability = detail("capability"),
            ),
            "vram_held" => say!(
                text,
                "hardware-vram-held",
                gpu = detail("gpu"),
                program = detail("program"),
                bytes = memory("bytes"),
            ),
            "model_loaded" => say!(
                text,
                "hardware-model-loaded",
                model = detail("model"),
                port = detail("port"),
                bytes = memory("bytes"),
            ),
            "macos_too_old" => say!(text, "hardware-macos-too-old", version = detail("version")),
            "windows_too_old" => say!(text, "hardware-windows-too-old", version = detail("version")),
            "memory_limited" => say!(
                text,
                "hardware-memory-limited",
                limit = memory("limit_bytes"),
                total = memory("total_bytes"),
            ),
            "on_battery" => say!(text, "hardware-on-battery"),
            "power_saving" => say!(text, "hardware-power-saving"),
            "engine_exposed" => say!(text, "hardware-engine-exposed", port = detail("port")),
            _ if self.text.is_empty() => self.code.clone(),
            _ => self.text.clone(),
        }
    }

    /// A few words for a table, of those for which Ollama leaves out a card or does not run at all; else all it says.
    pub fn title(&self, text: Text) -> String {
        match self.code.as_str() {
            "nvidia_driver_missing" => say!(text, "hardware-nvidia-driver-missing-title"),
            "nvidia_driver_too_old" => say!(text, "hardware-nvidia-driver-too-old-title"),
            "capability_too_low" => say!(text, "hardware-capability-too-low-title"),
            "gpu_passed_through" => say!(text, "hardware-gpu-passed-through-title"),
            "gpu_denied" => say!(text, "hardware-gpu-denied-title"),
            "gpu_unreachable" => say!(text, "hardware-gpu-unreachable-title"),
            "macos_too_old" | "windows_too_old" => say!(text, "hardware-system-too-old-title"),
            _ => self.say(text),
        }
    }

    /// Where what it asks for can be had: the words of a link and its address.
    pub fn link(&self, text: Text) -> Option<(String, &'static str)> {
        const NVIDIA: &str = "https://www.nvidia.com/drivers";
        const AMD: &str = "https://www.amd.com/en/support/download/drivers.html";
        const INTEL: &str = "https://www.intel.com/content/www/us/en/download-center/home.html";
        const CUDA_GPUS: &str = "https://developer.nvidia.com/cuda-gpus";
        const OLLAMA_GPUS: &str = "https://docs.ollama.com/gpu";
        const OLLAMA_RELEASES: &str = "https://github.com/ollama/ollama/releases";
        const MACOS: &str = "https://support.apple.com/macos";
        const WINDOWS: &str = "https://www.microsoft.com/software-download";

        let detail = |key: &str| self.details.get(key).map(String::as_str).unwrap_or_default();
        Some(match self.code.as_str() {
            "nvidia_driver_missing" | "nvidia_driver_too_old" => (say!(text, "hardware-link-nvidia"), NVIDIA),
            "source_failed" if detail("source") == "nvml" => (say!(text, "hardware-link-nvidia"), NVIDIA),
            "gpu_unreachable" if detail("vendor") == "intel" => (say!(text, "hardware-link-intel"), INTEL),
            "gpu_unreachable" => (say!(text, "hardware-link-amd"), AMD),
            "capability_too_low" | "no_flash_attention" => (say!(text, "hardware-link-cuda-gpus"), CUDA_GPUS),
            "integrated_dropped" => (say!(text, "hardware-link-ollama-gpus"), OLLAMA_GPUS),
            "rocm_package" | "rocm_needed" => (say!(text, "hardware-link-ollama-releases"), OLLAMA_RELEASES),
            "macos_too_old" => (say!(text, "hardware-link-macos"), MACOS),
            "windows_too_old" => (say!(text, "hardware-link-windows"), WINDOWS),
            _ => return None,
        })
    }
}

/// Why a source gave no answer. The document keeps it in English, with what the driver said; what can be said in other
/// words is said in the person's language.
fn why(english: &str, text: Text) -> String {
    if let Some(seconds) = english.strip_prefix("no answer within ") {
        return say!(text, "hardware-why-silent", seconds = seconds.trim_end_matches(" s"));
    }
    if let Some(rest) = english.strip_prefix("it crashed ") {
        return say!(text, "hardware-why-crashed", said = rest);
    }
    if let Some(rest) = english.strip_prefix("not a usable NVML library: ") {
        return say!(text, "hardware-why-no-nvml", said = rest);
    }
    match english {
        "it ended without an answer" => say!(text, "hardware-why-ended"),
        "the NVIDIA driver is not loaded" => say!(text, "hardware-why-not-loaded"),
        "the NVIDIA driver was updated; restart the computer to load the new one" => {
            say!(text, "hardware-why-updated")
        }
        "this user may not talk to the NVIDIA driver" => say!(text, "hardware-why-no-permission"),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Ollama refuses or changes: each with what to do and where to get it.
    #[test]
    fn what_needs_a_download_says_where() {
        for (code, host) in [
            ("nvidia_driver_missing", "www.nvidia.com"),
            ("nvidia_driver_too_old", "www.nvidia.com"),
            ("capability_too_low", "developer.nvidia.com"),
            ("no_flash_attention", "developer.nvidia.com"),
            ("integrated_dropped", "docs.ollama.com"),
            ("rocm_package", "github.com"),
            ("rocm_needed", "github.com"),
            ("gpu_unreachable", "www.amd.com"),
            ("macos_too_old", "support.apple.com"),
            ("windows_too_old", "www.microsoft.com"),
        ] {
            for language in Language::ALL {
                let note = Note::new(code, &[("gpu", "Some card"), ("version", "13.1")]);
                let (words, url) = note.link(Text::new(language)).unwrap_or_default();
                assert!(url.starts_with(&format!("https://{host}/")), "{code}: {url}");
                assert!(!words.is_empty() && !words.contains("hardware-"), "{code}: {words}");
                assert!(!note.title(Text::new(language)).contains("hardware-"), "{code}");
            }
        }
        let note = Note::new("gpu_unreachable", &[("gpu", "Intel Arc A770"), ("vendor", "intel")]);
        assert_eq!(
            note.link(Text::new(Language::English)).map(|(_, url)| url.contains("intel.com")),
            Some(true)
        );
        assert_eq!(Note::new("on_battery", &[]).link(Text::new(Language::English)), None);
    }

    #[test]
    fn why_a_source_was_silent_is_said_in_the_persons_language() {
        let said = |why: &str| {
            Note::new("source_failed", &[("source", "nvml"), ("why", why)]).say(Text::new(Language::Spanish))
        };
        assert!(
            said("no answer within 10 s").contains("sin respuesta en 10\u{a0}s"),
            "{}",
            said("no answer within 10 s")
        );
        assert!(said("it crashed (signal: 11)").contains("(signal: 11)"));
        assert!(!said("the NVIDIA driver is not loaded").contains("is not loaded"));
        assert!(said("something new").contains("something new"));
        assert!(
            Note::new("source_failed", &[("why", "no answer within 2 s")])
                .text
                .contains("no answer within 2\u{a0}s")
        );
    }

    #[test]
    fn a_note_without_words_of_ours_says_its_own() {
        let text = Text::new(Language::Spanish);
        let note = |text: &str| Note { code: "note".into(), text: text.into(), details: BTreeMap::new() };
        assert_eq!(note("By hand.").say(text), "By hand.");
        assert_eq!(note("").say(text), "note");
    }
}
