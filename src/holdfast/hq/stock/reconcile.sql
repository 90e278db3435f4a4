-- Holding head office's stock against what registers say, and against its own journals (ST2).

-- name: registers(store)
select o.origin, o.name, o.series, s.epoch, s.seq, s.products, s.digest, s.at_ms
from origin o left join stock_statement s using (origin)
where o.store = :store and o.kind = 'register' order by o.name, o.origin;

-- name: chains(origin)
select chain, epoch, branch, head_seq, parent_epoch, parent_seq from chain where origin = :origin order by chain;

-- name: moved(chains, through)
select l.sku, sum(l.stock_milli)::bigint
from unnest(:chains::integer[], :through::bigint[]) as place (chain, through)
join document_line l on l.chain = place.chain and l.seq <= place.through
where l.stock_milli <> 0
group by l.sku;

-- name: waiting(chains, through)
-- Entries that are here and took no effect: they wait, or repeat what another one says.
select e.chain, e.seq, e.status, coalesce(q.cause, ''), e.hash, e.data
from unnest(:chains::integer[], :through::bigint[]) as place (chain, through)
join entry e on e.chain = place.chain and e.seq <= place.through
left join quarantine q on q.chain = e.chain and q.seq = e.seq and q.resolved_at_ms is null
where e.status <> 'applied'
order by e.chain, e.seq limit 1000;

-- name: differences(store, at_most)
-- Products whose level is not what all documents and head office itself moved.
with moved as (
    select l.sku, sum(l.stock_milli) as quantity_milli
    from document d join document_line l using (chain, seq)
    where d.store = :store and l.stock_milli <> 0 group by l.sku
), own as (
    select sku, sum(quantity_milli) as quantity_milli from stock_derived where store = :store group by sku
), wanted as (
    select sku, sum(quantity_milli) as quantity_milli
    from (select * from moved union all select * from own) as each group by sku
)
select sku, coalesce(l.quantity_milli, 0)::bigint, coalesce(w.quantity_milli, 0)::bigint
from (select sku, quantity_milli from stock_level where store = :store) as l full join wanted w using (sku)
where coalesce(l.quantity_milli, 0) <> coalesce(w.quantity_milli, 0)
order by sku limit :at_most;
