-- Prepared gift cards by the batch that they were made in, and what people did with central value.

create table value_batch (
    batch text primary key,
    source text not null check (source in ('made', 'loaded')),
    currency text not null,
    cards integer not null check (cards > 0),
    has_pins boolean not null,
    made_by text not null,
    made_at_ms bigint not null
);

alter table value_account add column batch text references value_batch;
create index value_account_batch on value_account (batch) where batch is not null;
create index value_account_end on value_account (number_end) where number_end <> '';

-- Who did what, when and why: appended to, never changed.
create table value_audit (
    id bigint generated always as identity primary key,
    at_ms bigint not null,
    by text not null,
    act text not null,
    kind text not null default '',
    account text not null default '',
    key text not null default '',               -- of the hold
    store text not null default '',
    detail text not null default '',
    reason text not null default ''
);

create index value_audit_account on value_audit (kind, account, id) where account <> '';
