-- name: may_fold()$
-- One process folds at a time, until its transaction's end.
select pg_try_advisory_xact_lock(7301);

-- name: fold(at_most)$
-- In one statement: at no moment is a change in both tables, or in none.
with taken as (
    delete from stock_change
    where ctid = any(array(
        select ctid from stock_change limit :at_most
    ))
    returning store, sku, quantity_milli
), summed as (
    select store, sku, sum(quantity_milli) as quantity_milli from taken group by store, sku
), told as (
    update stock_version set n = n + 1 where exists (select from taken) returning n
), added as (
    insert into stock_sum as known (store, sku, quantity_milli, version)
    select store, sku, quantity_milli, n from summed cross join told order by store, sku
    on conflict (store, sku) do update
    set quantity_milli = known.quantity_milli + excluded.quantity_milli, version = excluded.version
)
select count(*) from taken;
