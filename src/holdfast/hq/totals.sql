-- The exact figures of everything that is stored, to hold any import or replay against.

-- name: counts()^
select
    (select count(*) from document_line),
    (select count(distinct external_reference) from document),
    (select count(*) from document),
    (select count(distinct business_date) from document),
    (select count(*) from document where type = 'return'),
    (select coalesce(sum(line_count), 0)::bigint from document where type = 'return'),
    (select coalesce(sum(line_count), 0)::bigint from document where type = 'stock_adjusted'),
    (select coalesce(sum(line_count), 0)::bigint from document where type = 'account_adjusted'),
    (select count(distinct country) from document where country <> ''),
    (select coalesce(sum(line_count), 0)::bigint from document where customer is null);

-- name: lines()^
-- Quantities are thousandths and prices ten-thousandths; numeric, so nothing is rounded.
select
    count(*) filter (where unit_price_e4 = 0),
    count(*) filter (where unit_price_e4 < 0),
    count(distinct sku),
    coalesce(max(abs(quantity_milli)), 0)::bigint,
    coalesce(sum(quantity_milli), 0)::numeric,
    coalesce(sum(quantity_milli::numeric * unit_price_e4), 0)::numeric
from document_line;

-- name: duplicates()$
-- Rows of the source that say the same as another: bought twice, and all of them kept.
select coalesce(sum(copies - 1), 0)::bigint
from (
    select count(*) as copies
    from document d join document_line l using (chain, seq)
    where d.external_reference is not null
    group by d.external_reference, l.sku, l.description, l.quantity_milli, l.unit_price_e4,
             d.began_at_ms + l.scanned_s * 1000, d.customer, d.country
) as same;

-- name: several_times()$
-- Documents of the source whose lines bear more than one time.
select count(*)
from (
    select d.external_reference
    from document d join document_line l using (chain, seq)
    where d.external_reference is not null
    group by d.external_reference
    having count(distinct d.began_at_ms + l.scanned_s * 1000) > 1
) as spread;

-- name: largest_invoice()$
select coalesce(max(lines), 0)::bigint
from (
    select sum(line_count) as lines from document
    where external_reference is not null group by external_reference
) as invoices;

-- name: busiest_day()^
select business_date::text, sum(line_count)::bigint from document
group by business_date order by 2 desc, business_date desc limit 1;

-- name: by_currency()
select currency, count(*), sum(total_minor)::numeric, sum(tax_minor)::numeric from document
where type not in ('stock_adjusted', 'stock_counted', 'stock_transferred') group by currency order by currency;

-- name: by_tender()
-- What documents were paid with, foreign cash by its currency.
select d.currency, t.kind, coalesce(f.currency, ''), count(*), sum(t.amount_minor)::numeric,
       coalesce(sum(f.foreign_minor), 0)::numeric
from document_tender t
join document d using (chain, seq)
left join document_foreign_cash f using (chain, seq, tender)
group by 1, 2, 3 order by 1, 2, 3;

-- name: stock()
-- What moved by code over all stores; a sale takes off.
select sku, sum(quantity_milli)::numeric from stock_level where store not like 'transit:%' group by sku order by sku;

-- name: sold()
-- The same from the lines themselves.
select sku, sum(quantity_milli)::numeric
from (
    select sku, stock_milli as quantity_milli from document_line where stock_milli <> 0
    union all
    select sku, quantity_milli from stock_derived
) as movement
group by sku order by sku;

-- name: stock_differences()$
select count(*)
from (select store, sku, quantity_milli from stock_level where quantity_milli <> 0) as level
full join (
    select store, sku, sum(quantity_milli) as quantity_milli
    from (
        select store, sku, stock_milli as quantity_milli from document_line
        union all
        select store, sku, quantity_milli from stock_derived
        union all
        select 'transit:' || case t.way when 'sent' then t.other else t.store end, l.sku, -l.stock_milli
        from stock_transfer t join document_line l using (chain, seq)
        union all
        select 'transit:' || store, sku, quantity_milli from stock_transfer_end
    ) as movement
    group by store, sku having sum(quantity_milli) <> 0
) as moved using (store, sku)
where level.quantity_milli is distinct from moved.quantity_milli;

-- name: waiting()$
select count(*) from quarantine where resolved_at_ms is null;
