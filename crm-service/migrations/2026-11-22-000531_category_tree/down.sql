DROP INDEX categories_by_parent;
