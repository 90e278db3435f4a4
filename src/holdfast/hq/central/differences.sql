-- Movements with a remark, and who looked at them.

-- name: differences(kind, store, register, first, last, remark, open, limit)
select m.chain, m.seq, m.ordinal, m.kind, m.account, coalesce(a.number_end, ''), m.number, m.act, m.booked,
       m.counter, m.difference, m.balance, m.remark, m.currency, m.origin, m.store, o.name,
       m.business_date::text, m.at_ms, m.key, d.number, h.ended_by, h.reason,
       l.by, l.at_ms, l.note
from value_movement m
join value_account a using (kind, account)
left join origin o on o.origin = m.origin
left join document d on d.chain = m.chain and d.seq = m.seq
left join value_hold h on h.key = m.key and m.key <> ''
left join lateral (
    select by, at_ms, note from value_look
    where chain = m.chain and seq = m.seq and ordinal = m.ordinal order by id desc limit 1
) l on true
where m.remark <> ''
    and (:kind::text = '' or m.kind = :kind) and (:store::text = '' or m.store = :store)
    and (:register::text = '' or lower(o.series) = lower(:register) or lower(o.name) = lower(:register)) and (:remark::text = '' or m.remark = :remark)
    and (:first::text = '' or m.business_date >= (:first::text)::date)
    and (:last::text = '' or m.business_date <= (:last::text)::date)
    and (not :open or l.at_ms is null)
order by m.at_ms desc, m.chain, m.seq, m.ordinal limit :limit;

-- name: sums(kind, store, register, first, last, remark, open)
select m.kind, m.currency, count(*), sum(m.difference)::bigint
from value_movement m left join origin o on o.origin = m.origin
where m.remark <> ''
    and (:kind::text = '' or m.kind = :kind) and (:store::text = '' or m.store = :store)
    and (:register::text = '' or lower(o.series) = lower(:register) or lower(o.name) = lower(:register)) and (:remark::text = '' or m.remark = :remark)
    and (:first::text = '' or m.business_date >= (:first::text)::date)
    and (:last::text = '' or m.business_date <= (:last::text)::date)
    and (not :open or not exists (
        select from value_look l where l.chain = m.chain and l.seq = m.seq and l.ordinal = m.ordinal))
group by m.kind, m.currency order by m.kind, m.currency;

-- name: has_difference(chain, seq, ordinal)$
select exists (
    select from value_movement where chain = :chain and seq = :seq and ordinal = :ordinal and remark <> ''
);

-- name: look(chain, seq, ordinal, by, at_ms, note)!
insert into value_look (chain, seq, ordinal, by, at_ms, note)
values (:chain, :seq, :ordinal, :by, :at_ms, :note);
