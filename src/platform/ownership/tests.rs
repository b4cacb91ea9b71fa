#![allow(clippy::unwrap_used)]

use super::*;
use std::os::unix::fs::{PermissionsExt as _, chown, lchown, symlink};

/// ID of another user.
const OTHER_USER: u32 = 12_345;

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("skipped: only root can give files to another user");
    }
    root
}

/// A private folder with `folder/program` in it.
fn world() -> (tempfile::TempDir, PathBuf) {
    let world = tempfile::tempdir().unwrap();
    let folder = world.path().join("folder");
    std::fs::create_dir(&folder).unwrap();
    mode(&folder, 0o755);
    let program = folder.join("program");
    std::fs::write(&program, "").unwrap();
    mode(&program, 0o755);
    (world, folder)
}

#[test]
fn a_folder_or_file_that_others_can_change_is_refused() {
    let (_world, folder) = world();
    let program = folder.join("program");
    require_own_folder(&folder).unwrap();
    require_own_file(&program).unwrap();
    assert_eq!(resolve_program(&program).unwrap(), std::fs::canonicalize(&program).unwrap());
    for bits in [0o777, 0o775, 0o1777] {
        mode(&folder, bits);
        assert!(matches!(require_own_folder(&folder), Err(OwnershipError::Writable { .. })), "{bits:o}");
    }
    mode(&folder, 0o755);
    for bits in [0o757, 0o775] {
        mode(&program, bits);
        assert!(matches!(require_own_file(&program), Err(OwnershipError::Writable { .. })), "{bits:o}");
        assert!(matches!(resolve_program(&program), Err(OwnershipError::Writable { .. })), "{bits:o}");
    }
}

#[test]
fn a_parent_folder_that_others_can_change_is_refused_unless_it_is_sticky() {
    let (_world, folder) = world();
    let below = folder.join("missing/home");
    assert!(resolve(&below).unwrap().ends_with("folder/missing/home"));
    mode(&folder, 0o777);
    let refused = |error| matches!(error, OwnershipError::WritableAbove { path } if path.ends_with("folder"));
    assert!(refused(resolve(&below).unwrap_err()));
    assert!(refused(resolve_program(&folder.join("program")).unwrap_err()));
    mode(&folder, 0o1777);
    resolve(&below).unwrap();
    assert!(refused(resolve_program(&folder.join("program")).unwrap_err()), "a program needs more");
}

#[test]
fn links_are_followed_if_no_other_user_can_replace_them() {
    let (world, folder) = world();
    let link = world.path().join("link");
    symlink("folder/program", &link).unwrap();
    assert_eq!(resolve_program(&link).unwrap(), std::fs::canonicalize(folder.join("program")).unwrap());
    assert!(matches!(require_own_file(&link), Err(OwnershipError::Link { .. })));
    assert!(matches!(require_own_folder(&link), Err(OwnershipError::Link { .. })));
    mode(&folder, 0o777);
    assert!(resolve_program(&link).is_err(), "the folder behind the link counts");
    mode(&folder, 0o755);
    mode(world.path(), 0o1777);
    assert!(resolve_program(&link).is_err(), "the folder of the link counts");
    let circle = folder.join("circle");
    symlink("circle", &circle).unwrap();
    assert!(matches!(resolve(&circle), Err(OwnershipError::Link { .. })));
}

#[test]
fn files_of_another_user_are_refused() {
    if !is_root() {
        return;
    }
    let (world, folder) = world();
    let program = folder.join("program");
    let link = world.path().join("link");
    symlink("folder", &link).unwrap();
    lchown(&link, Some(OTHER_USER), None).unwrap();
    let foreign = |error| matches!(error, OwnershipError::Foreign { owner, .. } if owner.id == OTHER_USER);
    assert!(foreign(resolve(&link.join("program")).unwrap_err()), "a link of another user");
    chown(&program, Some(OTHER_USER), None).unwrap();
    assert!(foreign(require_own_file(&program).unwrap_err()));
    assert!(foreign(require_own_open_file(&File::open(&program).unwrap(), &program).unwrap_err()));
    assert!(foreign(resolve_program(&program).unwrap_err()));
    assert!(others_can_write(&program));
    chown(&folder, Some(OTHER_USER), None).unwrap();
    assert!(foreign(require_own_folder(&folder).unwrap_err()));
    assert!(foreign(resolve(&folder.join("x")).unwrap_err()));
}

#[test]
fn owners_are_displayed_by_name_if_known() {
    let root = Account { id: 0, name: Some("root".to_owned()) };
    assert_eq!(root.to_string(), "root");
    assert_eq!(Account { id: OTHER_USER, name: None }.to_string(), "12345");
}
