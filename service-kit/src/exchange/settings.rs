//! How the sender wants a file to be read.

use super::Importable;
use crate::problem::Problem;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most columns that can be renamed.
const MOST: usize = 200;

/// What a request says of the file beside its kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportSettings {
    /// For columns of the file that are called otherwise, by their name there: what they are here, or `None` for those
    /// that are not to be looked at.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, Option<String>>,
    /// The column by which records are recognised; the usual one of the kind when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub match_by: Option<String>,
    /// Make records although there are some that may be the same, where a kind looks for that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_duplicate: bool,
}

impl ImportSettings {
    /// # Errors
    /// 400 for a parameter that cannot be understood, or that the kind does not have.
    pub(super) fn of(
        kind: &Importable,
        columns: Option<&str>,
        match_by: Option<&str>,
        allow_duplicate: bool,
    ) -> Result<Self, Problem> {
        let columns: BTreeMap<String, Option<String>> = match columns {
            None => BTreeMap::new(),
            Some(text) => serde_json::from_str(text).map_err(|_| {
                let detail = "columns: expected a JSON object such as {\"Company\": \"name\", \"Notes\": null}";
                Problem::bad_request("invalid_parameter", detail)
            })?,
        };
        if columns.len() > MOST {
            let detail = format!("columns: at most {MOST}");
            return Err(Problem::bad_request("invalid_parameter", detail));
        }
        let columns = columns.into_iter().map(|(theirs, ours)| {
            let ours = ours.map(|ours| ours.trim().to_ascii_lowercase());
            (theirs.trim().to_lowercase(), ours)
        });
        if let Some(key) = match_by {
            let open = kind
                .open
                .is_some_and(|open| key.len() > open.len() && key.starts_with(open));
            if !open && !kind.matched_by.contains(&key) {
                let detail = match kind.matched_by {
                    [] => "match_by: files of this kind are matched in one way only".to_owned(),
                    keys => format!("match_by: expected one of {}", keys.join(", ")),
                };
                return Err(Problem::bad_request("invalid_parameter", detail));
            }
        }
        Ok(ImportSettings {
            columns: columns.collect(),
            match_by: match_by.map(str::to_owned),
            allow_duplicate,
        })
    }
}
