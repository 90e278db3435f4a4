-- Commands are numbered within an incarnation of head office.

alter table command rename to former_command;

create table command (
    incarnation text not null,
    number integer not null,
    kind text not null,
    arguments blob not null,
    received_ms integer not null,
    request integer references request (number),
    outcome text not null default '',
    detail text not null default '',
    reported integer not null default 0,
    primary key (incarnation, number)
) strict;

insert into command
select coalesce((select incarnation from incarnation order by ordinal desc limit 1), ''), number, kind, arguments,
    received_ms, request, outcome, detail, reported
from former_command;

drop table former_command;
