DROP TABLE dunning_letter_items, dunning_letters, dunning_runs, dunning_settings, dunning_levels;
DROP FUNCTION refuse_issued_letter_change;
