-- Points and customers' accounts (tables: migrations/0023_central_value.sql, 0026_prepared_cards.sql).

-- name: settings(keys)
select key, body from feed_row where feed = 'parameters' and key = any(:keys) and not deleted;

-- name: booked(number)
select business_date::text, act, booked from value_movement
where kind = 'points' and account = :number order by number;

-- name: booked_of(number)
-- Under all numbers that lead to this customer.
with recursive led (number) as (
    select :number::text
    union
    select c.number from customer c join led l on c.into_number = l.number
)
select m.business_date::text, m.act, m.booked, m.account
from value_movement m join led l on m.account = l.number
where m.kind = 'points' order by m.account, m.number;

-- name: with_old_points(after, before, limit)
-- Accounts that have points from before a date, and something left.
select a.account from value_account a
where a.kind = 'points' and a.account > :after
    and exists (select from value_movement m where m.kind = 'points' and m.account = a.account
                and m.booked > 0 and m.business_date < :before::date)
    and (select balance from value_movement m where m.kind = 'points' and m.account = a.account
         order by number desc limit 1) > 0
order by a.account limit :limit;

-- name: left_behind(limit)
-- Accounts of customers who were merged, with something on them or a limit, and the number that remains.
with recursive chain (number, into_number) as (
    select number, into_number from customer where into_number is not null
    union all
    select c.number, n.into_number from chain c join customer n on n.number = c.into_number
    where n.into_number is not null
), root as (
    select c.number, c.into_number from chain c join customer n on n.number = c.into_number
    where n.into_number is null
)
select a.kind, a.account, r.into_number
from root r join value_account a on a.account = r.number and a.kind in ('points', 'on_account')
where (a.credit_limit > 0 or coalesce((
        select balance from value_movement m where m.kind = a.kind and m.account = a.account
        order by number desc limit 1), 0) <> 0)
    and not exists (select from value_hold h where h.kind = a.kind and h.account = a.account and h.ended = '')
order by a.kind, a.account limit :limit;

-- name: record(at_ms, by, act, kind, account, detail, reason)$
insert into value_audit (at_ms, by, act, kind, account, detail, reason)
values (:at_ms, :by, :act, :kind, :account, :detail, :reason) returning id;

-- name: set_limit(account, limit_minor)!
update value_account set credit_limit = :limit_minor where kind = 'on_account' and account = :account;

-- name: is_customer(number)$
select exists (select from customer where number = :number and into_number is null and forgotten_at_ms is null);

-- name: currencies()
select distinct currency from store order by currency;

