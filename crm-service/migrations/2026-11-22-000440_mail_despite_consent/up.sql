-- Why a message went out although consent was withdrawn, as its writer put it.
ALTER TABLE email_contents ADD COLUMN despite_withdrawn text CHECK (length(despite_withdrawn) BETWEEN 1 AND 300);
