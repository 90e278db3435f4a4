-- name: who(origin)^
select store, name from origin where origin = :origin;
