-- Customers (PO7): as registers' entries and head office's own work make them.

-- One row for each entry that makes or changes a customer; what it says of the person stays sealed in the entry.
create table customer_entry (
    arrival bigint generated always as identity unique,
    chain integer not null,
    seq bigint not null,
    origin text not null,
    at_ms bigint not null,
    kind text not null check (kind in ('created', 'changed')),
    customer text not null,
    person text not null,
    revision bigint not null,
    staff text not null,
    -- waits: its key has not come yet
    state text not null default 'new' check (state in ('new', 'waits', 'done', 'unreadable')),
    primary key (chain, seq)
);
create index customer_entry_open on customer_entry (arrival) where state in ('new', 'waits');
create index customer_entry_customer on customer_entry (customer);

-- What opens the personal data in entries. Outside the journal: to forget somebody is to destroy these.
create table person_key (
    person text not null,
    origin text not null,
    customer text not null,
    key bytea not null check (length(key) = 32),
    arrived_at_ms bigint not null,
    primary key (person, origin)
);
create index person_key_customer on person_key (customer);

create sequence customer_change;

-- `name` null: the key has not come yet, or the person was forgotten.
create table customer (
    number text primary key,
    revision bigint not null,
    name text,
    email text not null default '',
    phone text not null default '',
    address text not null default '',
    note text not null default '',
    origin text not null default '', -- where it was made; empty: at head office
    chain integer not null default 0, -- in which chain it was made; tells two of one number apart
    made_at_ms bigint not null,
    changed_at_ms bigint not null,
    changed_by text not null default '',
    arrival bigint not null default 0, -- of the newest entry that counts
    into_number text,
    merged_at_ms bigint,
    merged_by text not null default '',
    forgotten_at_ms bigint,
    forgotten_by text not null default '',
    forgotten_reason text not null default '',
    change bigint not null default nextval('customer_change'),
    published bigint not null default 0, -- the change that the feed says
    check (forgotten_at_ms is null or (name is null and email = '' and phone = '' and address = '' and note = ''))
);
create index customer_unpublished on customer (change) where change > published;
create index customer_into on customer (into_number) where into_number is not null;

create table customer_word (
    word text collate "C" not null,
    number text not null references customer on delete cascade,
    primary key (word, number)
);
create index customer_word_number on customer_word (number);

-- The planner's samples of columns would outlive whoever stands in them.
alter table customer alter column name set statistics 0, alter column email set statistics 0,
    alter column phone set statistics 0, alter column address set statistics 0, alter column note set statistics 0;
alter table customer_word alter column word set statistics 0;
alter table feed_row alter column body set statistics 0;
