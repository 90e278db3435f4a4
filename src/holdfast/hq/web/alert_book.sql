-- Alerts for the pages (table: hq/migrations/0002_journal.sql).

-- name: open_count()$
select count(*) from alert where acknowledged_at_ms is null;

-- name: open_alerts(origin, limit)
select a.id, a.kind, a.origin, o.name, o.store, a.chain, a.seq, a.detail,
       (extract(epoch from a.raised_at) * 1000)::bigint, a.acknowledged_at_ms, a.acknowledged_by
from alert as a left join origin as o on o.origin = a.origin
where a.acknowledged_at_ms is null and (:origin::text is null or a.origin = :origin)
order by a.id desc
limit :limit;

-- name: seen_alerts(limit)
select a.id, a.kind, a.origin, o.name, o.store, a.chain, a.seq, a.detail,
       (extract(epoch from a.raised_at) * 1000)::bigint, a.acknowledged_at_ms, a.acknowledged_by
from alert as a left join origin as o on o.origin = a.origin
where a.acknowledged_at_ms is not null
order by a.id desc
limit :limit;

-- name: acknowledge(id, by, now_ms)!
update alert set acknowledged_at_ms = :now_ms, acknowledged_by = :by
where id = :id and acknowledged_at_ms is null;

-- name: waiting(origin, limit)
-- Entries in quarantine of one origin, or of all.
select q.chain, q.seq, c.origin, o.name, o.store, c.epoch, q.cause, q.detail, (extract(epoch from q.since) * 1000)::bigint, q.attempts
from quarantine as q join chain as c on c.chain = q.chain join origin as o on o.origin = c.origin
where q.resolved_at_ms is null and (:origin::text is null or c.origin = :origin)
order by q.since, q.chain, q.seq
limit :limit;
