-- Documents for the pages (tables: hq/migrations/0003_documents.sql).

-- name: found(date_from, date_to, origin, type, limit, offset)
-- Documents by filter; an empty filter is none. In the order of the index document_recent.
select d.chain, d.seq, d.type, d.number, d.origin, o.name, d.store, d.business_date::text, d.at_ms,
       d.currency, d.total_minor, d.line_count, d.customer, d.external_reference
from document as d join origin as o on o.origin = d.origin
where (:date_from::date is null or d.business_date >= :date_from)
  and (:date_to::date is null or d.business_date <= :date_to)
  and (:origin::text is null or d.origin = :origin)
  and (:type::text is null or d.type = :type)
order by d.business_date desc, d.at_ms desc, d.chain desc, d.seq desc
limit :limit offset :offset;

-- name: numbered(date_from, date_to, origin, number, type, types, limit, offset)
-- The same for one number: ours, or the one that another system gave.
with named as (
    select chain, seq from document where number = :number
    union
    select chain, seq from reference where type = any(:types) and reference = :number
)
select d.chain, d.seq, d.type, d.number, d.origin, o.name, d.store, d.business_date::text, d.at_ms,
       d.currency, d.total_minor, d.line_count, d.customer, d.external_reference
from named join document as d using (chain, seq) join origin as o on o.origin = d.origin
where (:date_from::date is null or d.business_date >= :date_from)
  and (:date_to::date is null or d.business_date <= :date_to)
  and (:origin::text is null or d.origin = :origin)
  and (:type::text is null or d.type = :type)
order by d.business_date desc, d.at_ms desc, d.chain desc, d.seq desc
limit :limit offset :offset;

-- name: by_date(date_from, date_to, origin)
-- What the filtered days came to, by currency, from the registers' own day counts.
select o.currency, sum(r.documents)::bigint, sum(r.total_minor)::bigint, sum(r.tax_minor)::bigint,
       sum(r.cash_minor)::bigint
from register_day as r join origin as o on o.origin = r.origin
where (:date_from::date is null or r.business_date >= :date_from)
  and (:date_to::date is null or r.business_date <= :date_to)
  and (:origin::text is null or r.origin = :origin)
group by o.currency
order by o.currency;

-- name: per_day(days)
-- Total of each of the last business dates that have any document.
select r.business_date::text, o.currency, sum(r.documents)::bigint, sum(r.total_minor)::bigint
from register_day as r join origin as o on o.origin = r.origin
where r.business_date in (
    select business_date from register_day group by business_date order by business_date desc limit :days
)
group by r.business_date, o.currency
order by r.business_date, o.currency;

-- name: per_register(business_date)
select r.origin, o.name, o.store, o.currency, r.documents, r.total_minor, r.cash_minor
from register_day as r join origin as o on o.origin = r.origin
where r.business_date = :business_date
order by r.total_minor desc, r.origin
limit 20;

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

-- name: foreign_cash(date_from, date_to, origin)
-- What of the filtered days was paid in foreign cash. Begins at its own table: few documents are in it.
select d.currency, f.currency, sum(f.foreign_minor)::bigint, sum(t.amount_minor)::bigint
from document_foreign_cash as f
join document_tender as t using (chain, seq, tender)
join document as d using (chain, seq)
where (:date_from::date is null or d.business_date >= :date_from)
  and (:date_to::date is null or d.business_date <= :date_to)
  and (:origin::text is null or d.origin = :origin)
group by d.currency, f.currency
order by d.currency, f.currency;

-- name: taxes(chain, seq)
select tax_code, rate_e6, inclusive, net_minor, tax_minor
from document_tax
where chain = :chain and seq = :seq
order by tax_code, rate_e6;

-- name: registers()
-- For the filter's list.
select origin, name, store from origin where kind = 'register' order by store, name, origin limit 2000;
