-- Commands to registers (table: migrations/0004_feeds.sql).

-- name: lock_origin(origin)$
select origin from origin where origin = :origin for update;

-- name: issue(origin, kind, arguments, at_ms, by)$
insert into command (origin, number, kind, arguments, issued_at_ms, issued_by)
select :origin, coalesce(max(number), 0) + 1, :kind, :arguments, :at_ms, :by from command where origin = :origin
returning number;

-- name: after(origin, number, limit)
select number, kind, arguments, issued_at_ms from command
where origin = :origin and number > :number and finished_at_ms is null
order by number limit :limit;

-- name: delivered(origin, numbers, at_ms)!
update command set delivered_at_ms = :at_ms
where origin = :origin and number = any(:numbers) and delivered_at_ms is null;

-- name: finish(origin, number, outcome, detail, at_ms)!
update command
set outcome = :outcome, detail = :detail, finished_at_ms = :at_ms,
    delivered_at_ms = coalesce(delivered_at_ms, :at_ms)
where origin = :origin and number = :number and finished_at_ms is null;

-- name: exists(origin, number)$
select 1 from command where origin = :origin and number = :number;

-- name: latest(origin, limit)
select number, kind, arguments, issued_at_ms, issued_by, delivered_at_ms, outcome, detail, finished_at_ms
from command where origin = :origin order by number desc limit :limit;
