-- Parameters (table: migrations/0022_parameters.sql).

-- name: changes_of(key)
-- In the order in which they were made.
select number, key, value, valid_from, made_on, undoes, version, made_by, made_at_ms, reason
from parameter_change where key = :key order by number;

-- name: changes_of_all(keys)
select number, key, value, valid_from, made_on, undoes, version, made_by, made_at_ms, reason
from parameter_change where key = any(:keys) order by number;

-- name: history(name, limit)
-- The newest first; of all parameters where no name is given.
select number, key, value, valid_from, made_on, undoes, version, made_by, made_at_ms, reason
from parameter_change where :name::text is null or name = :name order by number desc limit :limit;

-- name: change(number)^
select number, key, value, valid_from, made_on, undoes, version, made_by, made_at_ms, reason
from parameter_change where number = :number;

-- name: newest(name)$
-- The number of the newest change of a parameter; 0: it was never set.
select coalesce(max(number), 0) from parameter_change where name = :name;

-- name: add(key, name, value, valid_from, made_on, undoes, version, by, at_ms, reason)$
insert into parameter_change (
    key, name, value, valid_from, made_on, undoes, version, made_by, made_at_ms, reason
)
values (:key, :name, :value, :valid_from, :made_on, :undoes, :version, :by, :at_ms, :reason)
returning number;

-- name: versions()
-- When each version came about.
select version, min(made_at_ms) from parameter_change group by version order by version;

-- name: places()
-- Registers in service, and where each stands.
select series, store, name, origin from origin
where kind = 'register' and retired_at_ms is null
order by store, series;

-- name: has_store(store)$
select exists (select from store where store = :store);

-- name: has_register(series)$
select exists (select from origin where kind = 'register' and retired_at_ms is null and series = :series);
