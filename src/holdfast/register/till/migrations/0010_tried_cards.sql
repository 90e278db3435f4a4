-- Cards that were tried with a wrong PIN while head office could not count (GC11): a restart forgets none.
-- `mark`: a keyed hash of the number, as in known_account. `wrong_e3`: so much weighed the tries after the last
-- one (core.central.attempts.Tried); what wears off begins anew at a start, whatever the clock says.
create table tried_card (
    tried integer primary key,
    mark blob not null unique check (length(mark) = 32),
    wrong_e3 integer not null
) strict;
