//! Which renderer is tried first.

use eframe::Renderer;

/// Both, in the order in which they are tried: the one that was asked for, else wgpu; but glow where only the processor
/// can draw. There a frame of wgpu takes four times the processor time (lavapipe against llvmpipe of Mesa 22.3): the
/// branches of its shader that a graphics card skips are all computed.
pub(super) fn order(asked: Option<Renderer>) -> [Renderer; 2] {
    let default = if only_the_processor_draws() { Renderer::Glow } else { Renderer::Wgpu };
    match asked.unwrap_or(default) {
        Renderer::Wgpu => [Renderer::Wgpu, Renderer::Glow],
        Renderer::Glow => [Renderer::Glow, Renderer::Wgpu],
    }
}

/// The renderer of a name, `wgpu` or `glow`.
pub(super) fn named(name: &str) -> Option<Renderer> {
    order(None).into_iter().find(|renderer| renderer.to_string() == name)
}

/// Whether the system has no graphics device. Only Linux says so without a driver being asked.
#[cfg(target_os = "linux")]
fn only_the_processor_draws() -> bool {
    !has_graphics_device(std::path::Path::new("/dev"))
}

#[cfg(not(target_os = "linux"))]
fn only_the_processor_draws() -> bool {
    false
}

/// A card that draws shows as a render node (`drm(7)`); NVIDIA's own driver and the one of Windows under Linux have
/// names of their own. A `dri/card0` alone is a screen without a card behind it, as in virtual machines.
#[cfg(target_os = "linux")]
fn has_graphics_device(dev: &std::path::Path) -> bool {
    let any_begins = |folder: &std::path::Path, prefix: &str| {
        std::fs::read_dir(folder).is_ok_and(|mut entries| {
            entries
                .any(|entry| entry.is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with(prefix)))
        })
    };
    any_begins(&dev.join("dri"), "renderD") || dev.join("nvidia0").exists() || dev.join("dxg").exists()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_was_asked_for_comes_first_and_the_other_after_it() {
        assert_eq!(order(Some(Renderer::Glow)), [Renderer::Glow, Renderer::Wgpu]);
        assert_eq!(order(Some(Renderer::Wgpu)), [Renderer::Wgpu, Renderer::Glow]);
        assert_eq!(named("wgpu"), Some(Renderer::Wgpu));
        assert_eq!(named("glow"), Some(Renderer::Glow));
        assert_eq!(named("teletype"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_render_node_or_a_driver_s_own_device_is_a_card() {
        let dev = tempfile::tempdir().unwrap();
        let at = |name: &str| dev.path().join(name);
        assert!(!has_graphics_device(dev.path()));
        std::fs::create_dir(at("dri")).unwrap();
        std::fs::write(at("dri/card0"), "").unwrap();
        std::fs::write(at("nvidiactl"), "").unwrap();
        assert!(!has_graphics_device(dev.path()), "a screen, and a driver without a card");
        for card in ["dri/renderD128", "nvidia0", "dxg"] {
            std::fs::write(at(card), "").unwrap();
            assert!(has_graphics_device(dev.path()), "{card}");
            std::fs::remove_file(at(card)).unwrap();
        }
    }
}
