-- The drill that goes on (SW11): core.drill.Drill as JSON; null: none does. Kept here so that a restart, which
-- ends it, need not look for its beginning in the journal.
create table drill (
    one integer primary key check (one = 1),
    data blob
) strict;
insert into drill values (1, null);
