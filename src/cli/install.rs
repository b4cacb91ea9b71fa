//! `acolyte install`: plans, shows what it will do, asks for confirmation, and installs.

use std::io::IsTerminal as _;
use std::sync::Arc;

use crate::cli::args::InstallArgs;
use crate::cli::ask::confirm;
use crate::cli::detect::hardware_of;
use crate::cli::interrupt::cancel_on_ctrl_c;
use crate::cli::output::talk;
use crate::cli::profiles::{exit_code, exit_code_of_failed, profiles_of, require_profile};
use crate::cli::progress::Printer;
use crate::cli::undo::{Interrupted, offer};
use crate::cli::{Failure, Session, keep, model, source};
use crate::control::Control;
use crate::install::{
    Agreement, EngineChoice, InstallError, InstallOptions, Installed, Paths, PublishedModel, Receipt,
    Request, SavedRequest, is_to_be_read, read_published_model, take_inventory,
};
use crate::machine::Hardware;
use crate::models::{Catalogue, KvCacheType};
use crate::ollama::lookup::LookupError;
use crate::plan::{
    CUSTOM_ID, Candidate, EMERGENCY_ID, Layers, Plan, Profiles, Role, Verdict, candidates, custom_candidate,
    emergency_candidate, find_choices, make_plan, plan_all, plan_for_file,
};
use crate::say;
use crate::sentences::{consent_text, disk_summary, file_sentences, profile_title, reading_file};
use crate::untrusted::UntrustedText;

/// Runs the command.
///
/// # Errors
/// The failure to show the user.
pub fn run(args: &InstallArgs, session: &Session) -> Result<u8, Failure> {
    let may_ask = !args.yes && std::io::stdin().is_terminal();
    match offer(args, may_ask, session)? {
        Interrupted::None => begin(args, None, session),
        Interrupted::Resume(saved) => begin(&resumed_args(args, &saved), Some(&saved), session),
        Interrupted::Undone(code) => Ok(code),
        Interrupted::Later => Ok(1),
    }
}

/// The arguments of the interrupted installation, overridden by those given now.
fn resumed_args(args: &InstallArgs, saved: &SavedRequest) -> InstallArgs {
    let mut args = args.clone();
    let options = saved.options.clone();
    args.emergency_cpu = saved.is_cpu_only();
    match saved.profile.as_str() {
        // A search may find another model now: what was interrupted is finished.
        id if [CUSTOM_ID, EMERGENCY_ID].contains(&id) || Role::of_id(id).is_some() => {
            match &saved.model_file {
                Some(path) => args.source.model_file = Some(path.0.clone()),
                None => args.source.model = Some(saved.model.as_str().to_owned()),
            }
        }
        profile => args.profile = Some(profile.to_owned()),
    }
    if let EngineChoice::Signed(_) = &options.source.choice {
        args.engine = args.engine.or_else(|| Some(options.source.choice.clone()));
    }
    if source::is_default(&args.source) {
        source::restore(&mut args.source, options.source);
    }
    args.source.insecure_registry |= options.insecure_registry;
    args.port = args.port.or(options.port);
    args.models_dir = args.models_dir.or(Some(options.models_dir));
    args.no_autostart |= !options.autostart;
    args.watch |= options.watch && !args.no_autostart;
    args.no_tune |= !options.tune;
    args
}

/// Installs what the arguments name. Consent given before the interruption is still valid when it covers the current
/// plan.
fn begin(args: &InstallArgs, resumed: Option<&SavedRequest>, session: &Session) -> Result<u8, Failure> {
    let profiles = profiles_of(args.plan.profiles.as_deref(), session)?;
    let hardware = hardware_of(args.plan.hardware.as_deref(), session)?;
    let plan = chosen_plan(args, resumed, session, &profiles, &hardware)?;
    go_on(args, plan, resumed, &Machine { hardware: &hardware, profiles: &profiles }, session)
}

/// Installs a plan that the user has seen, for this computer as it was then; asks as [`run`] does.
///
/// # Errors
/// The failure to show the user.
pub fn go_on_with(
    plan: Plan,
    hardware: &Hardware,
    profiles: &Profiles,
    session: &Session,
) -> Result<u8, Failure> {
    let args = InstallArgs { emergency_cpu: plan.candidate.is_cpu_only(), ..InstallArgs::default() };
    match offer(&args, true, session)? {
        Interrupted::None => go_on(&args, plan, None, &Machine { hardware, profiles }, session),
        Interrupted::Resume(saved) => begin(&resumed_args(&args, &saved), Some(&saved), session),
        Interrupted::Undone(code) => Ok(code),
        Interrupted::Later => Ok(1),
    }
}

/// Installs what is installed again, with what these arguments change.
///
/// # Errors
/// The failure to show the user; when nothing was installed by a request that can be read.
pub fn again(args: InstallArgs, session: &Session) -> Result<u8, Failure> {
    let text = session.text;
    let saved = SavedRequest::load(&Paths::new(&session.home));
    let saved = saved.map_err(|error| Failure::of_install(error, text))?;
    let saved = saved.ok_or_else(|| Failure::failed(say!(text, "install-cli-no-saved-request")))?;
    begin(&resumed_args(&args, &saved), Some(&saved), session)
}

/// What a plan was made for.
struct Machine<'a> {
    hardware: &'a Hardware,
    profiles: &'a Profiles,
}

fn go_on(
    args: &InstallArgs,
    plan: Plan,
    resumed: Option<&SavedRequest>,
    machine: &Machine<'_>,
    session: &Session,
) -> Result<u8, Failure> {
    let text = session.text;
    if plan.verdict == Verdict::Refused {
        refuse(&plan, session);
        return Ok(exit_code(Verdict::Refused));
    }
    let options = options(args, machine.hardware, session)?;
    let plan = with_published_file(plan, &options, machine.hardware, machine.profiles, session)?;
    if plan.verdict == Verdict::Refused {
        refuse(&plan, session);
        return Ok(exit_code(Verdict::Refused));
    }
    if args.emergency_cpu {
        // The costs are shown first, even if the user has agreed already.
        session.tell(&consent_text(&plan, text));
    }
    let plan = {
        let inventory = take_inventory(&options, std::slice::from_ref(&plan.candidate.model));
        plan.with_inventory(&inventory)
    };
    session.tell(&summary(&plan, &options, session));
    let may_ask = !args.yes && std::io::stdin().is_terminal();
    let keep = keep::wanted(args, may_ask, session)?;
    let degraded = plan.verdict == Verdict::Degraded;
    let agreed = resumed.is_some_and(|saved| saved.covers(&plan));
    if degraded && !args.accept_degraded && !agreed {
        if !args.emergency_cpu {
            session.tell(&consent_text(&plan, text));
        }
        if !may_ask {
            talk(&say!(text, "install-cli-consent-how"));
            return Ok(exit_code(Verdict::Degraded));
        }
        if !confirm(&say!(text, "plan-consent-ask"), session)? {
            return Ok(exit_code(Verdict::Degraded));
        }
    }
    if !args.yes {
        if !may_ask {
            return Err(Failure::usage(say!(text, "install-cli-cannot-ask")));
        }
        if !confirm(&say!(text, "install-cli-ask"), session)? {
            return Ok(1);
        }
    }
    let agreement = Agreement {
        limits: degraded,
        fewer_layers: args.accept_degraded || agreed,
        kv_q4: args.accept_degraded.then_some(true).or(resumed.and_then(|saved| saved.accept_kv_q4)),
        unverified_model: args
            .accept_unverified_model
            .then_some(true)
            .or(resumed.and_then(|saved| saved.accept_unverified_model)),
    };
    let reference = plan.candidate.model.name.as_str().into();
    let request = Request::new(plan, agreement, options)
        .ok_or_else(|| Failure::usage(LookupError::Unknown { reference }.explain(text)))?;
    let code = carry_out(request, args.json, may_ask, session)?;
    if let Some(programs) = keep.filter(|_| code == 0) {
        keep::after_install(&programs, session)?;
    }
    Ok(code)
}

/// The plan for the file that will be downloaded, which can differ from the catalogue's. Says what was found. Nothing has
/// changed yet, so Ctrl-C simply ends the program.
fn with_published_file(
    plan: Plan,
    options: &InstallOptions,
    hardware: &Hardware,
    profiles: &Profiles,
    session: &Session,
) -> Result<Plan, Failure> {
    let text = session.text;
    let model = &plan.candidate.model;
    if is_to_be_read(model) {
        session.tell(&reading_file(model, text));
    }
    let published = read_published_model(options, model, &Control::new())
        .unwrap_or_else(|_| PublishedModel::unread(Arc::clone(model)));
    if let Some(refusal) = published.refusal() {
        return Err(Failure::failed(refusal.explain(text)));
    }
    for sentence in file_sentences(&published.model, published.problem.as_deref(), text) {
        session.tell(&sentence);
    }
    if Arc::ptr_eq(&published.model, model) {
        return Ok(plan);
    }
    Ok(plan_for_file(&plan, published.model, hardware, profiles))
}

/// Installs, with progress on the terminal; Ctrl-C cancels.
fn carry_out(mut request: Request, json: bool, may_ask: bool, session: &Session) -> Result<u8, Failure> {
    let control = Control::new();
    cancel_on_ctrl_c(&control)?;
    let mut outcome = attempt(&request, json, &control, session);
    // Each question is asked once: with its answer the installation does not end with the same error.
    while may_ask
        && let Err(error) = &outcome
        && let Some(answer) = unanswered(error, &mut request.agreement)
    {
        session.tell(&error.explain(session.text));
        *answer = Some(confirm(&say!(session.text, "install-cli-ask-consent"), session)?);
        outcome = attempt(&request, json, &control, session);
    }
    match outcome {
        Ok(receipt) => {
            if !json {
                session.tell(&result(&receipt, &request, session));
            }
            Ok(0)
        }
        Err(error) => {
            Err(Failure { exit_code: exit_code_of_failed(&error), message: error.explain(session.text) })
        }
    }
}

/// The consent that is missing after this error.
fn unanswered<'a>(error: &InstallError, agreement: &'a mut Agreement) -> Option<&'a mut Option<bool>> {
    match error {
        InstallError::FourBitsNeedConsent { .. } => Some(&mut agreement.kv_q4),
        InstallError::UnverifiedModel { .. } => Some(&mut agreement.unverified_model),
        _ => None,
    }
}

fn attempt(
    request: &Request,
    json: bool,
    control: &Control,
    session: &Session,
) -> Result<Receipt, Arc<InstallError>> {
    let printer = Printer::new(json, session);
    let outcome = crate::install::run(request, &session.text, &|event| printer.print(&event), control);
    printer.finish();
    outcome
}

/// The plan to install: of the user's own model, the emergency mode, a choice or profile by name, or the recommended
/// choice.
fn chosen_plan(
    args: &InstallArgs,
    resumed: Option<&SavedRequest>,
    session: &Session,
    profiles: &Profiles,
    hardware: &Hardware,
) -> Result<Plan, Failure> {
    let catalogue = Catalogue::built_in();
    let restored = |candidate: Candidate| match resumed {
        Some(saved) => Candidate { id: saved.profile.clone().into(), ..saved.apply_to(candidate) },
        None => candidate,
    };
    if let Some(id) = &args.profile {
        require_profile(profiles, id, session)?;
    }
    let of_profile =
        |id: &str| candidates(profiles, catalogue).into_iter().find(|candidate| candidate.id == id);
    if let Some(model) = model::own_model(&args.source, resumed, session)? {
        // With a profile, only the model is replaced.
        let base = args.profile.as_deref().and_then(of_profile);
        let (kv, context) = base.map_or((KvCacheType::Q8_0, crate::MIN_CONTEXT_TOKENS), |base| {
            (base.kv_cache_type, base.context_tokens)
        });
        let layers = if args.emergency_cpu { Layers::Exactly(0) } else { Layers::Fit };
        let candidate = custom_candidate(model, kv, context, layers, &profiles.policy);
        return Ok(make_plan(&restored(candidate), hardware, &profiles.policy));
    }
    if args.emergency_cpu {
        let searched =
            || find_choices(hardware, catalogue, profiles).emergency_cpu.map(|plan| plan.candidate);
        let candidate = match args.profile.as_deref().and_then(of_profile) {
            Some(profile) => Some(Candidate { layers: Layers::Exactly(0), min_vram_gib: 0, ..profile }),
            None => searched().or_else(|| emergency_candidate(profiles, catalogue)),
        };
        let unknown = || Failure::failed(say!(session.text, "install-cli-no-emergency"));
        return Ok(make_plan(&restored(candidate.ok_or_else(unknown)?), hardware, &profiles.policy));
    }
    if let (Some(_), Some(candidate)) = (resumed, args.profile.as_deref().and_then(of_profile)) {
        return Ok(make_plan(&restored(candidate), hardware, &profiles.policy));
    }
    let report = plan_all(hardware, catalogue, profiles);
    let plan = match &args.profile {
        Some(id) => match Role::of_id(id) {
            Some(role) => report.choice(role).map(|choice| &choice.plan).or(report.plans.first()),
            None => report.find(id),
        },
        // If every profile is refused, the first one explains why.
        None => report.default_plan().or(report.plans.first()),
    };
    plan.cloned().ok_or_else(|| Failure::failed(say!(session.text, "install-cli-no-profile")))
}

fn options(args: &InstallArgs, hardware: &Hardware, session: &Session) -> Result<InstallOptions, Failure> {
    // Keep the models folder of the current installation.
    let current = Installed::load(&session.home).map_err(|error| Failure::of_install(error, session.text))?;
    let models_dir = args
        .models_dir
        .as_deref()
        .and_then(|folder| std::path::absolute(folder).ok())
        .or(current.map(|installed| installed.profile.models_dir))
        .unwrap_or_else(|| Paths::new(&session.home).models());
    let mut source = source::resolve(&args.source, hardware, session)?;
    if let Some(engine) = &args.engine {
        source.choice = engine.clone();
    }
    Ok(InstallOptions {
        home: session.home.clone(),
        models_dir,
        port: args.port,
        autostart: !args.no_autostart,
        source,
        watch: args.watch,
        insecure_registry: args.source.insecure_registry,
        tune: !args.no_tune,
        refresh_model: args.refresh_model,
        daily_updates: args.daily_updates.then_some(true),
    })
}

/// Prints why the plan is refused, and what the user can do.
fn refuse(plan: &Plan, session: &Session) {
    let text = session.text;
    talk(&say!(text, "install-cli-refused", profile = profile_title(&plan.candidate.id, text)));
    for reason in &plan.reasons {
        talk(&format!("- {}", reason.text(text)));
    }
    for improvement in &plan.improvements {
        talk(&format!("→ {}", improvement.text(text)));
    }
}

/// The summary of what will be done and where, shown before anything is changed.
fn summary(plan: &Plan, options: &InstallOptions, session: &Session) -> String {
    let (text, candidate) = (session.text, &plan.candidate);
    let summary = say!(
        text,
        "install-cli-summary",
        profile = profile_title(&candidate.id, text),
        model = candidate.model.title.as_str(),
        context = text.count(candidate.context_tokens.into()),
        kv = candidate.kv_cache_type.name(),
        layers = plan.gpu_layers(),
        total = plan.total_layers,
        speed = text.range(plan.speed.decode_tokens_per_s),
        home = UntrustedText::path(&options.home),
        models = UntrustedText::path(&options.models_dir),
        disk = disk_summary(&plan.disk_needs, text),
        engine = options.source.choice.version().unwrap_or_default(),
        engine_note = options.source.choice.note(text)
    );
    let experts = say!(
        text,
        "install-cli-experts",
        blocks = plan.setting.n_cpu_moe,
        total = plan.total_blocks(),
        batch = text.count(plan.setting.num_batch.into())
    );
    let experts = (plan.setting.n_cpu_moe > 0).then_some(experts);
    let doubts = plan.doubts().map(|reason| format!("! {}", reason.text(text)));
    [summary].into_iter().chain(experts).chain(doubts).collect::<Vec<_>>().join("\n")
}

/// Predictions and measurements.
fn result(receipt: &Receipt, request: &Request, session: &Session) -> String {
    let text = session.text;
    let unknown = || say!(text, "install-unknown");
    let (promised, measured) = (&receipt.predicted, &receipt.measured);
    let memory = |bytes: Option<u64>| bytes.map_or_else(unknown, |bytes| text.memory(bytes));
    let figure = |number: Option<f64>| number.map_or_else(unknown, |number| text.figure(number));
    let mut said = say!(
        text,
        "install-cli-result",
        context = measured.context_tokens.map_or_else(unknown, |tokens| text.count(tokens.into())),
        context_promised = text.count(promised.context_tokens.into()),
        kv = measured.kv_cache_type.clone().map_or_else(unknown, String::from),
        share = measured.gpu_share.map_or_else(unknown, |share| text.percent(share)),
        share_promised = text.percent(promised.gpu_share),
        vram = memory(measured.vram_bytes),
        vram_promised = text.memory(promised.vram_bytes),
        ram = memory(measured.ram_bytes),
        ram_promised = text.memory(promised.ram_bytes),
        speed = figure(measured.decode_tokens_per_s),
        speed_promised = text.range(promised.decode_tokens_per_s),
        wait = figure(measured.first_token_s),
        wait_promised = text.range(promised.first_token_s),
        tokens = text.count(measured.first_token_prompt_tokens.unwrap_or(0)),
        endpoint = format!("http://127.0.0.1:{}", receipt.port)
    );
    if promised.n_cpu_moe > 0 {
        let blocks = measured.n_cpu_moe.map_or_else(unknown, |blocks| blocks.to_string());
        let line = say!(
            text,
            "install-cli-result-experts",
            measured = blocks,
            promised = promised.n_cpu_moe.to_string()
        );
        said.push_str(&format!("\n{line}"));
    }
    for line in receipt.tuning.iter().flat_map(|tuning| tuning.receipt_lines(text)) {
        said.push('\n');
        said.push_str(&line);
    }
    for shortfall in &receipt.shortfalls {
        said.push_str("\n! ");
        said.push_str(&shortfall.words(text));
    }
    if let Some(banner) = receipt.banner(&receipt.kept_plan(request.plan.clone()), text) {
        said.push('\n');
        said.push_str(&banner);
    }
    said
}
