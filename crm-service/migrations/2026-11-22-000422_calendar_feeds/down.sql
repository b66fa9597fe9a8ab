DROP INDEX activities_calendar;
DROP TABLE calendar_feeds;
