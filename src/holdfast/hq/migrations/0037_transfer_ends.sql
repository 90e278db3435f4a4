-- What head office moved on the way of a transfer, so that nothing of it is on its way any more: written off
-- below zero; above zero where a store received what was not sent to it. In the level of `transit:` + store.
create table stock_transfer_end (
    reference text not null,                     -- of one act: done twice under it, it is done once
    transfer text not null,
    store text not null,
    sku text not null,
    description text not null,
    quantity_milli bigint not null,
    at_ms bigint not null,
    admin text not null,
    reason text not null,
    primary key (reference, store, sku)
);

create index stock_transfer_end_of on stock_transfer_end (transfer);
