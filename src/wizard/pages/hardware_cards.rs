//! The cards of the hardware page, and the notes around them.

use eframe::egui::{Align, Layout, Ui};

use super::Intent;
use crate::machine::{Disk, DiskKind, Finding, FoundEngine, Gpu, GpuKind, Hardware, TABLE};
use crate::say;
use crate::sentences::machine::{disk_needs, engine_kind, feature_name, names};
use crate::text::Text;
use crate::wizard::theme::{TextRole, Tone};
use crate::wizard::widgets::{
    Chip, Paragraph, Part, StackedBar, UiExt as _, banner, banner_with, card, card_beside_two, card_row,
    columns, facing, rule,
};

/// The cards during detection, in the places they will keep.
pub(super) fn asking(ui: &mut Ui, text: Text) {
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
                ui.text(TextRole::Text, Tone::Soft, &say!(text, "wizard-hardware-being-asked"));
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
        // A card that Ollama does not use at present says more than "none".
        .or_else(|| hardware.gpus.iter().find(|gpu| gpu.blocked.is_some()));
    // What keeps Ollama from running, and what is missing from the cards, comes before them.
    let mut notes: Vec<&Finding> = hardware.notes.iter().collect();
    notes.sort_by_key(|note| weight(note));
    let below = notes.split_off(notes.partition_point(|note| weight(note) < BELOW));
    for note in notes {
        note_banner(ui, text, note, intents);
        ui.gap(3.5);
    }
    card_beside_two(ui, "top", |ui, which| match (which, main) {
        (0, Some(gpu)) => graphics(ui, text, gpu),
        (0, None) => no_graphics(ui, text, hardware),
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
            banner(ui, Tone::Accent, &also_found(text, gpu));
        }
    }
    for note in below {
        ui.gap(3.5);
        note_banner(ui, text, note, intents);
    }
}

/// A note, with the actions it offers.
fn note_banner(ui: &mut Ui, text: Text, note: &Finding, intents: &mut Vec<Intent>) {
    let link = note.link(text);
    let again = can_be_asked_again(note);
    banner_with(ui, tone_of(note), &note.explain(text), |ui| {
        if link.is_none() && !again {
            return;
        }
        ui.gap(1.5);
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 16.0;
            if again && ui.link_action(&say!(text, "wizard-hardware-ask-again"), true).clicked() {
                intents.push(Intent::DetectAgain);
            }
            if let Some((words, url)) = link
                && ui.link_action(&words, true).on_hover_text(url).clicked()
            {
                intents.push(Intent::OpenLink(url));
            }
        });
    });
}

/// Refused for what keeps Ollama from running; no warning for what is only worth knowing.
fn tone_of(note: &Finding) -> Tone {
    match note {
        Finding::Refusal(_) => Tone::Refused,
        Finding::SoftwareAdapter { .. }
        | Finding::IntegratedDropped { .. }
        | Finding::UnifiedMemory { .. }
        | Finding::GpuAsleep { .. }
        | Finding::RocmPackage { .. } => Tone::Accent,
        _ => Tone::Warning,
    }
}

/// Notes of at least this weight are drawn below the cards.
const BELOW: u8 = 2;

fn weight(note: &Finding) -> u8 {
    match tone_of(note) {
        Tone::Refused => 0,
        Tone::Warning if can_be_asked_again(note) => 1,
        Tone::Warning => BELOW,
        _ => BELOW + 1,
    }
}

fn can_be_asked_again(note: &Finding) -> bool {
    matches!(note, Finding::SourceFailed { .. } | Finding::SourceLate { .. })
}

fn graphics(ui: &mut Ui, text: Text, gpu: &Gpu) {
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
    let whence =
        if from_table { format!("  {}", say!(text, "wizard-hardware-from-table")) } else { String::new() };
    pair(ui, &say!(text, "wizard-hardware-bandwidth"), &bandwidth, &whence);
    rule(ui);
    let driver = gpu.driver_version.clone().map_or_else(unknown, String::from);
    pair(ui, &say!(text, "wizard-hardware-driver"), &driver, "");
    if let Some(capability) = gpu.compute_capability {
        rule(ui);
        pair(ui, &say!(text, "wizard-hardware-capability"), &capability.to_string(), "");
    }
    if let Some(source) = sources(text, gpu) {
        ui.gap(2.0);
        ui.text(TextRole::Source, Tone::Faint, &say!(text, "wizard-known-from", source = source));
    }
}

/// Total and free memory of a card, and the bar of what others use.
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

fn no_graphics(ui: &mut Ui, text: Text, hardware: &Hardware) {
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
        ui.text(TextRole::Label, Tone::Faint, &disk.path.display().to_string());
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
        ui.text(TextRole::Label, Tone::Faint, &say!(text, "wizard-hardware-engine-left-alone"));
    }
    for folder in &hardware.model_folders {
        ui.gap(2.0);
        let (size, list) = (
            text.file_size(folder.total_bytes),
            names(folder.models.iter().map(|model| model.name.as_str())),
        );
        ui.text(TextRole::Text, Tone::Ink, &say!(text, "wizard-hardware-models", size = size, names = list));
        ui.text(TextRole::Label, Tone::Faint, &folder.path.display().to_string());
    }
}

fn one_engine(ui: &mut Ui, text: Text, engine: &FoundEngine) {
    let version =
        engine.version.clone().map_or_else(|| say!(text, "wizard-hardware-version-unknown"), String::from);
    let kind = engine_kind(engine.kind, text);
    ui.text(TextRole::Heading, Tone::Ink, &format!("{version}, {kind}"));
    let place = match (engine.port, &engine.path) {
        (Some(port), _) => Some(say!(text, "cli-engine-port", port = port.to_string())),
        (None, Some(path)) => Some(path.display().to_string()),
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

fn also_found(text: Text, gpu: &Gpu) -> String {
    let name = gpu.name.clone();
    match gpu.kind {
        GpuKind::Integrated => say!(text, "wizard-hardware-also-integrated", name = name),
        GpuKind::Software => say!(text, "wizard-hardware-also-software", name = name),
        GpuKind::Virtual => say!(text, "wizard-hardware-also-virtual", name = name),
        GpuKind::Discrete | GpuKind::Unified => say!(text, "wizard-hardware-also-usable", name = name),
    }
}

/// A label at the left, its value at the right.
fn pair(ui: &mut Ui, label: &str, value: &str, detail: &str) {
    let left = Paragraph::new(ui).add(TextRole::Table, Tone::Ink, label);
    let right = Paragraph::new(ui).add(TextRole::TableStrong, Tone::Ink, value).add(
        TextRole::Source,
        Tone::Faint,
        detail,
    );
    facing(ui, 2.2, left, right);
}

/// The sources of a card's figures, each once.
fn sources(text: Text, gpu: &Gpu) -> Option<String> {
    let mut names: Vec<String> = Vec::new();
    for source in gpu.sources.values() {
        if !names.contains(source) {
            names.push(source.clone());
        }
    }
    names.sort_by_key(|name| name == TABLE);
    let names: Vec<String> = names
        .into_iter()
        .map(|name| match name.as_str() {
            "nvml" => "NVML".to_owned(),
            "dxgi" => "DXGI".to_owned(),
            TABLE => say!(text, "wizard-source-table"),
            _ => name,
        })
        .collect();
    (!names.is_empty()).then(|| names.join(", "))
}
