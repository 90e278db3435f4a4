-- The till's database: one register's journal, its document numbers, and what is folded from both.
-- Times are UTC milliseconds, money is in minor units, quantities are in thousandths.

-- Whose database this is; a database of another register is refused.
create table register (
    one integer primary key check (one = 1),
    origin text not null
) strict;

-- Epochs in the order in which they were opened here, from 1.
create table epoch (
    n integer primary key,
    epoch text not null unique,
    series text not null,
    segment text not null,
    cause text not null,
    parent_epoch text,
    parent_seq integer,
    opened_at_ms integer not null
) strict;

-- The chain alone, kept for ever. `id` is epoch.n * 2^40 + seq, so that the last row is the head.
-- Apart from the entries' bytes: a damaged page of those takes no hash with it, a purge leaves the
-- chain whole, and a million entries are walked in a few megabytes.
create table chain (
    id integer primary key,
    hash blob not null check (length(hash) = 32),
    documents integer not null, -- numbered in this epoch up to here
    value_minor integer not null, -- of those documents together, so that what is owed is a difference
    n integer generated always as (id >> 40) virtual,
    seq integer generated always as (id & 0xffffffffff) virtual
) strict;

-- The entries' bytes, verbatim. A purge deletes rows here and nowhere else.
create table entry (
    id integer primary key references chain (id),
    type text not null,
    data blob not null
) strict;

-- Documents by number: `id` is epoch.n * 2^40 + number; in the order of seq within an epoch.
create table document (
    id integer primary key,
    seq integer not null,
    type text not null,
    business_date text not null, -- the document's own, also where it was entered later
    at_ms integer not null,
    total_minor integer not null,
    n integer generated always as (id >> 40) virtual,
    number integer generated always as (id & 0xffffffffff) virtual
) strict;

-- Documents whose own date is not the day's on which they were entered: the last one of each such date.
create table dated_back (
    n integer not null references epoch (n),
    business_date text not null,
    last_number integer not null,
    primary key (n, business_date)
) strict, without rowid;

-- Documents of another system that were entered here: entering one again is no operation.
create table reference (
    type text not null,
    reference text not null,
    document integer not null references document (id),
    primary key (type, reference)
) strict, without rowid;

create table day (
    one integer primary key check (one = 1),
    business_date text,
    is_open integer not null
) strict;
insert into day values (1, null, 0);

-- `totals` is core.totals.DayTotals as JSON. First and last document entered that day are ids of `document`.
create table day_totals (
    business_date text primary key,
    totals text not null,
    first_document integer,
    last_document integer
) strict, without rowid;

create view drawer as
select coalesce(sum(json_extract(totals, '$.drawer_minor')), 0) as amount_minor from day_totals;

create table stock (
    sku text primary key,
    quantity_milli integer not null
) strict, without rowid;

-- What came back of a sold line, as positive sums (PO3).
create table returned (
    document text not null,
    line integer not null,
    quantity_milli integer not null,
    amount_minor integer not null,
    primary key (document, line)
) strict, without rowid;

-- The open basket as JSON, or null: core.basket.Basket.
create table open_basket (
    one integer primary key check (one = 1),
    data blob
) strict;
insert into open_basket values (1, null);

-- What purged entries had added, so that projections can still be checked against a fold.
create table purged_stock (
    sku text primary key,
    quantity_milli integer not null
) strict, without rowid;

create table purged_day_totals (
    business_date text primary key,
    totals text not null
) strict, without rowid;
