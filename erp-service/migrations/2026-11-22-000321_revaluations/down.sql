DROP TABLE revaluation_lines, revaluations;
DROP FUNCTION foreign_positions(date);
