-- Customers of the feed: the words that each is found by, and who was forgotten (PO7).

create table customer_word (
    generation integer not null,
    word text not null,
    number text not null,
    primary key (generation, word, number)
) strict, without rowid;
create index customer_word_number on customer_word (generation, number);

-- Kept through all generations and incarnations: who was forgotten once stays forgotten.
create table customer_gone (
    number text primary key,
    erased integer not null default 0   -- no page and no log of this file names the person any more
) strict, without rowid;

-- Which keys of persons head office has, by its incarnation: one that lost state is sent them anew. By person, not
-- by a number that rises: a till that was put back from a backup counts anew.
create table person_key_sent (
    incarnation text not null,
    person text not null,
    primary key (incarnation, person)
) strict, without rowid;

-- How many that were forgotten head office was told of.
create table forgotten_told (
    incarnation text primary key,
    customers integer not null
) strict, without rowid;
