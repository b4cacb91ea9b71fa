//! Which renderers can draw the window, and the order in which they are tried.

use std::fmt;

use eframe::Renderer;

/// A renderer and what it may run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RendererChoice {
    /// wgpu, on a graphics card only. If only software rendering supports it, a card may still support OpenGL.
    WgpuCard,
    /// OpenGL.
    Glow,
    /// wgpu, on any adapter.
    Wgpu,
}

impl RendererChoice {
    /// Its argument on the child's command line.
    pub(super) fn argument(self) -> &'static str {
        match self {
            Self::WgpuCard => "wgpu-card",
            Self::Glow => "glow",
            Self::Wgpu => "wgpu",
        }
    }

    /// The reverse of [`Self::argument`].
    pub(super) fn from_argument(name: &str) -> Option<Self> {
        [Self::WgpuCard, Self::Glow, Self::Wgpu].into_iter().find(|choice| choice.argument() == name)
    }

    /// Parses what the user types: `wgpu` or `glow`.
    pub fn from_option(name: &str) -> Option<Self> {
        Self::from_argument(name).filter(|choice| *choice != Self::WgpuCard)
    }

    pub(super) fn renderer(self) -> Renderer {
        match self {
            Self::WgpuCard | Self::Wgpu => Renderer::Wgpu,
            Self::Glow => Renderer::Glow,
        }
    }
}

impl fmt::Display for RendererChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.argument())
    }
}

/// The renderers to try, in order, until a window opens: first the one the user wants, else wgpu on a graphics card, or
/// glow with software rendering. There a frame of wgpu takes four times the processor time (lavapipe against llvmpipe of
/// Mesa 22.3), because it computes all branches of its shader that a graphics card skips.
pub(super) fn renderers_to_try(wanted: Option<RendererChoice>) -> &'static [RendererChoice] {
    match wanted {
        Some(RendererChoice::Wgpu | RendererChoice::WgpuCard) => {
            &[RendererChoice::Wgpu, RendererChoice::Glow]
        }
        None if !only_the_processor_renders() => {
            &[RendererChoice::WgpuCard, RendererChoice::Glow, RendererChoice::Wgpu]
        }
        Some(RendererChoice::Glow) | None => &[RendererChoice::Glow, RendererChoice::Wgpu],
    }
}

/// Whether the system has no graphics device. Only Linux reports that without loading a driver.
#[cfg(target_os = "linux")]
fn only_the_processor_renders() -> bool {
    !has_graphics_device(std::path::Path::new("/dev"))
}

#[cfg(not(target_os = "linux"))]
fn only_the_processor_renders() -> bool {
    false
}

/// A graphics card has a render node (`drm(7)`); NVIDIA's own driver and the one of Windows Subsystem for Linux have
/// other names. A `dri/card0` alone is a display without a graphics card, as in virtual machines.
#[cfg(target_os = "linux")]
fn has_graphics_device(dev: &std::path::Path) -> bool {
    let is_render_node = |node: std::fs::DirEntry| node.file_name().to_string_lossy().starts_with("renderD");
    let mut nodes = std::fs::read_dir(dev.join("dri")).into_iter().flatten().filter_map(Result::ok);
    nodes.any(is_render_node) || dev.join("nvidia0").exists() || dev.join("dxg").exists()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_wanted_renderer_comes_first() {
        assert_eq!(
            renderers_to_try(Some(RendererChoice::Glow)),
            [RendererChoice::Glow, RendererChoice::Wgpu]
        );
        assert_eq!(
            renderers_to_try(Some(RendererChoice::Wgpu)),
            [RendererChoice::Wgpu, RendererChoice::Glow]
        );
        assert_eq!(renderers_to_try(None).last(), Some(&RendererChoice::Wgpu), "any adapter is tried last");
    }

    #[test]
    fn names_survive_a_round_trip() {
        for choice in [RendererChoice::WgpuCard, RendererChoice::Glow, RendererChoice::Wgpu] {
            assert_eq!(RendererChoice::from_argument(&choice.to_string()), Some(choice));
        }
        assert_eq!(RendererChoice::from_option("wgpu"), Some(RendererChoice::Wgpu));
        assert_eq!(RendererChoice::from_option("glow"), Some(RendererChoice::Glow));
        assert_eq!(RendererChoice::from_option("wgpu-card"), None);
        assert_eq!(RendererChoice::from_argument("teletype"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_render_node_or_a_device_of_its_driver_is_a_card() {
        let dev = tempfile::tempdir().unwrap();
        let at = |name: &str| dev.path().join(name);
        assert!(!has_graphics_device(dev.path()));
        std::fs::create_dir(at("dri")).unwrap();
        std::fs::write(at("dri/card0"), "").unwrap();
        std::fs::write(at("nvidiactl"), "").unwrap();
        assert!(!has_graphics_device(dev.path()), "a display, and a driver without a card");
        for card in ["dri/renderD128", "nvidia0", "dxg"] {
            std::fs::write(at(card), "").unwrap();
            assert!(has_graphics_device(dev.path()), "{card}");
            std::fs::remove_file(at(card)).unwrap();
        }
    }
}
