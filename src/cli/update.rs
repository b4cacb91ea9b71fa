//! `acolyte update`: what is newer, and its installation; and the daily look that comes with `acolyte status`.

use std::io::IsTerminal as _;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use serde::Serialize;

use crate::SCHEMA;
use crate::cli::args::{InstallArgs, Switch, UpdateArgs};
use crate::cli::ask::confirm;
use crate::cli::interrupt::cancel_on_ctrl_c;
use crate::cli::output::{print, print_line_of_json};
use crate::cli::{Failure, Session, install};
use crate::control::Control;
use crate::install::updates::{UpdateSource, Updates, UpdatesFile, check_for_updates};
use crate::install::{EngineChoice, InstallError, Installed, Paths};
use crate::platform::clock::since_1970;
use crate::say;

/// How long `status` waits for an answer that is still missing when everything else is printed.
const PATIENCE: Duration = Duration::from_secs(1);

/// What `--json` prints.
#[derive(Serialize)]
struct UpdatesJson<'a> {
    schema: u32,
    /// Whether it is looked for once a day.
    daily: bool,
    #[serde(flatten)]
    updates: &'a Updates,
}

/// Looks for newer versions, shows them, and installs engine and model if the user wants to.
///
/// # Errors
/// When nothing is installed, or the installation fails.
pub fn run(args: &UpdateArgs, session: &Session) -> Result<u8, Failure> {
    let text = session.text;
    let paths = Paths::new(&session.home);
    let Some(installed) = Installed::load(&session.home).map_err(|error| Failure::of_install(error, text))?
    else {
        return Err(Failure::of_install(InstallError::NotInstalled { home: session.home.clone() }, text));
    };
    if let Some(daily) = args.daily {
        UpdatesFile::set_daily(&paths, daily == Switch::On)
            .map_err(|error| Failure::of_install(error, text))?;
        session.tell(&match daily {
            Switch::On => say!(text, "updates-daily-on"),
            Switch::Off => say!(text, "updates-daily-off"),
        });
        return Ok(0);
    }
    let source = match &args.list {
        Some(file) => UpdateSource::read(file).map_err(|error| Failure::usage(error.explain(text)))?,
        None => UpdateSource::built_in().clone(),
    };
    let control = Control::new();
    cancel_on_ctrl_c(&control)?;
    let updates = check_for_updates(&paths, &source, &control);
    let updates = updates.map_err(|error| Failure::of_install(error, text))?;
    if args.json {
        let daily = UpdatesFile::load(&paths).map_err(|error| Failure::of_install(error, text))?.daily;
        print_line_of_json(&UpdatesJson { schema: SCHEMA, daily, updates: &updates })?;
    } else {
        print(&words(&updates, &installed, session))?;
    }
    for problem in &updates.problems {
        session.tell(&say!(text, "updates-problem", problem = problem));
    }
    if args.check || updates.engine.is_none() && updates.model.is_none() {
        return Ok(0);
    }
    let may_ask = std::io::stdin().is_terminal() && !args.json;
    if !args.yes && (!may_ask || !confirm(&say!(text, "updates-ask"), session)?) {
        return Ok(0);
    }
    let engine = updates.engine.map(|engine| match engine.signed {
        Some(release) => EngineChoice::Signed(release),
        None => EngineChoice::Pinned,
    });
    install::again(
        InstallArgs {
            yes: args.yes,
            json: args.json,
            accept_degraded: args.accept_degraded,
            engine,
            refresh_model: updates.model.is_some(),
            plan: args.plan.clone(),
            ..InstallArgs::default()
        },
        session,
    )
}

fn words(updates: &Updates, installed: &Installed, session: &Session) -> String {
    let lines = updates.lines(installed, session.text);
    match (lines.is_empty(), updates.problems.is_empty()) {
        (true, true) => say!(session.text, "updates-none") + "\n",
        (true, false) => String::new(),
        (false, _) => lines.join("\n") + "\n",
    }
}

/// The daily look while something else is done.
pub struct DailyLook {
    paths: Paths,
    answer: Option<Receiver<()>>,
}

impl DailyLook {
    /// Begins it on a thread, if the user wants it and it is due.
    pub fn begin(session: &Session) -> Self {
        let paths = Paths::new(&session.home);
        let is_due = UpdatesFile::load(&paths).is_ok_and(|file| file.is_due(since_1970().as_secs()));
        let answer = is_due.then(|| {
            let (sender, receiver) = mpsc::channel();
            let paths = paths.clone();
            let look = move || {
                if let Err(error) = check_for_updates(&paths, UpdateSource::built_in(), &Control::new()) {
                    tracing::info!(%error, "could not look for newer versions");
                }
                // The receiver may have lost patience.
                let _nobody_waits = sender.send(());
            };
            // Without a thread nothing is looked for today.
            let _thread = std::thread::Builder::new().name("updates".to_owned()).spawn(look);
            receiver
        });
        Self { paths, answer }
    }

    /// What is known to be newer. Waits a second at most for what is still being looked for.
    pub fn known(self, installed: &Installed) -> Updates {
        if let Some(answer) = self.answer {
            // Late news are shown next time.
            let _late = answer.recv_timeout(PATIENCE);
        }
        UpdatesFile::load(&self.paths).unwrap_or_default().found.still_newer(installed)
    }
}
