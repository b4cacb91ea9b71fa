//! A really full disk: a small file system, where the system lets a test mount one.
//!
//! A process in its own user and mount namespace holds a tmpfs at the home; our program and its children run in that
//! namespace. At the event of the fault the file system is shrunk until nothing more fits, as when another program
//! takes the rest.

use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};

use serde_json::{Value, json};

use crate::cells::Step;
use crate::common::archive::Format;
use crate::common::process::{Guarded, below, launched_by, output};
use crate::common::world::{Running, Said, World};

/// Steps that are tested.
pub const STEPS: [Step; 5] = [Step::Check, Step::Fetch, Step::Unpack, Step::Pull, Step::Receipt];

/// Bytes enough for an installation. Only what is written takes memory.
const ENOUGH: u64 = 8 << 30;

/// A file system in its own namespaces, which disappear with the process that holds them.
struct SmallDisk {
    // The process ends when its input is closed.
    _input: ChildStdin,
    keeper: Guarded,
    folder: PathBuf,
}

impl SmallDisk {
    /// Mounts it; `None` where the system does not permit that.
    fn mount(folder: &Path, bytes: u64) -> Option<Self> {
        let script = "mount -t tmpfs -o \"mode=700,size=$1\" none \"$0\" && echo ready && exec cat";
        let mut keeper = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", script])
            .arg(folder)
            .arg(bytes.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let input = keeper.stdin.take()?;
        let mut keeper = Guarded(keeper);
        let ready = keeper.first_line() == "ready";
        ready.then(|| Self { _input: input, keeper, folder: folder.to_owned() })
    }

    /// The same command inside the namespaces.
    fn inside(&self, command: &Command) -> Command {
        let mut inside = Command::new("nsenter");
        inside.args([
            "--target",
            &self.keeper.0.id().to_string(),
            "--user",
            "--mount",
            "--preserve-credentials",
            "--",
        ]);
        launched_by(inside, command)
    }

    /// Sets its size; false when it already holds more than that.
    fn resize(&self, bytes: u64) -> bool {
        let options = format!("remount,size={bytes}");
        let mut mount = Command::new("mount");
        mount.args(["-o", &options]).arg(&self.folder);
        output(self.inside(&mount)).status.success()
    }

    /// Shrinks it until this many bytes are free.
    fn leave(&self, bytes: u64) {
        // A download may write between reading the usage and resizing, so that resizing fails. Each attempt leaves a
        // little more than the one before.
        let mut written_meanwhile = 0;
        while !self.resize(self.used_bytes() + bytes + written_meanwhile) {
            written_meanwhile += 64 << 10;
        }
    }

    fn used_bytes(&self) -> u64 {
        let mut df = Command::new("df");
        df.args(["--block-size=1", "--output=used"]).arg(&self.folder);
        let used = output(self.inside(&df));
        let said = String::from_utf8_lossy(&used.stdout);
        said.lines().last().and_then(|line| line.trim().parse().ok()).expect("df says a number")
    }
}

/// Tests a step; `None` where the system does not let a test mount anything.
pub fn run_again_and_undo(step: Step) -> Option<()> {
    let faulty = Faulty::new(step)?;
    assert!(faulty.disk.resize(ENOUGH), "it can be made larger");
    let said = Said::of(faulty.disk.inside(&faulty.install()));
    assert_eq!(said.code, Some(0), "{}, with room again: {said:#?}", step.name());
    assert!(said.events.last().is_some_and(|event| event["receipt"].is_object()), "{said:#?}");
    let status = faulty.status();
    assert_eq!(
        (&status["unfinished"], &status["server"]["answers"]),
        (&json!(false), &json!(true)),
        "{}: {status:#}",
        step.name()
    );
    drop(faulty);

    // Undoing it needs no space.
    let faulty = Faulty::new(step)?;
    let said = Said::of(faulty.disk.inside(&faulty.world.acolyte(&["undo", "--yes"])));
    assert_eq!(said.code, Some(0), "{}, undone on a full disk: {said:#?}", step.name());
    let mut find = Command::new("find");
    find.arg(faulty.world.home()).args(["-type", "f"]);
    let left = output(faulty.disk.inside(&find)).stdout;
    assert_eq!(String::from_utf8_lossy(&left), "", "{}: no file is left", step.name());
    assert_eq!(below(faulty.world.folder.path()), Vec::<u32>::new(), "{}: no process is left", step.name());
    Some(())
}

struct Faulty {
    step: Step,
    // Dropped before the disk, which its processes use.
    world: World,
    disk: SmallDisk,
}

impl Faulty {
    fn new(step: Step) -> Option<Self> {
        let late = step == Step::Receipt;
        let double = json!({
            "decode_tokens_per_s": if late { 400.0 } else { 10_000.0 },
            "prefill_tokens_per_s": 2_000_000.0, "pull_retry_s": 0.01, "load_ms": 5,
        });
        // A zip is unpacked when it is complete, so there is time between the two steps.
        let format = if step == Step::Unpack { Format::Zip } else { Format::TarZst };
        let world = World::with_format(format, &double);
        let home = world.path("home");
        std::fs::create_dir_all(&home).unwrap();
        let disk = SmallDisk::mount(&home, if step == Step::Check { 64 << 20 } else { ENOUGH })?;
        let faulty = Self { step, world, disk };
        faulty.fill_disk();
        Some(faulty)
    }

    fn install(&self) -> Command {
        self.world.install_command(&["--profile", "light_6gb", "--accept-degraded", "--no-autostart"])
    }

    /// Installs until the disk is full, and checks that the step and the reason are reported.
    fn fill_disk(&self) {
        let mirror = &self.world.mirror;
        let running = || Running::start(self.disk.inside(&self.install()));
        let comes = |step: Step| {
            move |event: &Value| event["step"] == step.name() && event["bytes_done"].as_u64() > Some(0)
        };
        let (code, events) = match self.step {
            Step::Check => {
                let outcome = running().end_with_events();
                assert!(mirror.requests().is_empty(), "it is said before anything is fetched");
                outcome
            }
            Step::Unpack => {
                mirror.limit_rate(2_000_000);
                let running = running();
                let event = running.wait_for(comes(Step::Fetch));
                // Space for the rest of the archive, but not for its contents.
                let total = event["bytes_total"].as_u64().expect("the length is known");
                self.disk.leave(total + (1 << 20));
                running.end_with_events()
            }
            Step::Receipt => {
                let running = running();
                running.wait_for(|event| event["step"] == "measure");
                self.disk.leave(0);
                running.end_with_events()
            }
            step => {
                mirror.limit_rate(1_000_000);
                let running = running();
                running.wait_for(comes(step));
                self.disk.leave(0);
                running.end_with_events()
            }
        };
        mirror.heal();
        let name = self.step.name();
        assert_eq!(code, Some(1), "{name}: {events:#?}");
        let end = events.iter().find(|event| event["state"] == "failed").expect("it says why");
        // The engine is unpacked while it downloads: either step can find the disk full.
        let either = [Step::Fetch.name(), Step::Unpack.name()];
        let there =
            end["step"] == name || self.step == Step::Fetch && either.iter().any(|step| end["step"] == *step);
        assert!(there, "{name}: {end:#}");
        let words = end["message"].as_str().unwrap_or_default();
        let says_it =
            ["are needed and", "more free space for", "no space left", "No space left", "disk became full"];
        assert!(says_it.iter().any(|part| words.contains(part)), "{name}: {words}");
    }

    fn status(&self) -> Value {
        let output = output(self.disk.inside(&self.world.acolyte(&["status", "--json"])));
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }
}
