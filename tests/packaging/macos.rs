//! The bundle for macOS, as far as it can be made anywhere.

use std::collections::BTreeMap;

use acolyte::text::Language;
use resvg::usvg::roxmltree::{Document, Node, ParsingOptions};

use crate::scripts::package;
use crate::{PROGRAMS, VERSION};

#[test]
fn the_bundle_agrees_with_its_property_list() {
    let folder = tempfile::Builder::new().prefix("with space ").tempdir().unwrap();
    package("installer/macos/package.sh", folder.path(), &["--bundle-only"]);
    let contents = folder.path().join("ACOLYTE Installer.app/Contents");
    let text = std::fs::read_to_string(contents.join("Info.plist")).unwrap();
    let list = property_list(&text);
    let is = |key: &str, value: &str| assert_eq!(list[key], [value], "{key}");

    is("CFBundleExecutable", PROGRAMS[0]);
    for program in PROGRAMS {
        assert!(contents.join("MacOS").join(program).is_file(), "{program}");
    }
    is("CFBundleShortVersionString", VERSION);
    is("CFBundleVersion", VERSION);
    is("CFBundlePackageType", "APPL");
    is("NSHighResolutionCapable", "true");
    assert_eq!(list["CFBundleLocalizations"], Language::ALL.map(Language::tag));
    for file in [list["CFBundleIconFile"][0].as_str(), "LICENSE-MIT", "LICENSE-APACHE", "Inter-OFL.txt"] {
        assert!(contents.join("Resources").join(file).is_file(), "{file}");
    }
    // The login entry's label begins with the same name, so that both are told to be ours.
    let label = acolyte::platform::login::launch_agent::LABEL;
    let publisher = |id: &str| id.rsplit_once('.').map(|(publisher, _)| publisher.to_owned());
    assert_eq!(publisher(&list["CFBundleIdentifier"][0]), publisher(label));
    let minimum = &list["LSMinimumSystemVersion"][0];
    assert!(minimum.split('.').all(|number| number.parse::<u32>().is_ok()), "{minimum}");
}

/// Keys and values; a value is a list of texts, and what is neither text nor list is its tag.
fn property_list(text: &str) -> BTreeMap<String, Vec<String>> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).unwrap();
    let dict = document.descendants().find(|node| node.has_tag_name("dict")).unwrap();
    let nodes: Vec<Node> = dict.children().filter(Node::is_element).collect();
    assert_eq!(nodes.len() % 2, 0);
    nodes
        .chunks(2)
        .map(|pair| {
            assert!(pair[0].has_tag_name("key"));
            let value = match pair[1].tag_name().name() {
                "array" => {
                    let texts = pair[1].children().filter_map(|node| node.text().map(str::trim));
                    texts.filter(|text| !text.is_empty()).map(str::to_owned).collect()
                }
                "string" => vec![pair[1].text().unwrap().to_owned()],
                other => vec![other.to_owned()],
            };
            (pair[0].text().unwrap().to_owned(), value)
        })
        .collect()
}
