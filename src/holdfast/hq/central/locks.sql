-- Locks (tables: migrations/0023_central_value.sql, 0027_locks.sql).

-- name: locks(store, after_ms, after_key, older_than_ms, limit)
-- The oldest first; where a store is named, of its own registers.
select h.key, h.kind, h.account, h.origin, h.transaction, h.act, h.amount, h.since_ms,
       coalesce(a.number_end, ''), coalesce(a.currency, ''), o.store, o.name, h.told_ms
from value_hold h
join origin o using (origin)
left join value_account a on a.kind = h.kind and a.account = h.account
where h.ended = '' and (:store::text = '' or o.store = :store)
    and (h.since_ms, h.key) > (:after_ms, :after_key) and h.since_ms <= :older_than_ms
order by h.since_ms, h.key limit :limit;

-- name: count_locks(store)$
select count(*) from value_hold h join origin o using (origin)
where h.ended = '' and (:store::text = '' or o.store = :store);

-- name: lock(key)^
select h.key, h.kind, h.account, h.origin, h.transaction, h.act, h.amount, h.since_ms,
       coalesce(a.number_end, ''), coalesce(a.currency, ''), o.store, o.name, h.told_ms
from value_hold h
join origin o using (origin)
left join value_account a on a.kind = h.kind and a.account = h.account
where h.ended = '' and h.key = :key;

-- name: asked(keys)
-- Where each was asked for, by the register that holds it.
select k.key, c.epoch, k.seq
from value_hold h join value_ask k on k.key = h.key and k.origin = h.origin join chain c on c.chain = k.chain
where h.key = any(:keys) order by k.chain, k.seq;

-- name: changed()
-- When each parameter was last changed, and its version then.
select name, max(made_at_ms), max(version) from parameter_change group by name;

-- name: unfinished(store, limit)
-- Asks whose key neither head office nor an end of it knows: their call never came, or its answer was lost
-- with head office's state, and the transaction has not ended.
select k.key, k.kind, k.act, k.account, k.number_end, k.transaction, k.at_ms, o.origin, o.store, o.name
from value_ask k join origin o using (origin)
where not exists (select from value_hold h where h.key = k.key) and (:store::text = '' or o.store = :store)
order by k.at_ms, k.key limit :limit;

-- name: forget_asks(limit)!
-- Where the hold has ended, nobody looks for its asking any more; the entry itself stays in the journal.
delete from value_ask where (chain, seq) in (
    select k.chain, k.seq from value_ask k join value_hold h using (key) where h.ended <> '' limit :limit
);
