-- Accounts as pages show them.

-- name: accounts(kind, number_end, account, state, limit)
-- The newest first. Each with its last movement and what holds it.
select a.kind, a.account, a.currency, a.state, a.credit_limit, a.number_end, a.opened_at_ms,
       coalesce(m.number, 0), coalesce(m.balance, 0), m.at_ms, coalesce(h.holds, 0), h.register, h.key
from (
    select * from value_account
    where (:kind::text = '' or kind = :kind) and (:number_end::text = '' or number_end = :number_end)
        and (:account::text = '' or account = :account) and (:state::text = '' or state = :state)
    order by opened_at_ms desc, kind, account limit :limit
) a
left join lateral (
    select number, balance, at_ms from value_movement
    where kind = a.kind and account = a.account order by number desc limit 1
) m on true
left join lateral (
    select count(*) as holds, min(o.name) as register, min(v.key) as key
    from value_hold v left join origin o using (origin)
    where v.kind = a.kind and v.account = a.account and v.ended = ''
) h on true
order by a.opened_at_ms desc, a.kind, a.account;

-- name: movements(kind, account, limit)
select m.number, m.act, m.booked, m.counter, m.difference, m.balance, m.remark, m.chain, m.seq,
       m.business_date::text, m.at_ms, m.store, o.name, m.origin, d.number, m.transaction
from value_movement m
left join origin o using (origin)
left join document d on d.chain = m.chain and d.seq = m.seq
where m.kind = :kind and m.account = :account order by m.number desc limit :limit;

-- name: holds(kind, account, limit)
select h.key, h.act, h.amount, h.since_ms, h.ended, h.ended_at_ms, h.ended_by, h.reason, h.transaction,
       h.origin, o.name, o.store
from value_hold h left join origin o using (origin)
where h.kind = :kind and h.account = :account order by (h.ended = '') desc, h.since_ms desc limit :limit;
