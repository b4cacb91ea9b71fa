//! Hardware: what was found, and how each figure is known. Asking begins when the page is first shown.

use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui::{Align, Layout, Ui};

use super::welcome::Welcome;
use super::{Button, Context, Footer, Intent, View};
use crate::hardware::{Disk, DiskKind, Engine, Gpu, GpuKind, Hardware, Note};
use crate::say;
use crate::text::Text;
use crate::wizard::backend::{Found, Trouble};
use crate::wizard::theme::{Kind, Tone};
use crate::wizard::widgets::{
    Chip, Part, Parts as _, StackedBar, Words, banner, card, card_beside_two, card_row, columns, rule,
};

/// How far detection is.
pub enum Detection {
    /// Not asked yet.
    NotAsked,
    /// Workers are asking.
    Asking,
    /// It is known.
    Known(Arc<Found>),
    /// It could not be found out.
    Failed(Trouble),
}

/// The page.
pub struct HardwarePage {
    /// How far detection is.
    pub detection: Detection,
}

impl From<HardwarePage> for Welcome {
    fn from(page: HardwarePage) -> Self {
        Self { found: page.found().cloned() }
    }
}

impl From<Welcome> for HardwarePage {
    fn from(page: Welcome) -> Self {
        Self { detection: page.found.map_or(Detection::NotAsked, Detection::Known) }
    }
}

impl HardwarePage {
    /// What was found, when it was.
    pub fn found(&self) -> Option<&Arc<Found>> {
        match &self.detection {
            Detection::Known(found) => Some(found),
            Detection::NotAsked | Detection::Asking | Detection::Failed(_) => None,
        }
    }

    /// Starts asking, unless it is known or being asked.
    pub fn ask(&mut self, models_dir: PathBuf, cx: &Context<'_>) {
        if matches!(self.detection, Detection::NotAsked) {
            self.detection = Detection::Asking;
            cx.backend.detect(models_dir, cx.text, cx.outbox.clone());
        }
    }
}

impl View for HardwarePage {
    fn heading(&self, text: Text) -> (String, String) {
        let lead = match &self.detection {
            Detection::NotAsked | Detection::Asking => say!(text, "wizard-hardware-asking"),
            Detection::Known(found) => {
                say!(text, "wizard-hardware-lead", seconds = text.decimal(found.seconds, 1))
            }
            Detection::Failed(_) => say!(text, "wizard-hardware-failed-lead"),
        };
        (say!(text, "wizard-hardware-title"), lead)
    }

    fn show(&mut self, ui: &mut Ui, cx: &mut Context<'_>) {
        match &self.detection {
            Detection::NotAsked | Detection::Asking => asking(ui, cx.text),
            Detection::Known(found) => {
                // The card the plans are made for, which need not be the first one.
                let machine = cx.backend.machine(&found.hardware);
                let planned = machine.gpus.first().map(|gpu| gpu.name.as_str());
                cards(ui, cx.text, &found.hardware, planned);
            }
            Detection::Failed(trouble) => banner(ui, Tone::Refused, &trouble.0),
        }
    }

    fn footer(&self, text: Text) -> Footer {
        let known = self.found().is_some();
        let asking = matches!(self.detection, Detection::Asking);
        Footer {
            back: Some(Button::new(say!(text, "wizard-back"), Intent::Back)),
            links: vec![
                Button::new(say!(text, "wizard-save-report"), Intent::AskWhereToSave).enabled(known),
                Button::new(say!(text, "wizard-detect-again"), Intent::DetectAgain).enabled(!asking),
            ],
            secondary: None,
            primary: Some(Button::new(say!(text, "wizard-continue"), Intent::Next).enabled(known)),
        }
    }
}

/// The cards before anything is known: the same places, so that nothing jumps when they fill.
fn asking(ui: &mut Ui, text: Text) {
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
                ui.words(Kind::Label, Tone::Faint, name);
                ui.gap(1.0);
                ui.words(Kind::Text, Tone::Soft, &say!(text, "wizard-hardware-being-asked"));
            });
        }
    });
}

fn cards(ui: &mut Ui, text: Text, hardware: &Hardware, planned: Option<&str>) {
    ui.spacing_mut().item_spacing.y = 0.0;
    let main = hardware
        .usable_gpus()
        .find(|gpu| planned == Some(gpu.name.as_str()))
        .or_else(|| hardware.usable_gpus().next());
    card_beside_two(ui, "top", |ui, which| match (which, main) {
        (0, Some(gpu)) => graphics(ui, text, gpu),
        (0, None) => no_graphics(ui, text, hardware),
        (1, _) => memory(ui, text, hardware),
        _ => processor(ui, text, hardware),
    });
    ui.gap(3.5);
    card_row(ui, "bottom", &[1.0, 1.0], |ui, i| {
        if i == 0 { disks(ui, text, &hardware.disks) } else { engines(ui, text, &hardware.engines) }
    });
    for gpu in hardware.gpus.iter().filter(|gpu| main.is_none_or(|main| !std::ptr::eq(*gpu, main))) {
        let noted = hardware.notes.iter().any(|note| note.details.get("gpu") == Some(&gpu.name));
        if main.is_some() && !noted {
            ui.gap(3.5);
            banner(ui, Tone::Accent, &also_found(text, gpu));
        }
    }
    for note in &hardware.notes {
        ui.gap(3.5);
        banner(ui, tone_of(note), &note.say(text));
    }
}

/// Something that is only worth knowing is no warning.
fn tone_of(note: &Note) -> Tone {
    match note.code.as_str() {
        "software_adapter" | "integrated_dropped" | "unified_memory" | "gpu_asleep" | "on_battery" => {
            Tone::Accent
        }
        _ => Tone::Warning,
    }
}

fn graphics(ui: &mut Ui, text: Text, gpu: &Gpu) {
    ui.horizontal(|ui| {
        ui.words(Kind::Label, Tone::Faint, &say!(text, "wizard-hardware-graphics"));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let chip = match gpu.backend {
                Some(backend) => {
                    let name = backend_name(backend);
                    say!(text, "wizard-hardware-used", backend = name)
                }
                None => say!(text, "wizard-hardware-usable"),
            };
            Chip::new(Tone::Good, &chip).show(ui);
        });
    });
    ui.gap(1.0);
    ui.words(Kind::Figure, Tone::Ink, &gpu.name);
    ui.gap(2.5);
    vram(ui, text, gpu);
    ui.gap(3.0);
    let unknown = || say!(text, "wizard-unknown");
    let bandwidth =
        gpu.memory_bandwidth_gb_s.map_or_else(unknown, |rate| format!("{}\u{a0}GB/s", text.figure(rate)));
    pair(ui, &say!(text, "wizard-hardware-bandwidth"), &bandwidth, "");
    rule(ui);
    let driver = gpu.driver_version.clone().unwrap_or_else(unknown);
    pair(ui, &say!(text, "wizard-hardware-driver"), &driver, "");
    if let Some(capability) = &gpu.compute_capability {
        rule(ui);
        pair(ui, &say!(text, "wizard-hardware-capability"), capability, "");
    }
    if let Some(source) = sources(text, gpu) {
        ui.gap(2.0);
        ui.words(Kind::Source, Tone::Faint, &say!(text, "wizard-known-from", source = source));
    }
}

/// Total and free memory of a card, and the bar of what others use.
fn vram(ui: &mut Ui, text: Text, gpu: &Gpu) {
    let Some(total) = gpu.vram_total_bytes else {
        ui.words(Kind::Text, Tone::Soft, &say!(text, "wizard-hardware-vram-unknown"));
        return;
    };
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        let label = if gpu.kind == GpuKind::Unified {
            say!(text, "wizard-hardware-vram-unified")
        } else {
            say!(text, "wizard-hardware-vram", mib = text.count(total / crate::MIB))
        };
        Words::new(ui)
            .add(Kind::TableStrong, Tone::Ink, &text.memory(total))
            .add(Kind::Table, Tone::Ink, &format!(" {label}"))
            .show(ui);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if let Some(free) = gpu.vram_free_bytes {
                Words::new(ui)
                    .add(Kind::TableStrong, Tone::Ink, &text.memory(free))
                    .add(Kind::Table, Tone::Ink, &format!(" {}", say!(text, "wizard-hardware-free-now")))
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
        ui.words(Kind::Label, Tone::Soft, &say!(text, "wizard-hardware-free-unknown"));
    }
}

fn no_graphics(ui: &mut Ui, text: Text, hardware: &Hardware) {
    ui.words(Kind::Label, Tone::Faint, &say!(text, "wizard-hardware-graphics"));
    ui.gap(1.0);
    ui.words(Kind::Figure, Tone::Ink, &say!(text, "wizard-hardware-no-gpu"));
    ui.gap(1.5);
    if hardware.gpus.is_empty() {
        ui.words(Kind::Text, Tone::Soft, &say!(text, "wizard-hardware-nothing-found"));
    }
    for gpu in &hardware.gpus {
        Words::new(ui).marked(Kind::Text, Kind::Strong, Tone::Soft, &also_found(text, gpu)).show(ui);
    }
    ui.gap(1.0);
    ui.words(Kind::Text, Tone::Soft, &say!(text, "wizard-hardware-needs-gpu"));
}

fn memory(ui: &mut Ui, text: Text, hardware: &Hardware) {
    let memory = &hardware.memory;
    ui.words(Kind::Label, Tone::Faint, &say!(text, "wizard-hardware-memory"));
    ui.gap(1.0);
    let available = memory.available_bytes.map_or_else(
        || say!(text, "wizard-hardware-available-unknown"),
        |bytes| say!(text, "wizard-hardware-available", size = text.memory(bytes)),
    );
    Words::new(ui)
        .add(Kind::Figure, Tone::Ink, &text.memory(memory.total_bytes))
        .add(Kind::Text, Tone::Soft, &format!("  {available}"))
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
        Some(rate) => Words::new(ui)
            .add(Kind::Text, Tone::Ink, &format!("{}\u{a0}GB/s", text.figure(rate)))
            .add(Kind::Label, Tone::Faint, &format!("  {}", say!(text, "wizard-hardware-measured-now")))
            .show(ui),
        None => ui.words(Kind::Label, Tone::Faint, &say!(text, "wizard-hardware-bandwidth-unknown")),
    };
}

fn processor(ui: &mut Ui, text: Text, hardware: &Hardware) {
    let cpu = &hardware.cpu;
    ui.words(Kind::Label, Tone::Faint, &say!(text, "wizard-hardware-processor"));
    ui.gap(1.0);
    let name = cpu.name.clone().unwrap_or_else(|| say!(text, "wizard-unknown"));
    ui.words(Kind::Heading, Tone::Ink, &name);
    ui.gap(0.5);
    let mut parts = Vec::new();
    if let Some(cores) = cpu.physical_cores {
        parts.push(say!(text, "wizard-hardware-cores", count = cores));
    } else if let Some(threads) = cpu.logical_cores {
        parts.push(say!(text, "wizard-hardware-threads", count = threads));
    }
    parts.extend(cpu.features.iter().map(|feature| feature.to_uppercase().replace('_', "-")).take(4));
    Words::new(ui)
        .add(Kind::Text, Tone::Ink, &parts.join(", "))
        .add(Kind::Label, Tone::Faint, &format!("  {}", say!(text, "wizard-hardware-from-system")))
        .show(ui);
}

fn disks(ui: &mut Ui, text: Text, disks: &[Disk]) {
    ui.words(Kind::Label, Tone::Faint, &say!(text, "wizard-hardware-disk"));
    if disks.is_empty() {
        ui.gap(1.0);
        ui.words(Kind::Heading, Tone::Ink, &say!(text, "wizard-unknown"));
    }
    for disk in disks {
        ui.gap(1.0);
        let free = disk.free_bytes.map_or_else(
            || say!(text, "wizard-hardware-disk-unknown"),
            |bytes| say!(text, "wizard-hardware-disk-free", size = text.file_size(bytes)),
        );
        let kind = match disk.kind {
            Some(DiskKind::Ssd) => ", SSD",
            Some(DiskKind::Hdd) => ", HDD",
            None => "",
        };
        ui.words(Kind::Heading, Tone::Ink, &format!("{free}{kind}"));
        ui.words(Kind::Label, Tone::Faint, &disk.path.display().to_string());
    }
}

fn engines(ui: &mut Ui, text: Text, engines: &[Engine]) {
    ui.words(Kind::Label, Tone::Faint, &say!(text, "wizard-hardware-engine"));
    ui.gap(1.0);
    if engines.is_empty() {
        ui.words(Kind::Heading, Tone::Ink, &say!(text, "wizard-hardware-no-engine"));
        ui.words(Kind::Label, Tone::Faint, &say!(text, "wizard-hardware-no-engine-detail"));
        return;
    }
    for engine in engines {
        let version = engine.version.clone().unwrap_or_else(|| say!(text, "wizard-hardware-version-unknown"));
        let kind = engine_kind(text, &engine.kind);
        ui.words(Kind::Heading, Tone::Ink, &format!("{version}, {kind}"));
        if engine.exposed == Some(true) {
            ui.words(Kind::Label, Tone::Warning, &say!(text, "wizard-hardware-engine-exposed"));
        }
    }
    ui.words(Kind::Label, Tone::Faint, &say!(text, "wizard-hardware-engine-left-alone"));
}

fn engine_kind(text: Text, kind: &str) -> String {
    match kind {
        "service" => say!(text, "wizard-engine-service"),
        "server" => say!(text, "wizard-engine-server"),
        "app" => say!(text, "wizard-engine-app"),
        _ => say!(text, "wizard-engine-binary"),
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
    ui.gap(2.2);
    ui.horizontal(|ui| {
        ui.words(Kind::Table, Tone::Ink, label);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            Words::new(ui)
                .add(Kind::TableStrong, Tone::Ink, value)
                .add(Kind::Source, Tone::Faint, detail)
                .show_line(ui);
        });
    });
    ui.gap(2.2);
}

/// The sources of a card's figures, each once.
fn sources(text: Text, gpu: &Gpu) -> Option<String> {
    let mut names: Vec<String> = Vec::new();
    for source in gpu.sources.values() {
        if !names.contains(source) {
            names.push(source.clone());
        }
    }
    names.sort_by_key(|name| name == "table");
    let names: Vec<String> = names
        .into_iter()
        .map(|name| match name.as_str() {
            "nvml" => "NVML".to_owned(),
            "dxgi" => "DXGI".to_owned(),
            "table" => say!(text, "wizard-source-table"),
            _ => name,
        })
        .collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn backend_name(backend: crate::hardware::Backend) -> &'static str {
    match backend {
        crate::hardware::Backend::Cuda => "CUDA",
        crate::hardware::Backend::Rocm => "ROCm",
        crate::hardware::Backend::Vulkan => "Vulkan",
        crate::hardware::Backend::Metal => "Metal",
    }
}
