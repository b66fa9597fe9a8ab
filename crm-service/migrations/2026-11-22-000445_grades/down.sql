DROP TABLE grade_proposals;
DROP TABLE grade_runs;
DROP TABLE grade_settings;
