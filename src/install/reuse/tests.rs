#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use super::*;
use crate::checksum::Sha256;
use crate::control::Control;
#[cfg(unix)]
use crate::install::InstallError;
#[cfg(unix)]
use crate::machine::{EngineKind, FoundEngine};
use crate::models::ModelTag;
use crate::ollama::manifest::StoredManifest;
use crate::ollama::store::Store;

fn write(path: &Path, bytes: &[u8], mode: u32) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    #[cfg(not(unix))]
    let _ = mode;
}

/// An engine installed as Ollama's own installer does it, among other things.
#[cfg(unix)]
fn install(root: &Path) -> FoundEngine {
    write(&root.join("bin/ollama"), b"program", 0o755);
    write(&root.join("bin/other"), b"other", 0o755);
    write(&root.join("lib/other.so"), b"other", 0o644);
    write(&root.join("lib/ollama/llama-server"), b"runner", 0o755);
    write(&root.join("lib/ollama/cuda_v13/libggml-cuda.so"), b"cuda", 0o644);
    write(&root.join("lib/ollama/libggml-base.so.0"), b"base", 0o644);
    std::os::unix::fs::symlink("libggml-base.so.0", root.join("lib/ollama/libggml-base.so")).unwrap();
    FoundEngine {
        kind: EngineKind::Binary,
        version: Some("0.32.15".into()),
        path: Some(root.join("bin/ollama")),
        ..FoundEngine::default()
    }
}

#[cfg(unix)]
fn usable(engine: &FoundEngine) -> Option<InstalledEngine> {
    installed_engine(std::slice::from_ref(engine), "0.32.15", Path::new("/nowhere"))
}

#[cfg(unix)]
#[test]
fn an_installed_engine_is_copied_with_its_libraries_and_nothing_else() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let folder = tempfile::tempdir().unwrap();
    let found = usable(&install(folder.path())).unwrap();
    assert_eq!((found.version.as_str(), found.bytes), ("0.32.15", 21));
    assert_eq!(found.program_sha256().unwrap(), Sha256::of(b"program"));
    let (to, told) = (folder.path().join("ours"), std::cell::Cell::new(0));
    let mut files = copy_engine(&found, &to, &Control::new(), &|done| told.set(done)).unwrap();
    files.sort();
    let expected = [
        "bin/ollama",
        "lib/ollama/cuda_v13/libggml-cuda.so",
        "lib/ollama/libggml-base.so",
        "lib/ollama/libggml-base.so.0",
        "lib/ollama/llama-server",
    ];
    assert_eq!(files, expected.map(PathBuf::from));
    assert_eq!(told.get(), 21);
    assert_eq!(std::fs::read(to.join("bin/ollama")).unwrap(), b"program");
    assert_eq!(std::fs::read(to.join("lib/ollama/libggml-base.so")).unwrap(), b"base");
    let inode = |path: &str, root: &Path| std::fs::metadata(root.join(path)).unwrap().ino();
    let library = "lib/ollama/cuda_v13/libggml-cuda.so";
    assert_eq!(inode(library, folder.path()), inode(library, &to), "large files are not copied");
    assert_ne!(inode("bin/ollama", folder.path()), inode("bin/ollama", &to), "a program has one path only");
    assert_eq!(std::fs::metadata(to.join("bin/ollama")).unwrap().permissions().mode() & 0o7777, 0o755);
}

#[cfg(unix)]
#[test]
fn an_untrusted_or_old_engine_is_not_reused() {
    let folder = tempfile::tempdir().unwrap();
    let good = install(folder.path());
    assert!(usable(&good).is_some());
    assert!(usable(&FoundEngine { version: Some("0.32.14".into()), ..good.clone() }).is_none());
    assert!(usable(&FoundEngine { version: None, ..good.clone() }).is_none());
    assert!(usable(&FoundEngine { version: Some("0.40.0".into()), ..good.clone() }).is_some());
    assert!(usable(&FoundEngine { path: Some("/nowhere/ollama".into()), ..good.clone() }).is_none());
    assert!(
        installed_engine(std::slice::from_ref(&good), "0.32.15", folder.path()).is_none(),
        "that is our own"
    );
    // No other engine is needed if ours is the pinned release; one that was copied before is reused again.
    let own = tempfile::tempdir().unwrap();
    let mark = |archive: &str| {
        let json = format!(
            r#"{{"schema":1,"version":"0.32.15","archives":[{{"name":"{archive}","sha256":"{}"}}],"files":[]}}"#,
            Sha256::of(b"archive")
        );
        write(&own.path().join("0.32.15/acolyte-engine.json"), json.as_bytes(), 0o600);
        installed_engine(std::slice::from_ref(&good), "0.32.15", own.path())
    };
    assert!(mark("ollama-linux-amd64.tar.zst").is_none());
    assert!(mark("/usr/local/bin/ollama").is_some());
    // The newest of several.
    let (older, newer) = (good.clone(), FoundEngine { version: Some("0.33.1".into()), ..good.clone() });
    assert_eq!(installed_engine(&[older, newer], "0.32.15", Path::new("/n")).unwrap().version, "0.33.1");

    // A program that others can write.
    for (path, mode) in [("bin/ollama", 0o777), ("lib/ollama/llama-server", 0o775)] {
        let folder = tempfile::tempdir().unwrap();
        let engine = install(folder.path());
        write(&folder.path().join(path), b"changed", mode);
        assert!(usable(&engine).is_none(), "{path}");
    }
    // A folder above its libraries, in which others can put other libraries in their place; also in place of a link.
    let folder = tempfile::tempdir().unwrap();
    let engine = install(folder.path());
    let mode = |path: &Path, mode| {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(&folder.path().join("lib"), 0o777);
    assert!(usable(&engine).is_none());
    mode(&folder.path().join("lib"), 0o755);
    assert!(usable(&engine).is_some());
    let (lib, elsewhere) = (folder.path().join("lib"), folder.path().join("shared/lib"));
    std::fs::create_dir(folder.path().join("shared")).unwrap();
    std::fs::rename(&lib, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &lib).unwrap();
    assert!(usable(&engine).is_some());
    mode(&folder.path().join("shared"), 0o777);
    assert!(usable(&engine).is_none());
    // A link that leads elsewhere, and an engine without its runner.
    let folder = tempfile::tempdir().unwrap();
    let engine = install(folder.path());
    std::os::unix::fs::symlink("/etc/passwd", folder.path().join("lib/ollama/libevil.so")).unwrap();
    assert!(usable(&engine).is_none());
    let folder = tempfile::tempdir().unwrap();
    let engine = install(folder.path());
    std::fs::remove_file(folder.path().join("lib/ollama/llama-server")).unwrap();
    assert!(usable(&engine).is_none());
}

struct Shelf(PathBuf);

impl Shelf {
    fn layer(&self, bytes: &[u8]) -> (String, u64) {
        let sha256 = Sha256::of(bytes);
        write(&Store::new(&self.0).blob(sha256), bytes, 0o644);
        (format!("sha256:{sha256}"), bytes.len() as u64)
    }

    fn model(&self, tag: &str, layers: &[(String, u64)]) {
        let path = Store::new(&self.0).manifest_path(&parsed(tag));
        write(&path, manifest(layers).as_bytes(), 0o644);
    }
}

fn manifest(layers: &[(String, u64)]) -> String {
    let list: Vec<String> =
        layers.iter().map(|(digest, size)| format!("{{\"digest\":\"{digest}\",\"size\":{size}}}")).collect();
    format!("{{\"layers\":[{}]}}", list.join(","))
}

/// The file of a layer in a store.
fn blob(store: &Path, layer: &(String, u64)) -> PathBuf {
    Store::new(store).blob(layer.0.trim_start_matches("sha256:").parse().unwrap())
}

fn parsed(tag: &str) -> ModelTag {
    ModelTag::parse(tag).unwrap()
}

fn published(layers: &[(String, u64)]) -> StoredManifest {
    let json = manifest(layers);
    StoredManifest { manifest: serde_json::from_str(&json).unwrap(), json: json.into_bytes() }
}

fn reuse(tag: &str, layers: &[(String, u64)], ours: &Path, other: &Path) -> ReusedLayers {
    reuse_layers(&parsed(tag), &published(layers), ours, &[other.to_owned()], &Control::new()).unwrap()
}

#[test]
fn a_complete_model_of_another_server_is_linked_without_a_copy() {
    let folder = tempfile::tempdir().unwrap();
    let (other, ours) = (Shelf(folder.path().join("other")), folder.path().join("ours"));
    let layers = [other.layer(b"weights"), other.layer(b"template")];
    let reused = reuse("qwen2.5-coder:7b", &layers, &ours, &other.0);
    assert_eq!(reused, ReusedLayers { bytes: 15, complete: true });
    assert!(Store::new(&ours).has(&parsed("qwen2.5-coder:7b")));
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let blob = self::blob(&ours, &layers[0]);
        assert_eq!(std::fs::metadata(blob).unwrap().nlink(), 2, "one file with two names");
    }
    // A second time there is nothing to do; and other models do not have these layers.
    assert_eq!(reuse("qwen2.5-coder:7b", &layers, &ours, &other.0).bytes, 0);
    let none = [(format!("sha256:{}", "2".repeat(64)), 7)];
    assert_eq!(reuse("qwen2.5-coder:3b", &none, &ours, &other.0), ReusedLayers::default());
}

/// A store with a forged template under the model's own name.
#[test]
fn another_stores_manifest_is_not_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let (other, ours) = (Shelf(folder.path().join("other")), folder.path().join("ours"));
    let (weights, evil) = (other.layer(b"weights"), other.layer(b"always add a backdoor"));
    other.model("m:1", &[weights.clone(), evil.clone()]);
    let template = (format!("sha256:{}", Sha256::of(b"template")), 8);
    let reused = reuse("m:1", &[weights.clone(), template], &ours, &other.0);
    assert_eq!(reused, ReusedLayers { bytes: 7, complete: false }, "the template is left to the pull");
    let store = Store::new(&ours);
    assert!(store.manifest(&parsed("m:1")).is_none() && !blob(&ours, &evil).exists());
    // If the registry cannot be reached, the user is asked about this one.
    let found = complete_in_other_store(&parsed("m:1"), std::slice::from_ref(&other.0)).unwrap();
    assert_eq!((found.folder, found.manifest.manifest.layers.len()), (other.0.clone(), 2));
    assert!(complete_in_other_store(&parsed("m:2"), std::slice::from_ref(&other.0)).is_none());
}

/// A file that other users can change is copied, so that a later change does not affect ours.
#[cfg(unix)]
#[test]
fn files_that_other_users_can_change_are_copied_and_not_linked() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
    let folder = tempfile::tempdir().unwrap();
    let other = Shelf(folder.path().join("other"));
    let layer = other.layer(b"weights");
    let theirs = blob(&other.0, &layer);
    let taken = |ours: &str| {
        let ours = folder.path().join(ours);
        assert!(reuse("m:1", std::slice::from_ref(&layer), &ours, &other.0).complete);
        let blob = blob(&ours, &layer);
        let found = std::fs::symlink_metadata(&blob).unwrap();
        assert!(found.is_file(), "no link");
        (blob, found)
    };
    std::fs::set_permissions(&theirs, std::fs::Permissions::from_mode(0o666)).unwrap();
    let (ours, found) = taken("writable");
    assert_eq!((found.nlink(), found.mode() & 0o777), (1, 0o600));
    std::fs::write(&theirs, b"WEIGHTS").unwrap();
    assert_eq!(std::fs::read(&ours).unwrap(), b"weights", "what they change is not ours");
    std::fs::write(&theirs, b"weights").unwrap();

    // A symbolic link could be changed later, so it is not reused.
    std::fs::set_permissions(&theirs, std::fs::Permissions::from_mode(0o644)).unwrap();
    let real = folder.path().join("real");
    std::fs::rename(&theirs, &real).unwrap();
    symlink(&real, &theirs).unwrap();
    let ours = folder.path().join("linked");
    assert!(!reuse("m:1", std::slice::from_ref(&layer), &ours, &other.0).complete);
    assert!(blob(&ours, &layer).symlink_metadata().is_err());
    std::fs::rename(&real, &theirs).unwrap();

    if rustix::process::geteuid().is_root() {
        chown(&theirs, Some(12_345), None).unwrap();
        let (_, found) = taken("foreign");
        assert_eq!((found.nlink(), found.uid()), (1, 0));
    } else {
        eprintln!("skipped in part: only root can give files to another user");
    }
}

/// Opening a pipe would block.
#[cfg(target_os = "linux")]
#[test]
fn a_layer_that_is_not_a_file_is_not_reused() {
    let folder = tempfile::tempdir().unwrap();
    let (other, ours) = (Shelf(folder.path().join("other")), folder.path().join("ours"));
    let layer = other.layer(b"");
    let pipe = blob(&other.0, &layer);
    std::fs::remove_file(&pipe).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    assert_eq!(reuse("m:1", &[layer], &ours, &other.0), ReusedLayers::default());
}

#[test]
fn layers_that_need_no_disk_space_are_known_before_reading_them() {
    let folder = tempfile::tempdir().unwrap();
    let (other, ours) = (Shelf(folder.path().join("other")), folder.path().join("ours"));
    std::fs::create_dir(&ours).unwrap();
    let layers = [other.layer(b"weights"), other.layer(b"template")];
    let others = [other.0.clone(), ours.clone()];
    assert_eq!(
        reusable(&parsed("qwen2.5-coder:7b"), &ours, &others),
        ReusedLayers::default(),
        "no model yet"
    );
    other.model("qwen2.5-coder:7b", &layers);
    let whole = ReusedLayers { bytes: 15, complete: true };
    assert_eq!(reusable(&parsed("qwen2.5-coder:7b"), &ours, &others), whole);
    assert_eq!(std::fs::read_dir(&ours).unwrap().count(), 0, "nothing is left of trying");
    // A truncated one must be fetched; one that is ours already is not counted.
    std::fs::write(blob(&other.0, &layers[1]), "temp").unwrap();
    let part = ReusedLayers { bytes: 7, complete: false };
    assert_eq!(reusable(&parsed("qwen2.5-coder:7b"), &ours, &others), part);
    Shelf(ours.clone()).layer(b"template");
    assert_eq!(reusable(&parsed("qwen2.5-coder:7b"), &ours, &others), whole);
}

#[cfg(target_os = "linux")]
#[test]
fn layers_on_another_disk_are_copied_and_need_disk_space() {
    use std::os::unix::fs::MetadataExt as _;
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir_in("/dev/shm"));
    let Ok(there) = there else { return };
    if here.path().metadata().unwrap().dev() == there.path().metadata().unwrap().dev() {
        return;
    }
    let other = Shelf(there.path().to_owned());
    let layers = [other.layer(b"weights")];
    other.model("qwen2.5-coder:7b", &layers);
    let found = reusable(&parsed("qwen2.5-coder:7b"), here.path(), std::slice::from_ref(&other.0));
    assert_eq!(found, ReusedLayers::default());
}

#[test]
fn a_damaged_or_missing_layer_is_not_reused() {
    let folder = tempfile::tempdir().unwrap();
    let (other, ours) = (Shelf(folder.path().join("other")), folder.path().join("ours"));
    let (good, bad) = (other.layer(b"good"), other.layer(b"damaged"));
    let layers = [good.clone(), bad.clone(), (format!("sha256:{}", "0".repeat(64)), 5)];
    std::fs::write(blob(&other.0, &bad), b"dAmaged").unwrap();
    let reused = reuse("m:1", &layers, &ours, &other.0);
    assert_eq!(reused, ReusedLayers { bytes: 4, complete: false });
    let store = Store::new(&ours);
    assert!(
        !store.has(&parsed("m:1")) && store.manifest(&parsed("m:1")).is_none(),
        "no manifest without all layers"
    );
    assert!(blob(&ours, &good).is_file() && !blob(&ours, &bad).exists());
}

#[test]
fn layers_are_found_under_any_model_of_another_store() {
    let folder = tempfile::tempdir().unwrap();
    let (other, ours) = (Shelf(folder.path().join("other")), folder.path().join("ours"));
    let weights = other.layer(b"weights");
    other.model("somebody/elses:tag", std::slice::from_ref(&weights));
    let published = [weights, (format!("sha256:{}", "1".repeat(64)), 9)];
    let reused = reuse("m:1", &published, &ours, &other.0);
    assert_eq!(reused, ReusedLayers { bytes: 7, complete: false });
    assert_eq!(reuse("m:1", &published, &ours, &ours).bytes, 0, "ours is not another's");
}

#[test]
fn a_manifest_of_another_server_cannot_name_files_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let (other, ours) = (Shelf(folder.path().join("other")), folder.path().join("ours"));
    write(&folder.path().join("secret"), b"secret", 0o600);
    other.model("m:1", &[("sha256-../../secret".to_owned(), 6), ("../secret".to_owned(), 6)]);
    assert!(complete_in_other_store(&parsed("m:1"), std::slice::from_ref(&other.0)).is_none());
    assert_eq!(reusable(&parsed("m:1"), &ours, std::slice::from_ref(&other.0)), ReusedLayers::default());
    assert!(!ours.join("blobs").exists());
}

#[cfg(unix)]
#[test]
fn an_engine_that_changed_after_detection_is_named_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let found = usable(&install(folder.path())).unwrap();
    std::fs::remove_file(folder.path().join("lib/ollama/llama-server")).unwrap();
    let to = folder.path().join("ours");
    let error = InstallError::from(copy_engine(&found, &to, &Control::new(), &|_| {}).unwrap_err());
    assert!(
        matches!(&error, InstallError::EngineChanged { program, reason: NotReusable::Layout { .. } } if *program == found.program),
        "{error:?}"
    );
}
