//! Listening TCP ports: owner process, whether it is ours, and whether other machines can connect.
//!
//! Linux: from the socket tables (`/proc/net/tcp`, `/proc/net/tcp6`), which include other users' sockets. Windows: from
//! the system's table, which does too; macOS: from a system tool, which reports this user's processes only: a connection
//! accepted although it reports none is another user's. On both, reachability is tested by connecting.

#[cfg(not(target_os = "linux"))]
use std::time::Duration;

use super::ownership::Account;
use crate::untrusted::UntrustedText;

/// Timeout of the system's tool.
#[cfg(target_os = "macos")]
const TOOL_LIMIT: Duration = Duration::from_secs(5);

/// The process that listens on a port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortOwner {
    /// File name of its executable; `None` if the system does not report it.
    pub name: Option<UntrustedText>,
    /// Process ID; `None` if the system does not report it (Linux: another user's process).
    pub pid: Option<u32>,
    /// Its user, if it is not the current one and the system reports it.
    pub user: Option<Account>,
}

/// Which process accepts connections to a port on 127.0.0.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listener {
    /// One of the given processes.
    Ours,
    /// Another process.
    Other(PortOwner),
    /// None that is visible to this user.
    Nobody,
    /// Unknown.
    Unknown,
}

/// The process that listens on this port; `None` if there is none or the system does not report it.
pub fn owner(port: u16) -> Option<PortOwner> {
    match listener(port, &[]) {
        Listener::Other(owner) => Some(owner),
        Listener::Ours | Listener::Nobody | Listener::Unknown => None,
    }
}

/// Which process accepts connections to this port on 127.0.0.1; `ours` are our process IDs. A response on the port
/// proves nothing: any process can bind it first.
pub fn listener(port: u16, ours: &[u32]) -> Listener {
    #[cfg(target_os = "linux")]
    return linux::listener(port, ours);
    #[cfg(not(target_os = "linux"))]
    return judged(find(port), || takes_connections(port), ours);
}

/// What the answer of Windows' table or macOS' tool means: `None` without an answer, `Some(None)` if it names no process.
#[cfg(any(not(target_os = "linux"), test))]
fn judged(
    found: Option<Option<(u32, Option<String>)>>,
    takes_connections: impl FnOnce() -> bool,
    ours: &[u32],
) -> Listener {
    match found {
        None => Listener::Unknown,
        // The tool may not show programs of other users.
        Some(None) if takes_connections() => Listener::Other(PortOwner::default()),
        Some(None) => Listener::Nobody,
        Some(Some((pid, _))) if ours.contains(&pid) => Listener::Ours,
        Some(Some((pid, name))) => {
            let name = name.map(UntrustedText::from).or_else(|| name_of(pid));
            Listener::Other(PortOwner { name, pid: Some(pid), user: None })
        }
    }
}

/// Whether other machines can connect to this port; `None` if nothing listens or it is unknown.
pub fn is_exposed(port: u16) -> Option<bool> {
    #[cfg(target_os = "linux")]
    return linux::is_exposed(&linux::sockets().unwrap_or_default(), port);
    #[cfg(not(target_os = "linux"))]
    return answers_beyond_loopback(port);
}

fn name_of(pid: u32) -> Option<UntrustedText> {
    let line = super::process::command_line(pid)?;
    let program = line.first()?;
    let name = program.rsplit(['/', '\\']).next().filter(|name| !name.is_empty())?;
    Some(name.into())
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::BTreeSet;
    use std::fs;

    use super::{Account, Listener, PortOwner, name_of};

    /// State `TCP_LISTEN` in the kernel's tables.
    const LISTEN: &str = "0A";

    /// A listening socket.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Socket {
        pub is_loopback: bool,
        /// Whether it accepts connections on all addresses of this machine.
        pub is_on_all_addresses: bool,
        pub port: u16,
        /// ID of the user who opened it.
        pub uid: u32,
        pub inode: String,
    }

    /// All listening sockets; `None` if the tables cannot be read.
    pub fn sockets() -> Option<Vec<Socket>> {
        let mut sockets = parse(&fs::read_to_string("/proc/net/tcp").ok()?);
        // Missing if IPv6 is disabled.
        sockets.extend(fs::read_to_string("/proc/net/tcp6").map(|table| parse(&table)).unwrap_or_default());
        Some(sockets)
    }

    pub fn listener(port: u16, ours: &[u32]) -> Listener {
        sockets().map_or(Listener::Unknown, |sockets| listener_of(&sockets, port, ours))
    }

    /// A socket bound to 127.0.0.1 takes precedence over one bound to all addresses.
    fn listener_of(sockets: &[Socket], port: u16, ours: &[u32]) -> Listener {
        let on_port = || sockets.iter().filter(|socket| socket.port == port);
        let mut candidates: Vec<&Socket> = on_port().filter(|socket| socket.is_loopback).collect();
        if candidates.is_empty() {
            candidates = on_port().filter(|socket| socket.is_on_all_addresses).collect();
        }
        let own = rustix::process::geteuid().as_raw();
        let inodes: BTreeSet<String> = ours.iter().flat_map(|pid| socket_inodes(*pid)).collect();
        let is_ours = |socket: &Socket| socket.uid == own && inodes.contains(&socket.inode);
        if candidates.is_empty() {
            return Listener::Nobody;
        }
        let Some(other) = candidates.iter().find(|socket| !is_ours(socket)) else { return Listener::Ours };
        let pid = process_of(&other.inode);
        Listener::Other(PortOwner {
            name: pid.and_then(name_of),
            pid,
            user: (other.uid != own).then(|| Account::of(other.uid)),
        })
    }

    /// Inodes of a process's open sockets, if its files are visible to this user.
    fn socket_inodes(pid: u32) -> impl Iterator<Item = String> {
        let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        open.filter_map(|file| {
            let target = fs::read_link(file.path()).ok()?;
            Some(target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())
        })
    }

    /// Parses the listening sockets of a table; other lines are skipped.
    pub fn parse(table: &str) -> Vec<Socket> {
        let socket = |line: &str| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (address, port) = fields.get(1)?.split_once(':')?;
            (*fields.get(3)? == LISTEN).then_some(())?;
            Some(Socket {
                is_loopback: is_loopback(address),
                is_on_all_addresses: address.bytes().all(|digit| digit == b'0'),
                uid: fields.get(7)?.parse().ok()?,
                port: u16::from_str_radix(port, 16).ok()?,
                inode: (*fields.get(9)?).to_owned(),
            })
        };
        table.lines().filter_map(socket).collect()
    }

    pub fn is_exposed(sockets: &[Socket], port: u16) -> Option<bool> {
        let on_port: Vec<&Socket> = sockets.iter().filter(|socket| socket.port == port).collect();
        (!on_port.is_empty()).then(|| on_port.iter().any(|socket| !socket.is_loopback))
    }

    /// The process that has this socket open, if its files are visible to this user.
    fn process_of(inode: &str) -> Option<u32> {
        let processes = fs::read_dir("/proc").ok()?.flatten();
        processes
            .filter_map(|process| process.file_name().to_str()?.parse::<u32>().ok())
            .find(|pid| socket_inodes(*pid).any(|open| open == inode))
    }

    /// Addresses are hexadecimal 32-bit words in the machine's byte order: 127.0.0.1 is `0100007F` on all supported
    /// processors.
    fn is_loopback(address: &str) -> bool {
        match address.len() {
            8 => address.ends_with("7F"),
            32 => {
                let v6_loopback = address == "00000000000000000000000001000000";
                let v4_mapped = address.starts_with("0000000000000000FFFF0000") && address.ends_with("7F");
                v6_loopback || v4_mapped
            }
            _ => false,
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn takes_connections(port: u16) -> bool {
    use std::net::{Ipv4Addr, SocketAddr, TcpStream};
    const LIMIT: Duration = Duration::from_millis(300);
    TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), LIMIT).is_ok()
}

/// Connects to the port on this machine's network address, which a loopback server does not accept. `None` without a
/// network.
#[cfg(not(target_os = "linux"))]
fn answers_beyond_loopback(port: u16) -> Option<bool> {
    use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
    const LIMIT: Duration = Duration::from_millis(300);
    // Connecting a datagram socket sends nothing; the system only chooses the source address. The target is a
    // documentation address (RFC 5737).
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    let own = socket.local_addr().ok()?.ip();
    let reachable = TcpStream::connect_timeout(&SocketAddr::new(own, port), LIMIT).is_ok();
    (!own.is_loopback() && !own.is_unspecified()).then_some(reachable)
}

/// Process and program that listen on a port, if any; `None` if the system's tool fails.
#[cfg(target_os = "macos")]
fn find(port: u16) -> Option<Option<(u32, Option<String>)>> {
    let mut lsof = super::program::command("/usr/sbin/lsof");
    lsof.args(["-nP", &format!("-iTCP:{port}"), "-sTCP:LISTEN", "-Fpcn"]);
    Some(from_lsof(&super::program::run(lsof, TOOL_LIMIT).ok()?.stdout))
}

/// `lsof -F pcn`: per process a line `p123` and a line `cName`, then for each of its sockets `f7` and `n127.0.0.1:42434`.
/// Two processes may listen on one port; a socket of 127.0.0.1 gets the connections to it before one of all addresses.
#[cfg(any(target_os = "macos", test))]
fn from_lsof(output: &str) -> Option<(u32, Option<String>)> {
    let (mut process, mut on_loopback, mut on_all) = (None, None, None);
    for line in output.lines() {
        match line.split_at_checked(1) {
            Some(("p", pid)) => process = pid.parse().ok().map(|pid: u32| (pid, None)),
            Some(("c", name)) => process = process.map(|(pid, _)| (pid, Some(name.to_owned()))),
            Some(("n", address)) if address.starts_with("127.0.0.1:") => {
                on_loopback = on_loopback.or_else(|| process.clone());
            }
            Some(("n", address)) if address.starts_with("*:") => on_all = on_all.or_else(|| process.clone()),
            // Other fields, and sockets that 127.0.0.1 does not reach.
            _ => {}
        }
    }
    on_loopback.or(on_all)
}

/// The process that listens on a port of this computer, if any; `None` if the system does not tell.
#[cfg(windows)]
fn find(port: u16) -> Option<Option<(u32, Option<String>)>> {
    /// Of a socket whose process the system does not tell.
    const UNKNOWN: u32 = 0;
    let sockets = super::windows::listening_sockets()?;
    match process_for(&sockets, port) {
        Some(UNKNOWN) => None,
        process => Some(process.map(|process| (process, None))),
    }
}

/// Who gets connections to 127.0.0.1: a socket of that address before one of all addresses.
#[cfg(any(windows, test))]
fn process_for(sockets: &[(std::net::Ipv4Addr, u16, u32)], port: u16) -> Option<u32> {
    use std::net::Ipv4Addr;
    let at = |wanted: Ipv4Addr| {
        let of = sockets.iter().find(|(address, number, _)| (*address, *number) == (wanted, port));
        of.map(|(_, _, process)| *process)
    };
    at(Ipv4Addr::LOCALHOST).or_else(|| at(Ipv4Addr::UNSPECIFIED))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn our_own_port_is_owned_by_this_process() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let owner_of_port = owner(port).unwrap();
        assert_eq!((owner_of_port.pid, &owner_of_port.user), (Some(std::process::id()), &None));
        assert!(owner_of_port.name.is_some());
        assert_eq!(listener(port, &[std::process::id()]), Listener::Ours);
        assert_eq!(listener(port, &[1]), Listener::Other(owner_of_port));
        assert_eq!(is_exposed(port), Some(false));
        drop(socket);
        assert_eq!((owner(port), is_exposed(port)), (None, None));
        assert_eq!(listener(port, &[std::process::id()]), Listener::Nobody);
        let everywhere = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
        assert_eq!(is_exposed(everywhere.local_addr().unwrap().port()), Some(true));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn only_listening_sockets_are_parsed_and_loopback_is_not_exposed() {
        let table = |address: &str, state: &str| {
            linux::parse(&format!(
                "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
                 \x20  0: {address}:2CAA 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  0 0 4242 1\n"
            ))
        };
        for (address, exposed) in [
            ("0100007F", false),
            ("00000000", true),
            ("0A01A8C0", true),
            ("00000000000000000000000001000000", false),
            ("00000000000000000000000000000000", true),
            ("0000000000000000FFFF00000100007F", false),
        ] {
            let sockets = table(address, "0A");
            assert_eq!(sockets[0].inode, "4242");
            assert_eq!(linux::is_exposed(&sockets, 11_434), Some(exposed), "{address}");
            assert_eq!(linux::is_exposed(&sockets, 42_434), None);
        }
        assert_eq!(table("00000000", "01"), [], "a connection is no listener");
        assert_eq!(linux::parse("head\ngarbage\n:::\n"), []);
    }

    #[test]
    fn the_output_of_lsof_is_parsed() {
        let found = |output| from_lsof(output);
        let ollama = Some((4711, Some("ollama".to_owned())));
        assert_eq!(found("p4711\ncollama\nf3\nn127.0.0.1:42434\n"), ollama);
        assert_eq!(found("p4711\ncollama\nf3\nn*:42434\nf4\nn*:42434\n"), ollama, "IPv4 and IPv6");
        // AirPlay's receiver listens on all addresses; ours gets the connections to 127.0.0.1.
        let both = "p512\ncControlCenter\nf9\nn*:5000\np4711\ncollama\nf3\nn127.0.0.1:5000\n";
        assert_eq!(found(both), ollama);
        assert_eq!(found("p7\ncnode\nf3\nn[::1]:5000\np8\ncpython\nf3\nn192.168.1.7:5000\n"), None);
        assert_eq!((found(""), found("lsof: no pwd entry for UID 501\n")), (None, None));
    }

    #[test]
    fn who_listens_is_judged_by_the_answer_and_by_connecting() {
        let never = || panic!("not asked");
        let process = |pid| Some(Some((pid, Some("ollama".to_owned()))));
        assert_eq!(judged(None, never, &[]), Listener::Unknown);
        assert_eq!(judged(process(7), never, &[3, 7]), Listener::Ours);
        let other = PortOwner { name: Some("ollama".into()), pid: Some(7), user: None };
        assert_eq!(judged(process(7), never, &[3]), Listener::Other(other));
        // A process of another user is not shown, but it accepts connections.
        assert_eq!(judged(Some(None), || true, &[3]), Listener::Other(PortOwner::default()));
        assert_eq!(judged(Some(None), || false, &[3]), Listener::Nobody);
    }

    /// The real tool, where there is one: macOS' is of the same family.
    #[cfg(target_os = "linux")]
    #[test]
    fn the_tool_itself_names_this_process() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = format!("-iTCP:{}", socket.local_addr().unwrap().port());
        let mut lsof = crate::platform::program::command("lsof");
        lsof.args(["-nP", &port, "-sTCP:LISTEN", "-Fpcn"]);
        let Ok(output) = crate::platform::program::run(lsof, std::time::Duration::from_secs(20)) else {
            eprintln!("skipped: lsof is not installed (bash .ci/tools installs it)");
            return;
        };
        assert_eq!(from_lsof(&output.stdout).unwrap().0, std::process::id(), "{output:?}");
    }

    #[test]
    fn the_socket_of_loopback_gets_the_connections() {
        use std::net::Ipv4Addr;
        let (loopback, all) = (Ipv4Addr::LOCALHOST, Ipv4Addr::UNSPECIFIED);
        let network = Ipv4Addr::new(192, 0, 2, 7);
        let sockets =
            [(all, 42434, 4), (network, 42434, 5), (loopback, 42434, 812), (all, 5000, 9), (network, 80, 3)];
        assert_eq!(process_for(&sockets, 42434), Some(812));
        assert_eq!(process_for(&sockets, 5000), Some(9));
        assert_eq!(process_for(&sockets, 80), None, "not reached by 127.0.0.1");
        assert_eq!(process_for(&[], 80), None);
    }
}
