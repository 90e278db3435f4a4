-- What the entries mean. Columns stand in the order in which ingest copies them.

create table document (
    chain integer not null,
    seq bigint not null,
    type text not null,                         -- sale, return, stock_adjusted, account_adjusted
    number text not null,
    origin text not null,
    store text not null,
    business_date date not null,
    posting_period text not null,               -- YYYY-MM
    at_ms bigint not null,
    began_at_ms bigint not null,
    currency text not null,
    total_minor bigint not null,
    tax_minor bigint not null,
    rounding_minor bigint not null,
    line_count integer not null,
    customer text,
    external_reference text,
    country text not null,
    staff text not null,
    primary key (chain, seq)
);

create index document_number on document (number);
create index document_business_date on document (business_date, chain, seq);

create table document_line (
    chain integer not null,
    seq bigint not null,
    line integer not null,
    store text not null,
    business_date date not null,
    sku text not null,
    description text not null,
    quantity_milli bigint not null,
    unit_price_e4 bigint not null,
    amount_minor bigint not null,
    tax_code text not null,
    department text not null,
    stock_milli bigint not null,
    scanned_s bigint not null
);

-- Not unique, so that the lines of a document share one index entry.
create index document_line_of on document_line (chain, seq);

create table document_tender (
    chain integer not null,
    seq bigint not null,
    tender integer not null,
    kind text not null,
    amount_minor bigint not null,
    reference text not null
);

create index document_tender_of on document_tender (chain, seq);

create table document_tax (
    chain integer not null,
    seq bigint not null,
    tax_code text not null,
    rate_e6 bigint not null,
    inclusive boolean not null,
    net_minor bigint not null,
    tax_minor bigint not null
);

create index document_tax_of on document_tax (chain, seq);

-- A document of another system stands for itself once in the chain, whoever enters it (P2).
create table reference (
    type text not null,
    reference text not null,
    chain integer not null,
    seq bigint not null,
    content bytea not null,
    primary key (type, reference)
);

create table stock_level (
    store text not null,
    sku text not null,
    quantity_milli bigint not null,
    primary key (store, sku)
) with (fillfactor = 50);

create table register_day (
    origin text not null,
    business_date date not null,
    documents bigint not null,
    total_minor bigint not null,
    tax_minor bigint not null,
    cash_minor bigint not null,
    primary key (origin, business_date)
) with (fillfactor = 50);

-- Months in which may be posted: the first that is not closed. A seal locks it for update, ingest for share.
create table period (
    period text primary key check (period ~ '^[0-9]{4}-[0-9]{2}$'),
    closed_at_ms bigint
);

insert into period (period) values ('0001-01');
