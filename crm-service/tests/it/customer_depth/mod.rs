//! What else there is about customers: custom fields, tags, consent, segments …

mod consent;
mod custom_field_definitions;
mod custom_field_values;
mod duplicates;
mod merge;
mod tags_and_parents;
