-- The cash drawer opens by a pulse of the printer: once for each act, at once or not at all.
create table kick (
    id integer primary key autoincrement,
    act text not null unique,                       -- a document's number, or what else it opens for and when
    state text not null check (state in ('waits', 'opening', 'opened', 'failed')),
    cause text not null default '',                 -- why it did not open
    made_at_ms integer not null,
    changed_at_ms integer not null
) strict;

create index kick_open on kick (id) where state in ('waits', 'opening');
