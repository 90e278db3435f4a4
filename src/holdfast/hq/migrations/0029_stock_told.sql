-- Stock as stores are told of it, and what registers say that they moved.

-- A level's last fold. Registers ask for what was folded after the version that they keep; what is not folded
-- yet they are told as well. Not indexed: then most folds change no index.
alter table stock_sum add column version bigint not null default 0;

create table stock_version (
    one integer primary key check (one = 1),
    n bigint not null
);
insert into stock_version values (1, 0);

-- What each register last said that it moved, as of a place in its journal (ST2).
create table stock_statement (
    origin text primary key references origin,
    epoch text not null,
    seq bigint not null,
    products bigint not null,
    digest bytea not null,
    at_ms bigint not null
);

create index stock_transfer_to on stock_transfer (other, at_ms) where way = 'sent';
