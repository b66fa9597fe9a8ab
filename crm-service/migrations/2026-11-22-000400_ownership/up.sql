-- Who a record belongs to: decides who sees it.

ALTER TABLE customers ADD COLUMN owner_id uuid CONSTRAINT customers_owner_known REFERENCES users (id),
                      ADD COLUMN team_id uuid CONSTRAINT customers_team_known REFERENCES teams (id);
CREATE INDEX customers_by_owner ON customers (owner_id, created_at, id);
CREATE INDEX customers_by_team ON customers (team_id, created_at, id);

ALTER TABLE orders ADD COLUMN owner_id uuid CONSTRAINT orders_owner_known REFERENCES users (id),
                   ADD COLUMN team_id uuid CONSTRAINT orders_team_known REFERENCES teams (id);
CREATE INDEX orders_by_owner ON orders (owner_id, created_at, id);
CREATE INDEX orders_by_team ON orders (team_id, created_at, id);

-- What happened to a customer is seen with the customer; what happened to a colleague's deal, mail
-- or order follows that record's owner.
ALTER TABLE timeline_entries ADD COLUMN follows_owner boolean NOT NULL DEFAULT false,
                             ADD COLUMN owner_id uuid,
                             ADD COLUMN team_id uuid;
