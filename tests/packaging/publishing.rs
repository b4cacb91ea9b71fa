//! What a release says about its files: versions that agree, manifests of package managers, the list of components.

use std::path::{Path, PathBuf};
use std::process::Command;

use acolyte::text::Language;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::plan::{CHECKSUMS, Form, System};
use crate::publish::components::check_components;
use crate::publish::list::Changes;
use crate::publish::manifests::make_manifests;
use crate::publish::packages::Packages;
use crate::publish::versions::Checkout;
use crate::scripts::{package, printed};
use crate::{PROGRAMS, VERSION, at, has, output, text_of};

const REPOSITORY: &str = "https://github.com/acolyte/installer";

fn checkout() -> Checkout {
    Checkout::at(&at("")).unwrap()
}

/// A folder with a stand-in for every package of a release, and their checksums.
fn packages() -> (tempfile::TempDir, Packages) {
    let folder = tempfile::tempdir().unwrap();
    let mut sums = String::new();
    let forms = System::ALL.into_iter().flat_map(|system| system.forms());
    let mut names: Vec<String> =
        forms.flat_map(|form| ["x86_64", "aarch64"].map(|arch| form.file_name(VERSION, arch))).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        std::fs::write(folder.path().join(&name), &name).unwrap();
        sums += &format!("{}  {name}\n", hex::encode(Sha256::digest(&name)));
    }
    std::fs::write(folder.path().join(CHECKSUMS), sums).unwrap();
    let packages = Packages::at(folder.path(), VERSION).unwrap();
    (folder, packages)
}

/// The manifests of a release.
fn manifests() -> tempfile::TempDir {
    let (_folder, packages) = packages();
    let output = tempfile::tempdir().unwrap();
    let made = make_manifests(&checkout(), &packages, REPOSITORY, output.path()).unwrap();
    assert_eq!(made.len(), 8, "{made:?}");
    output
}

fn sha256(form: Form, arch: &str) -> String {
    hex::encode(Sha256::digest(form.file_name(VERSION, arch)))
}

fn download(form: Form, arch: &str) -> String {
    format!("{REPOSITORY}/releases/download/v{VERSION}/{}", form.file_name(VERSION, arch))
}

/// Checks a document against a schema of `tests/data/schemas`.
fn fits_schema(document: &Value, schema: &str) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    serde_json::to_writer(&mut file, document).unwrap();
    // Debian's package is for Debian's Python, which need not be the first one on the path.
    for python in ["/usr/bin/python3", "python3"] {
        if !Command::new(python)
            .args(["-c", "import jsonschema"])
            .output()
            .is_ok_and(|said| said.status.success())
        {
            continue;
        }
        let mut check = Command::new(python);
        check.args(["-W", "ignore", "-m", "jsonschema", "-i"]).arg(file.path());
        let said = output(check.arg(at("tests/data/schemas").join(schema)));
        let problems = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(said.status.success(), "{schema}: {problems}{}", String::from_utf8_lossy(&said.stdout));
        return;
    }
    eprintln!("skipped: Python's jsonschema is not installed (bash .ci/tools installs it)");
}

#[test]
fn version_changelog_and_words_about_the_newest_version_agree() {
    let checkout = checkout();
    assert_eq!(checkout.version.to_string(), VERSION);
    let changes = Changes::of(&checkout).unwrap().changes;
    let languages: Vec<&str> = changes.keys().map(String::as_str).collect();
    assert_eq!(languages, Language::ALL.map(Language::tag));
    assert!(changes.values().all(|sentence| sentence.len() > 20 && sentence.ends_with('.')), "{changes:?}");
    // A tag of another version is refused here as in the workflow.
    assert!(checkout.release_of("v99.0.0").is_err());
    let workflow = text_of(".github/workflows/release.yml");
    assert_eq!(workflow.matches("cargo xtask check-release --tag \"$GITHUB_REF_NAME\"").count(), 2);
}

/// Everything else takes the version from there.
#[test]
fn the_version_is_written_nowhere_else() {
    for (file, placeholder) in [
        ("installer/linux/acolyte-installer.metainfo.xml", "<release version=\"@VERSION@\""),
        ("installer/macos/Info.plist", "<string>@VERSION@</string>"),
        ("installer/windows/setup.nsi", "\"DisplayVersion\" \"${VERSION}\""),
        ("installer/manifests/winget/Acolyte.Installer.yaml.in", "PackageVersion: \"@VERSION@\""),
        ("installer/manifests/scoop/acolyte-installer.json.in", "\"version\": \"@VERSION@\""),
        ("installer/manifests/homebrew/acolyte-installer.rb.in", "version \"@VERSION@\""),
        ("installer/manifests/aur/PKGBUILD.in", "pkgver=@PKGVER@"),
        ("installer/manifests/aur/.SRCINFO.in", "pkgver = @PKGVER@"),
    ] {
        let text = text_of(file);
        assert!(text.contains(placeholder), "{file}: {placeholder}");
        let comments = ["#", ";", "<!--"];
        let is_code = |line: &&str| !comments.iter().any(|comment| line.trim_start().starts_with(comment));
        let code: Vec<&str> = text.lines().filter(is_code).collect();
        assert!(!code.iter().any(|line| line.contains(VERSION) && !line.contains("spec")), "{file}");
    }
}

#[test]
fn the_manifests_of_winget_fit_its_schemas_and_the_setup() {
    let folder = manifests();
    let read = |name: &str| -> Value {
        let path = folder.path().join("winget").join(format!("Acolyte.Installer{name}.yaml"));
        serde_saphyr::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap()
    };
    let (version, installer, locale) = (read(""), read(".installer"), read(".locale.en-US"));
    for (manifest, schema) in [(&version, "version"), (&installer, "installer"), (&locale, "defaultLocale")] {
        fits_schema(manifest, &format!("winget-{schema}-1.12.0.json"));
        assert_eq!(manifest["PackageVersion"], VERSION);
        assert_eq!(manifest["PackageIdentifier"], version["PackageIdentifier"]);
    }
    assert_eq!((&installer["InstallerType"], &installer["Scope"]), (&"nullsoft".into(), &"user".into()));
    let setup = &installer["Installers"][0];
    assert_eq!(setup["InstallerUrl"], download(Form::Setup, "x86_64"));
    assert_eq!(setup["InstallerSha256"], sha256(Form::Setup, "x86_64"));
    // winget finds what it installed by the key in the list of installed apps.
    let script = text_of("installer/windows/setup.nsi");
    let key = script.split("!define APPS_KEY \"${APPS}\\").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(installer["ProductCode"], key);
    assert_eq!(installer["AppsAndFeaturesEntries"][0]["ProductCode"], key);
    assert_eq!(installer["InstallerSwitches"]["Silent"], "/S");
}

#[test]
fn the_manifest_of_scoop_fits_its_schema_and_the_zip() {
    let folder = manifests();
    let text = std::fs::read_to_string(folder.path().join("scoop/acolyte-installer.json")).unwrap();
    let manifest: Value = serde_json::from_str(&text).unwrap();
    fits_schema(&manifest, "scoop.json");
    let package = &manifest["architecture"]["64bit"];
    assert_eq!(package["url"], download(Form::PortableZip, "x86_64"));
    assert_eq!(package["hash"], sha256(Form::PortableZip, "x86_64"));
    let name = Form::PortableZip.file_name(VERSION, "x86_64");
    assert_eq!(package["extract_dir"], name.strip_suffix(".zip").unwrap());
    let [window, terminal] = PROGRAMS.map(|program| format!("{program}.exe"));
    assert_eq!((&manifest["bin"], &manifest["shortcuts"][0][0]), (&terminal.into(), &window.into()));
}

#[test]
fn the_cask_of_homebrew_is_ruby_and_names_the_app() {
    let folder = manifests();
    let path = folder.path().join("homebrew/acolyte-installer.rb");
    let cask = std::fs::read_to_string(&path).unwrap();
    for line in [
        format!("  version \"{VERSION}\""),
        format!("  sha256 \"{}\"", sha256(Form::Dmg, "any")),
        format!("  url \"{}\"", download(Form::Dmg, "any")),
    ] {
        assert!(cask.lines().any(|other| other == line), "{line}\n{cask}");
    }
    let script = text_of("installer/macos/package.sh");
    let app = script.split("app=\"$output/").nth(1).unwrap().split('"').next().unwrap();
    assert!(cask.contains(&format!("  app \"{app}\"\n")), "{app}");
    assert!(cask.contains(&format!("{app}/Contents/MacOS/{}\"", PROGRAMS[1])));
    if has("ruby") {
        let said = output(Command::new("ruby").arg("-c").arg(&path));
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    }
}

/// bash reads the package's description as makepkg does, and `.SRCINFO` says the same.
#[test]
fn the_package_of_arch_linux_is_read_by_bash_and_repeated_in_its_summary() {
    let folder = manifests().keep();
    let path = folder.join("aur/PKGBUILD");
    let of = |name: &str| -> Vec<String> {
        let script = format!("set -eu; CARCH=x86_64; . \"$0\"; printf '%s\\n' \"${{{name}[@]}}\"");
        let said = output(Command::new("bash").args(["-c", &script]).arg(&path));
        assert!(said.status.success(), "{name}: {}", String::from_utf8_lossy(&said.stderr));
        String::from_utf8(said.stdout).unwrap().lines().map(str::to_owned).collect()
    };
    assert_eq!(of("pkgver"), [VERSION]);
    for arch in ["x86_64", "aarch64"] {
        assert_eq!(of(&format!("source_{arch}")), [download(Form::TarGz, arch)]);
        assert_eq!(of(&format!("sha256sums_{arch}")), [sha256(Form::TarGz, arch)]);
    }
    let summary = std::fs::read_to_string(folder.join("aur/.SRCINFO")).unwrap();
    let mut keys: Vec<&str> =
        summary.lines().filter_map(|line| Some(line.trim().split_once(" = ")?.0)).collect();
    keys.dedup();
    assert!(keys.len() > 14, "{keys:?}");
    for key in keys {
        let prefix = format!("{key} = ");
        let stated: Vec<&str> =
            summary.lines().filter_map(|line| line.trim().strip_prefix(&prefix)).collect();
        assert_eq!(stated, of(if key == "pkgbase" { "pkgname" } else { key }), "{key}");
    }
    // As makepkg itself writes it, where it is installed.
    let library = Path::new("/usr/share/makepkg");
    if library.join("srcinfo.sh").is_file() {
        let script =
            "for part in util/util util/schema util/pkgbuild srcinfo; do . /usr/share/makepkg/$part.sh; done
            BUILDFILE=$0 CARCH=x86_64; . \"$0\"; pkgbase=$pkgname; write_srcinfo_content";
        let said = output(Command::new("bash").args(["-c", script]).arg(&path));
        let written = String::from_utf8(said.stdout).unwrap();
        assert_eq!(written.trim_end(), summary.trim_end(), "{}", String::from_utf8_lossy(&said.stderr));
    } else {
        eprintln!("skipped: makepkg is not installed (bash .ci/tools installs it)");
    }
    // What it installs is what the archive has.
    let pkgbuild = std::fs::read_to_string(&path).unwrap();
    assert!(pkgbuild.contains(&format!("acolyte-installer-{VERSION}-linux-$CARCH")));
    assert!(
        text_of("installer/linux/package.sh").contains("licenses=$root/share/licenses/acolyte-installer")
    );
    std::fs::remove_dir_all(folder).unwrap();
}

/// With the archive that `package.sh` makes of stand-ins.
#[test]
fn the_shell_installer_checks_what_it_downloads_and_replaces_an_older_one() {
    if !has("curl") {
        return;
    }
    let (dist, _) = packages();
    package("installer/linux/package.sh", dist.path(), &[]);
    let archive = Form::TarGz.file_name(VERSION, std::env::consts::ARCH);
    let bytes = std::fs::read(dist.path().join(&archive)).unwrap();
    let sums = std::fs::read_to_string(dist.path().join(CHECKSUMS)).unwrap();
    let sums: String = sums
        .lines()
        .map(|line| {
            if line.ends_with(&archive) {
                format!("{}  {archive}\n", hex::encode(Sha256::digest(&bytes)))
            } else {
                format!("{line}\n")
            }
        })
        .collect();
    std::fs::write(dist.path().join(CHECKSUMS), sums).unwrap();
    let made = dist.path().join("manifests");
    let packages = Packages::at(dist.path(), VERSION).unwrap();
    make_manifests(&checkout(), &packages, REPOSITORY, &made).unwrap();

    let home = tempfile::Builder::new().prefix("with space ").tempdir().unwrap();
    let data = home.path().join(".local/share");
    let install = |more: &[&str]| {
        let mut script = Command::new("sh");
        script
            .arg(made.join("shell/install.sh"))
            .arg("--from")
            .arg(format!("file://{}", dist.path().display()));
        output(script.args(more).env("HOME", home.path()).env_remove("XDG_DATA_HOME"))
    };
    let said = |output: &std::process::Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let first = install(&[]);
    assert!(first.status.success(), "{}", said(&first));
    let program = data.join("acolyte-installer/bin/acolyte-installer");
    assert!(printed(&mut Command::new(&program)).starts_with("started "));
    let entry = std::fs::read_to_string(data.join("applications/acolyte-installer.desktop")).unwrap();
    assert!(entry.contains(&format!("Exec=\"{}\"", program.display())), "{entry}");

    // An older one is replaced, and nothing stays beside it.
    std::fs::write(data.join("acolyte-installer/of an older version"), "").unwrap();
    assert!(install(&[]).status.success());
    assert!(!data.join("acolyte-installer/of an older version").exists());
    let beside = || std::fs::read_dir(&data).unwrap().count();
    assert_eq!(beside(), 3, "the folder, the menu entry, its icons");

    // Other bytes are refused, and what was there stays.
    std::fs::write(dist.path().join(&archive), [&bytes[..], b" "].concat()).unwrap();
    let changed = install(&[]);
    assert!(!changed.status.success() && said(&changed).contains("was changed"), "{}", said(&changed));
    assert!(program.is_file() && beside() == 3);
    std::fs::remove_file(dist.path().join(&archive)).unwrap();
    assert!(!install(&[]).status.success());
    assert!(program.is_file() && beside() == 3);
    // So does a folder of something else.
    let documents = home.path().join("documents");
    std::fs::create_dir(&documents).unwrap();
    let refused = install(&["--to", documents.to_str().unwrap()]);
    assert!(said(&refused).contains("something else"), "{}", said(&refused));
}

#[test]
fn packages_that_are_missing_changed_or_of_another_version_are_refused() {
    let (folder, packages) = packages();
    let made = |packages: &Packages| {
        let output = tempfile::tempdir().unwrap();
        make_manifests(&checkout(), packages, REPOSITORY, output.path()).map_err(|error| error.to_string())
    };
    assert!(made(&packages).is_ok());
    let setup = Form::Setup.file_name(VERSION, "x86_64");
    let read = || Packages::at(folder.path(), VERSION).map_err(|error| error.to_string());
    std::fs::write(folder.path().join(&setup), "other bytes").unwrap();
    assert!(read().unwrap_err().contains("another checksum"));
    let path = folder.path().join(CHECKSUMS);
    let sums = std::fs::read_to_string(&path).unwrap();
    let without: String =
        sums.lines().filter(|line| !line.contains(&setup)).map(|line| format!("{line}\n")).collect();
    std::fs::write(&path, &without).unwrap();
    assert!(made(&read().unwrap()).unwrap_err().contains(&setup));
    let old = Form::Dmg.file_name("0.0.9", "any");
    std::fs::write(folder.path().join(&old), &old).unwrap();
    let line = format!("{}  {old}\n", hex::encode(Sha256::digest(&old)));
    std::fs::write(&path, without + &line).unwrap();
    assert!(read().unwrap_err().contains("is not of version"));
}

/// A list of components as cargo-cyclonedx writes it, of the packages that cargo names here.
#[test]
fn a_list_of_components_has_to_name_every_package() {
    let tree = output(
        Command::new(env!("CARGO"))
            .args(["tree", "--locked", "--edges", "normal,build", "--target", "all", "--prefix", "none"])
            .args(["--format", "{p}"])
            .current_dir(at("")),
    );
    let text = String::from_utf8(tree.stdout).unwrap();
    let mut names: Vec<(&str, &str)> = text
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut words = line.split(' ');
            Some((words.next()?, words.next()?.strip_prefix('v')?))
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    assert!(names.len() > 300, "only {}", names.len());
    let file = tempfile::NamedTempFile::new().unwrap();
    let check = |names: &[(&str, &str)]| {
        let component = |(name, version): &(&str, &str)| serde_json::json!({"name": name, "version": version, "purl": format!("pkg:cargo/{name}@{version}")});
        let components: Vec<Value> = names.iter().map(component).collect();
        let list = serde_json::json!({"bomFormat": "CycloneDX", "components": components});
        std::fs::write(file.path(), list.to_string()).unwrap();
        check_components(&checkout(), file.path()).map_err(|error| error.to_string())
    };
    assert_eq!(check(&names), Ok(names.len()));
    assert!(check(&names[1..]).unwrap_err().contains(names[0].0));
    assert!(check(&[&names[..], &[("unheard-of", "1.0.0")]].concat()).unwrap_err().contains("unheard-of"));
    let script: PathBuf = at(".ci/components");
    assert!(
        text_of(".github/workflows/release.yml").contains("bash .ci/components")
            && Path::new(&script).is_file()
    );
}
