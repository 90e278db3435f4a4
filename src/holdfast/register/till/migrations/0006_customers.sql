-- Customers made or changed at this register (PO7). No name stands here: what is known of a person only as
-- journal entries have it, sealed under that person's key. To forget somebody is to overwrite one key.

create table customer (
    number text primary key,
    revision integer not null,
    person text not null,
    nonce blob not null,
    sealed blob not null
) strict, without rowid;

-- `id` is epoch.n * 2^40 + number, as of documents: gapless within an epoch, and kept when somebody is forgotten.
create table customer_number (
    id integer primary key,
    number text not null unique
) strict;

-- In the order of making, which is that of sending. 32 zero bytes: destroyed.
create table person_key (
    id integer primary key,
    person text not null unique,
    customer text not null,
    key blob not null check (length(key) = 32)
) strict;
create index person_key_customer on person_key (customer);

-- Who was forgotten here; `erased`: no page and no log of this file holds the key any more.
create table forgotten_customer (
    number text primary key,
    at_ms integer not null,
    erased integer not null default 0
) strict, without rowid;
