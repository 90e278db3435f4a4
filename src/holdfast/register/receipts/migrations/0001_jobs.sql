-- What is to be printed and mailed. Apart from the till's database: no sale waits for it (P5), and it may be
-- lost: the journal has every receipt, and each can be printed again.

-- How far the journal was looked through: `till.db`, document.id. Set to the newest where it begins.
create table cursor (
    one integer primary key check (one = 1),
    document integer not null
) strict;

create table print_job (
    id integer primary key autoincrement,
    document text not null,
    copy integer not null check (copy in (0, 1)),   -- 0: the original, which prints once by itself
    state text not null check (state in ('waits', 'printing', 'printed', 'unsure', 'given-up')),
    cause text not null default '',                 -- why it waits, or what became of it
    made_at_ms integer not null,
    changed_at_ms integer not null
) strict;

create unique index print_job_original on print_job (document) where copy = 0;
create index print_job_open on print_job (id) where state in ('waits', 'printing');
create index print_job_document on print_job (document, id);

-- The address is personal data: kept until the mail is sent or given up, and nowhere else.
create table mail_job (
    id integer primary key autoincrement,
    document text not null,
    address text,
    state text not null check (state in ('waits', 'sent', 'given-up')),
    cause text not null default '',
    attempts integer not null default 0,
    made_at_ms integer not null,
    next_at_ms integer not null,
    changed_at_ms integer not null,
    check ((address is null) = (state <> 'waits'))
) strict;

create index mail_job_open on mail_job (next_at_ms) where state = 'waits';
create index mail_job_document on mail_job (document, id);

-- What the printer last said of itself; empty: nothing is wrong.
create table printer (
    one integer primary key check (one = 1),
    cause text not null,
    since_ms integer not null
) strict;
insert into printer values (1, '', 0);
