//! Where the layers of a model are, and how its KV cache is kept.

use crate::models::KvCacheType;

/// A placement of the served model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Layers on the GPU; with `automatic`, as the engine chose them.
    pub gpu_layers: u32,
    /// The engine chooses the layers itself.
    pub automatic: bool,
    /// Type of the KV cache; one for the whole server.
    pub kv_cache_type: KvCacheType,
}
