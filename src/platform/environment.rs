//! Environment of the process: variables, arguments, executable, the user's folders. Read only here (enforced by
//! `clippy.toml`), so that tests can pass their own [`Environment`].

#![expect(clippy::disallowed_methods, reason = "the one place that reads the process environment")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

/// Environment variables of this process, or a given set.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    given: Option<BTreeMap<OsString, OsString>>,
}

impl Environment {
    /// The environment of this process.
    pub fn of_process() -> Self {
        Self { given: None }
    }

    /// Only these variables.
    pub fn given<N: Into<OsString>, V: Into<OsString>>(variables: impl IntoIterator<Item = (N, V)>) -> Self {
        let given = variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { given: Some(given) }
    }

    /// Value of a variable, possibly empty.
    pub fn variable(&self, name: &str) -> Option<OsString> {
        match &self.given {
            Some(given) => given.get(&OsString::from(name)).cloned(),
            None => std::env::var_os(name),
        }
    }

    /// All variables.
    pub fn variables(&self) -> Vec<(OsString, OsString)> {
        match &self.given {
            Some(given) => given.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
            None => std::env::vars_os().collect(),
        }
    }

    /// Whether a variable is set and not empty.
    pub fn is_set(&self, name: &str) -> bool {
        self.variable(name).is_some_and(|value| !value.is_empty())
    }

    /// Value of a variable as text; `None` if it is unset, empty or not Unicode.
    pub fn text(&self, name: &str) -> Option<String> {
        self.variable(name)?.into_string().ok().filter(|value| !value.is_empty())
    }

    /// Value of a variable as a path, unchanged; `None` if it is unset or empty.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.variable(name).filter(|value| !value.is_empty()).map(PathBuf::from)
    }

    /// A list of folders, as in `PATH`.
    pub fn folders(&self, name: &str) -> Vec<PathBuf> {
        self.variable(name).map_or_else(Vec::new, |list| std::env::split_paths(&list).collect())
    }

    /// The user's home folder.
    pub fn home_dir(&self) -> Option<PathBuf> {
        match &self.given {
            Some(_) => self.path(if cfg!(windows) { "USERPROFILE" } else { "HOME" }),
            None => std::env::home_dir(),
        }
    }

    /// The configuration folder of the XDG base directory specification: `XDG_CONFIG_HOME` if it is absolute, else
    /// `~/.config`.
    pub fn config_home(&self) -> Option<PathBuf> {
        let set = self.path("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
        set.or_else(|| self.home_dir().map(|home| home.join(".config")))
    }

    /// The data folder of the XDG base directory specification: `XDG_DATA_HOME` if it is absolute, else `~/.local/share`.
    pub fn data_home(&self) -> Option<PathBuf> {
        let set = self.path("XDG_DATA_HOME").filter(|path| path.is_absolute());
        set.or_else(|| self.home_dir().map(|home| home.join(".local/share")))
    }

    /// ACOLYTE's folder: `ACOLYTE_HOME`, else `~/.acolyte`.
    pub fn acolyte_home(&self) -> Option<PathBuf> {
        self.path("ACOLYTE_HOME").or_else(|| self.default_acolyte_home())
    }

    /// ACOLYTE's folder where the user names none: `~/.acolyte`.
    pub fn default_acolyte_home(&self) -> Option<PathBuf> {
        self.home_dir().map(|home| home.join(".acolyte"))
    }
}

/// The name of this computer; `None` if the system does not tell.
pub fn computer_name() -> Option<String> {
    sysinfo::System::host_name().ok().filter(|name| !name.is_empty())
}

/// The program that this process runs, to start it again or to copy it. On Linux by the kernel's own link, which leads to it
/// even after another file was put in its place.
///
/// # Errors
/// If the system does not report it.
pub fn own_program() -> std::io::Result<PathBuf> {
    let link = PathBuf::from("/proc/self/exe");
    if cfg!(target_os = "linux") && link.exists() { Ok(link) } else { std::env::current_exe() }
}

/// The folder of the program that this process runs, links resolved; `None` if the system does not report it.
pub fn own_folder() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    std::fs::canonicalize(program).ok()?.parent().map(PathBuf::from)
}

/// The command line, the program's name first.
pub fn arguments() -> impl Iterator<Item = OsString> {
    std::env::args_os()
}

/// The system's folder for temporary files.
pub fn temp_dir() -> PathBuf {
    std::env::temp_dir()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn our_folder_is_set_by_its_variable_or_below_the_home_folder() {
        let home = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
        let both = Environment::given([("ACOLYTE_HOME", "/data/acolyte"), (home, "/home/maria")]);
        assert_eq!(both.acolyte_home().as_deref(), Some(Path::new("/data/acolyte")));
        let empty = Environment::given([("ACOLYTE_HOME", ""), (home, "/home/maria")]);
        assert_eq!(empty.acolyte_home().as_deref(), Some(Path::new("/home/maria/.acolyte")));
        assert_eq!(Environment::given([("X", "y")]).acolyte_home(), None);
    }

    #[test]
    fn a_relative_configuration_folder_is_ignored() {
        let home = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
        let relative = Environment::given([("XDG_CONFIG_HOME", "config"), (home, "/home/maria")]);
        assert_eq!(relative.config_home().as_deref(), Some(Path::new("/home/maria/.config")));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn our_own_program_is_the_one_that_runs_and_not_the_one_at_its_path() {
        use std::os::unix::fs::MetadataExt as _;
        let program = own_program().unwrap();
        let identity = |path: &Path| std::fs::metadata(path).map(|found| (found.dev(), found.ino()));
        assert_eq!(identity(&program).unwrap(), identity(&std::env::current_exe().unwrap()).unwrap());
        // A link of the kernel: it has no path that somebody could exchange.
        assert!(program.starts_with("/proc/self"), "{}", program.display());
    }
}
