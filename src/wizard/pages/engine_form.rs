//! Where the engine comes from and how the outside world is reached: a part of the advanced settings.

use std::path::PathBuf;

use eframe::egui::{ComboBox, Ui};

use super::PageContext;
use crate::install::fetch::parse_rate;
use crate::install::reuse::InstalledEngine;
use crate::install::{EngineChoice, EngineSource};
use crate::ollama::http::{HttpOptions, ProxyAddress};
use crate::ollama::release::Release;
use crate::say;
use crate::text::Text;
use crate::wizard::backend::{EngineDefaults, PathField, WorkerError};
use crate::wizard::theme::{TextRole, Tone};
use crate::wizard::widgets::{ButtonStyle, UiExt as _, banner, button_width, labelled, text_field};

/// What can be chosen and typed about it.
#[derive(Clone, Debug, Default)]
pub struct EngineForm {
    start: EngineSource,
    here: Option<InstalledEngine>,
    wanted: Wanted,
    newest: Newest,
    /// Addresses under which the release's files lie, apart by spaces.
    pub mirrors: String,
    /// An archive that is on this computer; empty for a download.
    pub archive: String,
    /// A proxy; empty for the system's.
    pub proxy: String,
    /// Certificates to trust besides the system's.
    pub ca_file: String,
    /// Rate limit, as curl writes it; empty for none.
    pub rate: String,
}

/// Which engine is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Wanted {
    /// The one that is here.
    Here,
    /// The one this program was made with, or the one of the list it was started with.
    #[default]
    Pinned,
    /// The newest one.
    Newest,
}

/// What is known about the newest one.
#[derive(Clone, Debug, Default)]
enum Newest {
    #[default]
    NotAsked,
    Asking,
    Found(Box<Release>),
    Failed(WorkerError),
}

impl EngineForm {
    /// As the program was started.
    pub fn new(start: EngineDefaults) -> Self {
        let source = start.source;
        let wanted = match (&start.here, start.wants_newest) {
            (_, true) => Wanted::Newest,
            (Some(_), false) => Wanted::Here,
            (None, false) => Wanted::Pinned,
        };
        let path = |path: Option<&PathBuf>| path.map(|path| path.display().to_string()).unwrap_or_default();
        // Shown without its password; what was not changed is used as it was given.
        let proxy = source.http.proxy.as_ref().map(ProxyAddress::to_string).unwrap_or_default();
        Self {
            here: start.here,
            wanted,
            newest: Newest::NotAsked,
            mirrors: source.mirrors.join(" "),
            archive: path(source.archives.first()),
            proxy,
            ca_file: path(source.http.ca_file.as_ref()),
            rate: source.max_bytes_per_s.map(|rate| rate.to_string()).unwrap_or_default(),
            start: source,
        }
    }

    /// For the HTTP clients. What cannot be read is left out: [`Self::is_complete`] keeps it from being used.
    pub fn http(&self) -> HttpOptions {
        let ca_file = Some(self.ca_file.trim()).filter(|path| !path.is_empty()).map(PathBuf::from);
        HttpOptions { proxy: self.typed_proxy().ok().flatten(), ca_file }
    }

    /// What the installation is asked to do.
    pub fn source(&self) -> EngineSource {
        let choice = match (self.wanted, &self.newest, &self.here) {
            _ if !self.archive.trim().is_empty() => self.start.choice.clone(),
            (Wanted::Newest, Newest::Found(release), _) => EngineChoice::Newest(release.clone()),
            (Wanted::Here, _, Some(engine)) => EngineChoice::Installed(engine.clone()),
            _ => self.start.choice.clone(),
        };
        let same_archive =
            self.start.archives.first().is_some_and(|path| path == std::path::Path::new(self.archive.trim()));
        let archives = match self.archive.trim() {
            "" => Vec::new(),
            _ if same_archive => self.start.archives.clone(),
            path => vec![PathBuf::from(path)],
        };
        EngineSource {
            choice,
            mirrors: self.mirrors.split_whitespace().map(str::to_owned).collect(),
            archives,
            http: self.http(),
            max_bytes_per_s: self.typed_rate().ok().flatten(),
        }
    }

    /// Whether everything that was typed can be used, and nothing is still being looked for.
    pub fn is_complete(&self) -> bool {
        let waits = self.wanted == Wanted::Newest && matches!(self.newest, Newest::NotAsked | Newest::Asking);
        let paths = [&self.archive, &self.ca_file].into_iter().map(|typed| typed.trim());
        let paths_are_whole =
            paths.filter(|path| !path.is_empty()).all(|path| PathBuf::from(path).is_absolute());
        let words_are_right =
            self.typed_proxy().is_ok() && self.typed_rate().is_ok() && self.mirrors_are_addresses();
        words_are_right && paths_are_whole && !waits
    }

    /// The newest release was looked for.
    pub fn newest_found(&mut self, found: Result<Box<Release>, WorkerError>) {
        if matches!(self.newest, Newest::Asking) {
            self.newest = found.map_or_else(Newest::Failed, Newest::Found);
        }
    }

    /// Looks for the newest release when it is wanted and was not asked for.
    pub fn look_for_newest(&mut self, cx: &PageContext<'_>) {
        if self.wanted == Wanted::Newest && matches!(self.newest, Newest::NotAsked) {
            self.newest = Newest::Asking;
            cx.backend.find_newest(self.source(), cx.text, cx.outbox.clone());
        }
    }

    fn typed_proxy(&self) -> Result<Option<ProxyAddress>, ()> {
        let typed = self.proxy.trim();
        let start = self.start.http.proxy.as_ref();
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
    pub fn show(&mut self, ui: &mut Ui, cx: &PageContext<'_>) {
        let text = cx.text;
        ui.text(TextRole::Strong, Tone::Ink, &say!(text, "wizard-engine"));
        self.which(ui, cx);
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

    fn which(&mut self, ui: &mut Ui, cx: &PageContext<'_>) {
        let text = cx.text;
        let pinned = cx.backend.engine_version().unwrap_or_default();
        let mut choices = vec![
            (Wanted::Pinned, say!(text, "wizard-engine-pinned", version = pinned.as_str())),
            (Wanted::Newest, say!(text, "wizard-engine-newest")),
        ];
        if let Some(here) = &self.here {
            choices
                .insert(0, (Wanted::Here, say!(text, "wizard-engine-here", version = here.version.as_str())));
        }
        let name = |wanted: Wanted| {
            let found = choices.iter().find(|choice| choice.0 == wanted);
            found.map(|choice| choice.1.clone()).unwrap_or_default()
        };
        labelled(ui, &say!(text, "wizard-engine-which"), |ui| {
            let width = ui.available_width();
            ComboBox::from_id_salt("engine").width(width).selected_text(name(self.wanted)).show_ui(
                ui,
                |ui| {
                    for (wanted, name) in &choices {
                        if ui.selectable_label(self.wanted == *wanted, name).clicked() {
                            self.wanted = *wanted;
                            if !matches!(self.newest, Newest::Found(_)) {
                                self.newest = Newest::NotAsked;
                            }
                        }
                    }
                },
            );
        });
        if self.wanted != Wanted::Newest {
            return;
        }
        match &self.newest {
            Newest::NotAsked | Newest::Asking => {
                ui.text(TextRole::Label, Tone::Soft, &say!(text, "newest-asking"));
            }
            Newest::Found(release) => {
                let found = say!(text, "wizard-engine-newest-found", version = release.version.as_str());
                ui.text(TextRole::Label, Tone::Soft, &found);
            }
            Newest::Failed(trouble) => {
                let words = say!(text, "newest-not-found", why = trouble.0.as_str(), version = pinned);
                banner(ui, Tone::Warning, &words);
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

/// A path that is typed or picked.
fn path_field(ui: &mut Ui, cx: &PageContext<'_>, label: &str, typed: &mut String, of: PathField) {
    let text: Text = cx.text;
    labelled(ui, label, |ui| {
        ui.horizontal(|ui| {
            let button = say!(text, "wizard-browse");
            let width = ui.available_width()
                - button_width(ui, ButtonStyle::Secondary, &button)
                - ui.spacing().item_spacing.x;
            text_field(ui, typed, "", width).accessible_name(label);
            let browse = ui.action(ButtonStyle::Secondary, &button, true);
            let browse = browse.accessible_name(say!(text, "wizard-browse-for", what = label));
            if browse.clicked() {
                cx.backend.pick_path(of, PathBuf::from(typed.trim()), cx.outbox.clone());
            }
        });
    });
    if !typed.trim().is_empty() && !PathBuf::from(typed.trim()).is_absolute() {
        ui.text(TextRole::Label, Tone::Refused, &say!(text, "wizard-folder-not-absolute"));
    }
}
