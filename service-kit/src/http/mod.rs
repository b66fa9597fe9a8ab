//! HTTP in and out: checked input, answers with `ETag` and `Location`.

mod answer;
mod body;
mod params;
mod patch;
mod validation;

pub use answer::{Answer, Resource, same_revision};
pub(crate) use body::BodyHash;
pub use body::{Body, CsvText, File, FormBody, MessageFile, OptionalBody, Upload, is_media_type};
pub use params::{IdPath, Path, Query, SearchText, require_same_id};
pub(crate) use params::{parse_query, require_known_parameters};
pub use patch::present;
pub use validation::Validators;
