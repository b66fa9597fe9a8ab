-- Figures roll categories up their tree, and the tree is shown level by level.
CREATE INDEX categories_by_parent ON categories (parent_id, id) WHERE parent_id IS NOT NULL;
