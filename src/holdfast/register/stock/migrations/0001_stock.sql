-- What head office told of this store's stock, and counts and transfers that are being written. Nothing here is
-- the only copy of anything that was concluded: the journal has that.

create table told (
    one integer primary key check (one = 1),
    incarnation text not null,
    version integer not null,
    at_ms integer not null,
    applied text not null,      -- epoch → up to where this register's own journal is in the figures
    incoming text not null,     -- transfers that are on their way here
    stores text not null        -- code and name of each
) strict;

create table level (
    sku text primary key,
    quantity_milli integer not null
) strict, without rowid;

-- One of each kind: count, adjust, send, receive.
create table draft (
    kind text primary key,
    data text not null
) strict, without rowid;
