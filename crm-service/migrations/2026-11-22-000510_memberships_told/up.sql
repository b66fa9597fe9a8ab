-- Who is in which segment travels to the ERP, each membership by itself: its version counts entering, leaving, and moving to
-- the customer that its own became part of.
ALTER TABLE segment_members ADD COLUMN version bigint NOT NULL DEFAULT 1 CHECK (version > 0);
UPDATE segment_members SET version = 2 WHERE left_at IS NOT NULL;
CREATE INDEX segment_members_by_age ON segment_members (entered_at, id);
