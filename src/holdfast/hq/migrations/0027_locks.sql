-- Where a till asked for a hold: an ask whose key nothing is known of is unfinished.

create table value_ask (
    chain integer not null,
    seq bigint not null,
    key text not null,
    origin text not null,
    kind text not null,
    act text not null,
    account text not null,                      -- empty: it was asked by a number
    number_end text not null,
    transaction text not null,
    at_ms bigint not null,                      -- by the till's clock
    primary key (chain, seq)
);

create index value_ask_key on value_ask (key);
create index value_ask_at on value_ask (at_ms);

-- People of a store: they see and release the locks of its own registers, and nothing else.
alter table admin add column store text references store;
