-- What a register knows of the world outside: feeds, receipts, the line, and what head office asks of it.
-- Written by the sync process; `request` is closed by checkout. All of it can be fetched again.

-- One life of head office's state after the other, as this register met them. An older one never comes back.
create table incarnation (
    ordinal integer primary key autoincrement,
    incarnation text not null unique,
    seen_ms integer not null
) strict;

-- A feed's rows live in generations: a new incarnation or a snapshot fills one beside the current one, in small
-- transactions, and becomes current in one step. So nobody sells from half a catalogue.
create table feed_version (
    feed text not null,
    generation integer not null,
    incarnation text not null,
    n integer not null,
    is_current integer not null check (is_current in (0, 1)),
    made_ms integer not null,      -- head office's time of the newest row
    checked_ms integer not null,   -- this register's time when head office last had nothing newer
    primary key (feed, generation)
) strict, without rowid;
create unique index feed_version_current on feed_version (feed) where is_current = 1;
create unique index feed_version_staged on feed_version (feed) where is_current = 0;

create table feed_row (
    feed text not null,
    generation integer not null,
    key text not null,
    body blob not null,
    fault text,                    -- why this row cannot be used; such a row stops no other
    primary key (feed, generation, key)
) strict, without rowid;
create index feed_row_fault on feed_row (feed, generation) where fault is not null;

create table product (
    id integer primary key,
    generation integer not null,
    sku text not null,
    unique (generation, sku)
) strict;

create table barcode (
    generation integer not null,
    barcode text not null,
    sku text not null,
    primary key (generation, barcode, sku)
) strict, without rowid;
create index barcode_sku on barcode (generation, sku);

create table price (
    generation integer not null,
    sku text not null,
    currency text not null,
    valid_from text not null,
    unit_price_e4 integer not null,
    primary key (generation, sku, currency, valid_from)
) strict, without rowid;

create virtual table product_search using fts5 (
    sku, description,
    content = '', contentless_delete = 1,
    tokenize = 'unicode61 remove_diacritics 2',
    prefix = '1 2 3'
);

-- Head office's furthest signed word for each epoch, verified under its pinned keys.
create table receipt (
    epoch text not null,
    level text not null check (level in ('applied', 'safe')),
    incarnation text not null,
    seq integer not null,
    hash blob not null,
    key_id text not null,
    signature blob not null,
    at_ms integer not null,
    primary key (epoch, level)
) strict, without rowid;

-- The furthest head of each epoch that this register signed and head office took.
create table signed_head (
    epoch text primary key,
    seq integer not null,
    hash blob not null,
    key_id text not null,
    signature blob not null
) strict, without rowid;

create table link_state (
    id integer primary key check (id = 1),
    mode text not null default 'offline',
    since_ms integer not null default 0,
    cause text not null default 'start',
    forced integer not null default 0,
    last_contact_ms integer,
    head_office_ms integer,
    skew_ms integer,
    blocked_code text not null default '',
    blocked_detail text not null default '',
    blocked_since_ms integer,
    problems text not null default '{}'   -- JSON: what does not work now, by part of the sync process
) strict;
insert into link_state (id) values (1);

-- What checkout is asked to do: the journal is its alone. Carried out in order, each may be carried out twice.
create table request (
    number integer primary key autoincrement,
    kind text not null,
    payload blob not null,
    at_ms integer not null,
    done_ms integer,
    outcome text not null default '',
    detail text not null default ''
) strict;
create index request_open on request (number) where done_ms is null;

-- Commands from head office, by their number; carried out once, reported until head office heard it.
create table command (
    number integer primary key,
    kind text not null,
    arguments blob not null,
    received_ms integer not null,
    request integer references request (number),
    outcome text not null default '',
    detail text not null default '',
    reported integer not null default 0
) strict;
