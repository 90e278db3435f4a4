-- When a document moved stock, where that is not what its own row says (document_moment): the till's clock was
-- ahead, so that it counts as of its arrival; or it was entered from paper under a date that ends at another
-- hour in its store than in UTC. Few documents have a row here.
create table stock_moment (
    chain integer not null,
    seq bigint not null,
    at_ms bigint not null,
    primary key (chain, seq)
);
