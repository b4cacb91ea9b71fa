//! The cards of the hardware page, between its notes.

use eframe::egui::Ui;

use super::{Intent, graphics_card, hardware_notes};
use crate::machine::{Disk, DiskKind, FoundEngine, Hardware};
use crate::say;
use crate::sentences::machine::{disk_needs, engine_kind, feature_name, names};
use crate::text::Text;
use crate::untrusted::UntrustedText;
use crate::wizard::theme::{TextRole, Tone};
use crate::wizard::widgets::{
    Paragraph, Part, StackedBar, UiExt as _, banner, card, card_beside_two, card_row, columns,
};

/// Placeholders during detection, in the places of the cards.
pub(super) fn placeholders(ui: &mut Ui, text: Text) {
    columns(ui, &[1.0, 1.0], |ui, i| {
        let names = if i == 0 {
            vec![say!(text, "wizard-hardware-graphics"), say!(text, "wizard-hardware-disk")]
        } else {
            vec![
                say!(text, "wizard-hardware-memory"),
                say!(text, "wizard-hardware-processor"),
                say!(text, "wizard-hardware-engine"),
            ]
        };
        for (n, name) in names.iter().enumerate() {
            if n > 0 {
                ui.gap(3.5);
            }
            card(ui, |ui| {
                ui.text(TextRole::Label, Tone::Faint, name);
                ui.gap(1.0);
                ui.text(TextRole::Text, Tone::Soft, &say!(text, "wizard-hardware-detecting"));
            });
        }
    });
}

/// Everything that was detected. `planned_gpu`: index of the GPU that the plans are made for.
pub(super) fn cards(
    ui: &mut Ui,
    text: Text,
    hardware: &Hardware,
    planned_gpu: Option<usize>,
    intents: &mut Vec<Intent>,
) {
    ui.spacing_mut().item_spacing.y = 0.0;
    let main = planned_gpu
        .and_then(|index| hardware.gpus.get(index))
        .or_else(|| hardware.usable_gpus().next())
        // Otherwise show a card that Ollama cannot use now.
        .or_else(|| hardware.gpus.iter().find(|gpu| gpu.blocked.is_some()));
    // Notes about what stops Ollama, and about missing data, are shown above the cards.
    let (above, below) = hardware_notes::sorted(&hardware.notes);
    for note in above {
        hardware_notes::show(ui, text, note, intents);
        ui.gap(3.5);
    }
    card_beside_two(ui, "top", |ui, which| match (which, main) {
        (0, Some(gpu)) => graphics_card::show(ui, text, gpu),
        (0, None) => graphics_card::show_none(ui, text, hardware),
        (1, _) => memory(ui, text, hardware),
        _ => processor(ui, text, hardware),
    });
    ui.gap(3.5);
    card_row(ui, "bottom", &[1.0, 1.0], |ui, i| {
        if i == 0 { disks(ui, text, &hardware.disks) } else { engines(ui, text, hardware) }
    });
    for gpu in hardware.gpus.iter().filter(|gpu| main.is_none_or(|main| !std::ptr::eq(*gpu, main))) {
        let noted = hardware.notes.iter().any(|note| note.gpu() == Some(gpu.name.as_str()));
        if main.is_some() && !noted {
            ui.gap(3.5);
            banner(ui, Tone::Accent, &graphics_card::also_found(text, gpu));
        }
    }
    for note in below {
        ui.gap(3.5);
        hardware_notes::show(ui, text, note, intents);
    }
}

fn memory(ui: &mut Ui, text: Text, hardware: &Hardware) {
    let memory = &hardware.memory;
    ui.text(TextRole::Label, Tone::Faint, &say!(text, "wizard-hardware-memory"));
    ui.gap(1.0);
    let available = memory.available_bytes.map_or_else(
        || say!(text, "wizard-hardware-available-unknown"),
        |bytes| say!(text, "wizard-hardware-available", size = text.memory(bytes)),
    );
    Paragraph::new(ui)
        .add(TextRole::Figure, Tone::Ink, &text.memory(memory.total_bytes))
        .add(TextRole::Text, Tone::Soft, &format!("  {available}"))
        .show(ui);
    if let Some(available) = memory.available_bytes {
        ui.gap(1.5);
        let used = memory.total_bytes.saturating_sub(available);
        StackedBar::new(say!(text, "wizard-memory-main"), memory.total_bytes)
            .part(Part::Others, used, String::new())
            .height(8.0)
            .show(ui);
    }
    ui.gap(2.0);
    match memory.bandwidth_gb_s {
        Some(rate) => Paragraph::new(ui)
            .add(TextRole::Text, Tone::Ink, &format!("{}\u{a0}GB/s", text.figure(rate)))
            .add(TextRole::Label, Tone::Faint, &format!("  {}", say!(text, "wizard-hardware-measured-now")))
            .show(ui),
        None => ui.text(TextRole::Label, Tone::Faint, &say!(text, "wizard-hardware-bandwidth-unknown")),
    };
}

fn processor(ui: &mut Ui, text: Text, hardware: &Hardware) {
    let cpu = &hardware.cpu;
    ui.text(TextRole::Label, Tone::Faint, &say!(text, "wizard-hardware-processor"));
    ui.gap(1.0);
    let name = cpu.name.clone().map_or_else(|| say!(text, "wizard-unknown"), String::from);
    ui.text(TextRole::Heading, Tone::Ink, &name);
    ui.gap(0.5);
    let mut parts = Vec::new();
    if let Some(cores) = cpu.physical_cores {
        parts.push(say!(text, "wizard-hardware-cores", count = cores));
    } else if let Some(threads) = cpu.logical_cores {
        parts.push(say!(text, "wizard-hardware-threads", count = threads));
    }
    parts.extend(cpu.features.iter().map(|feature| feature_name(feature)));
    Paragraph::new(ui)
        .add(TextRole::Text, Tone::Ink, &parts.join(", "))
        .add(TextRole::Label, Tone::Faint, &format!("  {}", say!(text, "wizard-hardware-from-system")))
        .show(ui);
}

fn disks(ui: &mut Ui, text: Text, disks: &[Disk]) {
    ui.text(TextRole::Label, Tone::Faint, &say!(text, "wizard-hardware-disk"));
    if disks.is_empty() {
        ui.gap(1.0);
        ui.text(TextRole::Heading, Tone::Ink, &say!(text, "wizard-unknown"));
    }
    for (n, disk) in disks.iter().enumerate() {
        ui.gap(if n == 0 { 1.0 } else { 2.5 });
        let free = disk.free_bytes.map_or_else(
            || say!(text, "wizard-hardware-disk-unknown"),
            |bytes| say!(text, "wizard-hardware-disk-free", size = text.file_size(bytes)),
        );
        let kind = match disk.kind {
            Some(DiskKind::Ssd) => ", SSD",
            Some(DiskKind::Hdd) => ", HDD",
            None => "",
        };
        ui.text(TextRole::Heading, Tone::Ink, &format!("{free}{kind}"));
        ui.text(TextRole::Label, Tone::Faint, &UntrustedText::path(&disk.path));
        if let Some(needs) = disk_needs(disk, text) {
            let tone = match disk.fits {
                Some(true) => Tone::Good,
                Some(false) => Tone::Refused,
                None => Tone::Soft,
            };
            ui.gap(0.5);
            ui.text(TextRole::Label, tone, &capitalised(&needs));
        }
    }
}

/// With a capital first letter.
fn capitalised(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn engines(ui: &mut Ui, text: Text, hardware: &Hardware) {
    ui.text(TextRole::Label, Tone::Faint, &say!(text, "wizard-hardware-engine"));
    ui.gap(1.0);
    if hardware.engines.is_empty() {
        ui.text(TextRole::Heading, Tone::Ink, &say!(text, "wizard-hardware-no-engine"));
        ui.text(TextRole::Label, Tone::Faint, &say!(text, "wizard-hardware-no-engine-detail"));
    }
    for (n, engine) in hardware.engines.iter().enumerate() {
        if n > 0 {
            ui.gap(2.0);
        }
        one_engine(ui, text, engine);
    }
    if !hardware.engines.is_empty() {
        ui.gap(1.0);
        ui.text(TextRole::Label, Tone::Faint, &say!(text, "wizard-hardware-engine-unchanged"));
    }
    for folder in &hardware.model_folders {
        ui.gap(2.0);
        let (size, list) = (
            text.file_size(folder.total_bytes),
            names(folder.models.iter().map(|model| model.name.as_str())),
        );
        ui.text(TextRole::Text, Tone::Ink, &say!(text, "wizard-hardware-models", size = size, names = list));
        ui.text(TextRole::Label, Tone::Faint, &UntrustedText::path(&folder.path));
    }
}

fn one_engine(ui: &mut Ui, text: Text, engine: &FoundEngine) {
    let version =
        engine.version.clone().map_or_else(|| say!(text, "wizard-hardware-version-unknown"), String::from);
    let kind = engine_kind(engine.kind, text);
    ui.text(TextRole::Heading, Tone::Ink, &format!("{version}, {kind}"));
    let place = match (engine.port, &engine.path) {
        (Some(port), _) => Some(say!(text, "cli-engine-port", port = port.to_string())),
        (None, Some(path)) => Some(UntrustedText::path(path).into()),
        (None, None) => None,
    };
    if let Some(place) = place {
        ui.text(TextRole::Label, Tone::Faint, &capitalised(&place));
    }
    if engine.exposed == Some(true) {
        ui.text(TextRole::Label, Tone::Warning, &say!(text, "wizard-hardware-engine-exposed"));
    }
    for model in &engine.loaded {
        let vram = model.vram_bytes.map_or_else(|| say!(text, "wizard-unknown"), |bytes| text.memory(bytes));
        let loaded = say!(text, "cli-engine-loaded", model = model.name.as_str(), vram = vram);
        ui.text(TextRole::Label, Tone::Soft, &loaded);
    }
    if !engine.models.is_empty() {
        let list = names(engine.models.iter().map(|model| model.name.as_str()));
        ui.text(TextRole::Label, Tone::Soft, &capitalised(&say!(text, "cli-engine-models", names = list)));
    }
}
