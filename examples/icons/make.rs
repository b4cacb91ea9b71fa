//! The application's icon in every required format and size.
//!
//! Three drawings: `app.svg`, `app-small.svg` with fewer and bolder parts for up to 32 pixels, and `app-macos.svg` on
//! the rounded tile of macOS icons.

use std::io;
use std::path::{Path, PathBuf};

use icns::{IconFamily, IconType, Image, PixelFormat};
use ico::{IconDir, IconDirEntry, IconImage, ResourceType};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{self, Tree};

/// Sizes in the icon theme of Linux, in pixels; 256 is [`WINDOW_PX`].
pub const THEME_PX: [u32; 8] = [16, 22, 24, 32, 48, 64, 128, 512];
/// Size of `app.png`, the icon of the window.
pub const WINDOW_PX: u32 = 256;
/// Sizes in `app.ico`, as used by Explorer, the taskbar and the title bar at 100–400 %.
pub const ICO_PX: [u32; 8] = [16, 20, 24, 32, 40, 48, 64, 256];
/// Sizes in `app.icns`: each size required by Apple's `iconutil`, as points and as pixels of a Retina screen.
pub const ICNS: [IconType; 10] = [
    IconType::RGB24_16x16,
    IconType::RGBA32_16x16_2x,
    IconType::RGB24_32x32,
    IconType::RGBA32_32x32_2x,
    IconType::RGBA32_128x128,
    IconType::RGBA32_128x128_2x,
    IconType::RGBA32_256x256,
    IconType::RGBA32_256x256_2x,
    IconType::RGBA32_512x512,
    IconType::RGBA32_512x512_2x,
];
/// Largest size of the simple drawing.
const SMALL_PX: u32 = 32;
/// From this size entries are PNG; below it, some parts of Windows require bitmaps.
const ICO_PNG_FROM_PX: u32 = 256;

/// Why an icon could not be made.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// A drawing cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    /// A drawing is not an SVG, or not square.
    #[error("{}: {why}", path.display())]
    NotADrawing { path: PathBuf, why: String },
    /// A picture cannot be encoded.
    #[error("{name}: {source}")]
    Encoding { name: String, source: io::Error },
}

/// A file to be written.
#[derive(Debug)]
pub struct File {
    /// Path below `assets/icons`.
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Makes every file from the drawings in `folder`.
///
/// # Errors
/// When a drawing is missing or is no square SVG.
pub fn files(folder: &Path) -> Result<Vec<File>, MakeError> {
    let (large, small, macos) =
        (drawing(folder, "app.svg")?, drawing(folder, "app-small.svg")?, drawing(folder, "app-macos.svg")?);
    let of_size = |px| if px <= SMALL_PX { &small } else { &large };
    let mut files = Vec::new();
    for px in THEME_PX {
        files.push(encoded(format!("app/{px}.png"), png(of_size(px), px))?);
    }
    files.push(encoded("app.png".to_owned(), png(&large, WINDOW_PX))?);
    files.push(encoded("app.ico".to_owned(), ico(of_size))?);
    files.push(encoded("app.icns".to_owned(), icns(&macos))?);
    Ok(files)
}

fn encoded(name: String, bytes: io::Result<Vec<u8>>) -> Result<File, MakeError> {
    match bytes {
        Ok(bytes) => Ok(File { name, bytes }),
        Err(source) => Err(MakeError::Encoding { name, source }),
    }
}

fn drawing(folder: &Path, name: &str) -> Result<Tree, MakeError> {
    let path = folder.join(name);
    let svg = match std::fs::read(&path) {
        Ok(svg) => svg,
        Err(source) => return Err(MakeError::Unreadable { path, source }),
    };
    match Tree::from_data(&svg, &usvg::Options::default()) {
        Ok(tree) if tree.size().width() == tree.size().height() => Ok(tree),
        Ok(tree) => Err(MakeError::NotADrawing { path, why: format!("{:?} is not square", tree.size()) }),
        Err(error) => Err(MakeError::NotADrawing { path, why: error.to_string() }),
    }
}

/// Pixels of a drawing: red, green, blue and alpha, not premultiplied.
fn rgba(tree: &Tree, px: u32) -> io::Result<Vec<u8>> {
    let mut pixmap = Pixmap::new(px, px).ok_or(io::ErrorKind::InvalidInput)?;
    // Sizes are small whole numbers, exact as f32.
    let scale = px as f32 / tree.size().width();
    resvg::render(tree, Transform::from_scale(scale, scale), &mut pixmap.as_mut());
    let straight = pixmap.pixels().iter().flat_map(|pixel| {
        let color = pixel.demultiply();
        [color.red(), color.green(), color.blue(), color.alpha()]
    });
    Ok(straight.collect())
}

fn png(tree: &Tree, px: u32) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    IconImage::from_rgba_data(px, px, rgba(tree, px)?).write_png(&mut bytes)?;
    Ok(bytes)
}

fn ico<'a>(of_size: impl Fn(u32) -> &'a Tree) -> io::Result<Vec<u8>> {
    let mut icons = IconDir::new(ResourceType::Icon);
    for px in ICO_PX {
        let image = IconImage::from_rgba_data(px, px, rgba(of_size(px), px)?);
        icons.add_entry(if px < ICO_PNG_FROM_PX {
            IconDirEntry::encode_as_bmp(&image)?
        } else {
            IconDirEntry::encode_as_png(&image)?
        });
    }
    let mut bytes = Vec::new();
    icons.write(&mut bytes)?;
    Ok(bytes)
}

fn icns(tree: &Tree) -> io::Result<Vec<u8>> {
    let mut family = IconFamily::new();
    for icon in ICNS {
        let px = icon.pixel_width();
        let image = Image::from_data(PixelFormat::RGBA, px, px, rgba(tree, px)?)?;
        family.add_icon_with_type(&image, icon)?;
    }
    let mut bytes = Vec::new();
    family.write(&mut bytes)?;
    Ok(bytes)
}
