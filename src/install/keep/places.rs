//! Where the files are that keep this program on the computer, and which names a journal may give them.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use super::menu::ICONS;
use super::programs::ProgramKind;
use crate::install::Paths;
use crate::platform::environment::Environment;

/// Name of the menu's icons: the window's name for the system.
const ICON_NAME: &str = "acolyte-installer";
/// The app bundle on macOS, below `~/Applications`.
const APP: &str = "ACOLYTE.app";
/// Files of the app bundle.
const IN_APP: [&str; 3] = ["Contents/Info.plist", "Contents/MacOS/acolyte", "Contents/Resources/app.icns"];
/// The shortcut in the Start menu.
const SHORTCUT: &str = "ACOLYTE.lnk";
/// Files below the user's folder of data.
const DESKTOP_ENTRY: &str = "applications/acolyte-installer.desktop";
const BASH_COMPLETIONS: &str = "bash-completion/completions/acolyte";
const ZSH_COMPLETIONS: &str = "zsh/site-functions/_acolyte";
/// Files below the user's folder of configuration.
const FISH_COMPLETIONS: &str = "fish/completions/acolyte.fish";
const FISH_PATH: &str = "fish/conf.d/acolyte.fish";
/// Completions for PowerShell, below the home.
const POWERSHELL_COMPLETIONS: &str = "share/powershell/_acolyte.ps1";
/// Profile files of shells.
const PROFILE: &str = ".profile";
const BASH_FILES: [&str; 3] = [".bash_profile", ".bash_login", ".bashrc"];
const ZSH_FILE: &str = ".zshenv";

/// Whose conventions the user's menu and shells follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MenuSystem {
    /// Linux, by the specifications of freedesktop.org.
    Freedesktop,
    MacOs,
    Windows,
}

impl MenuSystem {
    const HERE: Self = if cfg!(windows) {
        Self::Windows
    } else if cfg!(target_os = "macos") {
        Self::MacOs
    } else {
        Self::Freedesktop
    };

    fn menu_entry(self, environment: &Environment) -> Option<PathBuf> {
        match self {
            Self::Windows => {
                let data = environment.path("APPDATA").filter(|path| path.is_absolute())?;
                Some(data.join(r"Microsoft\Windows\Start Menu\Programs").join(SHORTCUT))
            }
            Self::MacOs => Some(environment.home_dir()?.join("Applications").join(APP)),
            Self::Freedesktop => Some(environment.data_home()?.join(DESKTOP_ENTRY)),
        }
    }

    fn icons(self, environment: &Environment) -> Vec<(PathBuf, &'static [u8])> {
        if self != Self::Freedesktop {
            return Vec::new();
        }
        let Some(data) = environment.data_home() else { return Vec::new() };
        ICONS.iter().map(|(size, bytes)| (data.join(icon(size)), *bytes)).collect()
    }

    fn profile_files(self, environment: &Environment) -> Vec<PathBuf> {
        let Some(home) = environment.home_dir().filter(|_| self != Self::Windows) else { return Vec::new() };
        let bash: Vec<PathBuf> =
            BASH_FILES.iter().map(|name| home.join(name)).filter(|path| path.exists()).collect();
        let profile = home.join(PROFILE);
        // A login reads it unless there is one of bash's own.
        let is_read = self != Self::MacOs && !bash.iter().any(|path| !path.ends_with(".bashrc"));
        let profile = (profile.exists() || is_read).then_some(profile);
        let zsh = self.uses_zsh(environment).then(|| {
            let folder = environment.path("ZDOTDIR").filter(|path| path.is_absolute() && path.is_dir());
            folder.unwrap_or(home).join(ZSH_FILE)
        });
        profile.into_iter().chain(bash).chain(zsh).collect()
    }

    /// On macOS it is every user's shell unless another was chosen.
    fn uses_zsh(self, environment: &Environment) -> bool {
        let Some(home) = environment.home_dir() else { return false };
        self == Self::MacOs
            || is_shell(environment, "zsh")
            || [".zshrc", ".zshenv", ".zprofile"].iter().any(|name| home.join(name).exists())
    }

    fn outside(self, environment: &Environment) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = self.icons(environment).into_iter().map(|(path, _)| path).collect();
        if let Some(data) = environment.data_home() {
            files.extend([BASH_COMPLETIONS, ZSH_COMPLETIONS].map(|end| data.join(end)));
        }
        if let Some(config) = environment.config_home() {
            files.extend([FISH_COMPLETIONS, FISH_PATH].map(|end| config.join(end)));
        }
        match self.menu_entry(environment) {
            Some(app) if self == Self::MacOs => files.extend(app_files(&app)),
            entry => files.extend(entry),
        }
        files
    }
}

/// The menu entry; a folder on macOS. `None` if the user's folders are unknown.
pub fn menu_entry(environment: &Environment) -> Option<PathBuf> {
    MenuSystem::HERE.menu_entry(environment)
}

/// Files of the app bundle on macOS: property list, program, icon.
pub fn app_files(app: &Path) -> [PathBuf; 3] {
    IN_APP.map(|file| app.join(file))
}

/// The menu's icons with their contents, on Linux.
pub fn icons(environment: &Environment) -> Vec<(PathBuf, &'static [u8])> {
    MenuSystem::HERE.icons(environment)
}

fn icon(size: &str) -> String {
    let extension = if size == "scalable" { "svg" } else { "png" };
    format!("icons/hicolor/{size}/apps/{ICON_NAME}.{extension}")
}

/// Completions of each shell that the user has, by the shell's name.
pub fn completions(paths: &Paths, environment: &Environment) -> Vec<(&'static str, PathBuf)> {
    if cfg!(windows) {
        // PowerShell has no folder for them: a line in the user's profile loads the file.
        return vec![("powershell", paths.home().join(POWERSHELL_COMPLETIONS))];
    }
    let data = environment.data_home();
    let bash = data.as_ref().map(|data| ("bash", data.join(BASH_COMPLETIONS)));
    let zsh = data
        .filter(|_| MenuSystem::HERE.uses_zsh(environment))
        .map(|data| ("zsh", data.join(ZSH_COMPLETIONS)));
    let fish = fish_config(environment).map(|config| ("fish", config.join(FISH_COMPLETIONS)));
    [bash, zsh, fish].into_iter().flatten().collect()
}

/// The file that extends fish's `PATH`; `None` if the user has no fish.
pub fn fish_path(environment: &Environment) -> Option<PathBuf> {
    Some(fish_config(environment)?.join(FISH_PATH))
}

fn fish_config(environment: &Environment) -> Option<PathBuf> {
    let config = environment.config_home().filter(|_| !cfg!(windows))?;
    (config.join("fish").is_dir() || is_shell(environment, "fish")).then_some(config)
}

/// The profile files that a line is added to: those that exist, and the one that the user's shell reads in any case.
pub fn profile_files(environment: &Environment) -> Vec<PathBuf> {
    MenuSystem::HERE.profile_files(environment)
}

/// Whether it is the user's shell.
fn is_shell(environment: &Environment, name: &str) -> bool {
    environment.path("SHELL").is_some_and(|shell| shell.file_name() == Some(OsStr::new(name)))
}

/// Every file outside the home in this environment.
pub fn outside(environment: &Environment) -> Vec<PathBuf> {
    MenuSystem::HERE.outside(environment)
}

/// Whether a path has the name of a file outside the home. The user's folders may have been others when it was written.
pub fn is_outside(path: &Path) -> bool {
    let ends = [DESKTOP_ENTRY, BASH_COMPLETIONS, ZSH_COMPLETIONS, FISH_COMPLETIONS, FISH_PATH];
    ends.iter().any(|end| path.ends_with(end))
        || ICONS.iter().any(|(size, _)| path.ends_with(icon(size)))
        || IN_APP.iter().any(|file| path.ends_with(Path::new(APP).join(file)))
        || path.ends_with(Path::new("Start Menu").join("Programs").join(SHORTCUT))
}

/// Whether a path relative to the home is that of a file of ours.
pub fn is_below_home(below: &Path) -> bool {
    let parts: Vec<_> = below.components().map(Component::as_os_str).collect();
    match parts.as_slice() {
        [file] => *file == "env",
        [folder, file] if *folder == "bin" => {
            ProgramKind::ALL.iter().any(|kind| *file == OsStr::new(&kind.file_name()))
        }
        [folder, file] => *folder == "llm" && *file == "kept.json",
        [share, man, man1, page] if *man == "man" => {
            *share == "share" && *man1 == "man1" && is_page(&page.to_string_lossy())
        }
        _ => below == Path::new(POWERSHELL_COMPLETIONS),
    }
}

/// Whether a file of the folder of manual pages is one of ours.
pub fn is_page(name: &str) -> bool {
    let command = name.strip_prefix("acolyte").and_then(|rest| rest.strip_suffix(".1"));
    command.is_some_and(|command| command.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
}

/// Whether a path is that of a profile file.
pub fn is_profile_file(path: &Path) -> bool {
    BASH_FILES.iter().chain([&PROFILE, &ZSH_FILE]).any(|name| path.file_name() == Some(OsStr::new(name)))
}

#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_added_to_the_profile_files_that_exist() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        let environment =
            |shell: &str| Environment::given([("HOME", home.path().as_os_str()), ("SHELL", shell.as_ref())]);
        assert_eq!(profile_files(&environment("/bin/bash")), [at(".profile")], "it is created");
        std::fs::write(at(".bashrc"), "").unwrap();
        assert_eq!(profile_files(&environment("/bin/bash")), [".profile", ".bashrc"].map(at));
        std::fs::write(at(".bash_profile"), "").unwrap();
        assert_eq!(profile_files(&environment("/bin/bash")), [".bash_profile", ".bashrc"].map(at));
        std::fs::write(at(".profile"), "").unwrap();
        let all = [".profile", ".bash_profile", ".bashrc", ".zshenv"].map(at);
        assert_eq!(profile_files(&environment("/usr/bin/zsh")), all);
    }

    /// What a Mac has, decided here: an app in the user's folder instead of a menu entry with icons, and zsh.
    #[test]
    fn on_macos_the_menu_entry_is_an_app_and_the_shell_is_zsh() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        let environment = Environment::given([("HOME", home.path().as_os_str())]);
        let mac = MenuSystem::MacOs;
        assert_eq!(mac.menu_entry(&environment), Some(at("Applications/ACOLYTE.app")));
        assert_eq!(mac.icons(&environment).len(), 0);
        assert_eq!(mac.profile_files(&environment), [at(".zshenv")], "no .profile is created for zsh");
        std::fs::write(at(".bash_profile"), "").unwrap();
        assert_eq!(mac.profile_files(&environment), [".bash_profile", ".zshenv"].map(at));
        let files = mac.outside(&environment);
        assert!(files.contains(&at("Applications/ACOLYTE.app/Contents/Info.plist")), "{files:?}");
        assert!(files.iter().all(|path| is_outside(path)), "{files:?}");
        assert_eq!(mac.menu_entry(&Environment::given([("X", "y")])), None);
    }

    #[test]
    fn every_file_has_a_name_that_a_journal_may_give() {
        let environment = Environment::given([("HOME", "/home/ana"), ("SHELL", "/usr/bin/zsh")]);
        let paths = Paths::new(Path::new("/home/ana/.acolyte"));
        let files = outside(&environment);
        assert!(files.len() > 12, "{files:?}");
        let completions = completions(&paths, &environment).into_iter().map(|(_, path)| path);
        for path in files.into_iter().chain(completions).chain(fish_path(&environment)) {
            assert!(is_outside(&path), "{}", path.display());
        }
        for path in profile_files(&environment) {
            assert!(is_profile_file(&path), "{}", path.display());
        }
        for path in
            ["/home/ana/.ssh/id_ed25519", "/home/ana/.local/share/applications/x.desktop", "/etc/acolyte"]
        {
            assert!(!is_outside(Path::new(path)) && !is_profile_file(Path::new(path)), "{path}");
        }
        for below in ["env", "bin/acolyte", "llm/kept.json", "share/man/man1/acolyte-check-requirements.1"] {
            assert!(is_below_home(Path::new(below)), "{below}");
        }
        for below in ["llm/journal", "bin/other", "share/man/man1/ls.1", "models/env", ""] {
            assert!(!is_below_home(Path::new(below)), "{below}");
        }
    }
}
