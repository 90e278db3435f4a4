-- Commands to registers (table: migrations/0004_feeds.sql).

-- name: lock_origin(origin)$
select origin from origin where origin = :origin for update;

-- name: issue(origin, kind, arguments, at_ms, by)^
insert into command (origin, incarnation, number, kind, arguments, issued_at_ms, issued_by)
select :origin, now.incarnation, coalesce(max(c.number), 0) + 1, :kind, :arguments, :at_ms, :by
from (select incarnation from incarnation order by number desc limit 1) now
left join command c on c.origin = :origin and c.incarnation = now.incarnation
group by now.incarnation
returning incarnation, number;

-- name: after(origin, incarnation, number, limit)
-- A register that knows only a former incarnation has carried out nothing of this one.
select c.incarnation, c.number, c.kind, c.arguments, c.issued_at_ms
from (select incarnation from incarnation order by number desc limit 1) now
join command c on c.origin = :origin and c.incarnation = now.incarnation
where c.finished_at_ms is null and (c.number > :number or now.incarnation <> :incarnation)
order by c.number limit :limit;

-- name: delivered(origin, incarnation, numbers, at_ms)!
update command set delivered_at_ms = :at_ms
where origin = :origin and incarnation = :incarnation and number = any(:numbers) and delivered_at_ms is null;

-- name: finish(origin, incarnation, number, outcome, detail, at_ms)!
update command
set outcome = :outcome, detail = :detail, finished_at_ms = :at_ms
where origin = :origin and incarnation = :incarnation and number = :number and finished_at_ms is null;

-- name: is_delivered(origin, incarnation, number)$
-- One that never left was not carried out: the word is of another one, which was lost in a restore that nobody
-- told head office of, and whose number was given again.
select 1 from command
where origin = :origin and incarnation = :incarnation and number = :number and delivered_at_ms is not null;

-- name: latest(origin, limit)
-- What a former incarnation gave and heard no more of may have been done: the journal says.
select number, kind, arguments, issued_at_ms, issued_by, delivered_at_ms,
    case when outcome is null and incarnation <> now.present then 'unknown' else outcome end,
    case
        when outcome is null and incarnation <> now.present
        then 'Head office lost state meanwhile. Give it again where it is still wanted.'
        else detail
    end,
    finished_at_ms
from command, (select incarnation as present from incarnation order by number desc limit 1) now
where origin = :origin order by issue desc limit :limit;
