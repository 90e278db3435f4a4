-- Stock: figures that somebody counted or set, what follows from them, and transfers between stores.

-- So much lay in a store at a moment; of all its products where sku is empty.
create table stock_mark (
    store text not null,
    sku text not null,
    mark text not null,                          -- a document's number, or the reference of a setting to zero
    kind text not null check (kind in ('count', 'zero')),
    at_ms bigint not null,
    figure_milli bigint not null,
    staff text not null,
    reason text not null,
    booked_at_ms bigint not null,                -- when it came to be known here
    primary key (store, sku, mark)
);

create index stock_mark_at on stock_mark (store, at_ms);

-- Head office's own ledger of stock: movements dated as the mark that causes them. In the level as any other.
create table stock_derived (
    store text not null,
    sku text not null,
    mark text not null,
    quantity_milli bigint not null,
    cause text not null check (cause in ('difference', 'netted')),
    chain integer not null,                      -- the entry that is netted; 0: a difference
    seq bigint not null,
    booked_at_ms bigint not null
);

create index stock_derived_of on stock_derived (store, sku, mark);

create table stock_transfer (
    chain integer not null,
    seq bigint not null,
    transfer text not null,                      -- the number of the document that sent it
    way text not null check (way in ('sent', 'received')),
    store text not null,
    other text not null,
    number text not null,
    at_ms bigint not null,
    staff text not null,
    primary key (chain, seq)
);

create index stock_transfer_of on stock_transfer (transfer);

-- Settings to zero: each once, whoever sends its form how often.
create table stock_zero (
    reference text primary key,
    store text not null,
    at_ms bigint not null,
    admin text not null,
    reason text not null,
    products bigint not null,
    added_milli numeric not null,
    taken_milli numeric not null,
    owing jsonb not null                         -- the registers of the store that owed at that moment
);

-- What moved in a store since a moment.
create index document_of_store on document (store, at_ms);

-- The newest figure of a store, or null. Until the transaction ends none is added: whoever adds one waits, and
-- then sees what this transaction stored. Two statements, so that the second sees what the first waited for.
create function stock_marked(of_store text) returns bigint language plpgsql volatile as $$
begin
    perform pg_advisory_xact_lock_shared(7302, hashtext(of_store));
    return (select max(at_ms) from stock_mark where store = of_store);
end
$$;

create function document_moment(at_ms bigint, business_date date, external_reference text) returns bigint
language sql immutable parallel safe as $$
    select case when external_reference is null then at_ms
        else least(at_ms, ((business_date - date '1970-01-01') + 1) * 86400000::bigint - 1) end
$$;
