-- Fields that a company defines for its own records. The values stand in the record, in a column
-- `custom_fields` (jsonb, by key).

CREATE TABLE custom_fields (
    id          uuid PRIMARY KEY,
    record_type text NOT NULL CHECK (record_type IN ('customer', 'lead', 'deal', 'quote', 'order')),
    key         text NOT NULL CHECK (key ~ '^[a-z][a-z0-9_]{0,39}$'),
    label       text NOT NULL CHECK (length(label) BETWEEN 1 AND 100),
    description text CHECK (length(description) BETWEEN 1 AND 500),
    type        text NOT NULL CHECK (type IN ('text', 'number', 'money', 'date', 'choice', 'multi_choice', 'boolean', 'reference')),
    -- [{value, label}]
    options     json,
    currency    text CHECK (currency ~ '^[A-Z]{3}$'),
    refers_to   text CHECK (refers_to IN ('customer', 'contact', 'user', 'product', 'order')),
    retired_at  timestamptz,
    revision    bigint NOT NULL CHECK (revision > 0),
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    -- also those that are retired: their values are still there
    CONSTRAINT custom_fields_key_once UNIQUE (record_type, key),
    CONSTRAINT custom_fields_choices CHECK ((options IS NOT NULL) = (type IN ('choice', 'multi_choice'))),
    CONSTRAINT custom_fields_money CHECK ((currency IS NOT NULL) = (type = 'money')),
    CONSTRAINT custom_fields_reference CHECK ((refers_to IS NOT NULL) = (type = 'reference'))
);
CREATE INDEX custom_fields_by_age ON custom_fields (created_at, id);
CREATE INDEX custom_fields_by_label ON custom_fields (label, id);
