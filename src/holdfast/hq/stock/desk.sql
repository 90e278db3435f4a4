-- What tills ask about stock.

-- name: store_of(origin)$
select store from origin where origin = :origin;

-- name: availability(sku)
-- What is not folded yet is little.
with level as (
    select store, sum(quantity_milli) as quantity_milli
    from (
        select store, quantity_milli from stock_sum where sku = :sku
        union all
        select store, quantity_milli from stock_change where sku = :sku
    ) as moved
    group by store
)
select s.store, s.name, coalesce(here.quantity_milli, 0)::bigint, coalesce(coming.quantity_milli, 0)::bigint
from store s
left join level here on here.store = s.store
left join level coming on coming.store = 'transit:' || s.store
order by s.store;

-- name: version()^
select (select incarnation from incarnation order by number desc limit 1), (select n from stock_version);

-- name: applied(origin, epochs)
select epoch, head_seq from chain where origin = :origin and epoch = any(:epochs) and branch = 0;

-- name: levels(store, version, at_most)
-- What was folded after the version, and what waits to be folded. Below every version: all of it.
select coalesce(s.sku, w.sku), (coalesce(s.quantity_milli, 0) + coalesce(w.quantity_milli, 0))::bigint
from (select sku, quantity_milli, version from stock_sum where store = :store) as s
full join (
    select sku, sum(quantity_milli) as quantity_milli from stock_change where store = :store group by sku
) as w using (sku)
where w.sku is not null or s.version > :version
limit :at_most;

-- name: incoming(store, since_ms, at_most)
-- The newest first: what of each transfer was sent there and not received yet, by whoever it was, nor ended by head office.
with sent as (
    select t.transfer, t.store, t.at_ms, l.sku, max(l.description) as description,
           -sum(l.stock_milli) as quantity_milli
    from stock_transfer t join document_line l using (chain, seq)
    where t.way = 'sent' and t.other = :store and t.at_ms > :since_ms
    group by t.transfer, t.store, t.at_ms, l.sku
), received as (
    select t.transfer, l.sku, sum(l.stock_milli) as quantity_milli
    from stock_transfer t join document_line l using (chain, seq)
    where t.way = 'received' and t.transfer in (select transfer from sent)
    group by t.transfer, l.sku
), ended as (
    select transfer, sku, sum(quantity_milli) as quantity_milli from stock_transfer_end
    where store = :store and transfer in (select transfer from sent) group by transfer, sku
)
select s.transfer, s.store, s.at_ms, s.sku, s.description,
       (s.quantity_milli - coalesce(r.quantity_milli, 0) + coalesce(e.quantity_milli, 0))::bigint
from sent s left join received r using (transfer, sku) left join ended e using (transfer, sku)
where s.quantity_milli - coalesce(r.quantity_milli, 0) + coalesce(e.quantity_milli, 0) > 0
order by s.at_ms desc, s.transfer, s.sku limit :at_most;

-- name: state(origin, epoch, seq, products, digest, at_ms)!
insert into stock_statement (origin, epoch, seq, products, digest, at_ms)
values (:origin, :epoch, :seq, :products, :digest, :at_ms)
on conflict (origin) do update set epoch = excluded.epoch, seq = excluded.seq, products = excluded.products,
    digest = excluded.digest, at_ms = excluded.at_ms;

-- name: stores(at_most)
select store, name from store order by store limit :at_most;
