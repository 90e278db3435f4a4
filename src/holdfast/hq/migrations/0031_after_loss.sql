-- After head office lost state no value is held until every register answered, or a person says so.

create table value_answered (
    incarnation text not null,
    origin text not null references origin,
    at_ms bigint not null,
    primary key (incarnation, origin)
);

create table value_reopened (
    incarnation text primary key references incarnation (incarnation),
    at_ms bigint not null,
    by text not null,                           -- empty: all registers had answered
    reason text not null
);
