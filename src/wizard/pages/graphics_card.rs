//! The graphics card on the hardware page.

use eframe::egui::{Align, Layout, Ui};

use crate::machine::{Gpu, GpuKind, Hardware, TABLE};
use crate::say;
use crate::text::Text;
use crate::wizard::theme::{TextRole, Tone};
use crate::wizard::widgets::{Chip, Paragraph, Part, StackedBar, UiExt as _, label_and_value, rule};

/// A card that can be used, or that Ollama refuses.
pub(super) fn show(ui: &mut Ui, text: Text, gpu: &Gpu) {
    ui.horizontal(|ui| {
        ui.text(TextRole::Label, Tone::Faint, &say!(text, "wizard-hardware-graphics"));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let (tone, chip) = match (gpu.refusal(), gpu.backend) {
                (Some(refusal), _) => (Tone::Refused, refusal.title(text)),
                (None, Some(backend)) => {
                    (Tone::Good, say!(text, "wizard-hardware-used", backend = backend.title()))
                }
                (None, None) => (Tone::Good, say!(text, "wizard-hardware-usable")),
            };
            Chip::new(tone, &chip).show(ui);
        });
    });
    ui.gap(1.0);
    ui.text(TextRole::Figure, Tone::Ink, &gpu.name);
    ui.gap(2.5);
    vram(ui, text, gpu);
    ui.gap(3.0);
    let unknown = || say!(text, "wizard-unknown");
    let bandwidth =
        gpu.memory_bandwidth_gb_s.map_or_else(unknown, |rate| format!("{}\u{a0}GB/s", text.figure(rate)));
    let from_table = gpu.sources.get("memory_bandwidth_gb_s").is_some_and(|source| source == TABLE);
    let source_note =
        if from_table { format!("  {}", say!(text, "wizard-hardware-from-table")) } else { String::new() };
    fact_line(ui, &say!(text, "wizard-hardware-bandwidth"), &bandwidth, &source_note);
    rule(ui);
    let driver = gpu.driver_version.clone().map_or_else(unknown, String::from);
    fact_line(ui, &say!(text, "wizard-hardware-driver"), &driver, "");
    if let Some(capability) = gpu.compute_capability {
        rule(ui);
        fact_line(ui, &say!(text, "wizard-hardware-capability"), &capability.to_string(), "");
    }
    if let Some(source) = sources(text, gpu) {
        ui.gap(2.0);
        ui.text(TextRole::Source, Tone::Faint, &say!(text, "wizard-known-from", source = source));
    }
}

/// Total and free memory of a card, and a bar of the memory that other programs use.
fn vram(ui: &mut Ui, text: Text, gpu: &Gpu) {
    let Some(total) = gpu.vram_total_bytes else {
        ui.text(TextRole::Text, Tone::Soft, &say!(text, "wizard-hardware-vram-unknown"));
        return;
    };
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        let label = if gpu.kind == GpuKind::Unified {
            say!(text, "wizard-hardware-vram-unified")
        } else {
            say!(text, "wizard-hardware-vram", mib = text.count(total / crate::MIB))
        };
        Paragraph::new(ui)
            .add(TextRole::TableStrong, Tone::Ink, &text.memory(total))
            .add(TextRole::Table, Tone::Ink, &format!(" {label}"))
            .show(ui);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if let Some(free) = gpu.vram_free_bytes {
                Paragraph::new(ui)
                    .add(TextRole::TableStrong, Tone::Ink, &text.memory(free))
                    .add(
                        TextRole::Table,
                        Tone::Ink,
                        &format!(
                            " {}",
                            say!(text, "wizard-hardware-free-now", total = text.memory_number(total))
                        ),
                    )
                    .show(ui);
            }
        });
    });
    ui.gap(1.5);
    let used = gpu.vram_free_bytes.map_or(0, |free| total.saturating_sub(free));
    StackedBar::new(say!(text, "wizard-memory-graphics"), total)
        .part(Part::Others, used, say!(text, "wizard-hardware-others", size = text.memory(used)))
        .height(12.0)
        .show(ui);
    if gpu.vram_free_bytes.is_none() {
        ui.gap(1.0);
        ui.text(TextRole::Label, Tone::Soft, &say!(text, "wizard-hardware-free-unknown"));
    }
}

/// No usable card, and what was found instead.
pub(super) fn show_none(ui: &mut Ui, text: Text, hardware: &Hardware) {
    ui.text(TextRole::Label, Tone::Faint, &say!(text, "wizard-hardware-graphics"));
    ui.gap(1.0);
    ui.text(TextRole::Figure, Tone::Ink, &say!(text, "wizard-hardware-no-gpu"));
    ui.gap(1.5);
    if hardware.gpus.is_empty() {
        ui.text(TextRole::Text, Tone::Soft, &say!(text, "wizard-hardware-nothing-found"));
    }
    for gpu in &hardware.gpus {
        Paragraph::new(ui)
            .marked(TextRole::Text, TextRole::Strong, Tone::Soft, &also_found(text, gpu))
            .show(ui);
    }
    ui.gap(1.0);
    ui.text(TextRole::Text, Tone::Soft, &say!(text, "wizard-hardware-needs-gpu"));
}

/// What else was found, in a sentence.
pub(super) fn also_found(text: Text, gpu: &Gpu) -> String {
    let name = gpu.name.clone();
    match gpu.kind {
        GpuKind::Integrated => say!(text, "wizard-hardware-also-integrated", name = name),
        GpuKind::Software => say!(text, "wizard-hardware-also-software", name = name),
        GpuKind::Virtual => say!(text, "wizard-hardware-also-virtual", name = name),
        GpuKind::Discrete | GpuKind::Unified => say!(text, "wizard-hardware-also-usable", name = name),
    }
}

/// A label at the left, its value at the right.
fn fact_line(ui: &mut Ui, label: &str, value: &str, detail: &str) {
    let left = Paragraph::new(ui).add(TextRole::Table, Tone::Ink, label);
    let right = Paragraph::new(ui).add(TextRole::TableStrong, Tone::Ink, value).add(
        TextRole::Source,
        Tone::Faint,
        detail,
    );
    label_and_value(ui, 2.2, left, right);
}

/// The sources of a card's figures, each once.
fn sources(text: Text, gpu: &Gpu) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    for source in gpu.sources.values() {
        if !names.contains(&source.as_str()) {
            names.push(source);
        }
    }
    names.sort_by_key(|name| *name == TABLE);
    let names: Vec<String> = names
        .into_iter()
        .map(|name| match name {
            "nvml" => "NVML".to_owned(),
            "dxgi" => "DXGI".to_owned(),
            TABLE => say!(text, "wizard-source-table"),
            _ => name.to_owned(),
        })
        .collect();
    (!names.is_empty()).then(|| names.join(", "))
}
