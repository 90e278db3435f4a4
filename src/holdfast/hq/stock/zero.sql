-- A store set to zero.

-- name: preview(store)^
-- Products above and below zero, and how much of each.
select count(*) filter (where quantity_milli > 0), coalesce(sum(quantity_milli) filter (where quantity_milli > 0), 0)::bigint,
       count(*) filter (where quantity_milli < 0), coalesce(sum(quantity_milli) filter (where quantity_milli < 0), 0)::bigint
from stock_level where store = :store;

-- name: largest(store, at_most)
select sku, quantity_milli::bigint from stock_level where store = :store and quantity_milli <> 0
order by abs(quantity_milli) desc, sku limit :at_most;

-- name: store(store)^
select store, name from store where store = :store;

-- name: known(reference)^
select reference, store, at_ms, admin, reason, products, added_milli::bigint, taken_milli::bigint, owing
from stock_zero where reference = :reference;

-- name: done(store, at_most)
select reference, store, at_ms, admin, reason, products, added_milli::bigint, taken_milli::bigint, owing
from stock_zero where store = :store order by at_ms desc limit :at_most;

-- name: add(reference, store, at_ms, admin, reason, products, added_milli, taken_milli, owing)!
insert into stock_zero (reference, store, at_ms, admin, reason, products, added_milli, taken_milli, owing)
values (:reference, :store, :at_ms, :admin, :reason, :products, :added_milli, :taken_milli, :owing);
