//! `tandem openapi DIR`: the OpenAPI documents, as the running services show them.

use crate::failure::{Context, Result};
use crate::part::Part;
use serde_json::Value;
use std::path::Path;

/// The OpenAPI document of a service, collected from its routes.
pub fn document(part: Part) -> Value {
    match part {
        Part::Erp => erp_service::app::SERVICE.document(),
        Part::Crm => crm_service::app::SERVICE.document(),
        Part::Sync => integration_sync::SERVICE.document(),
    }
}

/// Writes `erp.json`, `crm.json` and `sync.json`; the same routes give the same bytes.
///
/// # Errors
/// When the directory refuses.
pub fn write(directory: &Path) -> Result<()> {
    std::fs::create_dir_all(directory).context(|| format!("cannot make {}", directory.display()))?;
    for part in Part::ALL {
        let path = directory.join(format!("{}.json", part.name()));
        let document = document(part);
        let text = serde_json::to_string_pretty(&document).context(|| format!("the document of the {part}"))?;
        std::fs::write(&path, text + "\n").context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
