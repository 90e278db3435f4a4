-- Foreign cash: what registers may take, and what they took.

insert into feed (feed, n) values ('currencies', 0);

-- Beside `document_tender`, which has its value: rows only where there was any, so that others cost nothing.
create table document_foreign_cash (
    chain integer not null,
    seq bigint not null,
    tender integer not null,                    -- of document_tender
    currency text not null,                     -- ISO 4217
    foreign_minor bigint not null,              -- in that currency's minor units
    rate_e8 bigint not null                     -- home currency for one unit, in hundred-millionths
);

create index document_foreign_cash_of on document_foreign_cash (chain, seq);
