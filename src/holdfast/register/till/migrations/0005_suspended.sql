-- Suspended baskets of this register (PO4): core.basket.suspended.Suspended as JSON, until recalled or voided.
create table suspended (
    transaction_id text primary key,
    at_ms integer not null,
    data blob not null
) strict, without rowid;
