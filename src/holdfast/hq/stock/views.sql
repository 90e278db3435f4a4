-- Stock as head office's pages show it.

-- name: stores()
select store, name from store order by store;

-- name: sums(store)^
select count(*) filter (where quantity_milli > 0), count(*) filter (where quantity_milli < 0),
       coalesce(sum(quantity_milli), 0)::numeric
from stock_level where store = :store;

-- name: levels(store, text, at_most, offset)
-- By stock code; `text` begins the code, or stands in the description.
select l.sku, coalesce(p.body::json ->> 'description', ''), l.quantity_milli::bigint,
       coalesce(t.quantity_milli, 0)::bigint
from stock_level l
left join feed_row p on p.feed = 'products' and p.key = l.sku and not p.deleted
left join stock_level t on t.store = 'transit:' || :store and t.sku = l.sku
where l.store = :store
  and (:text = '' or starts_with(lower(l.sku), lower(:text))
       or strpos(lower(coalesce(p.body::json ->> 'description', '')), lower(:text)) > 0)
order by l.sku limit :at_most offset :offset;

-- name: level(store, sku)^
select coalesce((select quantity_milli from stock_level where store = :store and sku = :sku), 0)::bigint,
       coalesce((select quantity_milli from stock_level where store = 'transit:' || :store and sku = :sku), 0)::bigint,
       coalesce((select body::json ->> 'description' from feed_row where feed = 'products' and key = :sku and not deleted), '');

-- name: of_registers(store, sku)
-- What each register moved of it.
select o.name, o.origin, sum(l.stock_milli)::bigint, count(*)
from document d join document_line l using (chain, seq) join origin o on o.origin = d.origin
where d.store = :store and l.sku = :sku and l.stock_milli <> 0
group by o.name, o.origin order by o.name;

-- name: of_head_office(store, sku)$
select coalesce(sum(quantity_milli), 0)::bigint from stock_derived where store = :store and sku = :sku;

-- name: marks(store, sku, at_most)
select mark, kind, at_ms, figure_milli, staff, reason, booked_at_ms from stock_mark
where store = :store and sku in ('', :sku) order by at_ms desc, mark desc limit :at_most;

-- name: derived(store, sku, marks)
select s.mark, s.quantity_milli, s.cause, s.chain, s.seq, coalesce(d.number, ''), s.booked_at_ms
from stock_derived s left join document d on d.chain = s.chain and d.seq = s.seq
where s.store = :store and s.sku = :sku and s.mark = any(:marks)
order by s.booked_at_ms, s.chain, s.seq limit 500;

-- name: place_of(marks)
-- A clone's count is named by its branch too.
select d.number || case when c.branch > 0 then '#' || c.branch else '' end, chain, d.seq
from document d join chain c using (chain)
where d.number in (select split_part(mark, '#', 1) from unnest(:marks::text[]) as mark)
    and d.type in ('stock_counted', 'stock_transferred');

-- name: transfers(transfer, since_ms, at_most)
-- Each product of a transfer by the store that it was sent to, or that received it. Of one transfer, or the newest.
with newest as (
    select transfer from stock_transfer
    where (:transfer = '' and at_ms > :since_ms) or (:transfer <> '' and transfer = :transfer)
    order by at_ms desc limit :at_most
), transfer as (
    select transfer, min(store) filter (where way = 'sent') as sent_by, min(other) filter (where way = 'sent') as sent_to,
           min(at_ms) as at_ms,
           (array_agg(chain order by way desc, chain, seq))[1] as chain,
           (array_agg(seq order by way desc, chain, seq))[1] as seq
    from stock_transfer where transfer in (select transfer from newest) group by transfer
), line as (
    select t.transfer, l.sku, case t.way when 'sent' then t.other else t.store end as store,
           l.description, t.way, t.chain, t.seq, l.stock_milli
    from stock_transfer t join document_line l using (chain, seq)
    where t.transfer in (select transfer from newest)
)
select t.transfer, l.sku, l.store, coalesce(t.sent_by, ''), coalesce(t.sent_to, ''), t.at_ms, t.chain, t.seq,
       max(l.description),
       coalesce(-sum(l.stock_milli) filter (where l.way = 'sent'), 0)::bigint,
       coalesce(sum(l.stock_milli) filter (where l.way = 'received'), 0)::bigint,
       count(distinct (l.chain, l.seq)) filter (where l.way = 'received'),
       exists (select from stock_transfer s where s.transfer = t.transfer and s.way = 'sent' and s.other = l.store),
       (select coalesce(sum(e.quantity_milli), 0)::bigint from stock_transfer_end e
        where e.transfer = t.transfer and e.store = l.store and e.sku = l.sku)
from transfer t join line l using (transfer)
group by t.transfer, l.sku, l.store, t.sent_by, t.sent_to, t.at_ms, t.chain, t.seq
order by t.at_ms desc, t.transfer, l.sku, l.store;
