-- What is known of every register, and what is not (P6).

-- name: origins(origin)
select o.origin, o.kind, o.store, o.series, o.currency, o.name, o.enrolled_at_ms, o.software, o.replaces,
       o.retired_at_ms, c.at_ms, c.blocked_code, c.blocked_detail,
       h.received_at_ms, h.statement, h.skew_ms, o.retired_by, o.retired_reason
from origin o left join contact c using (origin) left join heartbeat h using (origin)
where :origin::text is null or o.origin = :origin;

-- name: chains(origin)
select c.origin, c.chain, c.epoch, c.branch, c.fork_seq, c.head_seq, c.head_hash, c.closed_at_seq, c.segment,
       c.cause, c.parent_epoch, s.seq
from chain c left join safe s using (chain)
where :origin::text is null or c.origin = :origin
order by c.chain;

-- name: open_claims(origin)
-- Claimed heads that are not here; those without a hash are settled once a branch reaches them.
-- Nearly every register's highest claim is its chain's head: those go first, all at once.
with beside as materialized (
    select cl.origin, cl.epoch, cl.seq, cl.hash, cl.claimed_at_ms from claim cl
    where (:origin::text is null or cl.origin = :origin)
      and not exists (
        select from chain c
        where c.origin = cl.origin and c.epoch = cl.epoch and c.head_seq = cl.seq and c.head_hash = cl.hash
      )
)
select cl.origin, cl.epoch, max(cl.seq), max(cl.claimed_at_ms)
from beside cl
where not exists (
    select from chain c left join entry e on e.chain = c.chain and e.seq = cl.seq
    where c.origin = cl.origin and c.epoch = cl.epoch
      and (e.hash = cl.hash or (cl.hash = '' and c.head_seq >= cl.seq))
  )
group by cl.origin, cl.epoch;

-- name: waiting(origin)
-- Entries in quarantine block a close like owed ones.
select c.origin, count(*) from quarantine q join chain c using (chain)
where q.resolved_at_ms is null and (:origin::text is null or c.origin = :origin)
group by c.origin;

-- name: incarnation()$
select incarnation from incarnation order by number desc limit 1;

-- name: feeds()
select feed, n, changed_at_ms, (select incarnation from incarnation order by number desc limit 1) from feed;

-- name: skews(origin, limit)
select at_ms, skew_ms from clock_skew where origin = :origin order by at_ms desc limit :limit;

-- name: lost(origin)
-- The newest declaration of each epoch that was not withdrawn (hq/lost.sql).
select distinct on (origin, epoch)
       id, origin, epoch, reason, proposed_by, proposed_at_ms, confirmed_by, confirmed_at_ms,
       withdrawn_by, withdrawn_at_ms, held_entries, claimed_seq
from lost_epoch
where withdrawn_at_ms is null and (:origin::text is null or origin = :origin)
order by origin, epoch, id desc;
