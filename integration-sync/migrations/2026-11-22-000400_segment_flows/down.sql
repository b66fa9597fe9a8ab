DELETE FROM retries WHERE flow IN ('segments-to-erp', 'segment-members-to-erp');
DELETE FROM dead_letters WHERE flow IN ('segments-to-erp', 'segment-members-to-erp');
DELETE FROM flow_states WHERE name IN ('segments-to-erp', 'segment-members-to-erp');
