-- Epochs declared lost (table: migrations/0008_lost_epochs.sql).

-- name: lock_origin(origin)$
-- Before anything else of it: two people may act at once.
select origin from origin where origin = :origin for update;

-- name: held(origin, epoch)$
-- Entries of the epoch that are here, over all its branches; null: none of it ever came.
select sum(head_seq - fork_seq)::bigint from chain where origin = :origin and epoch = :epoch;

-- name: claimed(origin, epoch)$
-- The highest head that was claimed and is not here.
select max(cl.seq)
from claim cl
where cl.origin = :origin and cl.epoch = :epoch
  and not exists (
    select from chain c left join entry e on e.chain = c.chain and e.seq = cl.seq
    where c.origin = cl.origin and c.epoch = cl.epoch
      and (e.hash = cl.hash or (cl.hash = '' and c.head_seq >= cl.seq))
  );

-- name: propose(origin, epoch, reason, by, at_ms, held, claimed)$
insert into lost_epoch (origin, epoch, reason, proposed_by, proposed_at_ms, held_entries, claimed_seq)
values (:origin, :epoch, :reason, :by, :at_ms, :held, :claimed)
returning id;

-- name: proposed(origin, epoch)^
-- What waits for another person.
select id, proposed_by from lost_epoch
where origin = :origin and epoch = :epoch and confirmed_at_ms is null and withdrawn_at_ms is null;

-- name: confirm(id, by, at_ms, held, claimed)!
update lost_epoch
set confirmed_by = :by, confirmed_at_ms = :at_ms, held_entries = :held, claimed_seq = :claimed
where id = :id;

-- name: withdraw(id, by, at_ms)!
update lost_epoch set withdrawn_by = :by, withdrawn_at_ms = :at_ms where id = :id;

-- name: history(origin, epoch, limit)
-- Every declaration of the epoch, newest first.
select id, origin, epoch, reason, proposed_by, proposed_at_ms, confirmed_by, confirmed_at_ms,
       withdrawn_by, withdrawn_at_ms, held_entries, claimed_seq
from lost_epoch where origin = :origin and epoch = :epoch order by id desc limit :limit;
