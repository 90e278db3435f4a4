-- Backups that head office takes by itself, and how the last attempt went.

alter table backup add column took_ms bigint;
alter table backup add column by_schedule boolean not null default false;
alter table backup add column removed_at_ms bigint; -- its files went when newer ones were enough

create index backup_taken on backup (taken_at_ms);

-- At most one row: since when the schedule brings no backup about, and why.
create table backup_failure (
    one boolean primary key default true check (one),
    since_ms bigint not null,
    at_ms bigint not null,
    tries integer not null,
    code text not null,
    sentence text not null
);
