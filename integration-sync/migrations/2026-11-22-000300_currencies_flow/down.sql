DELETE FROM retries WHERE flow = 'currencies-to-crm';
DELETE FROM dead_letters WHERE flow = 'currencies-to-crm';
DELETE FROM flow_states WHERE name = 'currencies-to-crm';
