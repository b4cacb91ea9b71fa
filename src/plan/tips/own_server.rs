//! The machine without the model of our own server, whose memory is not anybody else's.

use crate::machine::{Finding, GpuKind, Hardware};

/// Whether a program is the engine or its runner.
pub(super) fn is_engine(program: &str) -> bool {
    program.starts_with("ollama") || program.starts_with("llama-server")
}

/// The machine as it would be if the server on this port had no model in memory.
#[must_use]
pub fn without_own_model(hardware: &Hardware, port: u16) -> Hardware {
    let mut machine = hardware.clone();
    let server = machine.engines.iter_mut().find(|engine| engine.port == Some(port));
    let loaded = server.map(|server| std::mem::take(&mut server.loaded)).unwrap_or_default();
    let on_card: u64 = loaded.iter().filter_map(|model| model.vram_bytes).sum();
    let in_ram: u64 = loaded
        .iter()
        .map(|model| model.total_bytes.unwrap_or(0).saturating_sub(model.vram_bytes.unwrap_or(0)))
        .sum();
    let is_ours =
        |finding: &Finding| matches!(finding, Finding::ModelLoaded { port: other, .. } if *other == port);
    machine.notes.retain(|finding| !is_ours(finding));
    let others = machine.notes.iter().any(|finding| matches!(finding, Finding::ModelLoaded { .. }));
    if !others {
        machine
            .notes
            .retain(|finding| !matches!(finding, Finding::VramHeld { program, .. } if is_engine(program)));
    }
    machine.ram_programs.retain(|program| !is_engine(&program.name));
    let card = machine.gpus.iter().position(|gpu| gpu.is_usable() && gpu.kind == GpuKind::Discrete);
    if let Some(gpu) = card.map(|index| &mut machine.gpus[index]) {
        let total = gpu.vram_total_bytes.unwrap_or(u64::MAX);
        gpu.vram_free_bytes = gpu.vram_free_bytes.map(|free| free.saturating_add(on_card).min(total));
    }
    // On a card that shares main memory the model is there whole.
    let in_ram = if card.is_some() { in_ram } else { in_ram.saturating_add(on_card) };
    let memory = &mut machine.memory;
    let total = memory.total_bytes;
    memory.available_bytes = memory.available_bytes.map(|free| free.saturating_add(in_ram).min(total));
    for gpu in machine.gpus.iter_mut().filter(|gpu| gpu.kind == GpuKind::Unified) {
        let most = gpu.vram_total_bytes.unwrap_or(total);
        gpu.vram_free_bytes = gpu.vram_free_bytes.map(|free| free.saturating_add(in_ram).min(most));
    }
    machine
}
