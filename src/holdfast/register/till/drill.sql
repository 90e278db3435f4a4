-- Queries of the drill that goes on.

-- name: drill()$
select data from drill;

-- name: set_drill(data)!
update drill set data = :data;
