//! `/api/create`: another name and other parameters for the same weights. Validates nothing, like the real server.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::api::wanted_name;
use crate::http::{self, Answer, LineSender};
use crate::names::Name;
use crate::pull::{PullError, Puller};
use crate::server::Server;
use crate::store::{Model, media_type};

/// Creates a model from another one, which is pulled when it is not here.
pub async fn create(body: &Value, server: Arc<Server>) -> Answer {
    let name = match wanted_name(body) {
        Ok(name) => name,
        Err(answer) => return *answer,
    };
    let Some(from) = body["from"].as_str().and_then(Name::parse) else {
        return http::error(400, "neither 'from' or 'files' was specified");
    };
    let body = body.clone();
    let (to, answer) = http::lines();
    if body["stream"] == false {
        drop(answer);
        let (quiet, drain) = http::lines();
        tokio::spawn(http_body_util::BodyExt::collect(drain.into_body()));
        return match make(&name, &from, &body, &server, &quiet).await {
            Ok(()) => http::text(200, "application/json", &json!({"status": "success"}).to_string()),
            Err(PullError::Reported(message)) => http::error(500, &message),
            Err(PullError::Cancelled) => http::error(499, "request canceled"),
        };
    }
    tokio::spawn(async move {
        let last = match make(&name, &from, &body, &server, &to).await {
            Ok(()) => json!({"status": "success"}),
            Err(PullError::Reported(message)) => json!({ "error": message }),
            Err(PullError::Cancelled) => return,
        };
        // The client may be gone.
        drop(to.send(&last).await);
    });
    answer
}

async fn make(
    name: &Name,
    from: &Name,
    body: &Value,
    server: &Server,
    to: &LineSender,
) -> Result<(), PullError> {
    if server.store.model(from).is_none() {
        let puller = Puller {
            config: Arc::clone(&server.config),
            store: server.store.clone(),
            stop: server.stop.clone(),
        };
        puller.pull(from, false, to).await?;
    }
    if let Some(message) = server.file_in_use("create") {
        return Err(message.into());
    }
    let base = server.store.model(from).ok_or_else(|| format!("model '{}' not found", from.shortest()))?;
    let mut layers = kept_layers(&base, from);
    for layer in &layers {
        let digest = layer["digest"].as_str().unwrap_or_default();
        to.send(&json!({"status": format!("using existing layer {digest}")})).await?;
    }
    let mut params: Map<String, Value> = base.params();
    params.extend(body["parameters"].as_object().cloned().unwrap_or_default());
    let system = body["system"].as_str().map(str::to_owned).or(Some(base.system()).filter(|s| !s.is_empty()));
    let written = [
        system.map(|system| ("system", system)),
        (!params.is_empty()).then(|| ("params", format!("{}\n", Value::Object(params)))),
    ];
    for (kind, text) in written.into_iter().flatten() {
        let (layer, there) = server.store.put(kind, text.as_bytes())?;
        let doing = if there { "using existing layer" } else { "creating new layer" };
        to.send(&json!({"status": format!("{doing} {}", layer["digest"].as_str().unwrap_or_default())}))
            .await?;
        layers.push(layer);
    }
    let mut config = base.config();
    config["rootfs"]["diff_ids"] = layers.iter().map(|l| l["digest"].clone()).collect();
    let (config, _) = server.store.put("config", config.to_string().as_bytes())?;
    to.send(&json!({"status": "writing manifest"})).await?;
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"mediaType": "application/vnd.docker.container.image.v1+json",
                   "digest": config["digest"], "size": config["size"]},
        "layers": layers,
    });
    server.store.write_manifest(name, manifest.to_string().as_bytes())?;
    Ok(())
}

/// Weights, template and licence are kept; the weights record their origin.
fn kept_layers(base: &Model, from: &Name) -> Vec<Value> {
    let replaced = [media_type("params"), media_type("system")];
    let mut layers = base.layers();
    layers.retain(|layer| !replaced.iter().any(|kind| layer["mediaType"] == kind.as_str()));
    for layer in &mut layers {
        if layer["mediaType"] == media_type("model").as_str() {
            layer["from"] = json!(from.shortest());
        }
    }
    layers
}
