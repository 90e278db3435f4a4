-- X and Z reports go to the printer in the same queue.

alter table print_job add column what text not null default 'receipt' check (what in ('receipt', 'x', 'z'));

-- An X report as it was when it was asked for; what else is printed lies in the till's database.
alter table print_job add column report text not null default '';

-- How far Z reports were looked through. Null: nobody looked yet, and those that are there are not printed.
alter table cursor add column z integer;
