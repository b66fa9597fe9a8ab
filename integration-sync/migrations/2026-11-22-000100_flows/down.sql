DROP TABLE restores;
DROP TABLE dead_letters;
DROP TABLE retries;
DROP TABLE flow_states;
