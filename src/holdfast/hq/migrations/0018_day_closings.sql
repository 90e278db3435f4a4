-- Shifts, cash that moved without a sale, and Z reports, as registers wrote them (PO5).
-- Columns stand in the order in which ingest copies them.

create table shift_opened (
    chain integer not null,
    seq bigint not null,
    origin text not null,
    store text not null,
    business_date date not null,
    at_ms bigint not null,
    shift bigint not null,                      -- its number at the register
    currency text not null,
    float_minor bigint not null,
    left_minor bigint not null,                 -- what must have been left in the drawer
    staff text not null,
    primary key (chain, seq)
);

-- One row for each currency of the drawer at the end of a shift.
create table shift_declared (
    chain integer not null,
    seq bigint not null,
    origin text not null,
    store text not null,
    business_date date not null,
    at_ms bigint not null,
    shift bigint not null,
    currency text not null,
    expected_minor bigint not null,
    counted_minor bigint,                       -- null: nobody counted
    over_short_minor bigint not null,
    staff text not null,                        -- whose shift it was
    closed_by text not null
);
create index shift_declared_of on shift_declared (chain, seq);
create index shift_declared_day on shift_declared (business_date, origin);

create table cash_movement (
    chain integer not null,
    seq bigint not null,
    origin text not null,
    store text not null,
    business_date date not null,
    at_ms bigint not null,
    shift bigint not null,                      -- 0: none was open
    kind text not null,                         -- drop, bank, float, expense, income; no_sale: the drawer was opened
    currency text not null,
    amount_minor bigint not null,               -- into the drawer; out of it negative
    reason text not null,
    reference text not null,
    staff text not null,
    approved_by text not null,
    primary key (chain, seq)
);
create index cash_movement_day on cash_movement (business_date, origin);

create table z_report (
    chain integer not null,
    seq bigint not null,
    origin text not null,
    store text not null,
    business_date date not null,
    at_ms bigint not null,
    number bigint not null,
    currency text not null,
    sales bigint not null,
    returns bigint not null,
    total_minor bigint not null,
    tax_minor bigint not null,
    returned_minor bigint not null,
    grand_total_minor bigint not null,
    over_short_minor bigint not null,
    report text not null,                       -- all of it, as JSON: core.cash.z_report
    primary key (chain, seq)
);
create index z_report_day on z_report (business_date, store, origin);

-- Whether the Z reports of a register's business date and its documents agree, as head office found.
create table day_check (
    origin text not null,
    business_date date not null,
    due boolean not null default true,          -- something came since
    result text,                                -- equal, unequal, open (again), waiting
    detail text not null default '',
    alert bigint,                               -- the one that told people of it
    checked_at_ms bigint,
    primary key (origin, business_date)
);
create index day_check_due on day_check (business_date, origin) where due;
