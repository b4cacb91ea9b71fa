//! `docs/fault-matrix.md`, made of the cells that run.

use crate::cells::{Fault, Run, Step};
use crate::small_disk;
use crate::strike::Seen;

const HEAD: &str = "\
# What happens when something goes wrong

Every step of an installation against every fault, with real processes: the program, a stand-in for Ollama that answers
as the real one was recorded, and a mirror and a registry that misbehave. `cargo test --test fault_matrix` strikes every
cell twice: once the installation is **run again** and must end well, with one server, one loaded model and nothing
unfinished; and once it is **undone** (`acolyte undo`) and must leave no file, no folder of ours and no process behind.
Where the struck run ends well all the same, it is removed instead of undone, with the same demand.

This page is made of what that test saw: words and numbers are counted from its runs, and it fails when another page
stands here (`UPDATE_FAULT_MATRIX=1` writes it).

- **ends well**: the run that is struck goes on and finishes.
- **stops**: it ends early and says why; the profile that was in force, if there was one, stays in force.
- **either**: the strike comes at an event after which the run may have been over; or, where only a length is a lie,
  every byte may have come all the same, which the hash then says.
- **–**: the fault has no meaning there; why not stands below.

";

const FOOT: &str = "
## How the faults are made

- Kills and Ctrl-C strike at events that the program tells (`--json`): when a step begins, when it has just ended. No
  clock is involved.
- *Disk full*: at the check, a release that claims more than any disk has. While fetching and unpacking, and when the
  last documents are written, the kernel's limit on the length of files (`RLIMIT_FSIZE`, its signal ignored), which every
  system lets a test have: writes fail, with \"File too large\" in the place of \"No space left on device\". While the
  model comes it is the engine that writes, so the stand-in says what the real one was recorded saying.
- *Disk full, a real one*: a tmpfs in namespaces of the test's own, made so small while the program runs that nothing more
  fits; it is then made larger before the run that finishes, and undoing happens while it is still full. Where the system
  lets no test mount anything this row is skipped, and the test says so.
- A run that fails must fail in the step that was struck, with a message. The engine is unpacked while it comes, so what
  strikes unpacking can strike before the last byte is there.
- *No permission*: a folder that nobody may enter or list. *Read-only*: one that may be read and not written to. Where the tests
  run as the superuser, to whom that means nothing, the program runs as an unprivileged user.
- *Stall*, *server hangs* and a server that answers 500 from its start: the user gives up and presses Ctrl-C; the
  program must hear that while it waits.
- *Clamped context* of a model whose file is too short is final: what is run again is another profile.
- *503, then good*, *ranges ignored*, *changed file*, *one byte flipped* (of the model) and *disconnect* (a connection
  that breaks twice) are survived in the run itself.

## Why not everywhere

- What comes over the network (disconnect to redirect loop) concerns the two steps that fetch, and, as far as the engine
  can answer so, the steps that talk to it. A redirect to plain http while the engine pulls is the engine's own decision;
  what comes is verified by its digest.
- The file that is unpacked was verified whole right before, so it cannot be truncated or changed any more.
- Starting the server answers no NDJSON; loading answers one object and no stream, so it has no success line.
- Only the steps that write files can find a full disk, a missing permission or a read-only folder; creating, loading and
  measuring write through the engine, into folders that were written to a moment ago.
- A port is taken once; a server ends or hangs while something is asked of it; memory runs out when the model is loaded.
- Entries among the things started at login are made without asking the server anything; so are the last documents.
";

/// The whole page, made of what was seen of every cell.
pub fn page(seen: &[Seen]) -> String {
    let mut page = HEAD.to_owned();
    page.push_str("| |");
    for step in Step::ALL {
        page.push_str(&format!(" {} |", step.name().replace('_', " ")));
    }
    page.push_str("\n|---|");
    page.push_str(&"---|".repeat(Step::ALL.len()));
    page.push('\n');
    for fault in Fault::ALL {
        page.push_str(&row(fault.title(), |step| {
            seen.iter().find(|seen| seen.cell.step == step && seen.cell.fault == fault).map(word)
        }));
        if fault == Fault::DiskFull {
            page.push_str(&row("disk full, a real one", |step| {
                small_disk::STEPS.contains(&step).then_some("stops")
            }));
        }
    }
    let count = |wanted: &str| seen.iter().filter(|seen| word(seen) == wanted).count();
    page.push_str(&format!(
        "\n{} of {} cells have a meaning and are struck twice, {} runs into a fault in all: {} end well, {} stop, {} \
         either. After each, {} of {} second runs finish, and {} of {} are taken back without a trace. A real full disk is \
         met at {} steps more, twice each.\n",
        seen.len(),
        Fault::ALL.len() * Step::ALL.len(),
        2 * seen.len(),
        count("ends well"),
        count("stops"),
        count("either"),
        seen.iter().filter(|seen| seen.run_again).count(),
        seen.len(),
        seen.iter().filter(|seen| seen.taken_back).count(),
        seen.len(),
        small_disk::STEPS.len(),
    ));
    page.push_str(FOOT);
    page
}

fn row(title: &str, word: impl Fn(Step) -> Option<&'static str>) -> String {
    let words: Vec<&str> = Step::ALL.into_iter().map(|step| word(step).unwrap_or("–")).collect();
    format!("| {title} | {} |\n", words.join(" | "))
}

/// What the struck runs did. Where it is a matter of moments, it is not the same every time.
fn word(seen: &Seen) -> &'static str {
    match (seen.cell.run, seen.ended_well) {
        (Run::Either, _) => "either",
        (_, [true, true]) => "ends well",
        (_, [false, false]) => "stops",
        _ => "not the same twice",
    }
}
