//! The fields of leads.

use super::catalogue::{Catalogue, Field, Kind, field};
use crate::custom_fields::RecordType;

macro_rules! of_touches {
    ($column:literal) => {
        concat!(
            "ARRAY(SELECT DISTINCT t.",
            $column,
            " FROM lead_touches t WHERE t.lead_id = leads.id AND t.",
            $column,
            " IS NOT NULL)"
        )
    };
}

/// Those that a score must not look at come first.
const FIELDS: [Field; 26] = [
    field("score", Kind::Number, "leads.score::numeric", "the score"),
    field(
        "state",
        Kind::Word(&["new", "working", "qualified", "disqualified", "converted"]),
        "leads.state",
        "where it stands",
    ),
    field(
        "owner",
        Kind::Text,
        "(SELECT u.email FROM users u WHERE u.id = leads.owner_id)",
        "e-mail address of the owner",
    ),
    field(
        "team",
        Kind::Text,
        "(SELECT t.name FROM teams t WHERE t.id = leads.team_id)",
        "name of the team",
    ),
    field(
        "external_ref",
        Kind::Text,
        "leads.external_ref",
        "what another system calls it",
    ),
    field("name", Kind::Text, "leads.name", "the person"),
    field("company", Kind::Text, "leads.company", "the company"),
    field("job_title", Kind::Text, "leads.job_title", "the person's title"),
    field("email", Kind::Text, "leads.email", "the e-mail address"),
    field("phone", Kind::Text, "leads.phone", "the telephone number"),
    field("country", Kind::Text, "leads.country", "code of the country"),
    field("postal_code", Kind::Text, "leads.postal_code", "the postal code"),
    field("region", Kind::Text, "leads.region", "the region"),
    field("city", Kind::Text, "leads.city", "the city"),
    field("message", Kind::Text, "leads.message", "what they want"),
    field("source", Kind::Text, "leads.source", "source of the first touch"),
    field("campaign", Kind::Text, "leads.campaign", "campaign of the first touch"),
    field(
        "form",
        Kind::Text,
        "(SELECT f.name FROM lead_forms f WHERE f.id = leads.form_id)",
        "name of the form that it came through",
    ),
    field(
        "created_at",
        Kind::Day,
        "(leads.created_at AT TIME ZONE {zone})::date",
        "day of the first touch",
    ),
    field(
        "touches.count",
        Kind::Number,
        "leads.touch_count::numeric",
        "how many touches",
    ),
    field(
        "touches.source",
        Kind::Set,
        of_touches!("source"),
        "sources of all touches",
    ),
    field(
        "touches.campaign",
        Kind::Set,
        of_touches!("campaign"),
        "campaigns of all touches",
    ),
    field(
        "utm.source",
        Kind::Set,
        of_touches!("utm_source"),
        "utm_source of all touches",
    ),
    field(
        "utm.medium",
        Kind::Set,
        of_touches!("utm_medium"),
        "utm_medium of all touches",
    ),
    field(
        "utm.campaign",
        Kind::Set,
        of_touches!("utm_campaign"),
        "utm_campaign of all touches",
    ),
    field(
        "utm.term",
        Kind::Set,
        of_touches!("utm_term"),
        "utm_term of all touches",
    ),
];

const ALL: &[Field] = &FIELDS;

/// What lists and assignment rules look at.
pub const LEADS: Catalogue = Catalogue {
    record_type: RecordType::Lead,
    table: "leads",
    fields: ALL,
};

/// What scoring rules look at: what somebody is and did, not what became of it here.
pub const SCORED_LEADS: Catalogue = Catalogue {
    record_type: RecordType::Lead,
    table: "leads",
    fields: ALL.split_at(4).1,
};
