-- The journals as they came: chains of entries, verbatim, and what is not known of them.

create sequence chain_number as integer;

-- One branch of one epoch. Branch 0 is the main one; a further one begins after fork_seq of its parent.
create table chain (
    chain integer primary key,
    origin text not null references origin,
    epoch text not null,
    branch integer not null,
    parent_chain integer references chain,
    fork_seq bigint not null,
    head_seq bigint not null,
    head_hash bytea not null,
    segment text,                               -- all further ones: as the opening entry says
    cause text,
    parent_epoch text,
    parent_seq bigint,
    parent_hash bytea,
    closed_at_seq bigint,                       -- its closing entry: nothing after it can be owed
    declared_lost_at_ms bigint,
    declared_lost_by text,                      -- two people
    unique (origin, epoch, branch)
);

-- Heads that an origin claimed (P6). A row with a hash is settled once that very entry is here, one
-- without (what a new epoch says of its parent) once a branch of the epoch reaches it.
-- The highest with a hash stays for ever: it tells a copy of an older disk that it is one.
create table claim (
    origin text not null,
    epoch text not null,
    seq bigint not null,
    hash bytea not null,
    claimed_at_ms bigint not null,
    primary key (origin, epoch, seq, hash)
);

create table entry (
    chain integer not null,
    seq bigint not null,
    hash bytea not null,                        -- SHA-256 (previous hash ‖ data)
    type text not null,
    version smallint not null,
    business_date date,
    at_ms bigint,
    status text not null,                       -- applied, quarantined, repeated
    data bytea not null,                        -- as the origin encoded it, for ever
    received_at timestamptz not null default now(),
    primary key (chain, seq)
);

-- Compressing each entry by itself would cost more time than anything else on the way in.
alter table entry alter column data set storage external;

-- The origin's signature under each place where a batch was cut.
create table signed_head (
    chain integer not null,
    seq bigint not null,
    key_id text not null,
    signature bytea not null,
    primary key (chain, seq)
);

-- Entries that could take no effect. They block a close, and are tried again after an upgrade (P10).
create table quarantine (
    chain integer not null,
    seq bigint not null,
    cause text not null,
    detail text not null,
    since timestamptz not null default now(),
    attempts integer not null default 0,
    resolved_at_ms bigint,
    primary key (chain, seq)
);

create table alert (
    id bigint generated always as identity primary key,
    kind text not null,
    origin text,
    chain integer,
    seq bigint,
    detail text not null,
    raised_at timestamptz not null default now(),
    acknowledged_at_ms bigint,
    acknowledged_by text
);

create index alert_open on alert (id) where acknowledged_at_ms is null;

-- Up to where a chain is also in a verified backup: what registers may delete (P1).
create table safe (
    chain integer primary key,
    seq bigint not null,
    hash bytea not null,
    backup text not null,
    at_ms bigint not null
);

create table backup (
    backup text primary key,
    path text not null,
    manifest_sha256 text not null,
    taken_at_ms bigint not null,
    verified_at_ms bigint not null,
    bytes bigint not null
);

-- The last word of each origin, as it was signed.
create table heartbeat (
    origin text primary key,
    received_at_ms bigint not null,
    statement bytea not null,
    key_id text not null,
    signature bytea not null,
    skew_ms bigint not null                     -- its clock less ours
) with (fillfactor = 50);

-- How clocks went: a row where the skew changed by more than its measurement wavers.
create table clock_skew (
    origin text not null,
    at_ms bigint not null,
    skew_ms bigint not null,
    primary key (origin, at_ms)
);

-- When an origin was last in touch, and why it is refused if it is.
create table contact (
    origin text primary key,
    at_ms bigint,
    blocked_code text,
    blocked_detail text,
    blocked_at_ms bigint
) with (fillfactor = 50);
