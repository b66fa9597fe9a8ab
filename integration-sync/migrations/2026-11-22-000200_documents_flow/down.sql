DELETE FROM retries WHERE flow = 'documents-to-crm';
DELETE FROM dead_letters WHERE flow = 'documents-to-crm';
DELETE FROM flow_states WHERE name = 'documents-to-crm';
