//! What a submission says of a lead: pure.

use crate::customers::country::Country;
use crate::leads::forms::{LeadForm, TRACKED};
use crate::leads::model::LeadIn;
use service_kit::{Email, Faults};
use std::collections::BTreeMap;

/// Reads what a form asks; the rest is not looked at.
pub fn read(
    form: &LeadForm,
    sent: &BTreeMap<String, String>,
    faults: &mut Faults,
) -> (LeadIn, BTreeMap<String, String>) {
    let mut lead = LeadIn {
        source: Some(form.source.clone()),
        campaign: form.campaign.clone(),
        ..LeadIn::default()
    };
    let mut answers = BTreeMap::new();
    for field in &form.fields.0 {
        let value = sent
            .get(&field.name)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty());
        match value {
            Some(value) => fill(&mut lead, &mut answers, &field.name, value, faults),
            None if field.required => faults.add(format!("/{}", field.name), "required", "must be filled in"),
            None => {}
        }
    }
    for name in TRACKED {
        let value = sent
            .get(name)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty());
        if let Some(value) = value {
            // What a link carries is no fault of whoever followed it.
            track(&mut lead, name, value);
        }
    }
    (lead, answers)
}

fn fill(lead: &mut LeadIn, answers: &mut BTreeMap<String, String>, name: &str, value: &str, faults: &mut Faults) {
    let (place, longest) = match name {
        "name" => (&mut lead.name, 200),
        "company" => (&mut lead.company, 200),
        "job_title" => (&mut lead.job_title, 200),
        "phone" => (&mut lead.phone, 50),
        "postal_code" => (&mut lead.postal_code, 20),
        "region" => (&mut lead.region, 100),
        "city" => (&mut lead.city, 100),
        "message" => (&mut lead.message, 5_000),
        "email" => {
            lead.email = Email::parse(value);
            if lead.email.is_none() {
                faults.add("/email", "bad_format", "is no e-mail address");
            }
            return;
        }
        "country" => {
            lead.country = Country::from_code(&value.to_uppercase());
            if lead.country.is_none() {
                faults.add("/country", "bad_format", "expected an ISO 3166-1 alpha-2 country code");
            }
            return;
        }
        _ => {
            answers.insert(name.to_owned(), value.to_owned());
            return;
        }
    };
    if value.chars().count() > longest {
        faults.add(format!("/{name}"), "too_long", format!("at most {longest} characters"));
    }
    *place = Some(value.to_owned());
}

fn track(lead: &mut LeadIn, name: &str, value: &str) {
    let (place, longest) = match name {
        "utm_source" => (&mut lead.utm_source, 200),
        "utm_medium" => (&mut lead.utm_medium, 200),
        "utm_campaign" => (&mut lead.utm_campaign, 200),
        "utm_term" => (&mut lead.utm_term, 200),
        "utm_content" => (&mut lead.utm_content, 200),
        "campaign" => (&mut lead.campaign, 200),
        "referrer" => (&mut lead.referrer, 2_000),
        _ => (&mut lead.landing_page, 2_000),
    };
    *place = Some(value.chars().take(longest).collect());
}
