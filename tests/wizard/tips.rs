//! Optimization tips on Compatibility, Result and Manage.

use acolyte::install::manage::tips_after_installing;
use acolyte::machine::{DiskKind, DiskUse, Finding, Hardware};
use acolyte::models::Catalogue;
use acolyte::plan::{Profiles, Tip, plan_all};
use acolyte::sentences::profile_title;
use acolyte::text::Language;
use acolyte::wizard::backend::Message;

use super::scripted::{self, Scene};
use super::stage::{Eye, Stage};

/// The laptop on its battery, with a program on its card and its models on a hard disk.
fn troubled_laptop() -> Hardware {
    let mut hardware = scripted::laptop();
    let (gpu, bytes) = (hardware.gpus[0].name.clone(), 2 << 30);
    hardware.gpus[0].vram_free_bytes = Some(5_000 << 20);
    hardware.notes = vec![Finding::VramHeld { gpu, program: "blender".into(), bytes }, Finding::OnBattery];
    hardware.disks[0].kind = Some(DiskKind::Hdd);
    hardware.disks[0].used_for = vec![DiskUse::Engine, DiskUse::Models];
    hardware
}

#[test]
fn compatibility_shows_the_tips_of_what_is_selected() {
    for language in Language::ALL {
        let hardware = troubled_laptop();
        let report = plan_all(&hardware, Catalogue::built_in(), Profiles::built_in());
        let mut stage = Stage::new(Eye::blind(language), Scene::of(hardware.clone())).reach_compatibility();
        let of_machine = report.tips(&hardware);
        assert!(of_machine.len() >= 3, "{of_machine:?}");
        assert!(stage.sees(&stage.say("tip-title")));
        for tip in &of_machine {
            assert!(stage.sees(&tip.text(stage.text)), "{tip:?}");
        }
        // A larger profile, whose layers the program keeps from the card.
        let profile = report.find("hybrid_8gb_quality").unwrap();
        let own = acolyte::plan::tips(profile, &hardware);
        let close = own.iter().find(|tip| matches!(tip, Tip::CloseGpuPrograms { .. })).unwrap();
        assert!(!stage.sees(&close.text(stage.text)));
        stage.press_row(&profile_title("hybrid_8gb_quality", stage.text));
        for tip in &own {
            assert!(stage.sees(&tip.text(stage.text)), "{tip:?}");
        }
    }
}

#[test]
fn a_machine_without_trouble_gets_no_card_of_tips() {
    let mut hardware = scripted::workstation();
    hardware.gpus[0].driver_version = Some("580.95".into());
    let stage = Stage::new(Eye::blind(Language::English), Scene::of(hardware)).reach_compatibility();
    assert!(!stage.sees(&stage.say("tip-title")));
}

#[test]
fn result_shows_the_tips_of_what_was_installed() {
    for language in Language::ALL {
        let hardware = troubled_laptop();
        let mut stage = Stage::new(Eye::blind(language), Scene::of(hardware.clone())).reach_install();
        let (request, outbox) = stage.installation();
        let receipt = scripted::receipt(&request);
        let plan = receipt.kept_plan(request.plan.clone());
        let tips = tips_after_installing(&plan, &hardware, receipt.tuning.is_some());
        assert!(tips.contains(&Tip::PlugIn), "{tips:?}");
        outbox.send(Message::InstallEnded(Ok(Box::new(receipt))));
        stage.harness.run();
        for tip in &tips {
            assert!(stage.sees(&tip.text(stage.text)), "{tip:?}");
        }
    }
}

#[test]
fn manage_shows_the_tips_of_what_is_installed() {
    for language in Language::ALL {
        let stage = Stage::new(Eye::blind(language), Scene::of(scripted::laptop())).reach_install();
        let installation = scripted::installation(&stage.installation().0, language);
        let scene =
            |tips| Scene { installation: Some(installation.clone()), tips, ..Scene::of(scripted::laptop()) };
        let tips = vec![Tip::PlugIn, Tip::EndPowerSaving];
        let stage = Stage::new(Eye::blind(language), scene(tips.clone()));
        for tip in &tips {
            assert!(stage.sees(&tip.text(stage.text)), "{tip:?}");
        }
        let stage = Stage::new(Eye::blind(language), scene(Vec::new()));
        assert!(!stage.sees(&stage.say("tip-title")));
    }
}
