//! Newer versions: what is asked and when, what is believed, and what an update changes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![cfg(unix)]

mod common;
#[allow(dead_code, reason = "the module of cargo xtask, which uses all of it")]
#[path = "../installer/xtask/src/plan.rs"]
mod plan;
#[allow(dead_code, reason = "the module of cargo xtask, which uses all of it")]
#[path = "../installer/xtask/src/publish/mod.rs"]
mod publish;

use std::io::Cursor;

use common::archive::{Format, engine_archive};
use common::gguf::Shape;
use common::mirror::Fault;
use common::world::{Said, World};
use minisign::KeyPair;
use plan::{CHECKSUMS, Form};
use publish::list::{list_of, renewed, signature_of};
use publish::packages::Packages;
use publish::versions::Checkout;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use time::Duration;

/// Where the lists of a world are, and the key that signs them.
struct Publisher<'a> {
    world: &'a World,
    keys: KeyPair,
}

impl<'a> Publisher<'a> {
    fn new(world: &'a World) -> Self {
        let keys = KeyPair::generate_unencrypted_keypair().unwrap();
        let address = format!("{}/updates", world.mirror.url());
        let source = json!({"schema": 1, "addresses": [address], "public_key": keys.pk.to_base64()});
        world.write("updates.yaml", &source);
        Self { world, keys }
    }

    fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        let signature = minisign::sign(Some(&self.keys.pk), &self.keys.sk, Cursor::new(bytes), None, None);
        signature.unwrap().into_string().into_bytes()
    }

    /// Publishes a list with this serial number, of this program and these parts.
    fn publish(&self, serial: u64, more: &Value) {
        let mut list = json!({
            "schema": 1, "serial": serial, "valid_until": "2200-01-01T00:00:00Z",
            "program": {"version": env!("CARGO_PKG_VERSION"), "page": "https://example.org"},
        });
        for (key, value) in more.as_object().unwrap() {
            list[key] = value.clone();
        }
        let list = list.to_string().into_bytes();
        self.world.mirror.put("updates/versions.json.minisig", self.sign(&list));
        self.world.mirror.put("updates/versions.json", list);
    }

    /// A release of the engine on the mirror.
    fn engine(&self, version: &str) -> Value {
        let archive = engine_archive(
            Format::TarZst,
            &json!({
                "version": version, "registry": self.world.mirror.url(),
                "gpu": {"name": "NVIDIA GeForce RTX 4060", "total_mib": 8188, "free_mib": 7700},
                "decode_tokens_per_s": 10_000.0, "prefill_tokens_per_s": 2_000_000.0,
            }),
        );
        let (bytes, name) = (archive.len(), format!("ollama-{version}.tar.zst"));
        let sha256 = self.world.mirror.put(&name, archive);
        let asset = json!({"os": std::env::consts::OS, "arch": "any", "name": name, "bytes": bytes, "sha256": sha256});
        let release =
            json!({"schema": 1, "version": version, "base_url": self.world.mirror.url(), "assets": [asset]});
        json!({"release": release, "changes": {"en": "Faster mixtures."}})
    }

    /// `acolyte update` with this list: what was found, and how an installation ended.
    fn update(&self, more: &[&str]) -> Said {
        let mut command = self.world.acolyte(&["update", "--json"]);
        command
            .arg("--list")
            .arg(self.world.path("updates.yaml"))
            .arg("--hardware")
            .arg(self.world.path("hardware.json"));
        command.args(more);
        Said::of(command)
    }

    fn found(&self) -> Value {
        let said = self.update(&["--check"]);
        assert_eq!(said.code, Some(0), "{said:#?}");
        said.events[0].clone()
    }
}

/// Installs a model that is pulled from this world's registry.
fn installed() -> World {
    let world = World::new(&json!({"decode_tokens_per_s": 10_000.0, "prefill_tokens_per_s": 2_000_000.0}));
    world.put_model("library/qwen2.5-coder:3b", &Shape::tiny());
    let tag = format!("{}/library/qwen2.5-coder:3b", world.mirror.host());
    world.install(&["--model", &tag, "--insecure-registry", "--no-autostart", "--accept-degraded"]).receipt();
    world
}

fn weights(world: &World) -> String {
    world.json("llm/receipt.json")["model_file"]["digest"].as_str().unwrap().to_owned()
}

#[test]
fn a_newer_engine_of_the_signed_list_is_shown_and_installed_only_on_request() {
    let world = installed();
    let publisher = Publisher::new(&world);
    publisher.publish(1, &json!({"engine": publisher.engine("0.99.1")}));
    let archive_requests =
        || world.mirror.requests().iter().filter(|request| request.path.contains("ollama-0.99.1")).count();
    let found = publisher.found();
    assert_eq!((&found["engine"]["version"], &found["program"]), (&json!("0.99.1"), &Value::Null));
    assert!(found["engine"]["bytes"].as_u64().unwrap() > 1000, "{found}");
    assert_eq!(archive_requests(), 0, "nothing is fetched without a request");

    let status = String::from_utf8(world.run(&["status"]).stdout).unwrap();
    let line = status.lines().find(|line| line.contains("0.99.1")).expect(&status);
    assert!(line.contains("0.32.15") && line.contains("Faster mixtures."), "{line}");
    assert!(status.contains("acolyte update"), "{status}");

    let said = publisher.update(&["--yes", "--accept-degraded"]);
    let receipt = said.receipt();
    assert_eq!(
        (&receipt["engine_version"], &receipt["engine"]["origin"]),
        (&json!("0.99.1"), &json!("signed"))
    );
    assert_eq!(world.status()["server"]["version"], "0.99.1");
    assert_eq!(world.status()["updates"], json!({}), "what was found before is installed now");
    assert_eq!(publisher.found()["engine"], Value::Null);

    assert!(world.run(&["uninstall", "--yes"]).status.success());
    assert!(!world.home().exists(), "{:?}", common::world::listing(&world.home()));
}

#[test]
fn a_program_is_named_with_its_page_and_never_installed() {
    let world = installed();
    let publisher = Publisher::new(&world);
    let program = json!({
        "version": "99.0.0", "page": "https://example.org/acolyte", "changes": {"en": "New models.", "es": "Modelos nuevos."},
        "files": [{"os": std::env::consts::OS, "arch": "any", "bytes": 12_000_000, "sha256": "0".repeat(64)}],
    });
    publisher.publish(1, &json!({"program": program}));
    let said = publisher.update(&["--yes"]);
    assert_eq!((said.code, said.events.len()), (Some(0), 1), "{said:#?}");
    assert_eq!(said.events[0]["program"]["bytes"], 12_000_000);
    let status = String::from_utf8(world.run(&["status"]).stdout).unwrap();
    let line = status.lines().find(|line| line.contains("99.0.0")).expect(&status);
    for part in [env!("CARGO_PKG_VERSION"), "New models.", "12.0\u{a0}MB", "https://example.org/acolyte"] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert!(!status.contains("acolyte update"), "it cannot install it: {status}");
}

#[test]
fn a_model_whose_tag_moved_is_updated_and_kept_as_it_was_when_that_fails() {
    let world = installed();
    let publisher = Publisher::new(&world);
    publisher.publish(1, &json!({}));
    assert_eq!(publisher.found()["model"], Value::Null);
    let before = weights(&world);
    let now = world.put_model("library/qwen2.5-coder:3b", &Shape { blocks: 6, ..Shape::tiny() });
    let found = publisher.found();
    assert_eq!(found["model"]["digest"], json!(format!("sha256:{now}")));
    assert!(found["model"]["bytes"].as_u64().unwrap() > 1000, "{found}");

    world.mirror.fault(&common::mirror::Mirror::blob_path(&now), Fault::Status(404), 20);
    let failed = publisher.update(&["--yes", "--accept-degraded"]);
    assert_eq!(failed.code, Some(1), "{failed:#?}");
    let status = world.status();
    assert_eq!((weights(&world), &status["model"]["state"]), (before.clone(), &json!("as_measured")));
    assert_eq!(status["model"]["loaded"], true, "{status}");
    world.mirror.heal();

    let said = publisher.update(&["--yes", "--accept-degraded"]);
    assert_eq!(said.receipt()["model_file"]["digest"], json!(format!("sha256:{now}")));
    assert_eq!(said.receipt()["predicted"]["total_layers"], 7);
    assert_ne!(weights(&world), before);
    assert_eq!(world.status()["model"]["state"], "as_measured");
    assert_eq!(publisher.found()["model"], Value::Null);
}

#[test]
fn a_wrong_signature_an_older_list_and_a_replay_are_refused() {
    let world = installed();
    let publisher = Publisher::new(&world);
    let newer = json!({"engine": publisher.engine("0.99.2")});
    publisher.publish(5, &newer);
    assert_eq!(publisher.found()["engine"]["version"], "0.99.2");
    let refused = |why: &str| {
        let said = publisher.update(&["--check"]);
        assert_eq!(said.code, Some(0), "{said:#?}");
        let problems = said.events[0]["problems"].to_string();
        assert!(problems.contains(why) && said.errors.contains(why), "{why}: {said:#?}");
        assert_eq!(said.events[0]["engine"]["version"], "0.99.2", "what was known stays known");
    };
    // An older list would hide the newer engine.
    publisher.publish(4, &json!({}));
    refused("serial number");
    publisher.publish(5, &json!({}));
    refused("the same serial number");
    publisher.publish(6, &json!({"valid_until": "2026-01-01T00:00:00Z"}));
    refused("valid until");
    publisher.publish(7, &json!({"engine": publisher.engine("0.99.9")}));
    world.mirror.put("updates/versions.json.minisig", publisher.sign(b"another file"));
    refused("the signature is wrong");
    world.mirror.fault("/updates/versions.json", Fault::Status(503), 1);
    refused("503");
    let file = world.json("llm/updates.json");
    assert_eq!(file["serial"], 5, "{file}");
}

#[test]
fn it_is_asked_once_a_day_and_only_if_the_user_said_so() {
    let world = installed();
    let asked = || world.mirror.requests().len();
    let before = asked();
    world.status();
    assert_eq!(asked(), before, "nobody said yes");
    assert!(!world.home().join("llm/updates.json").exists());

    assert!(world.run(&["update", "--daily", "on"]).status.success());
    assert_eq!(asked(), before, "the command alone asks nothing");
    world.status();
    let once = asked();
    assert!(once > before, "the model's registry is asked");
    let file = world.json("llm/updates.json");
    assert!(file["asked_at"].is_string() && file["daily"] == true, "{file}");
    world.status();
    assert_eq!(asked(), once, "once a day");

    // A day later, without a network: nothing is late, and it is not asked again today.
    let mut yesterday = world.json("llm/updates.json");
    yesterday["asked_at"] = json!("2026-01-01T00:00:00Z");
    std::fs::write(world.home().join("llm/updates.json"), yesterday.to_string()).unwrap();
    world.mirror.fault("/v2/library/qwen2.5-coder/manifests/3b", Fault::Stall(0), 9);
    let began = std::time::Instant::now();
    world.status();
    assert!(began.elapsed() < std::time::Duration::from_secs(30), "{:?}", began.elapsed());
    assert_ne!(world.json("llm/updates.json")["asked_at"], json!("2026-01-01T00:00:00Z"));

    assert!(world.run(&["update", "--daily", "off"]).status.success());
    assert_eq!(world.json("llm/updates.json")["daily"], false);
}

#[test]
fn the_choice_of_the_installation_is_kept() {
    let world = World::new(&json!({}));
    let arguments = ["--profile", "light_6gb", "--accept-degraded", "--no-autostart"];
    world.install(&arguments).receipt();
    assert!(!world.home().join("llm/updates.json").exists(), "not by default");
    world.install(&[&arguments[..], &["--daily-updates"]].concat()).receipt();
    assert_eq!(world.json("llm/updates.json")["daily"], true);
    world.install(&arguments).receipt();
    assert_eq!(world.json("llm/updates.json")["daily"], true, "another installation does not change it");
}

/// A checkout of version 9.0.0, and its packages.
fn release(world: &World) -> (Checkout, Packages) {
    let (root, dist) = (world.path("checkout"), world.path("dist"));
    let repository = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let engine = std::fs::read_to_string(repository.join("assets/ollama-release.yaml")).unwrap();
    for (file, text) in [
        ("Cargo.toml", "[package]\nname = \"acolyte-installer\"\nversion = \"9.0.0\"\n"),
        ("CHANGELOG.md", "# Changelog\n\n## [9.0.0] - 2027-01-01\n\n- Faster.\n"),
        ("installer/changes.yaml", "version: 9.0.0\nchanges:\n  en: Faster.\n  es: Más rápido.\n"),
        ("assets/ollama-release.yaml", &engine),
    ] {
        let path = root.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    std::fs::create_dir_all(&dist).unwrap();
    let mut sums = String::new();
    for (form, arch) in
        [(Form::TarGz, "x86_64"), (Form::TarGz, "aarch64"), (Form::Setup, "x86_64"), (Form::Dmg, "any")]
    {
        let name = form.file_name("9.0.0", arch);
        std::fs::write(dist.join(&name), &name).unwrap();
        sums += &format!("{}  {name}\n", hex::encode(Sha256::digest(&name)));
    }
    std::fs::write(dist.join(CHECKSUMS), sums).unwrap();
    (Checkout::at(&root).unwrap(), Packages::at(&dist, "9.0.0").unwrap())
}

/// What a release publishes and each month renews is what the program reads: the same function makes and signs it in
/// `.github/workflows/release.yml`.
#[test]
fn the_list_that_a_release_makes_is_believed() {
    let world = installed();
    let publisher = Publisher::new(&world);
    let (checkout, packages) = release(&world);
    assert_eq!(checkout.release_of("v9.0.0").unwrap().text, "- Faster.");
    let public = publisher.keys.pk.to_base64();
    let secret = publisher.keys.sk.to_box(None).unwrap().into_string();
    let publish = |list: &[u8]| {
        let signature = signature_of(list, &secret, "", Some(&public)).unwrap();
        world.mirror.put("updates/versions.json.minisig", signature.into_bytes());
        world.mirror.put("updates/versions.json", list.to_vec());
    };
    let repository = "https://github.com/acolyte/installer";
    let list = list_of(&checkout, &packages, repository, 7, Duration::days(30)).unwrap();
    publish(&list);
    let found = publisher.found();
    let program = &found["program"];
    assert_eq!(program["version"], "9.0.0", "{found}");
    assert_eq!(program["page"], format!("{repository}/releases/tag/v9.0.0"));
    assert_eq!(program["changes"]["es"], "Más rápido.");
    let (form, arch) = match std::env::consts::OS {
        "macos" => (Form::Dmg, "any"),
        "windows" => (Form::Setup, "x86_64"),
        _ => (Form::TarGz, std::env::consts::ARCH),
    };
    assert_eq!(program["bytes"], form.file_name("9.0.0", arch).len());
    assert!(found.get("problems").is_none(), "{found}");

    // A renewed list is believed, and then the one before no longer.
    assert!(renewed(&list, 7, Duration::days(30)).is_err(), "the same serial number");
    publish(&renewed(&list, 8, Duration::days(30)).unwrap());
    let found = publisher.found();
    assert!(found["program"]["version"] == "9.0.0" && found.get("problems").is_none(), "{found}");
    publish(&list);
    assert!(publisher.found()["problems"][0].as_str().unwrap().contains("serial number"));

    // A key that the programs do not know, and a wrong password.
    let other = KeyPair::generate_unencrypted_keypair().unwrap();
    let refused = signature_of(&list, &other.sk.to_box(None).unwrap().into_string(), "", Some(&public));
    assert!(refused.unwrap_err().to_string().contains("assets/updates.yaml"));
    let locked = KeyPair::generate_encrypted_keypair(Some("right".to_owned())).unwrap();
    let locked = locked.sk.to_box(None).unwrap().into_string();
    assert!(signature_of(&list, &locked, "wrong", None).is_err());
    assert!(signature_of(&list, &locked, "right", None).is_ok());
}
