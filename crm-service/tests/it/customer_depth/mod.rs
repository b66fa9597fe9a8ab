//! What else there is about customers: custom fields, tags, consent, segments …

mod custom_field_definitions;
mod custom_field_values;
mod tags_and_parents;
