//! What else there is about customers: custom fields, tags, consent, segments …

mod card;
mod consent;
mod custom_field_definitions;
mod custom_field_values;
mod duplicates;
mod grades;
mod imports;
mod merge;
mod reassignment;
mod segment_members;
mod segments;
mod tags_and_parents;
mod views;
