//! Several homes, and several names of one.

use serde_json::json;

use super::common::world::{Said, free_port};
use super::programs::{Windows, output};

#[test]
#[ignore = "needs the Windows programs: bash .ci/wine-walk"]
fn two_homes_live_beside_each_other() {
    let windows = Windows::start();
    let other = format!("{} 2", windows.home());
    windows.install(&["--profile", "light_6gb"]).receipt();
    let first = windows.run_values();
    let mut command = windows.acolyte_at(&other, &["install", "--json", "--yes", "--accept-degraded"]);
    command.args(windows.sources()).args(["--no-tune", "--profile", "light_6gb"]);
    command.args(["--port", &free_port().to_string()]);
    Said::from_output(&output(command)).receipt();
    let both = windows.run_values();
    assert_eq!(both.matches("start-server").count(), 2, "{both}");
    assert_eq!(windows.status()["server"]["running"], true);

    let removed = output(windows.acolyte_at(&other, &["uninstall", "--yes"]));
    assert!(removed.status.success(), "{}", String::from_utf8_lossy(&removed.stderr));
    assert_eq!(windows.run_values(), first, "the entry of the first home is as it was");
    assert_eq!(windows.status()["server"]["running"], true);
    windows.succeed(&["uninstall", "--yes"]);
    windows.assert_removed();
}

/// Case, the prefix of long paths, and another drive (`subst` does the same as this link).
#[test]
#[ignore = "needs the Windows programs: bash .ci/wine-walk"]
fn a_home_is_the_same_in_every_spelling() {
    let windows = Windows::start();
    windows.install(&["--profile", "light_6gb"]).receipt();
    let home = windows.home();
    let above = windows.file("..").canonicalize().unwrap();
    let drive = windows.unix(r"C:\").join("../dosdevices/x:");
    let _ = std::fs::remove_file(&drive);
    std::os::unix::fs::symlink(above, &drive).unwrap();
    for spelling in
        [home.to_uppercase(), format!(r"\\?\{home}"), home.replace('\\', "/"), r"X:\.acolyte".to_owned()]
    {
        let status = output(windows.acolyte_at(&spelling, &["status", "--json"]));
        let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
        assert_eq!(status["server"]["running"], json!(true), "{spelling}: {status}");
        let stopped = output(windows.acolyte_at(&spelling, &["stop"]));
        assert!(stopped.status.success(), "{spelling}");
        assert_eq!(windows.engine_processes(), Vec::<u32>::new(), "{spelling}");
        windows.succeed(&["start"]);
    }
    // While it exists, Wine resolves every path below it to drive X; `subst` changes no other path.
    std::fs::remove_file(drive).unwrap();
    let removed = output(windows.acolyte_at(&home.to_uppercase(), &["uninstall", "--yes"]));
    assert!(removed.status.success(), "{}", String::from_utf8_lossy(&removed.stderr));
    windows.assert_removed();
}

/// `acolyte detect --json > file` in Windows PowerShell writes UTF-16.
#[test]
#[ignore = "needs the Windows programs: bash .ci/wine-walk"]
fn what_powershell_wrote_is_read() {
    let windows = Windows::start();
    let file = windows.world.path("hardware.json");
    let text = std::fs::read_to_string(&file).unwrap();
    let utf_16: Vec<u8> =
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    std::fs::write(&file, utf_16).unwrap();
    windows.install(&["--profile", "light_6gb", "--no-autostart"]).receipt();
    windows.succeed(&["uninstall", "--yes"]);
}

/// What the Run value starts opens no console, knows its home by itself, and is a copy.
#[test]
#[ignore = "needs the Windows programs: bash .ci/wine-walk"]
fn the_server_is_started_at_login_without_a_console() {
    let windows = Windows::start();
    windows.install(&["--profile", "light_6gb"]).receipt();
    windows.succeed(&["stop"]);
    let values = windows.run_values();
    // `reg` prints letters beyond ASCII in another encoding.
    let line =
        values.lines().map(str::trim_end).find(|line| line.contains("start-server")).expect("a Run value");
    assert!(line.ends_with(r#"\bin\acolyte-at-login.exe" start-server"#), "it names the copy only: {line}");
    let copy = format!(r"{}\bin\acolyte-at-login.exe", windows.home());
    let (ours, copied) = (windows.program("acolyte"), windows.unix(&copy));
    let subsystem = |path: &std::path::Path| {
        let bytes = std::fs::read(path).unwrap();
        let header = u32::from_le_bytes(bytes[0x3c..0x40].try_into().unwrap()) as usize;
        u16::from_le_bytes(bytes[header + 92..header + 94].try_into().unwrap())
    };
    assert_eq!((subsystem(&ours), subsystem(&copied)), (3, 2), "console, then none");
    let links = std::os::unix::fs::MetadataExt::nlink(&std::fs::metadata(&copied).unwrap());
    assert_eq!(links, 1, "a copy");

    let started = output(windows.wine(&copy).arg("start-server"));
    assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
    assert_eq!(windows.status()["server"]["running"], true);
    windows.succeed(&["uninstall", "--yes"]);
    windows.assert_removed();
}

/// Its programs could not be started, and the login entry may have 260 characters.
#[test]
#[ignore = "needs the Windows programs: bash .ci/wine-walk"]
fn a_home_that_is_too_long_is_refused_before_anything_is_fetched() {
    let windows = Windows::start();
    let install = |chars: usize| {
        let above = format!(r"C:\users\{}", windows.home().split('\\').nth(2).unwrap());
        let home = format!(r"{above}\{}", "x".repeat(chars - above.len() - 1));
        let mut command = windows.acolyte_at(&home, &["install", "--json", "--yes", "--accept-degraded"]);
        command.args(windows.sources()).args(["--no-tune", "--profile", "light_6gb"]);
        command.args(["--port", &free_port().to_string()]);
        (home, Said::from_output(&output(command)))
    };
    let (home, said) = install(262);
    assert_eq!(said.code, Some(1));
    assert!(said.errors.contains("--home"), "{}", said.errors);
    assert!(!windows.unix(&home).exists());

    let (home, said) = install(150);
    assert_eq!(said.receipt()["profile"], "light_6gb");
    let removed = output(windows.acolyte_at(&home, &["uninstall", "--yes"]));
    assert!(removed.status.success() && !windows.unix(&home).exists());
}
