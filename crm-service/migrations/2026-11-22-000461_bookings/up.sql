-- What can be booked, when it is open, and who has it when.

CREATE TABLE resources (
    id            uuid PRIMARY KEY,
    name          text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    kind          text NOT NULL CHECK (kind IN ('room', 'person', 'equipment')),
    description   text CHECK (length(description) BETWEEN 1 AND 2000),
    -- Of a person.
    user_id       uuid REFERENCES users (id),
    time_zone     text NOT NULL,
    -- [{weekday, from, to}], on the wall clock of the zone
    working_hours json NOT NULL,
    -- [{date, hours: [{from, to}]}], instead of those of the weekday
    exceptions    json NOT NULL,
    active        boolean NOT NULL,
    revision      bigint NOT NULL CHECK (revision > 0),
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    CONSTRAINT resources_name_key UNIQUE (name),
    CONSTRAINT resources_user_of_person CHECK (user_id IS NULL OR kind = 'person')
);

CREATE TABLE bookings (
    id            uuid PRIMARY KEY,
    resource_id   uuid NOT NULL REFERENCES resources,
    title         text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    state         text NOT NULL CHECK (state IN ('booked', 'cancelled')),
    starts_at     timestamptz NOT NULL,
    ends_at       timestamptz NOT NULL,
    subject_type  text CHECK (subject_type IN ('customer', 'lead', 'deal', 'quote', 'order')),
    subject_id    uuid,
    activity_id   uuid REFERENCES activities,
    customer_id   uuid REFERENCES customers,
    cancel_reason text CHECK (length(cancel_reason) BETWEEN 1 AND 500),
    owner_id      uuid CONSTRAINT bookings_owner_known REFERENCES users (id),
    team_id       uuid CONSTRAINT bookings_team_known REFERENCES teams (id),
    revision      bigint NOT NULL CHECK (revision > 0),
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    CONSTRAINT bookings_end_later CHECK (ends_at > starts_at),
    CONSTRAINT bookings_subject_whole CHECK ((subject_type IS NULL) = (subject_id IS NULL)),
    CONSTRAINT bookings_no_overlap EXCLUDE USING gist (resource_id WITH =, tstzrange(starts_at, ends_at) WITH &&)
        WHERE (state = 'booked')
);
CREATE INDEX bookings_by_start ON bookings (starts_at, id);
CREATE INDEX bookings_of_resource ON bookings (resource_id, starts_at, id);
CREATE INDEX bookings_by_owner ON bookings (owner_id, starts_at, id);
CREATE INDEX bookings_by_team ON bookings (team_id, starts_at, id);
CREATE INDEX bookings_of_customer ON bookings (customer_id, starts_at, id);
CREATE TRIGGER customer_not_merged AFTER INSERT OR UPDATE OF customer_id ON bookings
    FOR EACH ROW WHEN (NEW.customer_id IS NOT NULL) EXECUTE FUNCTION refuse_merged_customer();
