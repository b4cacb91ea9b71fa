//! Recorded answers of a real server, and their comparison by keys, types and words, not by figures.

use std::collections::BTreeSet;

use serde_json::Value;

/// One recorded answer.
pub struct Recorded {
    pub status: u16,
    pub body: String,
}

pub fn recorded(name: &str) -> Recorded {
    let path = super::fixture(&format!("ollama/{name}.json"));
    let recording: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    // The middle of long streams is replaced by "… 42 lines like these …".
    let body =
        recording["body"].as_str().unwrap().split_inclusive('\n').filter(|line| !line.starts_with('…'));
    Recorded { status: recording["status"].as_u64().unwrap() as u16, body: body.collect() }
}

/// Every key with the type of its value, `a.b[]: number`.
pub fn shape(value: &Value, path: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            // The metadata's keys are the model's, not the server's.
            if path.ends_with("model_info") {
                into.insert(format!("{path}: object"));
                return;
            }
            map.iter().for_each(|(key, value)| shape(value, &format!("{path}.{key}"), into));
        }
        Value::Array(all) => {
            into.insert(format!("{path}[]"));
            all.iter().filter(|one| one.is_object()).for_each(|one| shape(one, &format!("{path}[]"), into));
        }
        Value::String(_) => drop(into.insert(format!("{path}: text"))),
        Value::Number(_) => drop(into.insert(format!("{path}: number"))),
        Value::Bool(_) => drop(into.insert(format!("{path}: truth"))),
        Value::Null => drop(into.insert(format!("{path}: null"))),
    }
}

/// The distinct shapes of a body's lines; text that is not JSON is its own shape.
pub fn shapes(body: &str) -> BTreeSet<Vec<String>> {
    body.lines()
        .map(|line| match serde_json::from_str::<Value>(line) {
            Ok(value) => {
                let mut keys = BTreeSet::new();
                shape(&value, "", &mut keys);
                keys.into_iter().collect()
            }
            Err(_) => vec![line.to_owned()],
        })
        .collect()
}

/// The words of a stream's status lines, without digests.
pub fn statuses(body: &str) -> Vec<String> {
    let mut all: Vec<String> = body
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .map(|line| match (line["status"].as_str(), line["error"].as_str()) {
            (Some(status), _) if status.starts_with("pulling ") && status != "pulling manifest" => {
                "pulling …".to_owned()
            }
            (Some(status), _) => status.split(" sha256:").next().unwrap().to_owned(),
            (None, error) => format!("error: {}", error.unwrap_or_default()),
        })
        .collect();
    all.dedup();
    all
}

pub fn same_shape(name: &str, answer: &(u16, String)) {
    let recorded = recorded(name);
    assert_eq!(answer.0, recorded.status, "{name}: {}", answer.1);
    // The server omits zeros, so a layer without data yet has no "completed", which depends on timing.
    let begun = |line: &&str| !line.contains("\"total\"") || line.contains("\"completed\"");
    let answered: String = answer.1.split_inclusive('\n').filter(begun).collect();
    assert_eq!(shapes(&answered), shapes(&recorded.body), "{name}");
}
