-- What verification reads of central value, as of one moment.

-- name: movements(chain, after, through)
-- What an entry took or gave: of a return's points it is negative. What was booked over for it, it does not say.
select seq, ordinal, kind, account, act, case when act in ('issue', 'top_up', 'earn', 'pay') then -counter else counter end,
       key, allowance, origin, store, business_date, at_ms, transaction, currency
from value_movement where chain = :chain and seq > :after and seq <= :through and act <> 'move';

-- name: uneven()
-- Entries, and head office's own records under chain 0, whose booking over makes or loses something.
select chain, seq, sum(booked)::bigint from value_movement where act = 'move'
group by chain, seq, kind having sum(booked) <> 0;

-- name: unended()
select m.kind, m.account, m.key
from value_movement m left join value_hold h on h.key = m.key
where m.key <> '' and m.remark <> 'not-held' and coalesce(h.ended, '') = '';

-- name: misused()
select a.allowance
from value_allowance a left join (
    value_movement m join chain c using (chain)
) on m.allowance = a.allowance and c.origin = a.origin and c.epoch = a.epoch
group by a.allowance, a.used
having a.used <> coalesce(sum(m.counter), 0);
