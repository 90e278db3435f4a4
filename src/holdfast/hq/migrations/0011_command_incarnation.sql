-- Commands are numbered within an incarnation: one of a former life is neither delivered nor carried out.

alter table command add column incarnation text;
update command set incarnation = (select incarnation from incarnation order by number desc limit 1);
alter table command alter column incarnation set not null;
alter table command drop constraint command_pkey;
alter table command add primary key (origin, incarnation, number);
alter table command add column issue bigint generated always as identity;
create index command_issued on command (origin, issue);
