-- Payment terms: when an invoice is due. Suppliers use the same ones.
CREATE FUNCTION instalments_make_one(instalments jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_array_length(instalments) = 0
        OR (SELECT sum((i->>'fraction')::numeric) = 1 AND min((i->>'fraction')::numeric) > 0 AND min((i->>'days')::int) >= 0
            FROM jsonb_array_elements(instalments) AS i)
$$;
CREATE TABLE payment_terms (
    id            uuid PRIMARY KEY,
    code          text NOT NULL CONSTRAINT payment_terms_code_unique UNIQUE CHECK (length(code) BETWEEN 1 AND 40),
    name          text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    -- Days from the document's date; of the last instalment where there are several.
    net_days      int NOT NULL CHECK (net_days BETWEEN 0 AND 3650),
    -- Due at the end of the month in which the days are over.
    end_of_month  boolean NOT NULL DEFAULT false,
    discount_days int CHECK (discount_days BETWEEN 0 AND 3650),
    discount      numeric(5,4) CHECK (discount > 0 AND discount < 1),
    -- [{fraction, days}]; empty: one payment.
    instalments   jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(instalments) = 'array'),
    status        text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'retired')),
    revision      bigint NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT payment_terms_discount_whole CHECK ((discount IS NULL) = (discount_days IS NULL)),
    CONSTRAINT payment_terms_instalments_make_one CHECK (instalments_make_one(instalments))
);
CREATE INDEX payment_terms_by_age ON payment_terms (created_at, id);
CREATE TRIGGER payment_terms_stay BEFORE DELETE OR TRUNCATE ON payment_terms
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
INSERT INTO payment_terms (id, code, name, net_days) VALUES
    ('00000000-0000-7000-8000-000000000100', 'IMMEDIATE', 'Due at once', 0),
    ('00000000-0000-7000-8000-000000000114', 'NET14', 'Net 14 days', 14),
    ('00000000-0000-7000-8000-000000000130', 'NET30', 'Net 30 days', 30);

ALTER TABLE company
    ADD COLUMN payment_terms_id uuid NOT NULL DEFAULT '00000000-0000-7000-8000-000000000130'
        CONSTRAINT company_payment_terms_id_fkey REFERENCES payment_terms,
    -- Whether tax is due when an advance is received.
    ADD COLUMN tax_on_advances boolean NOT NULL DEFAULT true,
    -- Orders stop when an invoice is overdue by more; absent: never.
    ADD COLUMN overdue_stop_days int CHECK (overdue_stop_days BETWEEN 0 AND 3650);
ALTER TABLE customers
    ADD COLUMN payment_terms_id uuid CONSTRAINT customers_payment_terms_id_fkey REFERENCES payment_terms,
    ADD COLUMN overdue_stop_days int CONSTRAINT customers_overdue_stop_days CHECK (overdue_stop_days BETWEEN 0 AND 3650),
    ADD COLUMN dunning_blocked boolean NOT NULL DEFAULT false;
