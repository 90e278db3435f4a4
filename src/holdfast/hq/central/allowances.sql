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

-- name: exposed(origin, kind, currency, now_ms)^
select coalesce(sum(greatest(amount - used, 0)) filter (where origin = :origin and kind = :kind), 0)::bigint,
       coalesce(sum(greatest(amount - used, 0)) filter (where currency = :currency), 0)::bigint
from value_allowance where returned_at_ms is null and expires_at_ms > :now_ms;

-- name: add(allowance, origin, epoch, kind, amount, now_ms, expires_at_ms, currency, per_card, per_transaction)!
insert into value_allowance (
    allowance, origin, epoch, kind, amount, granted_at_ms, expires_at_ms, currency, per_card, per_transaction
)
values (
    :allowance, :origin, :epoch, :kind, :amount, :now_ms, :expires_at_ms, :currency, :per_card, :per_transaction
);

-- name: limits(allowance)^
select per_card, per_transaction from value_allowance where allowance = :allowance;

-- name: by_register(now_ms, limit)
-- Open ones, and what was used of those that ended within the last week.
select a.allowance, a.kind, a.currency, a.amount, a.used, a.granted_at_ms, a.expires_at_ms,
       a.taken_at_ms is not null, a.returned_at_ms, o.name, o.store, a.origin,
       case when a.returned_at_ms is null and a.expires_at_ms > :now_ms then greatest(a.amount - a.used, 0) else 0 end
from value_allowance a left join origin o using (origin)
where a.expires_at_ms > :now_ms - 604800000
order by 13 desc, a.granted_at_ms desc limit :limit;

-- name: totals(now_ms)
select currency, sum(greatest(amount - used, 0))::bigint, count(distinct origin)
from value_allowance where returned_at_ms is null and expires_at_ms > :now_ms group by currency order by currency;
