-- Searching a till's own documents, newest first, a bounded number of rows at a time.

-- name: last_of_date(business_date)$
-- The last document that was entered on a business date.
select last_document from day_totals where business_date = :business_date;

-- name: first_of_date(business_date)$
select first_document from day_totals where business_date = :business_date;

-- name: documents_between(first, before, limit)
select d.id, e.epoch, e.series, d.number, d.seq, d.type, d.business_date, d.at_ms, d.total_minor
from document d join epoch e on e.n = d.id >> 40
where d.id >= :first and d.id < :before order by d.id desc limit :limit;
