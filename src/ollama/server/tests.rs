#![allow(clippy::unwrap_used)]

use super::log::{OLD_LOGS, ROTATE_AT_BYTES};
use super::*;

fn launch(kv_cache_type: KvCacheType) -> Launch {
    Launch {
        program: "/x/ollama/1/bin/ollama".into(),
        port: 42434,
        models_dir: "/x/models".into(),
        kv_cache_type,
        runner: RunnerSettings::default(),
        home: "/x/ollama/home".into(),
        log: "/x/logs/server.log".into(),
        network: BTreeMap::new(),
    }
}

#[test]
fn passwords_of_proxies_are_not_in_the_servers_environment() {
    let outside = |name: &str| match name {
        "HTTPS_PROXY" => Some("http://ana:s3cret@proxy:3128".into()),
        "http_proxy" => Some("ana:s3cret@proxy".into()),
        "HTTP_PROXY" => Some("not an address, s3cret@".into()),
        "https_proxy" => Some("http://proxy:3128".into()),
        _ => None,
    };
    let environment = launch(KvCacheType::Q8_0).environment(outside);
    assert_eq!(environment["https_proxy"], "http://proxy:3128");
    assert!(environment.values().all(|value| !value.to_string_lossy().contains("s3cret")), "{environment:?}");
    let network = BTreeMap::from([("HTTPS_PROXY".to_owned(), "http://127.0.0.1:9".into())]);
    let launch = Launch { network, ..launch(KvCacheType::Q8_0) };
    assert_eq!(
        launch.environment(outside)["HTTPS_PROXY"],
        "http://127.0.0.1:9",
        "the egress proxy takes precedence"
    );
    assert!(!launch.settings().contains_key("HTTPS_PROXY"), "it is not a setting of the server");
}

#[test]
fn the_environment_contains_our_settings_only() {
    let outside = |name: &str| match name {
        "OLLAMA_HOST" => Some("0.0.0.0:11434".into()),
        "OLLAMA_DEBUG" | "LLAMA_ARG_N_GPU_LAYERS" | "LD_PRELOAD" => Some("1".into()),
        "LLAMA_ARG_N_CPU_MOE"
        | "LLAMA_ARG_CPU_MOE"
        | "LLAMA_ARG_CACHE_RAM"
        | "LLAMA_ARG_CTX_CHECKPOINTS"
        | "GGML_CUDA_NO_PINNED" => Some("7".into()),
        "HOME" => Some("/home/user".into()),
        "CUDA_VISIBLE_DEVICES" => Some("1".into()),
        "HTTPS_PROXY" => Some(OsString::new()),
        _ => None,
    };
    let environment = launch(KvCacheType::Q8_0).environment(outside);
    assert_eq!(environment["OLLAMA_HOST"], "127.0.0.1:42434");
    assert_eq!(environment["OLLAMA_KV_CACHE_TYPE"], "q8_0");
    assert_eq!(environment["OLLAMA_FLASH_ATTENTION"], "1");
    assert_eq!(environment["CUDA_VISIBLE_DEVICES"], "1");
    if cfg!(unix) {
        assert!(environment.keys().all(|name| is_server_variable(OsStr::new(name))), "{environment:?}");
    }
    assert!(!is_server_variable(OsStr::new("LD_AUDIT")));
    let foreign = ["OLLAMA_DEBUG", "LLAMA_ARG_N_GPU_LAYERS", "LD_PRELOAD", "HTTPS_PROXY"];
    for foreign in foreign.into_iter().chain(RunnerSettings::VARIABLES) {
        assert!(!environment.contains_key(foreign), "{foreign}");
    }
    if cfg!(unix) {
        assert_eq!(environment["HOME"], "/x/ollama/home", "the engine's key is in our folder");
    }
}

/// Detection plans with what these variables show.
#[test]
fn an_empty_list_of_cards_reaches_the_engine() {
    let outside = |name: &str| (name == "CUDA_VISIBLE_DEVICES" || name == "TMPDIR").then(OsString::new);
    let environment = launch(KvCacheType::Q8_0).environment(outside);
    assert_eq!(environment["CUDA_VISIBLE_DEVICES"], "");
    assert!(!environment.contains_key("TMPDIR"));
    assert!(DEVICE_VARIABLES.iter().all(|name| is_server_variable(OsStr::new(name))));
}

#[test]
fn the_runner_is_told_of_experts_in_main_memory_and_of_nothing_that_is_as_usual() {
    let variables = |n_cpu_moe, prompt_cache_mib, checkpoints, pinned_memory| {
        let experts_in_ram = ExpertsInRam::of(n_cpu_moe, 48);
        let launch = Launch {
            runner: RunnerSettings {
                experts_in_ram,
                prompt_cache_mib,
                context_checkpoints: checkpoints,
                pinned_memory,
                ..RunnerSettings::default()
            },
            ..launch(KvCacheType::Q8_0)
        };
        let settings = launch.settings();
        let set = RunnerSettings::VARIABLES
            .into_iter()
            .filter_map(|name| Some(format!("{name}={}", settings.get(name)?.to_string_lossy())));
        let set: Vec<String> = set.collect();
        assert_eq!(launch.absent_variables().count() + set.len(), RunnerSettings::VARIABLES.len());
        assert!(launch.absent_variables().all(|name| !settings.contains_key(name)));
        set
    };
    assert_eq!(variables(0, None, None, true), Vec::<String>::new());
    assert_eq!(variables(20, Some(0), None, true), ["LLAMA_ARG_N_CPU_MOE=20", "LLAMA_ARG_CACHE_RAM=0"]);
    assert_eq!(
        variables(47, Some(952), Some(6), true),
        ["LLAMA_ARG_N_CPU_MOE=47", "LLAMA_ARG_CACHE_RAM=952", "LLAMA_ARG_CTX_CHECKPOINTS=6"]
    );
    assert_eq!(variables(48, None, None, false), ["LLAMA_ARG_CPU_MOE=1", "GGML_CUDA_NO_PINNED=1"]);
    let through_vulkan = RunnerSettings { vulkan_only: true, ..RunnerSettings::default() };
    let through_vulkan = Launch { runner: through_vulkan, ..launch(KvCacheType::Q8_0) };
    assert_eq!(through_vulkan.settings()["OLLAMA_LLM_LIBRARY"], "vulkan");
}

/// The engine shows a card that CUDA hides through Vulkan again, unless that is switched off.
#[test]
fn a_card_that_a_variable_hides_is_not_shown_through_vulkan() {
    let vulkan = |without_vulkan, set: &[(&str, &str)]| {
        let launch = Launch {
            runner: RunnerSettings { without_vulkan, ..RunnerSettings::default() },
            ..launch(KvCacheType::Q8_0)
        };
        let set: BTreeMap<&str, &str> = set.iter().copied().collect();
        let environment = launch.environment(|name| set.get(name).map(OsString::from));
        environment.get("OLLAMA_VULKAN").map(|value| value.to_string_lossy().into_owned())
    };
    let (off, left) = (Some("0".to_owned()), None);
    for variable in ["CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"] {
        for value in ["", "-1", "1"] {
            assert_eq!(vulkan(true, &[(variable, value)]), off, "{variable}={value}");
            assert_eq!(vulkan(false, &[(variable, value)]), left, "a card is used through Vulkan");
        }
    }
    assert_eq!(vulkan(true, &[]), left);
    let both = [("CUDA_VISIBLE_DEVICES", "0"), ("GGML_VK_VISIBLE_DEVICES", "1")];
    assert_eq!(vulkan(true, &both), left, "the user chose for both");
}

#[test]
fn settings_of_servers_that_earlier_versions_started_are_read() {
    assert_eq!(serde_json::from_str::<RunnerSettings>("{}").unwrap(), RunnerSettings::default());
    for experts_in_ram in [ExpertsInRam::None, ExpertsInRam::First(3), ExpertsInRam::All] {
        let settings = RunnerSettings {
            experts_in_ram,
            prompt_cache_mib: Some(8),
            context_checkpoints: Some(2),
            pinned_memory: false,
            vulkan_only: true,
            without_vulkan: false,
        };
        let json = serde_json::to_string(&settings).unwrap();
        assert_eq!(serde_json::from_str::<RunnerSettings>(&json).unwrap(), settings, "{json}");
    }
}

/// A lossy conversion would result in a different path.
#[cfg(target_os = "linux")]
#[test]
fn folders_that_are_not_utf8_reach_the_server_unchanged() {
    use std::os::unix::ffi::OsStringExt as _;
    let folder = OsString::from_vec(b"/data/mod\xe8les".to_vec());
    let launch =
        Launch { models_dir: folder.clone().into(), home: folder.clone().into(), ..launch(KvCacheType::F16) };
    assert_eq!(launch.settings()["OLLAMA_MODELS"], folder);
    assert_eq!(launch.environment(|_| None)["HOME"], folder);
}

#[test]
fn flash_attention_is_set_only_for_quantised_caches() {
    assert!(!launch(KvCacheType::F16).settings().contains_key("OLLAMA_FLASH_ATTENTION"));
    assert!(launch(KvCacheType::Q4_0).settings().contains_key("OLLAMA_FLASH_ATTENTION"));
}

#[test]
fn a_taken_port_is_skipped_unless_requested() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    assert!(
        matches!(choose_port(Some(port), None, &[]), Err(ServerError::PortTaken { port: p, by }) if p == port && (by.is_some() || !cfg!(target_os = "linux")))
    );
    let chosen = choose_port(None, Some(port), &[]).unwrap();
    assert!(PORTS.contains(&chosen));
    assert_ne!(choose_port(None, None, &[chosen]).unwrap(), chosen);
}

#[test]
fn logs_are_rotated_and_read_from_a_position() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("server.log");
    std::fs::write(&log, "old\n").unwrap();
    let from = crate::platform::files::length(&log);
    std::fs::write(&log, "old\nnew 1\n\nnew 2\n").unwrap();
    assert_eq!(last_lines(&log, from, 5), ["new 1", "new 2"]);
    assert_eq!(last_lines(&log, from, 1), ["new 2"]);
    rotate(&log).unwrap();
    assert!(log.exists(), "small logs stay");
    for round in 0..5u8 {
        std::fs::write(&log, vec![b'a' + round; ROTATE_AT_BYTES as usize]).unwrap();
        rotate(&log).unwrap();
    }
    let names = |n: u32| folder.path().join(format!("server.log.{n}"));
    assert!(!log.exists() && names(1).exists() && names(3).exists() && !names(4).exists());
    assert_eq!(std::fs::read(names(1)).unwrap()[0], b'e');
    std::fs::write(&log, "short\n").unwrap();
    assert_eq!(log_since(&log, 1_000_000), "short\n", "rotated since");
}

#[test]
fn the_log_of_a_running_server_is_bounded_and_continues() {
    use std::io::Write as _;
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("server.log");
    let mut server = open_log(&log).unwrap();
    let much = vec![b'x'; 1 << 20];
    for round in 0..40 {
        server.write_all(&much).unwrap();
        server.write_all(format!("\nround {round}\n").as_bytes()).unwrap();
        rotate_while_running(&log).unwrap();
    }
    let all: u64 = std::fs::read_dir(folder.path())
        .unwrap()
        .flatten()
        .map(|entry| entry.metadata().unwrap().len())
        .sum();
    assert!(all < u64::from(OLD_LOGS + 1) * (ROTATE_AT_BYTES + (2 << 20)), "{all} bytes of logs");
    server.write_all(b"the last word\n").unwrap();
    assert_eq!(
        last_lines(&log, 0, 1),
        ["the last word"],
        "what is written later is at the end of the new log"
    );
}
