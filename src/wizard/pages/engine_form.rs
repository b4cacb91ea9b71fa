//! Which engine, where it comes from, proxy and certificates: a part of the advanced settings.

use std::path::PathBuf;

use eframe::egui::{ComboBox, Ui};

use super::path_field::path_field;
use super::{Intent, PageContext};
use crate::install::fetch::parse_rate;
use crate::install::reuse::InstalledEngine;
use crate::install::{EngineChoice, EngineSource};
use crate::ollama::http::{HttpOptions, ProxyAddress};
use crate::ollama::release::Release;
use crate::say;
use crate::wizard::backend::{PathField, WorkerError};
use crate::wizard::options::WizardOptions;
use crate::wizard::theme::{TextRole, Tone};
use crate::wizard::typed_path::TypedPath;
use crate::wizard::widgets::{UiExt as _, banner, labelled, text_field};

/// What is chosen and typed.
#[derive(Clone, Debug, Default)]
pub struct EngineForm {
    /// As the program was started.
    initial: EngineSource,
    reusable: Option<InstalledEngine>,
    wanted: WantedEngine,
    newest: NewestRelease,
    /// Base addresses of the release's files, separated by spaces.
    pub mirrors: String,
    /// An archive on this computer; empty for a download.
    pub archive: TypedPath,
    /// A proxy; empty for the system's.
    pub proxy: String,
    /// Certificates to trust besides the system's.
    pub ca_file: TypedPath,
    /// Rate limit as curl writes it; empty for none.
    pub rate: String,
}

/// Which engine is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum WantedEngine {
    /// The one on this computer.
    Reused,
    /// The pinned release, or the one of the list on the command line.
    #[default]
    Pinned,
    /// The newest release.
    Newest,
}

/// What is known about the newest release.
#[derive(Clone, Debug, Default)]
enum NewestRelease {
    #[default]
    Unknown,
    Searching,
    Found(Box<Release>),
    Failed(WorkerError),
}

impl EngineForm {
    /// As the program was started. `reusable`: an engine on this computer that may be used.
    pub fn new(options: &WizardOptions, reusable: Option<InstalledEngine>) -> Self {
        let initial = options.source.clone();
        let wanted = match &reusable {
            // The engine of an update.
            _ if matches!(options.source.choice, EngineChoice::Signed(_)) => WantedEngine::Pinned,
            _ if options.wants_newest => WantedEngine::Newest,
            Some(_) => WantedEngine::Reused,
            None => WantedEngine::Pinned,
        };
        let path =
            |path: Option<&PathBuf>| path.map(|path| TypedPath::from(path.as_path())).unwrap_or_default();
        // Displayed without its password; if the text is not changed, the given proxy is used.
        let proxy = initial.http.proxy.as_ref().map(ProxyAddress::to_string).unwrap_or_default();
        Self {
            reusable,
            wanted,
            newest: NewestRelease::Unknown,
            mirrors: initial.mirrors.join(" "),
            archive: path(initial.archives.first()),
            proxy,
            ca_file: path(initial.http.ca_file.as_ref()),
            rate: initial.max_bytes_per_s.map(|rate| rate.to_string()).unwrap_or_default(),
            initial,
        }
    }

    /// Proxy and certificates. An invalid proxy is omitted; [`Self::is_complete`] is false then.
    pub fn http(&self) -> HttpOptions {
        let ca_file = (!self.ca_file.is_empty()).then(|| self.ca_file.path());
        HttpOptions { proxy: self.typed_proxy().ok().flatten(), ca_file }
    }

    /// The engine that is chosen.
    pub fn engine(&self) -> EngineChoice {
        match (self.wanted, &self.newest, &self.reusable) {
            _ if self.uses_archive() => self.initial.choice.clone(),
            (WantedEngine::Newest, NewestRelease::Found(release), _) => EngineChoice::Newest(release.clone()),
            (WantedEngine::Reused, _, Some(engine)) => EngineChoice::Installed(engine.clone()),
            _ => self.initial.choice.clone(),
        }
    }

    /// Whether the engine is unpacked from an archive on this computer.
    pub fn uses_archive(&self) -> bool {
        !self.archive.is_empty()
    }

    /// Everything about the engine that an installation needs to know.
    pub fn source(&self) -> EngineSource {
        let archive = self.archive.path();
        let archives = match self.initial.archives.first() {
            _ if self.archive.is_empty() => Vec::new(),
            Some(first) if *first == archive => self.initial.archives.clone(),
            _ => vec![archive],
        };
        EngineSource {
            choice: self.engine(),
            mirrors: self.mirrors.split_whitespace().map(str::to_owned).collect(),
            archives,
            http: self.http(),
            max_bytes_per_s: self.typed_rate().ok().flatten(),
        }
    }

    /// Whether everything that is typed is valid, and no search is running.
    pub fn is_complete(&self) -> bool {
        let searching = self.wanted == WantedEngine::Newest
            && matches!(self.newest, NewestRelease::Unknown | NewestRelease::Searching);
        let mut paths = [&self.archive, &self.ca_file].into_iter().filter(|path| !path.is_empty());
        !searching
            && self.typed_proxy().is_ok()
            && self.typed_rate().is_ok()
            && self.mirrors_are_addresses()
            && paths.all(TypedPath::is_absolute)
    }

    /// Marks the search for the newest release as running; returns where to search. `None` if that release is not wanted or
    /// already known.
    pub fn begin_search(&mut self) -> Option<EngineSource> {
        let begins = self.wanted == WantedEngine::Newest && matches!(self.newest, NewestRelease::Unknown);
        begins.then(|| {
            self.newest = NewestRelease::Searching;
            self.source()
        })
    }

    /// Ends the search.
    pub fn newest_found(&mut self, found: Result<Box<Release>, WorkerError>) {
        if matches!(self.newest, NewestRelease::Searching) {
            self.newest = found.map_or_else(NewestRelease::Failed, NewestRelease::Found);
        }
    }

    fn typed_proxy(&self) -> Result<Option<ProxyAddress>, ()> {
        let typed = self.proxy.trim();
        let start = self.initial.http.proxy.as_ref();
        match typed {
            "" => Ok(None),
            _ if start.is_some_and(|start| start.to_string() == typed) => Ok(start.cloned()),
            _ => typed.parse().map(Some).map_err(|_| ()),
        }
    }

    fn typed_rate(&self) -> Result<Option<u64>, ()> {
        match self.rate.trim() {
            "" => Ok(None),
            typed => parse_rate(typed).map(Some).ok_or(()),
        }
    }

    fn mirrors_are_addresses(&self) -> bool {
        self.mirrors.split_whitespace().all(|mirror| {
            reqwest::Url::parse(mirror).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
        })
    }

    /// Draws it.
    pub fn show(&mut self, ui: &mut Ui, cx: &mut PageContext<'_>) {
        let text = cx.text;
        ui.text(TextRole::Strong, Tone::Ink, &say!(text, "wizard-engine"));
        self.engines(ui, cx);
        path_field(ui, cx, &say!(text, "wizard-engine-archive"), &mut self.archive, PathField::Archive);
        let label = say!(text, "wizard-engine-mirror");
        field(ui, &label, &mut self.mirrors, "https://");
        if !self.mirrors_are_addresses() {
            ui.text(TextRole::Label, Tone::Refused, &say!(text, "wizard-engine-mirror-wrong"));
        }
        ui.gap(2.0);
        ui.text(TextRole::Strong, Tone::Ink, &say!(text, "wizard-network"));
        let hint = say!(text, "wizard-network-proxy-hint");
        field(ui, &say!(text, "wizard-network-proxy"), &mut self.proxy, &hint);
        if self.typed_proxy().is_err() {
            ui.text(TextRole::Label, Tone::Refused, &say!(text, "wizard-network-proxy-wrong"));
        }
        path_field(ui, cx, &say!(text, "wizard-network-ca"), &mut self.ca_file, PathField::Certificates);
        let hint = say!(text, "wizard-network-rate-hint");
        field(ui, &say!(text, "wizard-network-rate"), &mut self.rate, &hint);
        if self.typed_rate().is_err() {
            ui.text(TextRole::Label, Tone::Refused, &say!(text, "wizard-network-rate-wrong"));
        }
    }

    fn engines(&mut self, ui: &mut Ui, cx: &mut PageContext<'_>) {
        let text = cx.text;
        let pinned = cx.engine_version.unwrap_or_default();
        let mut choices = vec![
            (WantedEngine::Pinned, say!(text, "wizard-engine-pinned", version = pinned)),
            (WantedEngine::Newest, say!(text, "wizard-engine-newest")),
        ];
        if let Some(engine) = &self.reusable {
            let name = say!(text, "wizard-engine-here", version = engine.version.as_str());
            choices.insert(0, (WantedEngine::Reused, name));
        }
        let name = |wanted: WantedEngine| {
            let choice = choices.iter().find(|choice| choice.0 == wanted);
            choice.map(|choice| choice.1.clone()).unwrap_or_default()
        };
        labelled(ui, &say!(text, "wizard-engine-version"), |ui| {
            let width = ui.available_width();
            ComboBox::from_id_salt("engine").width(width).selected_text(name(self.wanted)).show_ui(
                ui,
                |ui| {
                    for (wanted, name) in &choices {
                        if ui.selectable_label(self.wanted == *wanted, name).clicked() {
                            self.wanted = *wanted;
                            if !matches!(self.newest, NewestRelease::Found(_)) {
                                self.newest = NewestRelease::Unknown;
                            }
                            cx.intents.push(Intent::LookForNewest);
                        }
                    }
                },
            );
        });
        if self.wanted != WantedEngine::Newest {
            return;
        }
        match &self.newest {
            NewestRelease::Unknown | NewestRelease::Searching => {
                ui.text(TextRole::Label, Tone::Soft, &say!(text, "newest-asking"));
            }
            NewestRelease::Found(release) => {
                let found = say!(text, "wizard-engine-newest-found", version = release.version.as_str());
                ui.text(TextRole::Label, Tone::Soft, &found);
            }
            NewestRelease::Failed(error) => {
                let why = error.explain(text);
                banner(ui, Tone::Warning, &say!(text, "newest-not-found", why = why, version = pinned));
            }
        }
    }
}

fn field(ui: &mut Ui, label: &str, typed: &mut String, hint: &str) {
    labelled(ui, label, |ui| {
        let width = ui.available_width();
        text_field(ui, typed, hint, width).accessible_name(label);
    });
}
