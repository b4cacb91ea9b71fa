//! How shells find our programs: a script that extends `PATH`, and the line in the profile files that sources it.
//!
//! As rustup does it, but at the end of `PATH`, so that no program of the system is shadowed.

use std::path::Path;

use crate::install::Paths;

/// The line in a profile file; `None` if the home's path is not text or has a line break. It does nothing where the home was
/// removed by hand.
pub fn shell_line(paths: &Paths) -> Option<String> {
    let script = quoted(&paths.shell_environment())?;
    Some(format!("if [ -f {script} ]; then . {script}; fi # ACOLYTE"))
}

/// The script that the line sources, for every POSIX shell; zsh also finds completions by it. `None` as [`shell_line`].
pub fn environment_script(paths: &Paths, zsh_functions: Option<&Path>) -> Option<String> {
    let folder = quoted(&paths.programs())?;
    let mut script = format!(
        "# ACOLYTE on PATH. Written by its installer, removed by \"acolyte uninstall\".\n\
         case \":${{PATH-}}:\" in\n    *:{folder}:*) ;;\n    *) export PATH=\"${{PATH:+${{PATH}}:}}\"{folder} ;;\nesac\n"
    );
    if let Some(functions) = zsh_functions.and_then(quoted) {
        // Other shells do not parse an array.
        let array = format!("fpath=({functions} $fpath)").replace('\'', r"'\''");
        script.push_str(&format!("if [ -n \"${{ZSH_VERSION-}}\" ]; then eval '{array}'; fi\n"));
    }
    Some(script)
}

/// A file of fish's `conf.d` that extends its `PATH`. `None` as [`shell_line`].
pub fn fish_script(paths: &Paths) -> Option<String> {
    let folder = paths.programs();
    let folder = folder.to_str().filter(|folder| !folder.contains('\n'))?;
    let folder = folder.replace('\\', r"\\").replace('\'', r"\'");
    Some(format!(
        "# ACOLYTE on PATH. Written by its installer, removed by \"acolyte uninstall\".\n\
         # home {}\n\
         if not contains -- '{folder}' $PATH\n    set -gx PATH $PATH '{folder}'\nend\n",
        paths.id()
    ))
}

/// Quotes a path for POSIX shells.
fn quoted(path: &Path) -> Option<String> {
    let path = path.to_str().filter(|path| !path.contains('\n'))?;
    Some(format!("'{}'", path.replace('\'', r"'\''")))
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::platform::program::{command, run};

    /// What a shell prints.
    fn printed(shell: &str, script: &str, path: &str) -> String {
        let mut shell = command(shell);
        shell.args(["-c", script]).env("PATH", path);
        let output = run(shell, Duration::from_secs(20)).unwrap();
        assert!(output.status.success(), "{}", output.stderr);
        output.stdout
    }

    fn is_here(shell: &str) -> bool {
        if !Path::new(shell).exists() {
            eprintln!("skipped: {shell} is not installed (bash .ci/tools installs it)");
        }
        Path::new(shell).exists()
    }

    #[test]
    fn the_folder_is_appended_once_in_every_shell() {
        let paths = Paths::new(Path::new("/home/o'neil ñ/.acolyte"));
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("env");
        std::fs::write(&script, environment_script(&paths, Some(Path::new("/d/it's zsh"))).unwrap()).unwrap();
        let source = format!(". '{}'\n", script.display());
        for shell in
            ["/bin/sh", "/bin/bash", "/bin/dash", "/usr/bin/zsh"].into_iter().filter(|it| is_here(it))
        {
            for times in [1, 2] {
                let script = format!("set -eu\n{}printf %s \"$PATH\"", source.repeat(times));
                let path = printed(shell, &script, "/usr/bin:/bin");
                assert_eq!(path, "/usr/bin:/bin:/home/o'neil ñ/.acolyte/bin", "{shell}");
            }
        }
        if is_here("/usr/bin/zsh") {
            let first = printed("/usr/bin/zsh", &format!("{source}print -r -- $fpath[1]"), "/bin");
            assert_eq!(first, "/d/it's zsh\n");
        }
        if is_here("/usr/bin/fish") {
            let script = format!("{0}{0}string join : $PATH", fish_script(&paths).unwrap());
            assert_eq!(printed("/usr/bin/fish", &script, "/bin"), "/bin:/home/o'neil ñ/.acolyte/bin\n");
        }
    }

    #[test]
    fn the_line_of_a_home_that_is_gone_does_nothing() {
        let line = shell_line(&Paths::new(Path::new("/nowhere/.acolyte"))).unwrap();
        assert_eq!(printed("/bin/sh", &format!("set -eu\n{line}\necho end"), "/bin"), "end\n");
        assert_eq!(shell_line(&Paths::new(Path::new("/a\nb"))), None);
    }
}
