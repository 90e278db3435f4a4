-- The continuous proof of central value, and who looked at which difference.

-- One run over all accounts, piece by piece. Its last piece is its end.
create table value_proof (
    id bigint generated always as identity primary key,
    began_at_ms bigint not null,
    ended_at_ms bigint,
    at_kind text not null default '',           -- up to and with this account it was looked at
    at_account text not null default '',
    accounts bigint not null default 0,
    movements bigint not null default 0,
    faults bigint not null default 0,
    first_faults text not null default ''       -- the first ones in words, a line each
);

create table value_proof_sum (
    proof bigint not null references value_proof,
    kind text not null,
    currency text not null,
    balance numeric not null,                   -- of the accounts, each by its last movement
    booked numeric not null,
    counter numeric not null,
    difference numeric not null,
    primary key (proof, kind, currency)
);

-- A movement with a remark is looked at by people, each with a note.
create table value_look (
    id bigint generated always as identity primary key,
    chain integer not null,
    seq bigint not null,
    ordinal integer not null,
    by text not null,
    at_ms bigint not null,
    note text not null
);

create index value_look_of on value_look (chain, seq, ordinal, id);
