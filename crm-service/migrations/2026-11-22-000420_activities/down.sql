DROP TABLE notifications;
DROP TABLE activities;
