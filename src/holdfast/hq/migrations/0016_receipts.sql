-- Receipts: the keys behind their codes as a feed, and what came back on which of them.

insert into feed (feed, n) values ('register_keys', 0);

-- Rows only for returns that name a receipt, so that sales cost nothing. In the order of ingest's COPY.
create table document_return (
    chain integer not null,
    seq bigint not null,
    line bigint not null,                       -- of the return
    document text not null,                     -- the receipt's number: not always here
    document_line bigint not null,              -- of the receipt; 0 where only its code was known
    quantity_milli bigint not null,             -- positive, as is the amount
    amount_minor bigint not null,
    checked boolean not null default false,     -- compared with what was sold
    tried_at_ms bigint                          -- its receipt was not here then
);

create index document_return_of on document_return (chain, seq);
create index document_return_document on document_return (document);
create index document_return_unchecked on document_return (document) where not checked;

-- What returns named before.
insert into document_return (chain, seq, line, document, document_line, quantity_milli, amount_minor)
select e.chain, e.seq, (l ->> 'line')::bigint, l -> 'original' ->> 'document',
       (l -> 'original' ->> 'line')::bigint, -(l ->> 'quantity_milli')::bigint, -(l ->> 'amount_minor')::bigint
from entry as e,
     json_array_elements(convert_from(e.data, 'UTF8')::json -> 'body' -> 'lines') as l
where e.type = 'return' and e.status = 'applied' and l -> 'original' is not null;
