-- Who head office is, and whose journals it takes.
--
-- Times are UTC milliseconds (`*_ms`), as in the journal: a register's clock may say any year.
-- Bulk tables carry no foreign keys: ten thousand sales a second are checked before they come here.

-- One row for each unbroken life of this database; the highest number is the present one.
create table incarnation (
    number integer primary key,
    incarnation text not null unique,
    began_at_ms bigint not null,
    cause text not null check (cause in ('created', 'restored', 'lost-state')),
    detail text not null default ''
);

create table store (
    store text primary key,
    name text not null,
    currency text not null,
    timezone text not null
);

-- A register or a store server. Never deleted, never reused: a retired one may still owe.
create table origin (
    origin text primary key,
    kind text not null check (kind in ('register', 'store')),
    store text not null references store,
    series text not null,
    currency text not null,
    name text not null,
    enrolled_at_ms bigint not null,
    software text not null default '',
    recovery bytea,                             -- the database's key, sealed to head office's recovery key
    replaces text references origin,
    retired_at_ms bigint
);

-- Two registers never number documents in one series at the same time (P4).
create unique index origin_series on origin (series) where retired_at_ms is null;

-- Former keys stay valid for what they signed.
create table origin_key (
    origin text not null references origin,
    key_id text not null,
    public_key bytea not null,
    added_at_ms bigint not null,
    primary key (origin, key_id)
);

-- One-time codes; only their hash is kept.
create table enrolment_code (
    code_hash bytea primary key,
    kind text not null check (kind in ('register', 'store')),
    store text not null references store,
    series text not null,
    name text not null,
    replaces text references origin,
    issued_at_ms bigint not null,
    expires_at_ms bigint not null,
    used_at_ms bigint,
    origin text references origin,              -- who used it
    public_key bytea                            -- with which key: the same one may ask again
);
