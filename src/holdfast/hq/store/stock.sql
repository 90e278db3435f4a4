-- Counts and settings to zero, as ingest needs them.

-- name: marked(store)$
select stock_marked(:store);

-- name: lock(store)
select pg_advisory_xact_lock(7302, hashtext(:store));

-- name: marks(store, since_ms, skus)
select mark, kind, store, sku, at_ms, figure_milli, staff, reason from stock_mark
where store = :store and at_ms >= :since_ms
  and (:skus::text[] is null or sku = '' or sku = any(:skus::text[]))
order by at_ms, mark;

-- name: timezone(store)$
select timezone from store where store = :store;

-- name: last_moment(chain)$
-- Among the last ones are those of documents from paper, which are older.
select coalesce(max(at_ms), 0)::bigint
from (select at_ms from stock_moment where chain = :chain order by seq desc limit 100) as last;

-- name: add_moment(chain, seq, at_ms)*!
insert into stock_moment (chain, seq, at_ms) values (:chain, :seq, :at_ms);

-- name: before(store, skus, at_ms, mark)
-- The level now, less what happened after the mark: there is much less of that than before.
with later as (
    select l.sku, sum(l.stock_milli) as quantity_milli
    from document d join document_line l using (chain, seq) left join stock_moment m using (chain, seq)
    where d.store = :store and d.at_ms > :at_ms
      and coalesce(m.at_ms, document_moment(d.at_ms, d.business_date, d.external_reference)) > :at_ms
      and (:skus::text[] is null or l.sku = any(:skus::text[]))
    group by l.sku
    union all
    select d.sku, sum(d.quantity_milli)
    from stock_mark m join stock_derived d on d.store = m.store and d.mark = m.mark and m.sku in ('', d.sku)
    where m.store = :store and (m.at_ms, m.mark collate "C") > (:at_ms, :mark)
      and (:skus::text[] is null or d.sku = any(:skus::text[]))
    group by d.sku
), moved as (
    select sku, quantity_milli from stock_level
    where store = :store and (:skus::text[] is null or sku = any(:skus::text[]))
    union all
    select sku, -quantity_milli from later
)
select sku, sum(quantity_milli)::bigint from moved group by sku;

-- name: add_mark(store, sku, mark, kind, at_ms, figure_milli, staff, reason, booked_at_ms)*!
insert into stock_mark (store, sku, mark, kind, at_ms, figure_milli, staff, reason, booked_at_ms)
values (:store, :sku, :mark, :kind, :at_ms, :figure_milli, :staff, :reason, :booked_at_ms);

-- name: add_derived(store, sku, mark, quantity_milli, cause, chain, seq, booked_at_ms)*!
insert into stock_derived (store, sku, mark, quantity_milli, cause, chain, seq, booked_at_ms)
values (:store, :sku, :mark, :quantity_milli, :cause, :chain, :seq, :booked_at_ms);

-- name: move(store, sku, quantity_milli)*!
insert into stock_change values (:store, :sku, :quantity_milli);
