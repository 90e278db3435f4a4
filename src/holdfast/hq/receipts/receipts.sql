-- Keys behind receipts' codes, and what came back on which receipt (tables: migrations/*_receipts.sql).

-- name: keys_mark()^
-- Changes whenever a register is given a key, gives one up or is retired; cheap enough to ask every few seconds.
select count(*), count(until_chain), max(added_at_ms), (select count(retired_at_ms) from origin) from origin_key;

-- name: keys()
-- Each key of each register, and when it gave way: to the next one, or because the register was retired.
select k.key_id, k.origin, o.name, o.series, o.store, k.public_key,
       least(lead(k.added_at_ms) over (partition by k.origin order by k.number), o.retired_at_ms)
from origin_key as k join origin as o on o.origin = k.origin
where o.kind = 'register'
order by k.origin, k.number;

-- name: key(key_id)^
select k.key_id, k.origin, o.name, o.series, o.store, k.public_key,
       least((select n.added_at_ms from origin_key as n where n.origin = k.origin and n.number > k.number
              order by n.number limit 1), o.retired_at_ms)
from origin_key as k join origin as o on o.origin = k.origin
where k.key_id = :key_id;

-- name: may_check()$
-- One process at a time, until its transaction ends.
select pg_try_advisory_xact_lock(hashtext('holdfast returned twice'));

-- name: unchecked(waits_before, limit)
-- Receipts named by returns that nobody looked at yet, or that waited for the receipt's own document.
select r.document
from document_return as r
where not r.checked and (r.tried_at_ms is null or r.tried_at_ms < :waits_before)
group by r.document
order by min(coalesce(r.tried_at_ms, 0)), r.document
limit :limit;

-- name: sold(document)
select l.line, l.quantity_milli, d.total_minor, d.currency
from document as d join document_line as l on l.chain = d.chain and l.seq = d.seq
where d.number = :document and d.type = 'sale'
order by d.chain, d.seq, l.line;

-- name: came_back(document)
select d.number, o.name, d.business_date::text, r.document_line, r.quantity_milli, r.amount_minor,
       d.origin, r.chain, r.seq, r.checked
from document_return as r
join document as d on d.chain = r.chain and d.seq = r.seq
join origin as o on o.origin = d.origin
where r.document = :document
order by d.at_ms, r.chain, r.seq, r.line;

-- name: mark_checked(document)!
update document_return set checked = true where document = :document and not checked;

-- name: mark_tried(document, now_ms)!
update document_return set tried_at_ms = :now_ms where document = :document and not checked;

-- name: raise_alert(origin, chain, seq, detail)!
insert into alert (kind, origin, chain, seq, detail) values ('returned-twice', :origin, :chain, :seq, :detail);
