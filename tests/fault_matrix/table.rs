//! Makes `docs/fault-matrix.md` from the results of the cells.

use crate::cells::{Fault, Run, Step};
use crate::inject::Seen;
use crate::small_disk;

const HEAD: &str = "\
# What happens when something goes wrong

Every step of an installation is tested against every fault, with real processes: the program, a stand-in for Ollama that
answers as recorded from the real one, and a faulty mirror and registry. `cargo test --test fault_matrix` injects each
fault twice. After the first run the installation is **run again** and must succeed, with one server, one loaded model and
nothing unfinished; after the second it is **undone** (`acolyte undo`) and must leave no file, folder or process behind.
If the run with the fault succeeds anyway, it is uninstalled instead of undone, with the same requirement.

The test makes this page from its results and fails if the page differs (`UPDATE_FAULT_MATRIX=1` updates it).

- **succeeds**: the run with the fault continues and finishes.
- **stops**: it ends with an error message; the profile that was active before, if any, stays active.
- **either**: the run may have finished before the fault took effect; or, where only a stated length is wrong, all bytes
  may have arrived, which the hash confirms.
- **–**: the fault does not apply to this step; the reasons are below.

";

const FOOT: &str = "
## How the faults are made

- Kills and Ctrl-C happen at events that the program reports (`--json`): when a step begins, or right after it ended. No
  test waits for a fixed time.
- *Disk full*: at the check, a release that claims more bytes than any disk has. While downloading and unpacking, and when
  the last documents are written, a limit on the size of files (`RLIMIT_FSIZE` with its signal ignored), which works on
  every system: writes fail with \"File too large\" instead of \"No space left on device\". The model is written by the engine,
  so the stand-in reports the error that was recorded from the real one.
- *Disk really full*: a tmpfs in the test's own namespaces, shrunk while the program runs until nothing more fits. It is
  enlarged before the installation is run again; undo runs while it is still full. Where the system does not let tests
  mount file systems, this row is skipped with a message.
- A run that fails must fail in the tested step, with a message; where a folder is closed, or files are limited, before the
  program starts, in the first step, which tries what later ones do. A login entry that cannot be written fails nothing. The engine is unpacked while it downloads, so a fault of
  unpacking can occur before the last byte has arrived.
- *No permission*: a folder that nobody may enter or list. *Read-only*: a folder that may be read but not written. When the
  tests run as root, to whom permissions do not apply, the program runs as an unprivileged user.
- *Stall*, *server hangs* and a server that answers 500 from its start: the user presses Ctrl-C, which the program must
  handle while it waits.
- *Clamped context* of a model whose file does not support the context is final: another profile is installed afterwards.
- *503, then OK*, *ranges ignored*, *changed file*, *one byte flipped* (of the model) and *disconnect* (twice) are handled
  within the run.

## Why some cells are empty

- Network faults (disconnect to redirect loop) apply to the two steps that download and, as far as the engine can answer
  that way, to the steps that talk to it. A redirect to plain http during a pull is the engine's own decision; what it
  downloads is verified by its digest.
- The archive that is unpacked was verified just before, so it cannot be truncated or changed any more.
- Starting the server returns no NDJSON; loading returns one object instead of a stream, so it has no success line.
- Only steps that write files can find a full disk, a missing permission or a read-only folder. Creating, loading and
  measuring write through the engine, into folders that were written to just before.
- A port is taken once; a server exits or hangs while it handles a request; memory runs out when the model is loaded.
- Login entries and the last documents are written without a request to the server.
";

/// The page for these results.
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
            page.push_str(&row("disk really full", |step| {
                small_disk::STEPS.contains(&step).then_some("stops")
            }));
        }
    }
    let count = |wanted: &str| seen.iter().filter(|seen| word(seen) == wanted).count();
    page.push_str(&format!(
        "\n{} of {} cells apply and are tested twice, which makes {} runs with a fault: {} cells succeed, {} stop, {} do \
         either. Of the runs after the first, {} of {} succeed, and {} of {} undos leave nothing behind. A really full \
         disk is tested at {} steps, twice each.\n",
        seen.len(),
        Fault::ALL.len() * Step::ALL.len(),
        2 * seen.len(),
        count("succeeds"),
        count("stops"),
        count("either"),
        seen.iter().filter(|seen| seen.run_again).count(),
        seen.len(),
        seen.iter().filter(|seen| seen.undone).count(),
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

/// The result of a cell. Where it depends on timing, the two runs may differ.
fn word(seen: &Seen) -> &'static str {
    match (seen.cell.run, seen.succeeded) {
        (Run::Either, _) => "either",
        (_, [true, true]) => "succeeds",
        (_, [false, false]) => "stops",
        _ => "varies",
    }
}
