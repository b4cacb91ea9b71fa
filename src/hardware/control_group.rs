//! Memory limits of Linux control groups, versions 1 and 2.
//!
//! A process is in one group of a tree, and every parent group limits it too. Inside a container the path that the
//! kernel reports often does not exist in the mounted tree, whose root is then the container's own group.

/// A memory limit and how much of it is in use and not reclaimable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlGroupLimit {
    /// Limit in bytes.
    pub limit_bytes: u64,
    /// Bytes in use, without reclaimable file cache.
    pub used_bytes: u64,
}

/// Version 1 writes a number near 2^63 for "no limit".
const NO_LIMIT_V1: u64 = 1 << 62;

/// The limit with the least free memory. `memberships` is `/proc/self/cgroup`; `read` reads a file below
/// `/sys/fs/cgroup`.
pub fn tightest_limit(memberships: &str, read: &dyn Fn(&str) -> Option<String>) -> Option<ControlGroupLimit> {
    let mut limits = Vec::new();
    for line in memberships.lines() {
        let mut fields = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        if controllers.is_empty() {
            limits.extend(folders(path).filter_map(|folder| version_2(&folder, read)));
        } else if controllers.split(',').any(|controller| controller == "memory") {
            limits.extend(folders(path).filter_map(|folder| version_1(&format!("memory/{folder}"), read)));
        }
    }
    limits.into_iter().min_by_key(|limit| limit.limit_bytes.saturating_sub(limit.used_bytes))
}

/// The group's folder and its parents, each ending in a slash except the root, which is empty.
fn folders(path: &str) -> impl Iterator<Item = String> {
    // A path outside the visible tree cannot be read.
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let visible = if parts.contains(&"..") { Vec::new() } else { parts };
    (0..=visible.len())
        .rev()
        .map(move |depth| visible[..depth].iter().fold(String::new(), |folder, part| folder + part + "/"))
}

fn version_2(folder: &str, read: &dyn Fn(&str) -> Option<String>) -> Option<ControlGroupLimit> {
    // "max" means no limit.
    let limit_bytes = number(read(&format!("{folder}memory.max")))?;
    let used = number(read(&format!("{folder}memory.current"))).unwrap_or(0);
    let cache = in_table(read(&format!("{folder}memory.stat")), "inactive_file");
    Some(ControlGroupLimit { limit_bytes, used_bytes: used.saturating_sub(cache) })
}

fn version_1(folder: &str, read: &dyn Fn(&str) -> Option<String>) -> Option<ControlGroupLimit> {
    let limit_bytes =
        number(read(&format!("{folder}memory.limit_in_bytes"))).filter(|limit| *limit < NO_LIMIT_V1)?;
    let used = number(read(&format!("{folder}memory.usage_in_bytes"))).unwrap_or(0);
    let cache = in_table(read(&format!("{folder}memory.stat")), "total_inactive_file");
    Some(ControlGroupLimit { limit_bytes, used_bytes: used.saturating_sub(cache) })
}

fn number(content: Option<String>) -> Option<u64> {
    content?.trim().parse().ok()
}

fn in_table(content: Option<String>, key: &str) -> u64 {
    content
        .unwrap_or_default()
        .lines()
        .find_map(|line| line.strip_prefix(key)?.trim().parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GIB;
    use std::collections::HashMap;

    fn limit(memberships: &str, files: &[(&str, &str)]) -> Option<ControlGroupLimit> {
        let files: HashMap<&str, &str> = files.iter().copied().collect();
        tightest_limit(memberships, &|path| files.get(path).map(|content| (*content).to_owned()))
    }

    #[test]
    fn a_parent_group_limits_too() {
        let found = limit(
            "0::/user.slice/user-1000.slice/run.scope\n",
            &[
                ("user.slice/user-1000.slice/run.scope/memory.max", "max\n"),
                ("user.slice/user-1000.slice/memory.max", "8589934592\n"),
                ("user.slice/user-1000.slice/memory.current", "3221225472\n"),
                ("user.slice/user-1000.slice/memory.stat", "anon 1\ninactive_file 1073741824\n"),
            ],
        );
        assert_eq!(found, Some(ControlGroupLimit { limit_bytes: 8 * GIB, used_bytes: 2 * GIB }));
    }

    #[test]
    fn a_container_sees_its_own_group_as_the_root() {
        let found = limit(
            "0::/../../docker/abc\n",
            &[("memory.max", "4294967296"), ("memory.current", "1073741824")],
        );
        assert_eq!(found, Some(ControlGroupLimit { limit_bytes: 4 * GIB, used_bytes: GIB }));
    }

    #[test]
    fn version_1_is_read_and_its_no_limit_is_none() {
        let memberships = "5:cpu,cpuacct:/x\n4:memory:/docker/abc\n";
        let unlimited = [("memory/memory.limit_in_bytes", "9223372036854771712")];
        assert_eq!(limit(memberships, &unlimited), None);
        let limited = [
            ("memory/memory.limit_in_bytes", "2147483648"),
            ("memory/memory.usage_in_bytes", "1073741824"),
            ("memory/memory.stat", "cache 5\ntotal_inactive_file 536870912\n"),
        ];
        assert_eq!(
            limit(memberships, &limited),
            Some(ControlGroupLimit { limit_bytes: 2 * GIB, used_bytes: GIB / 2 })
        );
    }

    #[test]
    fn nonsense_is_no_limit() {
        for memberships in ["", "::::", "0::", "x\n0:/"] {
            assert_eq!(limit(memberships, &[]), None);
        }
    }
}
