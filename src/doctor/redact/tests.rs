use super::*;
use proptest::prelude::*;

fn secrets() -> Secrets {
    Secrets::new(Some(Path::new("/home/maria")), &["maria", "Ana María López-Ruiz"], &["tower.example.org"])
}

#[test]
fn personal_data_is_removed_from_lines() {
    for (line, expected) in [
        ("models in /home/maria/.ollama/models", "models in ~/.ollama/models"),
        ("models in /home/mariano/x and /Users/pepe/y", "models in /home/USER/x and /Users/USER/y"),
        (r"C:\Users\Pepe\AppData", r"C:\Users\USER\AppData"),
        (r"C:\Users\Pepa Pérez\AppData", r"C:\Users\USER\AppData"),
        ("started by MARIA on tower.example.org", "started by USER on HOST"),
        ("maria2 maria_backup lópez RUIZ-notes", "USER2 USER_backup USER USER-notes"),
        ("Maria@tower: hello", "EMAIL hello"),
        ("id=GPU-73e45cbc-47ea-f9a2-27e5-24963b4577bb", "id=UUID"),
        ("Authorization: Bearer abc.def", "Authorization: SECRET"),
        ("OLLAMA_TOKEN token=\"abc123\"", "OLLAMA_TOKEN SECRET"),
        ("Serial Number : 1423019004", "Serial SECRET"),
        ("GET /v1?access_token=a.b/c+d==&n=1 HTTP", "GET /v1?SECRET"),
        (r"c:\users\ana maría is full", r"c:\users\USER"),
        (r"C:\\Users\\Ana María\\x", r"C:\\Users\\USER\\x"),
        ("D:/Users/Ana Mar/x /Volumes/Ana Disk/y", "D:/Users/USER/x /Volumes/USER/y"),
        ("file%3A%2F%2Fhome%2Fpepe and ma\u{200b}ria in MariaLaptop", "file://HOST and USER in USERLaptop"),
        ("models on /run/media/maria/stick", "models on /run/media/USER/stick"),
        ("peer [2001:db8::7]:443 and [::1]:11434", "peer [IP]:443 and [::1]:11434"),
        ("at 12:34:56 acolyte::install::run", "at 12:34:56 acolyte::install::run"),
        ("key hf_abcdefghijklmnop", "key SECRET"),
        ("from 192.168.1.7:51234 to 127.0.0.1:11434", "from IP:51234 to 127.0.0.1:11434"),
        ("eth0 0c:9d:92:c6:1a:2b up", "eth0 MAC up"),
        ("mail maria.lopez@example.org now", "mail EMAIL now"),
        ("nothing to hide at 0000:01:00.0", "nothing to hide at 0000:01:00.0"),
    ] {
        assert_eq!(secrets().line(line), expected);
    }
}

#[test]
fn checksums_are_kept() {
    let line = "sha256:50539c5fe9bf85887733355098dcdb266b433cb8c73fa180713417e9ed6e42bb";
    assert_eq!(secrets().line(line), line);
}

#[test]
fn names_of_hardware_are_kept_if_the_user_has_such_a_name() {
    let jetson = Secrets::new(Some(Path::new("/home/nvidia")), &["nvidia"], &["ubuntu"]);
    assert_eq!(jetson.path("nvidia GeForce in /home/nvidia/x"), "nvidia GeForce in ~/x");
}

#[test]
fn the_full_name_of_the_user_is_read() {
    let accounts =
        "root:x:0:0:root:/root:/bin/sh\nmaria:x:1000:1000:Ana María López,,,:/home/maria:/bin/sh\n";
    let name = |users: &[String], home| name_in(accounts, users, home);
    assert_eq!(name(&["maria".to_owned()], None).as_deref(), Some("Ana María López"));
    assert_eq!(name(&[], Some(Path::new("/home/maria"))).as_deref(), Some("Ana María López"));
    assert_eq!(name(&["pepe".to_owned()], None), None);
}

#[test]
fn harmless_errors_are_kept() {
    let harmless = "libnvidia-ml.so.1: cannot open shared object file: No such file or directory";
    assert_eq!(secrets().error(harmless), harmless);
    assert_eq!(secrets().error("cannot open /home/ana/x for filomena"), "[left out]");
    let said = "Falta espacio en el disco: 12,5 GB\nfilomena";
    let kept = secrets().own_lines(said.lines(), &["falta = Falta espacio en el disco: { $size }"]);
    assert_eq!(kept, ["Falta espacio en el disco: 12,5 GB", "[left out]"]);
}

/// Realistic secrets: letters, digits and signs that no word has.
fn secret() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{3}[0-9]{2}[A-Za-z0-9]{4,20}",
        "[A-Z][a-z]{4,8}[!#$%&*+?^~][0-9]{2,4}",
        "zq[a-z]{6,12}",
        "[0-9]{3}[a-z]{3}[0-9]{3}/[a-z]{3}zq[0-9]{2}",
        "[A-Za-z0-9+/]{20,40}zq=",
        // As keys and certificates are written down.
        "[a-z][A-Z][0-9][A-Za-z0-9+/]{40,80}={0,2}",
        "[A-Z]{4}[0-9]{6}[A-Z]",
        "ñandú[0-9]{3}[a-z]{2}",
    ]
    .prop_filter("no word of ours by chance", |secret| !HarmlessWords::of_logs().are_all(secret))
}

/// Syntaxes in which programs write secrets; `{}` is the secret.
const SYNTAXES: &[&str] = &[
    "http://ana:{}@proxy:3128",
    "https://{}@git.example.org/x",
    "proxy=//ana:{}@proxy",
    "ana:{}@proxy:3128",
    "https://{}/share",
    "https://registry.ollama.ai/v2/x?sig={}&n=1",
    "https://hooks.example.com/services/{}",
    "AWS_SECRET_ACCESS_KEY={}",
    "export CLIENT_SECRET='{}'",
    "client_secret: \"{}\"",
    "--password {}",
    "--api-key={} --port 1",
    "sig={}",
    "session={}; path=/",
    "Cookie: a=1; sid={}",
    "Set-Cookie: id={}; Secure",
    "Authorization: Bearer {}",
    "authorization: Basic {}",
    "{\"token\":\"{}\"}",
    "token => {}",
    "X-Api-Key: {}",
    "password is: {}",
    "passwd\t{}",
    "MY_PIN={}",
    "ghp_{}0000",
    "sk-{}0000",
    "hf_{}0000",
    "xoxb-{}0000",
    "eyJ{}.{}.x",
    "-----BEGIN RSA PRIVATE KEY----- {} -----END RSA PRIVATE KEY-----",
    "mail {}@example.org",
    "user@{}.internal",
    "lookup {}.corp on 10.1.1.1:53",
    "host {}:3128",
    "serial number: {}",
    "curl -u ana:{} https://git.example.org",
    "--user=ana:{}",
    "<password>{}</password>",
    "password|{}",
    "user,password\nana,{}",
    "pass\u{200b}word={}",
    "%70assword%3D{}",
    "la contraseña es {}",
    "contrasen\u{303}a: {}",
    "CLAVE={}",
    "Server=db;User Id=sa;Password={};",
    "wpa_psk={}",
    "dsn=postgres://ana:{}@db/x",
    "\\\\{}\\share",
    "GET /callback?code={}",
    "http://{}.fritz.box/",
    "github_pat_{}",
    "glpat-{}",
    "npm_{}",
    "AIza{}",
    "AKIA{}",
    "-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n{}\n-----END OPENSSH PRIVATE KEY-----",
    "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n{}",
];

/// Forms of log lines and their values.
const LINES: &[&str] = &[
    "{}",
    "load_tensors: {}",
    "srv  load_model: {}",
    "  Device 0: {}",
    "error: {}",
    "time=2026-11-23T03:40:27.675Z level=INFO source=routes.go:1 msg=\"{}\"",
    "time=2026-11-23T03:40:27.675Z level=WARN source=routes.go:1 msg=\"request failed\" error=\"{}\" a={}",
    "2026-11-27T03:48:22.1Z  WARN acolyte::install: {}",
    "2026-11-27T03:48:22.1Z  WARN acolyte::install: length unknown error={} path={}",
    "[GIN] 2026/11/27 - 03:48:22 | 200 | 1.2ms | 127.0.0.1 | GET \"/api/{}\"",
    "{\"level\":\"info\",\"msg\":\"{}\"}",
    "\u{1b}[1m{}\u{1b}[0m",
    "level=INFO load_tensors: \"{}\"",
    "panic: {}",
];

proptest! {
    #[test]
    fn a_name_is_always_replaced_as_a_word(before in ".{0,20}", after in ".{0,20}") {
        let redacted = secrets().line(&format!("{before} maria {after}"));
        let words: Vec<&str> = redacted.split(|c: char| !c.is_alphabetic()).collect();
        prop_assert!(!words.contains(&"maria"), "{}", redacted);
    }

    #[test]
    fn any_text_is_redacted_without_panic(text in "\\PC{0,80}") {
        let once = secrets().line(&text);
        prop_assert!(!once.contains("/home/maria/"));
        let lines = secrets().log(text.lines());
        prop_assert!(lines.len() <= text.lines().count());
    }

    /// A secret in any syntax is removed from a setting.
    #[test]
    fn no_secret_is_left_in_a_text(secret in secret(), at in 0..SYNTAXES.len(), before in "[a-z ]{0,12}") {
        let text = format!("{before} {}", SYNTAXES[at].replace("{}", &secret));
        let shown = secrets().line(&text);
        prop_assert!(!shown.contains(&secret), "{text} -> {shown}");
    }

    /// No piece of a key is left, even without a name before it.
    #[test]
    fn no_piece_of_a_key_is_left(
        key in "[a-z][A-Z][0-9][A-Za-z0-9+]{5}[A-Za-z0-9+/]{32,80}={0,2}", before in "[a-z ]{0,12}",
    ) {
        let shown = secrets().line(&format!("{before} {key}"));
        for at in 0..key.len() - 6 {
            prop_assert!(!shown.contains(&key[at..at + 6]), "{key} -> {shown}");
        }
    }

    /// A secret in any syntax and position is removed from a log.
    #[test]
    fn no_secret_is_left_in_a_log(
        secret in secret(), syntax in 0..SYNTAXES.len(), line in 0..LINES.len(), bare in any::<bool>(),
    ) {
        let written = if bare { secret.clone() } else { SYNTAXES[syntax].replace("{}", &secret) };
        let text = LINES[line].replace("{}", &written);
        let shown = secrets().log(text.lines()).join("\n");
        prop_assert!(!shown.contains(&secret), "{text} -> {shown}");
        prop_assert!(!secrets().error(&text).contains(&secret));
    }

    /// Addresses, and numbers of devices and persons.
    #[test]
    fn no_unique_number_is_left(
        ip in any::<[u8; 4]>(), six in any::<[u16; 8]>(), mac in any::<[u8; 6]>(), id in 1_000_000_000_u64..,
        line in 0..LINES.len(),
    ) {
        let ip = std::net::Ipv4Addr::from(ip);
        prop_assume!(!ip.is_loopback() && !ip.is_unspecified());
        let six = std::net::Ipv6Addr::from(six);
        prop_assume!(!six.is_loopback() && !six.is_unspecified());
        let pairs: Vec<String> = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        let cisco = format!("{}{}.{}{}.{}{}", pairs[0], pairs[1], pairs[2], pairs[3], pairs[4], pairs[5]);
        let numbers = [
            ip.to_string(), format!("{ip}:8080"), six.to_string(), format!("{six}%eth0"), pairs.join(":"),
            pairs.join("-"), pairs.join("-").to_uppercase(), pairs.join(""), cisco,
            format!("wlx{}", pairs.join("")), format!("ip-{}", ip.to_string().replace('.', "-")),
        ];
        for number in &numbers {
            let text = LINES[line].replace("{}", &format!("from {number} to"));
            prop_assert!(!secrets().log(text.lines()).join("\n").contains(number), "{text}");
            let shown = secrets().line(&format!("from {number} to"));
            prop_assert!(!shown.contains(number), "{shown}");
        }
        let text = LINES[line].replace("{}", &id.to_string());
        prop_assert!(!secrets().log(text.lines()).join("\n").contains(&id.to_string()), "{text}");
    }
}
