-- What may be taken offline of gift cards, credit memos and on account (GC10, OA2): one row a kind, as
-- core.central.allowed and what is being asked for (register.till.allowances.Kept as JSON). What is journalled
-- of an allowance changes here in the same transaction.
create table allowance (
    kind text primary key,
    data blob not null
) strict, without rowid;

-- Cards, memos and customers' accounts that head office told of here. Never a number: `mark` is a keyed hash of
-- it with its PIN, under a key that does not lie in this file. `left_minor`: how much was on it, less what this
-- till took since; null: not told.
create table known_account (
    mark blob primary key check (length(mark) = 32),
    kind text not null,
    account text not null,
    number_end text not null,
    left_minor integer,
    at_ms integer not null
) strict, without rowid;
create index known_account_of on known_account (kind, account);
create index known_account_age on known_account (at_ms);
