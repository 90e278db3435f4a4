-- Allowances (tables: migrations/0023_central_value.sql, 0032_allowances.sql).

-- name: lock_all()
-- One grant after the other: two that are decided at once would both take what is left.
select pg_advisory_xact_lock(hashtext('holdfast allowances'));

-- name: place(origin)^
select store, series, currency, retired_at_ms is not null from origin where origin = :origin;

-- name: is_current(origin, epoch)$
-- It is here, not closed or given up, and no other of this register's began after it.
select exists (
    select from chain c where c.origin = :origin and c.epoch = :epoch and c.branch = 0 and c.closed_at_seq is null
) and not exists (
    select from chain c where c.origin = :origin and c.epoch <> :epoch and c.branch = 0 and c.chain > (
        select min(chain) from chain where origin = :origin and epoch = :epoch)
);

-- name: exposed(origin, epoch, kind, currency, now_ms, owed_since_ms)^
-- What a former epoch had and may still owe, once it expired, counts for the chain alone: a till that was
-- restored is not to go without for as long as nobody knows what became of its old disk.
select coalesce(sum(allowance_at_stake(a, :now_ms)) filter (
           where origin = :origin and kind = :kind and (epoch = :epoch or expires_at_ms > :now_ms)), 0)::bigint,
       coalesce(sum(allowance_at_stake(a, :now_ms)) filter (where currency = :currency), 0)::bigint
from value_allowance a where returned_at_ms is null and expires_at_ms > :owed_since_ms;

-- name: add(allowance, origin, epoch, kind, amount, now_ms, expires_at_ms, currency, per_card, per_transaction)!
insert into value_allowance (
    allowance, origin, epoch, kind, amount, granted_at_ms, expires_at_ms, currency, per_card, per_transaction
)
values (
    :allowance, :origin, :epoch, :kind, :amount, :now_ms, :expires_at_ms, :currency, :per_card, :per_transaction
);

-- name: limits(allowance)^
select per_card, per_transaction from value_allowance where allowance = :allowance;

-- name: by_register(now_ms, owed_since_ms, limit)
-- What is at stake, and what was used of those that ended within the last week.
select a.allowance, a.kind, a.currency, a.amount, a.used, a.granted_at_ms, a.expires_at_ms,
       a.taken_at_ms is not null, a.returned_at_ms, o.name, o.store, a.origin,
       allowance_at_stake(a, :now_ms)
from value_allowance a left join origin o using (origin)
where a.expires_at_ms > :now_ms - 604800000
   or a.returned_at_ms is null and a.expires_at_ms > :owed_since_ms and allowance_at_stake(a, :now_ms) > 0
order by 13 desc, a.granted_at_ms desc limit :limit;

-- name: totals(now_ms, owed_since_ms)
select currency, sum(at_stake)::bigint, count(distinct origin)
from (
    select currency, origin, expires_at_ms, allowance_at_stake(a, :now_ms) as at_stake
    from value_allowance a where returned_at_ms is null and expires_at_ms > :owed_since_ms
) given
where at_stake > 0 or expires_at_ms > :now_ms group by currency order by currency;
