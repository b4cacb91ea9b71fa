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
    // "max" means no limit. Above the high mark the kernel takes memory back and slows the group down.
    let limits = ["memory.max", "memory.high"].map(|file| number(read(&format!("{folder}{file}"))));
    let limit_bytes = limits.into_iter().flatten().min()?;
    let used = number(read(&format!("{folder}memory.current"))).unwrap_or(0);
    let statistics = read(&format!("{folder}memory.stat")).unwrap_or_default();
    let reclaimable = ["inactive_file", "active_file", "slab_reclaimable"];
    let reclaimable = reclaimable.iter().filter_map(|key| in_table(&statistics, key)).sum();
    Some(ControlGroupLimit { limit_bytes, used_bytes: used.saturating_sub(reclaimable) })
}

fn version_1(folder: &str, read: &dyn Fn(&str) -> Option<String>) -> Option<ControlGroupLimit> {
    let statistics = read(&format!("{folder}memory.stat")).unwrap_or_default();
    // The second one includes the limits of parents, which a container may not see.
    let own = number(read(&format!("{folder}memory.limit_in_bytes")));
    let limits = [own, in_table(&statistics, "hierarchical_memory_limit")];
    let limit_bytes = limits.into_iter().flatten().filter(|limit| *limit < NO_LIMIT_V1).min()?;
    let used = number(read(&format!("{folder}memory.usage_in_bytes"))).unwrap_or(0);
    // With the groups below, where the kernel says so.
    let cache =
        |key: &str| in_table(&statistics, &format!("total_{key}")).or_else(|| in_table(&statistics, key));
    let reclaimable = ["inactive_file", "active_file"].iter().filter_map(|key| cache(key)).sum();
    Some(ControlGroupLimit { limit_bytes, used_bytes: used.saturating_sub(reclaimable) })
}

fn number(content: Option<String>) -> Option<u64> {
    content?.trim().parse().ok()
}

/// The figure of a line `KEY FIGURE`.
fn in_table(table: &str, key: &str) -> Option<u64> {
    table.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.trim().parse().ok())
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

    /// A container with a limit of 3 GiB that has read a large file: almost all of it is available.
    #[test]
    fn file_cache_counts_as_available_in_both_versions() {
        let found = Some(ControlGroupLimit { limit_bytes: 3 * GIB, used_bytes: GIB / 2 });
        let (used, cache) = ((2 * GIB).to_string(), GIB / 2);
        let statistics = format!(
            "anon 1\nfile 9\ninactive_anon 7\nactive_anon 7\ninactive_file {cache}\nactive_file {cache}\n\
             unevictable 0\nslab_reclaimable {cache}\nslab_unreclaimable 5\n"
        );
        let limit_text = (3 * GIB).to_string();
        let version_2 = [
            ("memory.max", limit_text.as_str()),
            ("memory.high", "max"),
            ("memory.current", &used),
            ("memory.stat", &statistics),
        ];
        assert_eq!(limit("0::/\n", &version_2), found);
        // What is below a group counts, and is in the sums only.
        let statistics = format!(
            "cache 5\ninactive_file 1\nactive_file 2\nhierarchical_memory_limit {limit_text}\n\
             total_inactive_file {GIB}\ntotal_active_file {cache}\n"
        );
        let version_1 = [
            ("memory/memory.limit_in_bytes", limit_text.as_str()),
            ("memory/memory.usage_in_bytes", &used),
            ("memory/memory.stat", &statistics),
        ];
        assert_eq!(limit("4:memory:/docker/abc\n", &version_1), found);
        // Without sums.
        let statistics = format!("inactive_file {GIB}\nactive_file {cache}\n");
        let version_1 = [version_1[0], version_1[1], ("memory/memory.stat", statistics.as_str())];
        assert_eq!(limit("4:memory:/docker/abc\n", &version_1), found);
    }

    #[test]
    fn a_smaller_limit_of_a_parent_counts_although_its_group_is_not_visible() {
        let statistics = format!("hierarchical_memory_limit {}\ntotal_inactive_file 0\n", 2 * GIB);
        let (used, own) = (GIB.to_string(), (8 * GIB).to_string());
        let found = Some(ControlGroupLimit { limit_bytes: 2 * GIB, used_bytes: GIB });
        for limit_in_bytes in ["9223372036854771712", "9223372036854710272", "18446744073709551615", &own] {
            let files = [
                ("memory/memory.limit_in_bytes", limit_in_bytes),
                ("memory/memory.usage_in_bytes", &used),
                ("memory/memory.stat", &statistics),
            ];
            assert_eq!(limit("4:memory:/docker/abc\n", &files), found, "{limit_in_bytes}");
        }
    }

    #[test]
    fn the_tightest_of_nested_limits_counts() {
        let [one, four, eight] = [1, 4, 8].map(|n| (n * GIB).to_string());
        let files = [
            ("a/b/memory.max", eight.as_str()),
            ("a/b/memory.current", &one),
            ("a/memory.max", &four),
            ("a/memory.current", &one),
            ("memory.max", "max"),
        ];
        let of_parent = Some(ControlGroupLimit { limit_bytes: 4 * GIB, used_bytes: GIB });
        assert_eq!(limit("0::/a/b\n", &files), of_parent);
        let slowed = [files[0], files[1], files[2], files[3], ("a/b/memory.high", &one)];
        assert_eq!(
            limit("0::/a/b\n", &slowed),
            Some(ControlGroupLimit { limit_bytes: GIB, used_bytes: GIB })
        );
        assert_eq!(limit("0::/a/b\n", &[("a/b/memory.max", "max"), ("a/b/memory.high", "max")]), None);
    }

    #[test]
    fn nonsense_is_no_limit() {
        for memberships in ["", "::::", "0::", "x\n0:/"] {
            assert_eq!(limit(memberships, &[]), None);
        }
    }
}
