//! The summary shows the plan's needs of the chosen drives in their current state.

use acolyte::install::InstallOptions;
use acolyte::plan::Inventory;
use acolyte::sentences::drive_short;
use acolyte::text::Language;
use acolyte::wizard::backend::Message;
use acolyte::wizard::flow::Page;

use super::scripted::{self, Scene};
use super::stage::{Eye, Stage};

fn download_bytes(stage: &Stage) -> u64 {
    match stage.harness.state().page() {
        Page::Summary(page) => page.profile.choice.plan.disk_needs.download_bytes(),
        _ => panic!("not on the summary"),
    }
}

#[test]
fn the_figures_are_those_of_the_plan_and_of_the_installation() {
    for language in Language::ALL {
        let mut stage = Stage::new(Eye::blind(language), Scene::of(scripted::laptop())).reach_summary();
        let bytes = download_bytes(&stage);
        assert!(bytes > 1_400_000_000 && stage.sees(&stage.text.file_size(bytes)));
        let Page::Summary(page) = stage.harness.state().page() else { panic!("not on the summary") };
        let written = page.profile.choice.plan.disk_needs.written_bytes();
        assert!(written > bytes && stage.sees(&stage.text.file_size(written)), "archive and unpacked engine");
        stage.click("wizard-install");
        let plan = stage.installation().0.plan;
        assert_eq!(plan.disk_needs.download_bytes(), bytes);
        assert_eq!(plan.disk_needs.engine_version.as_deref(), Some("0.32.15"));
    }
}

#[test]
fn a_drive_with_too_little_space_is_named_with_its_needs() {
    for language in Language::ALL {
        let scene = Scene { free_bytes: Some(2_000_000_000), ..Scene::of(scripted::laptop()) };
        let stage = Stage::new(Eye::blind(language), scene).reach_summary();
        let Page::Summary(page) = stage.harness.state().page() else { panic!("not on the summary") };
        let drive = page.profile.choice.plan.disk_needs.shortest().unwrap();
        let words = drive_short(drive, stage.text);
        assert!(words.contains(&stage.text.file_size(drive.needed_bytes())));
        assert!(stage.sees(&words), "{words}");
    }
}

#[test]
fn an_inventory_of_other_drives_is_ignored() {
    let mut stage = Stage::new(Eye::blind(Language::English), Scene::of(scripted::laptop())).reach_summary();
    let before = download_bytes(&stage);
    let outbox = stage.desk.borrow().outbox.clone().unwrap();
    let other = Box::new(InstallOptions::usual("/mnt/other".as_ref()));
    outbox.send(Message::Inventory(other, Inventory::default()));
    stage.harness.run();
    assert_eq!(download_bytes(&stage), before);
}

#[test]
fn the_watcher_is_a_tick_that_is_off() {
    for language in Language::ALL {
        for ticked in [true, false] {
            let mut stage = Stage::new(Eye::blind(language), Scene::of(scripted::laptop())).reach_summary();
            if ticked {
                stage.tick("wizard-watch");
            }
            stage.click("wizard-install");
            assert_eq!(stage.installation().0.options.watch, ticked);
        }
    }
}
