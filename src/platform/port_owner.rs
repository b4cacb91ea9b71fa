//! Which program listens on a TCP port, where the system tells: from Linux' tables, from `lsof` on macOS, from `netstat`
//! on Windows. Other people's programs are not always told.

/// The program that listens on this port, as `name (process 123)`; `None` where the system does not tell.
pub fn listener(port: u16) -> Option<String> {
    let (pid, name) = find(port)?;
    Some(match name.or_else(|| name_of(pid)) {
        Some(name) => format!("{name} (process {pid})"),
        None => format!("process {pid}"),
    })
}

fn name_of(pid: u32) -> Option<String> {
    let line = super::process::command_line(pid)?;
    let program = line.first()?;
    let name = program.rsplit(['/', '\\']).next().filter(|name| !name.is_empty())?;
    Some(name.to_owned())
}

#[cfg(target_os = "linux")]
fn find(port: u16) -> Option<(u32, Option<String>)> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(std::fs::read_to_string);
    let inodes: Vec<String> =
        tables.iter().flatten().flat_map(|table| listening_inodes(table, port)).collect();
    let wanted: Vec<std::ffi::OsString> =
        inodes.iter().map(|inode| format!("socket:[{inode}]").into()).collect();
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    processes
        .filter_map(|process| process.file_name().to_str()?.parse::<u32>().ok())
        .find(|pid| {
            let Ok(open) = std::fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
            open.flatten()
                .filter_map(|file| std::fs::read_link(file.path()).ok())
                .any(|target| wanted.iter().any(|socket| target.as_os_str() == socket))
        })
        .map(|pid| (pid, None))
}

/// The sockets that listen on a port, in a table of the form of `/proc/net/tcp`.
#[cfg(target_os = "linux")]
fn listening_inodes(table: &str, port: u16) -> Vec<String> {
    const LISTEN: &str = "0A";
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (_, here) = fields.get(1)?.rsplit_once(':')?;
            let listens = *fields.get(3)? == LISTEN && u16::from_str_radix(here, 16).ok()? == port;
            fields.get(9).filter(|_| listens).map(|inode| (*inode).to_owned())
        })
        .collect()
}

#[cfg(target_os = "macos")]
fn find(port: u16) -> Option<(u32, Option<String>)> {
    let asked = std::process::Command::new("/usr/sbin/lsof")
        .args(["-nP", &format!("-iTCP:{port}"), "-sTCP:LISTEN", "-Fpc"])
        .stdin(std::process::Stdio::null())
        .output()
        .ok()?;
    from_lsof(&String::from_utf8_lossy(&asked.stdout))
}

/// A line `p123` and a line `cName` a process.
#[cfg(any(target_os = "macos", test))]
fn from_lsof(said: &str) -> Option<(u32, Option<String>)> {
    let pid = said.lines().find_map(|line| line.strip_prefix('p')?.trim().parse().ok())?;
    Some((pid, said.lines().find_map(|line| line.strip_prefix('c').map(str::to_owned))))
}

#[cfg(windows)]
fn find(port: u16) -> Option<(u32, Option<String>)> {
    use std::os::windows::process::CommandExt as _;
    // From the Windows headers (processthreadsapi): no window.
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;
    let root = std::env::var_os("SystemRoot").unwrap_or_else(|| r"C:\Windows".into());
    let program = std::path::Path::new(&root).join(r"System32\netstat.exe");
    let asked = std::process::Command::new(program)
        .args(["-ano", "-p", "TCP"])
        .creation_flags(CREATE_NO_WINDOW)
        .stdin(std::process::Stdio::null())
        .output()
        .ok()?;
    from_netstat(&String::from_utf8_lossy(&asked.stdout), port)
}

/// Lines `TCP  127.0.0.1:80  0.0.0.0:0  LISTENING  123`; the word is translated, the foreign port 0 is not.
#[cfg(any(windows, test))]
fn from_netstat(said: &str, port: u16) -> Option<(u32, Option<String>)> {
    said.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let of = |address: &str| address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        let listens = of(fields.get(1)?) == Some(port) && of(fields.get(2)?) == Some(0);
        fields.last().filter(|_| listens)?.parse().ok().map(|pid| (pid, None))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn we_are_found_by_our_own_port() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let said = listener(port).unwrap();
        assert!(said.contains(&format!("(process {})", std::process::id())), "{said}");
        drop(socket);
        assert_eq!(listener(port), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn connections_and_other_ports_are_not_listeners() {
        let line = |address: &str, state: &str| {
            format!("head\n 0: {address} 00000000:0000 {state} 0:0 00:0 0 1000 0 4242 1 0\n")
        };
        assert_eq!(listening_inodes(&line("0100007F:A5C2", "0A"), 42434), ["4242"]);
        assert_eq!(listening_inodes(&line("0100007F:A5C2", "01"), 42434), Vec::<String>::new());
        assert_eq!(listening_inodes(&line("0100007F:A5C3", "0A"), 42434), Vec::<String>::new());
        assert_eq!(listening_inodes("head\ngarbage\n:::\n", 42434), Vec::<String>::new());
    }

    #[test]
    fn the_words_of_other_systems_are_read() {
        assert_eq!(from_lsof("p4711\ncollama\nf3\n"), Some((4711, Some("ollama".to_owned()))));
        assert_eq!(from_lsof(""), None);
        let said = "\n  Proto  Lokale Adresse  Remoteadresse  Status  PID\n  TCP  127.0.0.1:42434  0.0.0.0:0  ABHÖREN  812\n  TCP  127.0.0.1:42434  127.0.0.1:5000  HERGESTELLT  9\n";
        assert_eq!(from_netstat(said, 42434), Some((812, None)));
        assert_eq!(from_netstat(said, 5000), None);
    }
}
