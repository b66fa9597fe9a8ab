use serde::{Deserialize, Deserializer};

/// For fields of a JSON Merge Patch (RFC 7396) that may be cleared: absent is `None`, `null` is
/// `Some(None)`. Use with `#[serde(default, deserialize_with = "present")]`.
///
/// # Errors
/// Those of the inner type.
pub fn present<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}
