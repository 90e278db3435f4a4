-- What batches add to the stock, as they add it: registers of one store then never wait for each other's rows,
-- and a code that sells all day is summed once in a while. The level is the sum of both, at every moment.

alter table stock_level rename to stock_sum;
alter index stock_level_pkey rename to stock_sum_pkey;
-- Added from changes that each fit 64 bits; however many there are, the sum must not fail.
alter table stock_sum alter column quantity_milli type numeric;

create table stock_change (
    store text not null,
    sku text not null,
    quantity_milli bigint not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 100000);

create view stock_level as
select store, sku, sum(quantity_milli) as quantity_milli
from (
    select store, sku, quantity_milli from stock_sum
    union all
    select store, sku, quantity_milli from stock_change
) as moved
group by store, sku;
