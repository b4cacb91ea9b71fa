//! The words of a [`Note`]: English in the document, any language on the screen.

use std::collections::BTreeMap;

use super::document::Note;
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
                say!(text, "hardware-source-failed", source = source, why = detail("why"))
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
            _ => self.text.clone(),
        }
    }
}
