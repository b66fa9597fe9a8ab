DROP INDEX segment_members_by_age;
ALTER TABLE segment_members DROP COLUMN version;
