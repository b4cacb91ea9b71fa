#![allow(clippy::unwrap_used)]

use super::*;
use crate::ollama::store::LayerStamp;

fn profile(home: &Path) -> ProfileFile {
    ProfileFile {
        schema: SCHEMA,
        written_at: "2026-11-23T05:00:00Z".into(),
        profile: "hybrid_8gb".into(),
        endpoint: "http://127.0.0.1:42434".into(),
        port: 42434,
        model: SERVED_MODEL.clone(),
        base_model: ModelTag::parse("127.0.0.1:5055/acolyte/gemma3:270m").unwrap(),
        context_tokens: 32_768,
        kv_cache_type: KvCacheType::Q8_0,
        gpu_layers: 25,
        total_layers: 29,
        automatic_layers: false,
        num_batch: 512,
        num_thread: Some(8),
        draft_num_predict: None,
        use_mmap: Some(false),
        n_cpu_moe: 0,
        set_by_hand: Default::default(),
        prompt_cache_mib: Some(952),
        context_checkpoints: Some(6),
        pinned_memory: true,
        vulkan_only: false,
        without_vulkan: true,
        verdict: Verdict::Degraded,
        degraded: true,
        banner: Some("Modo degradado: 25 de 29 capas – \"lento\"\nno: # sí".to_owned()),
        limits: vec![
            Limit::LayersOnCpu { cpu_layers: 4 },
            Limit::SlowDecode { tokens_per_s: 7.0 },
            Limit::KvQ4,
        ],
        engine_version: "0.32.15".into(),
        engine_program: home.join("ollama/0.32.15/bin/ollama"),
        models_dir: home.join("models: \"all\" # of them"),
        autostart: true,
        watch: false,
        served: Some(Fingerprint {
            manifest: [7; 32].into(),
            layers: vec![LayerStamp {
                sha256: [9; 32].into(),
                bytes: 4,
                modified_ns: Some(1),
                changed_ns: Some(2),
                inode: Some(3),
            }],
        }),
    }
}

#[test]
fn a_profile_round_trips() {
    let folder = tempfile::tempdir().unwrap();
    let paths = Paths::new(folder.path());
    assert_eq!(Installed::load(folder.path()).unwrap(), None);
    files::create_folders(&paths.llm()).unwrap();
    let yaml = to_yaml(&paths.profile(), &profile(folder.path())).unwrap();
    files::write_whole(&paths.profile(), &yaml).unwrap();
    let installed = Installed::load(folder.path()).unwrap().unwrap();
    assert_eq!((installed.profile, installed.receipt), (profile(folder.path()), None));
}

/// What was not written then is as the engine does it by itself.
#[test]
fn a_profile_of_an_earlier_version_is_started_as_before() {
    let written = ProfileFile {
        prompt_cache_mib: None,
        context_checkpoints: None,
        without_vulkan: false,
        ..profile(Path::new("/home/x/.acolyte"))
    };
    let yaml = serde_saphyr::to_string(&written).unwrap();
    let earlier: Vec<&str> = yaml
        .lines()
        .filter(|line| !line.starts_with("n_cpu_moe") && !line.starts_with("pinned_memory"))
        .collect();
    assert_eq!(earlier.len() + 2, yaml.lines().count(), "{yaml}");
    let read: ProfileFile = serde_saphyr::from_str(&earlier.join("\n")).unwrap();
    assert_eq!((&read, read.runner()), (&written, RunnerSettings::default()));
    let experts = |n_cpu_moe| ProfileFile { n_cpu_moe, ..written.clone() }.runner().experts_in_ram;
    assert_eq!((experts(27), experts(28)), (ExpertsInRam::First(27), ExpertsInRam::All));
}

#[test]
fn model_tags_are_written_as_text_and_read_in_every_form() {
    for (tag, text) in [(&SERVED_MODEL, "acolyte:latest"), (&PREVIOUS_MODEL, "acolyte:previous")] {
        assert_eq!(*tag, ModelTag::parse(text).unwrap());
        assert_eq!(serde_json::to_string(tag).unwrap(), format!("\"{text}\""));
    }
    let yaml = serde_saphyr::to_string(&profile(Path::new("/home/x/.acolyte"))).unwrap();
    assert!(yaml.contains("model: acolyte:latest\n"), "{yaml}");
    assert!(yaml.contains("base_model: 127.0.0.1:5055/acolyte/gemma3:270m\n"), "{yaml}");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("profile.yaml");
    let read = |base_model: &str| {
        let line = format!("base_model: {base_model}");
        let yaml = yaml.lines().map(|old| if old.starts_with("base_model") { &line } else { old });
        std::fs::write(&path, yaml.collect::<Vec<_>>().join("\n")).unwrap();
        read_yaml::<ProfileFile>(&path)
    };
    let base_model = read("registry.ollama.ai/library/qwen3").unwrap().unwrap().base_model;
    assert_eq!(base_model.as_str(), "qwen3:latest");
    let error = read("\"../../etc:1\"").unwrap_err();
    assert!(matches!(error, DocumentError::Format { .. }));
    let message = error.to_string();
    assert!(message.contains("..") && message.contains("line"), "{message}");
}

#[test]
fn a_damaged_document_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let paths = Paths::new(folder.path());
    files::create_folders(&paths.llm()).unwrap();
    std::fs::write(paths.profile(), "schema: 1\nport: many\n").unwrap();
    let message = Installed::load(folder.path()).unwrap_err().to_string();
    assert!(message.contains("profile.yaml") && message.contains("line 2"), "{message}");
}

/// The profile's program is started and its models are removed, so its paths must be ours.
#[test]
fn a_profile_may_only_name_our_engines() {
    let folder = tempfile::tempdir().unwrap();
    let paths = Paths::new(folder.path());
    files::create_folders(&paths.llm()).unwrap();
    let good = profile(folder.path());
    let load = |profile: &ProfileFile| {
        files::write_whole(&paths.profile(), &to_yaml(&paths.profile(), profile).unwrap()).unwrap();
        Installed::load(folder.path())
    };
    load(&good).unwrap();
    let outside = folder.path().with_file_name("elsewhere");
    let engines = [
        PathBuf::from("/bin/sh"),
        outside.join("ollama/0.32.15/bin/ollama"),
        paths.engines().join("../../elsewhere/ollama"),
        paths.engines(),
        "ollama/0.32.15/bin/ollama".into(),
    ];
    for engine_program in engines {
        let refused = load(&ProfileFile { engine_program: engine_program.clone(), ..good.clone() });
        assert!(
            matches!(&refused, Err(DocumentError::ForeignPath { path, .. }) if *path == engine_program),
            "{refused:?}"
        );
    }
    for models_dir in [paths.models().join("../../elsewhere"), "models".into()] {
        assert!(load(&ProfileFile { models_dir, ..good.clone() }).is_err());
    }
}

#[cfg(unix)]
#[test]
fn a_document_that_others_can_change_is_not_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("receipt.json");
    files::write_whole(&path, b"{}").unwrap();
    assert_eq!(read_document(&path).unwrap().as_deref(), Some(&b"{}"[..]));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
    let refused = read_document(&path);
    assert!(
        matches!(&refused, Err(DocumentError::Ownership(OwnershipError::Writable { .. }))),
        "{refused:?}"
    );
    std::fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/dev/null", &path).unwrap();
    assert!(read_document(&path).is_err(), "a link");
}
