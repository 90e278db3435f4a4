-- Backups are ordered by a number, never by time: head office's clock may have been ahead.

create sequence backup_number;

alter table backup add column number bigint not null default nextval('backup_number');
alter table backup alter column number drop default;

drop index backup_taken;
create unique index backup_by_number on backup (number);
