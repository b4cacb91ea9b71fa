//! The type scale and the tones of text.

use eframe::egui::{Color32, FontFamily, FontId};

use super::tokens::Palette;

/// What a piece of text is, which decides its size and weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextRole {
    /// The question or answer of a page: 24 semibold.
    Title,
    /// The one sentence under it: 15.
    Lead,
    /// The most important figure of a card: 20 semibold.
    Figure,
    /// The name beside the mark: 16 semibold.
    Name,
    /// Heading inside a card: 15 semibold.
    Heading,
    /// Sentences: 14.
    Text,
    /// Values in sentences: 14 semibold.
    Strong,
    /// Words on buttons and links: 14 medium.
    Button,
    /// Tables: 13.
    Table,
    /// Values in tables: 13 semibold.
    TableStrong,
    /// Labels: 12.
    Label,
    /// Chips: 12 semibold.
    Chip,
    /// Where a figure comes from: 11.5.
    Source,
    /// Code and logs: 12.5, fixed width.
    Code,
}

impl TextRole {
    /// Size in points.
    pub fn points(self) -> f32 {
        match self {
            Self::Title => 24.0,
            Self::Figure => 20.0,
            Self::Name => 16.0,
            Self::Lead | Self::Heading => 15.0,
            Self::Text | Self::Strong | Self::Button => 14.0,
            Self::Table | Self::TableStrong => 13.0,
            Self::Code => 12.5,
            Self::Label | Self::Chip => 12.0,
            Self::Source => 11.5,
        }
    }

    /// Distance from line to line, in points.
    pub fn line_height(self) -> f32 {
        match self {
            Self::Title => 32.0,
            Self::Figure => 28.0,
            Self::Lead | Self::Name => 22.0,
            Self::Heading | Self::Text | Self::Strong | Self::Button => 20.0,
            Self::Table | Self::TableStrong | Self::Code => 18.0,
            Self::Label | Self::Chip | Self::Source => 16.0,
        }
    }

    /// The font.
    pub fn font(self) -> FontId {
        let family = match self {
            Self::Title
            | Self::Figure
            | Self::Name
            | Self::Heading
            | Self::Strong
            | Self::TableStrong
            | Self::Chip => FontFamily::Name(super::SEMIBOLD.into()),
            Self::Button => FontFamily::Name(super::MEDIUM.into()),
            Self::Code => FontFamily::Monospace,
            Self::Lead | Self::Text | Self::Table | Self::Label | Self::Source => FontFamily::Proportional,
        };
        FontId::new(self.points(), family)
    }
}

/// What a piece of text or a mark means, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Values and titles.
    Ink,
    /// Sentences.
    Soft,
    /// Labels and sources.
    Faint,
    /// What can be done.
    Accent,
    /// Words on the accent colour.
    OnAccent,
    /// As it should be.
    Good,
    /// With limits.
    Warning,
    /// Refused, failed.
    Refused,
}

impl Tone {
    /// Its colour.
    pub fn color(self, palette: &Palette) -> Color32 {
        match self {
            Self::Ink => palette.ink,
            Self::Soft => palette.soft,
            Self::Faint => palette.faint,
            Self::Accent => palette.accent,
            Self::OnAccent => palette.on_accent,
            Self::Good => palette.good,
            Self::Warning => palette.warning,
            Self::Refused => palette.refused,
        }
    }

    /// The background of a chip or banner of this tone.
    pub fn wash(self, palette: &Palette) -> Color32 {
        match self {
            Self::Good => palette.good_wash,
            Self::Warning => palette.warning_wash,
            Self::Refused => palette.refused_wash,
            Self::Accent | Self::OnAccent => palette.accent_wash,
            Self::Ink | Self::Soft | Self::Faint => palette.hover,
        }
    }
}
