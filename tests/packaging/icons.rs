//! The committed icon files match the drawings. Pixels are compared, not bytes: another version of a compressor may
//! encode the same picture differently.

#[path = "../../examples/icons/make.rs"]
pub mod make;

use std::collections::BTreeSet;
use std::io::Cursor;

use icns::{IconFamily, PixelFormat};
use ico::{IconDir, IconImage};

use crate::at;

/// Processors round differently in the last digit of a float.
const ROUNDING: u8 = 2;
const HOW_TO_RENEW: &str = "cargo run --example icons makes them again";

#[test]
fn the_icon_files_are_made_from_the_drawings() {
    let folder = at("assets/icons");
    for made in make::files(&folder).unwrap() {
        let committed = std::fs::read(folder.join(&made.name))
            .unwrap_or_else(|_| panic!("{}: {HOW_TO_RENEW}", made.name));
        let (committed, made_now) = (pictures(&made.name, &committed), pictures(&made.name, &made.bytes));
        assert_eq!(committed.len(), made_now.len(), "{}: {HOW_TO_RENEW}", made.name);
        for (old, new) in committed.iter().zip(&made_now) {
            assert_eq!((old.px, &old.kind), (new.px, &new.kind), "{}: {HOW_TO_RENEW}", made.name);
            let differs = old.rgba.iter().zip(&new.rgba).any(|(a, b)| a.abs_diff(*b) > ROUNDING);
            let what = format!("{} at {} px", made.name, old.px);
            assert!(!differs && old.rgba.len() == new.rgba.len(), "{what} is out of date: {HOW_TO_RENEW}");
            assert!(old.rgba.chunks(4).any(|pixel| pixel[3] == 255), "{what} shows nothing");
            assert!(old.rgba.chunks(4).any(|pixel| pixel[3] == 0), "{what} has no transparent corner");
        }
    }
}

#[test]
fn every_committed_icon_has_a_maker() {
    let made: BTreeSet<_> = make::THEME_PX.iter().map(|px| format!("{px}.png")).collect();
    let committed: BTreeSet<_> = std::fs::read_dir(at("assets/icons/app"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(committed, made);
}

#[test]
fn an_invalid_drawing_is_an_error_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let error = make::files(folder.path()).unwrap_err().to_string();
    assert!(error.contains("app.svg"), "{error}");
    for svg in ["not a drawing", "<svg xmlns='http://www.w3.org/2000/svg' width='2' height='3'/>"] {
        std::fs::write(folder.path().join("app.svg"), svg).unwrap();
        let error = make::files(folder.path()).unwrap_err().to_string();
        assert!(error.contains("app.svg"), "{error}");
    }
}

/// One picture of a file that may hold several.
struct Picture {
    px: u32,
    /// Its name in the format, if two have the same size.
    kind: String,
    rgba: Vec<u8>,
}

fn pictures(name: &str, bytes: &[u8]) -> Vec<Picture> {
    let of_ico = |image: IconImage, kind: &str| {
        assert_eq!(image.width(), image.height(), "{name}");
        Picture { px: image.width(), kind: kind.to_owned(), rgba: image.into_rgba_data() }
    };
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("png") => vec![of_ico(IconImage::read_png(Cursor::new(bytes)).unwrap(), "png")],
        Some("ico") => {
            let icons = IconDir::read(Cursor::new(bytes)).unwrap();
            assert_eq!(icons.entries().iter().map(|entry| entry.width()).collect::<Vec<_>>(), make::ICO_PX);
            let kind = |png| if png { "png" } else { "bitmap" };
            icons
                .entries()
                .iter()
                .map(|entry| of_ico(entry.decode().unwrap(), kind(entry.is_png())))
                .collect()
        }
        Some("icns") => {
            let family = IconFamily::read(Cursor::new(bytes)).unwrap();
            assert_eq!(family.available_icons(), make::ICNS);
            make::ICNS
                .iter()
                .map(|icon| {
                    let image = family.get_icon_with_type(*icon).unwrap().convert_to(PixelFormat::RGBA);
                    Picture {
                        px: image.width(),
                        kind: format!("{icon:?}"),
                        rgba: image.into_data().into_vec(),
                    }
                })
                .collect()
        }
        _ => panic!("{name}: what is this?"),
    }
}
