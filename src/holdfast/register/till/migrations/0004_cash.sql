-- Shifts, cash that moves without a sale, and Z reports (PO5).

-- The shift that is open (0: none), and whether the open day has had one.
alter table day add column shift integer not null default 0;
alter table day add column has_shifts integer not null default 0;

-- What entries other than sales did to the drawer; `amount_minor` into it. A sale adds to `day_totals` alone.
create table cash_sum (
    business_date text not null,
    shift integer not null, -- 0: none was open
    kind text not null,
    currency text not null, -- empty where no money moved
    times integer not null,
    amount_minor integer not null,
    primary key (business_date, shift, kind, currency)
) strict, without rowid;

-- Bodies as JSON: core.cash.shift. What the day had come to before it tells what a shift did itself.
create table shift (
    number integer primary key,
    business_date text not null,
    opened_at_ms integer not null,
    opened text not null,
    totals_before text not null,
    closed_at_ms integer,
    closed text
) strict;
create index shift_of_date on shift (business_date);

-- Z reports as JSON, for ever: core.cash.z_report. `entry` is the place of its entry.
create table z_report (
    number integer primary key,
    entry integer not null,
    business_date text not null,
    at_ms integer not null,
    last_document integer,
    report text not null
) strict;
create index z_report_of_date on z_report (business_date);

create table purged_cash_sum (
    business_date text not null,
    shift integer not null,
    kind text not null,
    currency text not null,
    times integer not null,
    amount_minor integer not null,
    primary key (business_date, shift, kind, currency)
) strict, without rowid;

-- A day's totals know departments and what came back from now on: what is there already is told by the journal.
with sale as (
    select json_extract(cast(data as text), '$.date') as business_date,
           json_extract(cast(data as text), '$.body.total_minor') as total_minor,
           json_extract(cast(data as text), '$.body.lines') as lines
    from entry where type in ('sale', 'return')
), department as (
    select business_date, coalesce(json_extract(line.value, '$.department'), '') as department,
           sum(json_extract(line.value, '$.amount_minor')) as amount_minor
    from sale, json_each(sale.lines) as line
    group by 1, 2
), departments as (
    select business_date, json_group_object(department, amount_minor) as departments_minor
    from department group by business_date
), came_back as (
    select business_date, sum(max(0, -total_minor)) as returned_minor from sale group by business_date
)
update day_totals
set totals = json_set(totals, '$.returned_minor', r.returned_minor,
                      '$.departments_minor', json(d.departments_minor))
from came_back r join departments d using (business_date)
where r.business_date = day_totals.business_date;
