-- What head office knows of each register, for the pages (tables: hq/migrations/0001 and 0002).

-- name: origins(origin)
-- All registers, or one.
select o.origin, o.kind, o.store, o.series, o.currency, o.name, o.enrolled_at_ms, o.software,
       h.received_at_ms, h.statement, h.skew_ms, c.at_ms, c.blocked_code, c.blocked_detail
from origin as o
left join heartbeat as h on h.origin = o.origin
left join contact as c on c.origin = o.origin
where o.retired_at_ms is null and (:origin::text is null or o.origin = :origin);

-- name: chains(origin)
-- Every branch, in order of arrival.
select c.origin, c.epoch, c.branch, c.chain, c.fork_seq, c.head_seq, c.closed_at_seq, c.declared_lost_at_ms is not null
from chain as c
where :origin::text is null or c.origin = :origin
order by c.chain;

-- name: claims(origin)
-- By epoch: the highest head ever claimed, and the highest claimed one that is not here.
select k.origin, k.epoch, max(k.seq), max(k.seq) filter (where not exists (
    select from chain as c
    left join entry as e on e.chain = c.chain and e.seq = k.seq
    where c.origin = k.origin and c.epoch = k.epoch
      and (e.hash = k.hash or (length(k.hash) = 0 and c.head_seq >= k.seq))
))
from claim as k
where :origin::text is null or k.origin = :origin
group by k.origin, k.epoch;

-- name: branches(origin)
-- One register's branches with all that is known of them.
select c.chain, c.epoch, c.branch, c.fork_seq, c.head_seq, c.head_hash, c.segment, c.cause, s.seq
from chain as c left join safe as s on s.chain = c.chain
where c.origin = :origin
order by c.chain desc
limit 200;

-- name: feed_versions()
select feed, n from feed;
