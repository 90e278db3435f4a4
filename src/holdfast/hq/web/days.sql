-- Totals by business date for the overview's chart (tables: hq/migrations/0003_documents.sql).

-- name: per_day(days)
-- Total of each of the last business dates that have any document. The dates are found one by one in their
-- index: reading all days to know the last thirty takes longer each day.
with recursive date as (
    select max(business_date) as business_date, 1 as n from register_day
    union all
    select (select max(r.business_date) from register_day as r where r.business_date < date.business_date), n + 1
    from date
    where date.business_date is not null and n < :days
)
select r.business_date::text, o.currency, sum(r.documents)::bigint, sum(r.total_minor)::bigint
from date join register_day as r using (business_date) join origin as o on o.origin = r.origin
group by r.business_date, o.currency
order by r.business_date, o.currency;
