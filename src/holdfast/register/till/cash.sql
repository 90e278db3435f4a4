-- Queries of shifts, moved cash and Z reports (tables: migrations, *_cash.sql).

-- name: add_sum(business_date, shift, kind, currency, times, amount_minor)!
insert into cash_sum values (:business_date, :shift, :kind, :currency, :times, :amount_minor)
on conflict do update set times = times + excluded.times, amount_minor = amount_minor + excluded.amount_minor;

-- name: add_purged_sum(business_date, shift, kind, currency, times, amount_minor)!
insert into purged_cash_sum values (:business_date, :shift, :kind, :currency, :times, :amount_minor)
on conflict do update set times = times + excluded.times, amount_minor = amount_minor + excluded.amount_minor;

-- name: all_sums()
select business_date, shift, kind, currency, times, amount_minor from cash_sum;

-- name: purged_sums()
select business_date, shift, kind, currency, times, amount_minor from purged_cash_sum;

-- name: sums_by_kind()
select kind, currency, sum(times), sum(amount_minor) from cash_sum group by kind, currency;

-- name: sums_of_date(business_date)
select kind, currency, sum(times), sum(amount_minor) from cash_sum
where business_date = :business_date group by kind, currency;

-- name: sums_of_shift(business_date, shift)
select kind, currency, times, amount_minor from cash_sum where business_date = :business_date and shift = :shift;

-- name: open_shift(number, business_date, opened_at_ms, opened, totals_before)!
insert into shift (number, business_date, opened_at_ms, opened, totals_before)
values (:number, :business_date, :opened_at_ms, :opened, :totals_before);

-- name: close_shift(closed_at_ms, closed, number)!
update shift set closed_at_ms = :closed_at_ms, closed = :closed where number = :number;

-- name: shift(number)^
select opened, opened_at_ms, closed, closed_at_ms, totals_before from shift where number = :number;

-- name: all_shifts()
select number, opened, closed from shift order by number;

-- name: shifts_of_date(business_date)
select number from shift where business_date = :business_date order by number;

-- name: last_shift()$
select coalesce(max(number), 0) from shift;

-- name: add_z(number, entry, business_date, at_ms, last_document, report)!
insert into z_report values (:number, :entry, :business_date, :at_ms, :last_document, :report);

-- name: last_z()^
-- The newest, with the hash of its entry.
select z.report, z.entry, e.epoch, c.hash
from z_report z join chain c on c.id = z.entry join epoch e on e.n = z.entry >> 40
order by z.number desc limit 1;

-- name: z(number)^
select report, at_ms from z_report where number = :number;

-- name: zs(before, limit)
select report, at_ms from z_report where number < :before order by number desc limit :limit;

-- name: zs_after(number)
select number, at_ms from z_report where number > :number order by number;

-- name: newest_z()$
select coalesce(max(number), 0) from z_report;

-- name: all_zs()
select number, report from z_report order by number;

-- name: zs_of_date(business_date)
select report, last_document from z_report where business_date = :business_date order by number;

-- name: first_document_after(id, first)$
select min(id) from document where id > :id and id >= :first;
