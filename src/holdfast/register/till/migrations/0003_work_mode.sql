-- How somebody chose that this register works: as its line is, or offline by hand until further notice (SW3).
-- The last `work_mode_changed` entry, kept here so that a restart need not look for it in the journal.
create table work_mode (
    one integer primary key check (one = 1),
    work text not null check (work in ('offline', 'online')),
    since_ms integer not null,
    reason text not null,
    by text not null
) strict;
insert into work_mode values (1, 'online', 0, '', '');
