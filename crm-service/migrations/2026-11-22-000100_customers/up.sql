-- Customers with their parts, the ERP's credit facts about them, and their timeline.

-- Equality of a uuid inside an exclusion constraint. A contrib module, trusted since PostgreSQL 13:
-- the owner of the database may create it.
CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE customers (
    id                   uuid PRIMARY KEY,
    name                 text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    kind                 text NOT NULL CHECK (kind IN ('company', 'person')),
    status               text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'archived')),
    email                text CHECK (length(email) <= 254 AND position('@' IN email) > 1),
    phone                text CHECK (length(phone) BETWEEN 1 AND 50),
    tax_id               text CHECK (length(tax_id) BETWEEN 1 AND 50),
    grade                text CHECK (grade IN ('A', 'B', 'C', 'D')),
    grade_effective_from date,
    external_ref         text CHECK (length(external_ref) BETWEEN 1 AND 100),
    -- counts changes of what the CRM owns: orders the events
    version              bigint NOT NULL DEFAULT 1 CHECK (version > 0),
    -- counts every change of what is shown, the credit facts included: the ETag
    revision             bigint NOT NULL DEFAULT 1 CHECK (revision >= version),
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    CONSTRAINT customers_grade_is_dated CHECK ((grade IS NULL) = (grade_effective_from IS NULL))
);
CREATE UNIQUE INDEX customers_external_ref_key ON customers (external_ref);
CREATE INDEX customers_by_created_at ON customers (created_at, id);
CREATE INDEX customers_by_name ON customers (name, id);

CREATE TABLE contacts (
    id          uuid PRIMARY KEY,
    customer_id uuid NOT NULL REFERENCES customers (id),
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    role        text CHECK (length(role) BETWEEN 1 AND 100),
    title       text CHECK (length(title) BETWEEN 1 AND 100),
    email       text CHECK (length(email) <= 254 AND position('@' IN email) > 1),
    phone       text CHECK (length(phone) BETWEEN 1 AND 50),
    revision    bigint NOT NULL DEFAULT 1 CHECK (revision > 0),
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE INDEX contacts_by_customer ON contacts (customer_id, created_at, id);

CREATE TABLE addresses (
    id          uuid PRIMARY KEY,
    customer_id uuid NOT NULL REFERENCES customers (id),
    kind        text NOT NULL CHECK (kind IN ('billing', 'shipping', 'office')),
    street      text NOT NULL CHECK (length(street) BETWEEN 1 AND 300),
    city        text NOT NULL CHECK (length(city) BETWEEN 1 AND 100),
    region      text CHECK (length(region) BETWEEN 1 AND 100),
    postal_code text CHECK (length(postal_code) BETWEEN 1 AND 20),
    country     text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
    revision    bigint NOT NULL DEFAULT 1 CHECK (revision > 0),
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE INDEX addresses_by_customer ON addresses (customer_id, created_at, id);
CREATE INDEX addresses_by_country ON addresses (country, customer_id);

CREATE TABLE legal_entities (
    id                  uuid PRIMARY KEY,
    customer_id         uuid NOT NULL REFERENCES customers (id),
    name                text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    tax_id              text CHECK (length(tax_id) BETWEEN 1 AND 50),
    registration_number text CHECK (length(registration_number) BETWEEN 1 AND 50),
    valid_from          date,
    valid_to            date,
    is_default          boolean NOT NULL,
    revision            bigint NOT NULL DEFAULT 1 CHECK (revision > 0),
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    CONSTRAINT legal_entities_validity CHECK (valid_from <= valid_to),
    -- Deferred: a PUT may hand the default from one entity to another in any order of statements.
    CONSTRAINT legal_entities_one_default EXCLUDE USING gist
        (customer_id WITH =, daterange(valid_from, valid_to, '[]') WITH &&)
        WHERE (is_default) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX legal_entities_by_customer ON legal_entities (customer_id, created_at, id);

-- A replica: the ERP is the master of these facts.
CREATE TABLE customer_credits (
    customer_id     uuid PRIMARY KEY REFERENCES customers (id),
    tier            text CHECK (length(tier) BETWEEN 1 AND 60),
    -- null is unlimited, 0 is prepayment
    credit_limit    numeric(22, 4) CHECK (credit_limit >= 0),
    credit_currency text CHECK (credit_currency ~ '^[A-Z]{3}$'),
    credit_hold     boolean NOT NULL,
    blocked         boolean NOT NULL,
    source_version  bigint NOT NULL CHECK (source_version > 0),
    as_of           timestamptz NOT NULL,
    CONSTRAINT customer_credits_limit_has_currency CHECK (credit_limit IS NULL OR credit_currency IS NOT NULL)
);

CREATE TABLE timeline_entries (
    id              uuid PRIMARY KEY,
    customer_id     uuid NOT NULL REFERENCES customers (id),
    occurred_at     timestamptz NOT NULL,
    source          text NOT NULL CHECK (source IN ('crm', 'erp')),
    kind            text NOT NULL CHECK (kind ~ '^[a-z_]{1,60}$'),
    subject_type    text NOT NULL CHECK (subject_type ~ '^[a-z_]{1,60}$'),
    subject         uuid NOT NULL,
    subject_version bigint NOT NULL,
    summary         text NOT NULL,
    data            jsonb NOT NULL,
    as_of           timestamptz NOT NULL,
    -- what has been told twice happened once
    CONSTRAINT timeline_entries_once UNIQUE (subject, kind, subject_version)
);
CREATE INDEX timeline_entries_newest_first
    ON timeline_entries (customer_id, occurred_at DESC, subject_version DESC, id DESC);
