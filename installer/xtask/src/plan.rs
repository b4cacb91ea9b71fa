//! Which files a release has: their names, the systems they are for, where each can be made and by what.

use std::fmt;
use std::str::FromStr;

/// A system that packages are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum System {
    /// Linux with the GNU C library.
    Linux,
    /// Windows 10 and 11.
    Windows,
    /// macOS.
    MacOs,
}

/// A form of package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// An archive that runs where it is unpacked.
    TarGz,
    /// For Debian, Ubuntu and their kin.
    Deb,
    /// For Fedora, RHEL, openSUSE.
    Rpm,
    /// One file that unpacks itself and opens the window.
    Run,
    /// The two programs for Windows, to be used where they are unpacked.
    PortableZip,
    /// The installer for Windows.
    Setup,
    /// The app for macOS, zipped.
    AppZip,
    /// The disk image for macOS.
    Dmg,
}

/// The list of checksums over all packages.
pub const CHECKSUMS: &str = "SHA256SUMS";

impl System {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Linux, Self::Windows, Self::MacOs];

    /// Name on the command line and in the names of packages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::Windows => "windows",
            Self::MacOs => "macos",
        }
    }

    /// The system this program was built for.
    pub fn host() -> Option<Self> {
        Self::ALL.into_iter().find(|system| system.name() == std::env::consts::OS)
    }

    /// The packages of this system.
    pub fn forms(self) -> &'static [Form] {
        match self {
            Self::Linux => &[Form::TarGz, Form::Deb, Form::Rpm, Form::Run],
            Self::Windows => &[Form::PortableZip, Form::Setup],
            Self::MacOs => &[Form::AppZip, Form::Dmg],
        }
    }

    /// Whether packages of this system can be made on `host`: Linux cross-builds for Windows; the tools that make and sign a
    /// disk image for macOS are on macOS only.
    pub fn is_made_on(self, host: Self) -> bool {
        self == host || (self == Self::Windows && host == Self::Linux)
    }

    /// Names of the two programs, the window first.
    pub fn programs(self) -> [&'static str; 2] {
        if self == Self::Windows {
            ["acolyte-installer.exe", "acolyte.exe"]
        } else {
            ["acolyte-installer", "acolyte"]
        }
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for System {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|system| system.name() == name)
            .ok_or_else(|| "linux, windows or macos".to_owned())
    }
}

impl Form {
    /// Name of the file. `arch` is the processor as Rust names it.
    pub fn file_name(self, version: &str, arch: &str) -> String {
        match self {
            Self::TarGz => format!("acolyte-installer-{version}-linux-{arch}.tar.gz"),
            Self::Deb => format!("acolyte-installer_{version}-1_{}.deb", debian_arch(arch)),
            Self::Rpm => format!("acolyte-installer-{version}-1.{arch}.rpm"),
            Self::Run => format!("acolyte-installer-{version}-linux-{arch}.run"),
            Self::PortableZip => format!("acolyte-installer-{version}-windows-{arch}.zip"),
            Self::Setup => format!("acolyte-installer-{version}-windows-{arch}-setup.exe"),
            Self::AppZip => format!("acolyte-installer-{version}-macos.zip"),
            Self::Dmg => format!("acolyte-installer-{version}-macos.dmg"),
        }
    }

    /// What makes it.
    pub fn tool(self) -> &'static str {
        match self {
            Self::TarGz => "installer/linux/package.sh",
            Self::Deb => "cargo-deb",
            Self::Rpm => "cargo-generate-rpm",
            Self::Run => "makeself",
            Self::PortableZip => "this command",
            Self::Setup => "makensis",
            Self::AppZip | Self::Dmg => "installer/macos/package.sh",
        }
    }
}

fn debian_arch(arch: &str) -> &str {
    match arch {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// Whether a file in the output folder is a package, of any system and version.
pub fn is_package(file_name: &str) -> bool {
    let endings = [".tar.gz", ".deb", ".rpm", ".run", ".zip", "-setup.exe", ".dmg"];
    file_name.starts_with("acolyte-installer") && endings.iter().any(|ending| file_name.ends_with(ending))
}
