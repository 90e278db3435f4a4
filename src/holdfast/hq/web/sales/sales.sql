-- Documents for the pages (tables: hq/migrations/0003_documents.sql).

-- name: older(date_from, date_to, date, at_ms, chain, seq, type, limit)
-- Documents before a place in the order of the index document_recent, which goes there at once. The dates and
-- the place are always given, infinite where none is meant: a plan for all cases would read all that lies between.
select d.chain, d.seq, d.type, d.number, d.origin, o.name, d.store, d.business_date::text, d.at_ms,
       d.currency, d.total_minor, d.line_count, d.customer, d.external_reference
from document as d join origin as o on o.origin = d.origin
where d.business_date between :date_from::date and :date_to::date
  and (d.business_date, d.at_ms, d.chain, d.seq) < (:date::date, :at_ms, :chain, :seq)
  and (:type::text is null or d.type = :type)
order by d.business_date desc, d.at_ms desc, d.chain desc, d.seq desc
limit :limit;

-- name: newer(date_from, date_to, date, at_ms, chain, seq, type, limit)
-- The page before that: nearest first.
select d.chain, d.seq, d.type, d.number, d.origin, o.name, d.store, d.business_date::text, d.at_ms,
       d.currency, d.total_minor, d.line_count, d.customer, d.external_reference
from document as d join origin as o on o.origin = d.origin
where d.business_date between :date_from::date and :date_to::date
  and (d.business_date, d.at_ms, d.chain, d.seq) > (:date::date, :at_ms, :chain, :seq)
  and (:type::text is null or d.type = :type)
order by d.business_date asc, d.at_ms asc, d.chain asc, d.seq asc
limit :limit;

-- name: older_of(date_from, date_to, date, at_ms, chain, seq, type, chains, limit)
-- The same of some registers.
select d.chain, d.seq, d.type, d.number, d.origin, o.name, d.store, d.business_date::text, d.at_ms,
       d.currency, d.total_minor, d.line_count, d.customer, d.external_reference
from document as d join origin as o on o.origin = d.origin
where d.business_date between :date_from::date and :date_to::date
  and (d.business_date, d.at_ms, d.chain, d.seq) < (:date::date, :at_ms, :chain, :seq)
  and d.chain = any(:chains)
  and (:type::text is null or d.type = :type)
order by d.business_date desc, d.at_ms desc, d.chain desc, d.seq desc
limit :limit;

-- name: newer_of(date_from, date_to, date, at_ms, chain, seq, type, chains, limit)
-- Likewise.
select d.chain, d.seq, d.type, d.number, d.origin, o.name, d.store, d.business_date::text, d.at_ms,
       d.currency, d.total_minor, d.line_count, d.customer, d.external_reference
from document as d join origin as o on o.origin = d.origin
where d.business_date between :date_from::date and :date_to::date
  and (d.business_date, d.at_ms, d.chain, d.seq) > (:date::date, :at_ms, :chain, :seq)
  and d.chain = any(:chains)
  and (:type::text is null or d.type = :type)
order by d.business_date asc, d.at_ms asc, d.chain asc, d.seq asc
limit :limit;

-- name: numbered(date_from, date_to, chains, number, type, types, limit)
-- Documents of one number: ours, or the one that another system gave.
with named as (
    select chain, seq from document where number = :number
    union
    select chain, seq from reference where type = any(:types) and reference = :number
)
select d.chain, d.seq, d.type, d.number, d.origin, o.name, d.store, d.business_date::text, d.at_ms,
       d.currency, d.total_minor, d.line_count, d.customer, d.external_reference
from named join document as d using (chain, seq) join origin as o on o.origin = d.origin
where d.business_date between :date_from::date and :date_to::date
  and (:chains::integer[] is null or d.chain = any(:chains))
  and (:type::text is null or d.type = :type)
order by d.business_date desc, d.at_ms desc, d.chain desc, d.seq desc
limit :limit;

-- name: called(text, limit)
-- Registers by what a person types: id, series, name or store's code, whole before in part.
with fitting as (
    select o.origin, o.name, o.store, o.series,
           o.origin = :text or lower(:text) in (lower(o.series), lower(o.name), lower(o.store)) as is_whole
    from origin as o
    where o.origin = :text or strpos(lower(concat_ws(chr(10), o.series, o.name, o.store)), lower(:text)) > 0
)
select origin, name, store, series
from fitting
where is_whole or not exists (select from fitting where is_whole)
order by store, name, origin
limit :limit;

-- name: chains_of(origins)
select chain from chain where origin = any(:origins);

-- name: latest_date()$
select max(business_date)::text from register_day;

-- name: by_date(date_from, date_to)
-- What the filtered days came to, by currency, from the registers' own day counts.
select o.currency, sum(r.documents)::bigint, sum(r.total_minor)::bigint, sum(r.tax_minor)::bigint,
       sum(r.cash_minor)::bigint
from register_day as r join origin as o on o.origin = r.origin
where r.business_date between :date_from::date and :date_to::date
group by o.currency
order by o.currency;

-- name: by_date_of(date_from, date_to, origins)
-- The same of some registers.
select o.currency, sum(r.documents)::bigint, sum(r.total_minor)::bigint, sum(r.tax_minor)::bigint,
       sum(r.cash_minor)::bigint
from register_day as r join origin as o on o.origin = r.origin
where r.origin = any(:origins) and r.business_date between :date_from::date and :date_to::date
group by o.currency
order by o.currency;

-- name: per_register(business_date)
select r.origin, o.name, o.store, o.currency, r.documents, r.total_minor, r.cash_minor
from register_day as r join origin as o on o.origin = r.origin
where r.business_date = :business_date
order by r.total_minor desc, r.origin
limit 10;

-- name: document(chain, seq)^
select d.chain, d.seq, d.type, d.number, d.origin, o.name, d.store, d.business_date::text, d.at_ms,
       d.currency, d.total_minor, d.line_count, d.customer, d.external_reference, d.began_at_ms, d.tax_minor,
       d.rounding_minor, d.posting_period, d.country, d.staff, e.hash, e.received_at::text, c.epoch, c.branch
from document as d
join origin as o on o.origin = d.origin
join entry as e on e.chain = d.chain and e.seq = d.seq
join chain as c on c.chain = d.chain
where d.chain = :chain and d.seq = :seq;

-- name: lines(chain, seq)
select line, sku, description, quantity_milli, unit_price_e4, amount_minor, tax_code, department
from document_line
where chain = :chain and seq = :seq
order by line;

-- name: tenders(chain, seq)
select t.kind, t.amount_minor, t.reference, f.currency, f.foreign_minor, f.rate_e8
from document_tender as t left join document_foreign_cash as f using (chain, seq, tender)
where t.chain = :chain and t.seq = :seq
order by t.tender;

-- name: foreign_cash(date_from, date_to, origins)
-- What of the filtered days was paid in foreign cash. Begins at its own table: few documents are in it.
select d.currency, f.currency, sum(f.foreign_minor)::bigint, sum(t.amount_minor)::bigint
from document_foreign_cash as f
join document_tender as t using (chain, seq, tender)
join document as d using (chain, seq)
where d.business_date between :date_from::date and :date_to::date
  and (:origins::text[] is null or d.origin = any(:origins))
group by d.currency, f.currency
order by d.currency, f.currency;

-- name: taxes(chain, seq)
select tax_code, rate_e6, inclusive, net_minor, tax_minor
from document_tax
where chain = :chain and seq = :seq
order by tax_code, rate_e6;

-- name: registers(limit)
-- To choose from, where they are few.
select origin, name, store, series from origin where kind = 'register' order by store, name, origin limit :limit;
