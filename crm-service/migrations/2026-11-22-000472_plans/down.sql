DROP INDEX activities_done, activities_tasks_due;
DROP TABLE plans;
