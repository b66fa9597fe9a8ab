DROP TABLE analysis_run_items, analysis_runs;
DROP FUNCTION refuse_analysis_change();
