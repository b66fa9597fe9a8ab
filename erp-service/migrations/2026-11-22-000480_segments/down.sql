DROP VIEW segment_buyers;
DROP TABLE segment_members;
DROP TABLE segments;
