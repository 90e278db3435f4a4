-- Central value. Accounts are locked by one statement and read by the next, which sees what others committed.

-- name: lock_accounts(kinds, accounts)
select a.kind, a.account
from unnest(:kinds::text[], :accounts::text[]) as wanted (kind, account)
join value_account a using (kind, account)
order by a.kind, a.account
for update of a;

-- name: accounts_of(kinds, accounts)
select a.kind, a.account, a.currency, a.state, a.credit_limit, a.number_end, a.number_mac, a.pin_mac,
       coalesce(m.number, 0), coalesce(m.balance, 0)
from unnest(:kinds::text[], :accounts::text[]) as wanted (kind, account)
join value_account a using (kind, account)
left join lateral (
    select number, balance from value_movement
    where kind = a.kind and account = a.account order by number desc limit 1
) m on true;

-- name: holds_by_key(keys)
select key, kind, account, origin, transaction, act, amount, since_ms, ended, told_ms
from value_hold where key = any(:keys);

-- name: holds_on(kind, account)
select key, kind, account, origin, transaction, act, amount, since_ms, ended, told_ms
from value_hold where kind = :kind and account = :account and ended = '' order by since_ms, key;

-- name: allowances_of(allowances)
select allowance, origin, epoch, kind, amount, expires_at_ms, used, returned_at_ms is not null, currency
from value_allowance where allowance = any(:allowances) order by allowance for update;

-- name: place_of(kind, number_mac)$
select account from value_account where kind = :kind and number_mac = :number_mac;

-- name: open_account(kind, account, currency, state, credit_limit, number_mac, pin_mac, number_end, at_ms)!
insert into value_account (kind, account, currency, state, credit_limit, number_mac, pin_mac, number_end, opened_at_ms)
values (:kind, :account, :currency, :state, :credit_limit, :number_mac, :pin_mac, :number_end, :at_ms);

-- name: activate(kinds, accounts)!
update value_account a set state = 'active'
from unnest(:kinds::text[], :accounts::text[]) as sold (kind, account)
where a.kind = sold.kind and a.account = sold.account;

-- name: name_account(kind, account, number_mac, number_end)!
update value_account set number_mac = :number_mac, number_end = :number_end
where kind = :kind and account = :account and number_mac is null;

-- name: put_hold(key, kind, account, origin, transaction, act, amount, since_ms, ended, ended_at_ms)!
insert into value_hold (key, kind, account, origin, transaction, act, amount, since_ms, ended, ended_at_ms)
values (:key, :kind, :account, :origin, :transaction, :act, :amount, :since_ms, :ended, :ended_at_ms);

-- name: tell_hold(key, at_ms)!
update value_hold set told_ms = :at_ms where key = :key and ended = '';

-- name: end_hold(key, ended, at_ms, by, reason)!
-- One that ended meanwhile stays as it ended.
update value_hold set ended = :ended, ended_at_ms = :at_ms, ended_by = nullif(:by, ''), reason = nullif(:reason, '')
where key = :key and ended = '';

-- name: settle_holds(keys, causes, at_ms)!
update value_hold h set ended = done.cause, ended_at_ms = :at_ms
from unnest(:keys::text[], :causes::text[]) as done (key, cause)
where h.key = done.key;

-- name: use_allowances(allowances, amounts)!
update value_allowance a set used = a.used + more.amount
from unnest(:allowances::text[], :amounts::bigint[]) as more (allowance, amount)
where a.allowance = more.allowance;

-- name: put_ask(chain, seq, key, origin, kind, act, account, number_end, transaction, at_ms)!
insert into value_ask (chain, seq, key, origin, kind, act, account, number_end, transaction, at_ms)
values (:chain, :seq, :key, :origin, :kind, :act, :account, :number_end, :transaction, :at_ms);

-- name: kin(numbers)
-- The other numbers of customers who were merged, the one that answers first (hq/migrations/0020_customers.sql).
with recursive up (asked, number) as (
    select n, n from unnest(:numbers::text[]) as n
    union
    select u.asked, c.into_number from up u join customer c using (number) where c.into_number is not null
), kin (asked, number, away) as (
    select u.asked, u.number, 0 from up u
    where not exists (select from customer c where c.number = u.number and c.into_number is not null)
    union
    select k.asked, c.number, k.away + 1 from kin k join customer c on c.into_number = k.number
)
select asked, number from kin where number <> asked order by asked, away, number;

-- name: is_waiting()$
-- This life of head office began with a loss, and nobody and nothing has opened it again.
select i.cause <> 'created' and r.incarnation is null
from incarnation i left join value_reopened r using (incarnation) order by i.number desc limit 1;

-- name: take_allowance(allowance, at_ms)!
update value_allowance set taken_at_ms = coalesce(taken_at_ms, :at_ms) where allowance = :allowance;

-- name: return_allowance(allowance, at_ms)!
update value_allowance set returned_at_ms = coalesce(returned_at_ms, :at_ms) where allowance = :allowance;
