DROP TABLE lead_touches;
DROP TABLE lead_submissions;
DROP TABLE leads;
DROP FUNCTION refuse_lead_change();
DROP TABLE lead_assignment_rules;
DROP TABLE lead_scoring_rules;
DROP TABLE lead_forms;
