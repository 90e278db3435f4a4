-- After head office lost state (tables: migrations/0001_registers.sql, 0031_after_loss.sql).

-- name: life()^
select i.incarnation, i.cause, i.began_at_ms, r.at_ms, r.by, r.reason
from incarnation i left join value_reopened r using (incarnation) order by i.number desc limit 1;

-- name: answered(incarnation)
select origin from value_answered where incarnation = :incarnation;

-- name: add_answered(incarnation, origins, at_ms)!
insert into value_answered (incarnation, origin, at_ms)
select :incarnation, origin, :at_ms from unnest(:origins::text[]) as these (origin) on conflict do nothing;

-- name: reopen(incarnation, at_ms, by, reason)!
insert into value_reopened (incarnation, at_ms, by, reason) values (:incarnation, :at_ms, :by, :reason)
on conflict do nothing;
