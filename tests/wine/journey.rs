//! The life of an installation, from its first command to its removal.

use serde_json::json;

use super::common::mirror::{ALWAYS, Fault};
use super::common::world::{Running, Signal};
use super::display::Display;
use super::programs::{Windows, output};

#[test]
#[ignore = "needs the Windows programs: bash .ci/wine-walk"]
fn it_is_installed_changed_repaired_updated_and_removed() {
    let windows = Windows::start();
    let said = windows.install(&["--profile", "hybrid_8gb"]);
    assert_eq!(said.receipt(), &windows.json("llm/receipt.json"));
    assert_eq!(said.receipt()["profile"], "hybrid_8gb");
    let status = windows.status();
    assert_eq!(
        (&status["installed"], &status["server"]["running"]),
        (&json!(true), &json!(true)),
        "{status}"
    );
    assert!(windows.run_values().contains("acolyte-at-login.exe"), "{}", windows.run_values());

    windows.succeed(&["stop"]);
    assert_eq!(windows.engine_processes(), Vec::<u32>::new());
    windows.succeed(&["start"]);
    assert_eq!(windows.status()["server"]["running"], true);

    // A change of profile, a file of the engine that is missing, a newer engine while the old one runs.
    assert_eq!(windows.install(&["--profile", "light_6gb"]).receipt()["profile"], "light_6gb");
    let library = windows.file("ollama/0.32.15/lib/ollama/ggml-base.dll");
    std::fs::remove_file(&library).unwrap();
    windows.install(&["--profile", "light_6gb"]).receipt();
    assert!(library.is_file());
    windows.put_release("0.32.16", &json!({}));
    assert_eq!(windows.install(&["--profile", "light_6gb"]).receipt()["engine_version"], "0.32.16");
    assert!(!windows.file("ollama/0.32.15").exists());

    windows.succeed(&["uninstall", "--yes"]);
    windows.assert_removed();
}

/// What a scheduler, an installer and `$x = acolyte install` see: the pipe ends with the program, not with the server.
#[test]
#[ignore = "needs the Windows programs: bash .ci/wine-walk"]
fn a_pipe_of_ours_closes_with_the_program() {
    let windows = Windows::start();
    // Reads until the pipe ends.
    windows.install(&["--profile", "light_6gb", "--no-autostart"]).receipt();
    assert!(!windows.engine_processes().is_empty(), "the server runs");
    windows.succeed(&["stop"]);
    let started = output(windows.acolyte(&["start"]));
    assert!(started.status.success());
    assert!(!windows.engine_processes().is_empty(), "the server runs");
    windows.succeed(&["uninstall", "--yes"]);
}

#[test]
#[ignore = "needs the Windows programs: bash .ci/wine-walk"]
fn a_killed_installation_goes_on_and_can_be_undone() {
    let windows = Windows::start();
    let arguments = ["--profile", "light_6gb", "--no-autostart"];
    let killed = || {
        let running = Running::start(windows.install_command(&arguments));
        running.wait_for(|event| event["step"] == "pull_model" && event["state"] == "running");
        for (id, line) in windows.processes() {
            if line.contains("acolyte.exe") {
                super::common::world::signal(id, Signal::Kill);
            }
        }
        drop(running);
    };
    windows.world.mirror.limit_rate(1 << 20);
    killed();
    windows.world.mirror.limit_rate(1 << 30);
    windows.install(&arguments).receipt();
    windows.succeed(&["uninstall", "--yes"]);
    windows.assert_removed();

    windows.world.mirror.limit_rate(1 << 20);
    killed();
    windows.succeed(&["undo", "--yes"]);
    windows.assert_removed();
}

/// Ctrl-Break and a console that is closed take the same way; Wine has neither.
#[test]
#[ignore = "needs the Windows programs: bash .ci/wine-walk"]
fn ctrl_c_and_log_off_stop_the_server_and_the_next_run_goes_on() {
    let windows = Windows::start();
    // Without one Wine makes no windows, not even hidden ones.
    let display = Display::start().expect("a display");
    let arguments = ["--profile", "light_6gb", "--no-autostart"];
    for way in ["ctrl-c", "log-off"] {
        windows.world.mirror.limit_rate(1 << 20);
        windows.leave_desktop();
        let install = windows.install_command(&arguments);
        let mut command = windows.helper("interrupt");
        // The server's state is written once it is started.
        let started = format!(r"{}\llm\server.json", windows.home());
        command.args([way, &started]).args(install.get_args()).env("DISPLAY", &display.name);
        let said = output(command);
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        assert!(said.contains("ended with 130"), "{way}: {said}");
        assert_eq!(windows.engine_processes(), Vec::<u32>::new(), "{way}");
        windows.world.mirror.limit_rate(1 << 30);
        windows.install(&arguments).receipt();
        windows.succeed(&["uninstall", "--yes"]);
        windows.assert_removed();
    }
}

#[test]
#[ignore = "needs the Windows programs: bash .ci/wine-walk"]
fn a_registry_with_a_port_is_refused_before_anything_is_fetched() {
    let windows = Windows::start();
    let model = format!("{}/library/qwen2.5-coder:3b", windows.world.mirror.url().replace("http://", ""));
    let said = windows.install(&["--model", &model, "--insecure-registry"]);
    assert_eq!(said.code, Some(2), "{said:#?}");
    assert!(said.errors.contains("--model-file"), "{}", said.errors);
    assert_eq!(windows.world.mirror.requests(), []);
    assert!(!windows.file("").exists());
}

/// The first error is said, not that of the cleanup after it.
#[test]
#[ignore = "needs the Windows programs: bash .ci/wine-walk"]
fn a_damaged_download_is_named_and_nothing_of_it_is_left() {
    let windows = Windows::start();
    windows.world.mirror.fault("/ollama-windows-amd64-0.32.15.zip", Fault::Flip(100_000), ALWAYS);
    let said = windows.install(&["--profile", "light_6gb"]);
    assert_eq!(said.steps().last().unwrap(), &("fetch_engine".to_owned(), "failed".to_owned()));
    assert!(!windows.file("ollama/0.32.15").exists());
}
