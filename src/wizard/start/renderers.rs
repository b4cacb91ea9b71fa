//! What a window is drawn with, and what is tried first.

use std::fmt;

use eframe::Renderer;

/// What draws a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawing {
    /// wgpu, on a graphics card only: where only the processor has a driver for it, there may be a card that speaks
    /// OpenGL.
    WgpuCard,
    /// OpenGL.
    Glow,
    /// wgpu, with whatever it finds.
    Wgpu,
}

impl Drawing {
    /// As it is called on the command line of the child; what a person may ask for is `wgpu` or `glow`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::WgpuCard => "wgpu-card",
            Self::Glow => "glow",
            Self::Wgpu => "wgpu",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::WgpuCard, Self::Glow, Self::Wgpu].into_iter().find(|drawing| drawing.name() == name)
    }

    /// What a person may ask for.
    pub fn asked(name: &str) -> Option<Self> {
        Self::named(name).filter(|drawing| *drawing != Self::WgpuCard)
    }

    pub(super) fn renderer(self) -> Renderer {
        match self {
            Self::WgpuCard | Self::Wgpu => Renderer::Wgpu,
            Self::Glow => Renderer::Glow,
        }
    }
}

impl fmt::Display for Drawing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is tried, in this order, until a window is there: first what was asked for, else wgpu on a card; but glow where
/// only the processor can draw. There a frame of wgpu takes four times the processor time (lavapipe against llvmpipe of
/// Mesa 22.3): the branches of its shader that a graphics card skips are all computed.
pub(super) fn order(asked: Option<Drawing>) -> &'static [Drawing] {
    match asked {
        Some(Drawing::Wgpu | Drawing::WgpuCard) => &[Drawing::Wgpu, Drawing::Glow],
        None if !only_the_processor_draws() => &[Drawing::WgpuCard, Drawing::Glow, Drawing::Wgpu],
        Some(Drawing::Glow) | None => &[Drawing::Glow, Drawing::Wgpu],
    }
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
    let is_render_node = |node: std::fs::DirEntry| node.file_name().to_string_lossy().starts_with("renderD");
    let mut nodes = std::fs::read_dir(dev.join("dri")).into_iter().flatten().filter_map(Result::ok);
    nodes.any(is_render_node) || dev.join("nvidia0").exists() || dev.join("dxg").exists()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_was_asked_for_comes_first_and_the_other_after_it() {
        assert_eq!(order(Some(Drawing::Glow)), [Drawing::Glow, Drawing::Wgpu]);
        assert_eq!(order(Some(Drawing::Wgpu)), [Drawing::Wgpu, Drawing::Glow]);
        assert_eq!(order(None).last(), Some(&Drawing::Wgpu), "whatever can draw is tried in the end");
    }

    #[test]
    fn a_name_is_what_it_was() {
        for drawing in [Drawing::WgpuCard, Drawing::Glow, Drawing::Wgpu] {
            assert_eq!(Drawing::named(&drawing.to_string()), Some(drawing));
        }
        assert_eq!(Drawing::asked("wgpu"), Some(Drawing::Wgpu));
        assert_eq!(Drawing::asked("glow"), Some(Drawing::Glow));
        assert_eq!(Drawing::asked("wgpu-card"), None);
        assert_eq!(Drawing::named("teletype"), None);
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
