//! A disk that really is full: a small file system of the test's own, where the system lets a test have one.
//!
//! A process in a user and mount namespace of its own holds a tmpfs where the home is; our program, and whatever it
//! starts, runs in there. At the event at which the fault is to strike the file system is made so small that nothing
//! more fits, as when another program takes the rest.

use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};

use serde_json::{Value, json};

use crate::cells::Step;
use crate::common::archive::Format;
use crate::common::process::{Guarded, below, launched_by, output};
use crate::common::world::{Running, Said, World};

/// What is struck here.
pub const STEPS: [Step; 5] = [Step::Check, Step::Fetch, Step::Unpack, Step::Pull, Step::Receipt];

/// Enough for what the program wants to have free before it begins. Only what is written takes memory.
const ROOM: u64 = 8 << 30;

/// A file system in namespaces of its own, gone with the process that holds it.
struct SmallDisk {
    // Ends when its input does.
    _input: ChildStdin,
    keeper: Guarded,
    folder: PathBuf,
}

impl SmallDisk {
    /// Mounts it; `None` where the system does not let this user.
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

    /// The same command, in there.
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

    /// From now on it has room for so much; false when it holds more than that already.
    fn resize(&self, bytes: u64) -> bool {
        let options = format!("remount,size={bytes}");
        let mut mount = Command::new("mount");
        mount.args(["-o", &options]).arg(&self.folder);
        output(self.inside(&mount)).status.success()
    }

    /// From now on there is no more room than this.
    fn leave(&self, bytes: u64) {
        // What a download writes between looking and resizing makes the size too small for what the disk holds, and a
        // fast one would never let it be resized. So each attempt leaves a little more than the one before.
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

/// Strikes a step; `None` where the system does not let a test mount anything.
pub fn strike_both_ways(step: Step) -> Option<()> {
    let struck = Struck::new(step)?;
    assert!(struck.disk.resize(ROOM), "it can be made larger");
    let said = Said::of(struck.disk.inside(&struck.install()));
    assert_eq!(said.code, Some(0), "{}, with room again: {said:#?}", step.name());
    assert!(said.events.last().is_some_and(|event| event["receipt"].is_object()), "{said:#?}");
    let status = struck.status();
    assert_eq!(
        (&status["unfinished"], &status["server"]["answers"]),
        (&json!(false), &json!(true)),
        "{}: {status:#}",
        step.name()
    );
    drop(struck);

    // Taking it back needs no room.
    let struck = Struck::new(step)?;
    let said = Said::of(struck.disk.inside(&struck.world.acolyte(&["undo", "--yes"])));
    assert_eq!(said.code, Some(0), "{}, undone on a full disk: {said:#?}", step.name());
    let mut find = Command::new("find");
    find.arg(struck.world.home()).args(["-type", "f"]);
    let left = output(struck.disk.inside(&find)).stdout;
    assert_eq!(String::from_utf8_lossy(&left), "", "{}: no file is left", step.name());
    assert_eq!(below(struck.world.folder.path()), Vec::<u32>::new(), "{}: no process is left", step.name());
    Some(())
}

struct Struck {
    step: Step,
    // Before the world, whose processes live on it.
    world: World,
    disk: SmallDisk,
}

impl Struck {
    fn new(step: Step) -> Option<Self> {
        let late = step == Step::Receipt;
        let double = json!({
            "decode_tokens_per_s": if late { 400.0 } else { 10_000.0 },
            "prefill_tokens_per_s": 2_000_000.0, "pull_retry_s": 0.01, "load_ms": 5,
        });
        // A zip is unpacked when all of it is there, so there is a moment between the two.
        let format = if step == Step::Unpack { Format::Zip } else { Format::TarZst };
        let world = World::with_format(format, &double);
        let home = world.path("home");
        std::fs::create_dir_all(&home).unwrap();
        let disk = SmallDisk::mount(&home, if step == Step::Check { 64 << 20 } else { ROOM })?;
        let struck = Self { step, world, disk };
        struck.strike();
        Some(struck)
    }

    fn install(&self) -> Command {
        self.world.install_command(&["--profile", "light_6gb", "--accept-degraded", "--no-autostart"])
    }

    /// Installs until the disk is full, and sees to it that it is said where and why.
    fn strike(&self) {
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
                // Room for the rest of the archive, and not for what is in it.
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
        // The engine is unpacked while it comes: either can find the disk full.
        let either = [Step::Fetch.name(), Step::Unpack.name()];
        let there =
            end["step"] == name || self.step == Step::Fetch && either.iter().any(|step| end["step"] == *step);
        assert!(there, "{name}: {end:#}");
        let words = end["message"].as_str().unwrap_or_default();
        let says_it =
            ["are needed and", "missing on the disk", "no space left", "No space left", "disk became full"];
        assert!(says_it.iter().any(|part| words.contains(part)), "{name}: {words}");
    }

    fn status(&self) -> Value {
        let output = output(self.disk.inside(&self.world.acolyte(&["status", "--json"])));
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }
}
