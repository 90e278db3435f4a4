-- Queries of the drill that goes on.

-- name: drill()$
select data from drill;

-- name: set_drill(data)!
update drill set data = :data, tally = null;

-- name: drill_tally()$
select tally from drill;

-- name: set_drill_tally(tally)!
update drill set tally = :tally where data is not null;
