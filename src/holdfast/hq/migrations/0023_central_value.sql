-- Central value: accounts, their movements and holds. A balance is that of an account's last movement; none
-- is ever updated in place.

create table value_account (
    kind text not null check (kind in ('gift_card', 'credit_memo', 'points', 'on_account')),
    account text not null,                      -- of a card random; of points and credit the customer's number
    currency text not null,                     -- of points empty
    state text not null check (state in ('prepared', 'active', 'blocked')),
    credit_limit bigint not null default 0 check (credit_limit >= 0),
    number_mac bytea unique,                    -- the number itself is kept nowhere
    pin_mac bytea,
    number_end text not null default '',
    opened_at_ms bigint not null,
    primary key (kind, account)
);

create table value_movement (
    kind text not null,
    account text not null,
    number bigint not null check (number > 0),  -- without gaps
    chain integer not null,
    seq bigint not null,
    ordinal integer not null,
    act text not null,
    booked bigint not null,                     -- added to the account
    counter bigint not null,                    -- what the store owes, or has a claim to
    difference bigint not null,                 -- what the account could not take part in
    balance bigint not null,                    -- after it
    remark text not null,                       -- why it stands on the report; empty: in order
    key text not null,
    allowance text not null,
    origin text not null,
    store text not null,
    business_date date not null,
    posting_period text not null,
    at_ms bigint not null,
    transaction text not null,
    currency text not null,
    primary key (kind, account, number),
    foreign key (kind, account) references value_account,
    unique (chain, seq, ordinal),
    check (booked + counter + difference = 0)
);

create index value_movement_remark on value_movement (at_ms) where remark <> '';

create table value_hold (
    key text primary key,
    kind text not null,
    account text not null,
    origin text not null,
    transaction text not null,
    act text not null,
    amount bigint not null check (amount >= 0),
    since_ms bigint not null,
    ended text not null default '',             -- how; empty: it holds
    ended_at_ms bigint,
    ended_by text,                              -- the person who took it back
    reason text
);

-- The lock of GC2, kept by the database as well.
create unique index value_hold_one on value_hold (kind, account) where ended = '' and kind <> 'on_account';
create index value_hold_account on value_hold (kind, account) where ended = '';
create index value_hold_since on value_hold (since_ms) where ended = '';

create table value_allowance (
    allowance text primary key,
    origin text not null,
    epoch text not null,
    kind text not null,
    amount bigint not null check (amount > 0),
    used bigint not null default 0,
    granted_at_ms bigint not null,
    expires_at_ms bigint not null
);
