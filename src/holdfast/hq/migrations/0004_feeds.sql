-- What goes down: feeds and commands.

create table feed (
    feed text primary key,
    n bigint not null,
    changed_at_ms bigint
);

insert into feed (feed, n)
values ('products', 0), ('prices', 0), ('taxes', 0), ('staff', 0), ('customers', 0), ('parameters', 0);

create table feed_row (
    feed text not null references feed,
    key text not null,
    body text not null,                         -- JSON, as it is signed and sent
    n bigint not null,                          -- the feed's version that changed it last
    deleted boolean not null default false,
    primary key (feed, key)
);

create index feed_row_n on feed_row (feed, n, key);

create table command (
    origin text not null references origin,
    number bigint not null,
    kind text not null,
    arguments text not null,                    -- JSON object of texts
    issued_at_ms bigint not null,
    issued_by text not null,
    delivered_at_ms bigint,
    outcome text,
    detail text,
    finished_at_ms bigint,
    primary key (origin, number)
);

create index command_open on command (origin, number) where finished_at_ms is null;
