-- Queries of receipts.db: what is to be printed and mailed (tables: migrations/0001_jobs.sql).

-- name: cursor()$
select document from cursor;

-- name: z_cursor()$
select z from cursor;

-- name: set_cursor(document, z)!
insert into cursor values (1, :document, :z) on conflict do update set document = excluded.document, z = excluded.z;

-- name: forget_cursor()!
delete from cursor;

-- name: add_print(document, copy, now_ms)!
-- An original that is there already is not added again: it prints once by itself.
insert into print_job (document, copy, state, made_at_ms, changed_at_ms)
values (:document, :copy, 'waits', :now_ms, :now_ms)
on conflict do nothing;

-- name: add_report(document, what, report, copy, now_ms)!
insert into print_job (document, what, report, copy, state, made_at_ms, changed_at_ms)
values (:document, :what, :report, :copy, 'waits', :now_ms, :now_ms)
on conflict do nothing;

-- name: next_print()^
select id, document, copy, made_at_ms, what, report from print_job where state = 'waits' order by id limit 1;

-- name: set_print(id, state, cause, now_ms)!
update print_job set state = :state, cause = :cause, changed_at_ms = :now_ms where id = :id;

-- name: broken_off(now_ms)!
-- What a process that ended was printing: how much of it is on the paper nobody knows.
update print_job set state = 'unsure', cause = 'stopped', changed_at_ms = :now_ms where state = 'printing';

-- name: waiting_for(cause, now_ms)!
update print_job set cause = :cause, changed_at_ms = :now_ms where state = 'waits' and cause <> :cause;

-- name: give_up_prints(before_ms, reports_before_ms, keep, now_ms)!
-- Those that wait too long, and the oldest where too many wait.
update print_job set state = 'given-up', changed_at_ms = :now_ms
where state = 'waits' and (made_at_ms < iif(what = 'receipt', :before_ms, :reports_before_ms) or id not in (
    select id from print_job where state = 'waits' order by id desc limit :keep
));

-- name: print_of(document)^
select id, document, copy, state, cause, changed_at_ms, what from print_job
where document = :document order by id desc limit 1;

-- name: newest_prints(limit)
select id, document, copy, state, cause, changed_at_ms, what from print_job order by changed_at_ms desc, id desc limit :limit;

-- name: prints_waiting()$
select count(*) from print_job where state = 'waits';

-- name: newest_unsure(since_ms)^
select id, document, copy, state, cause, changed_at_ms, what from print_job
where state = 'unsure' and changed_at_ms >= :since_ms order by id desc limit 1;

-- name: add_mail(document, address, now_ms)!
insert into mail_job (document, address, state, made_at_ms, next_at_ms, changed_at_ms)
values (:document, :address, 'waits', :now_ms, :now_ms, :now_ms);

-- name: mails_waiting()$
select count(*) from mail_job where state = 'waits';

-- name: next_mail(now_ms)^
select id, document, address, attempts, made_at_ms from mail_job
where state = 'waits' and next_at_ms <= :now_ms order by next_at_ms, id limit 1;

-- name: next_mail_at_ms()$
select min(next_at_ms) from mail_job where state = 'waits';

-- name: mail_now(now_ms)!
update mail_job set next_at_ms = min(next_at_ms, :now_ms) where state = 'waits';

-- name: mail_waits(id, cause, next_at_ms, now_ms)!
update mail_job set cause = :cause, attempts = attempts + 1, next_at_ms = :next_at_ms, changed_at_ms = :now_ms
where id = :id;

-- name: end_mail(id, state, cause, now_ms)!
update mail_job set state = :state, cause = :cause, address = null, attempts = attempts + 1, changed_at_ms = :now_ms
where id = :id;

-- name: give_up_mails(before_ms, now_ms)!
update mail_job set state = 'given-up', cause = 'too-old', address = null, changed_at_ms = :now_ms
where state = 'waits' and made_at_ms < :before_ms;

-- name: mail_of(document)^
select id, document, state, cause, changed_at_ms from mail_job where document = :document order by id desc limit 1;

-- name: newest_mails(limit)
select id, document, state, cause, changed_at_ms from mail_job order by changed_at_ms desc, id desc limit :limit;

-- name: printer()^
select cause, since_ms from printer;

-- name: set_printer(cause, now_ms)!
update printer set cause = :cause, since_ms = :now_ms where cause <> :cause;

-- name: sweep_prints(keep)!
delete from print_job where state in ('printed', 'unsure', 'given-up') and id <= (select max(id) from print_job) - :keep;

-- name: sweep_mails(keep)!
delete from mail_job where state <> 'waits' and id <= (select max(id) from mail_job) - :keep;

-- name: add_kick(act, now_ms)!
-- The same act opens it once.
insert into kick (act, state, made_at_ms, changed_at_ms) values (:act, 'waits', :now_ms, :now_ms)
on conflict do nothing;

-- name: next_kick()^
select id, act, made_at_ms from kick where state = 'waits' order by id limit 1;

-- name: set_kick(id, state, cause, now_ms)!
update kick set state = :state, cause = :cause, changed_at_ms = :now_ms where id = :id;

-- name: kicks_broken_off(now_ms)!
update kick set state = 'failed', cause = 'stopped', changed_at_ms = :now_ms where state = 'opening';

-- name: newest_kick()^
-- The last that ended.
select state, changed_at_ms from kick where state in ('opened', 'failed') order by id desc limit 1;

-- name: sweep_kicks(keep)!
delete from kick where state in ('opened', 'failed') and id <= (select max(id) from kick) - :keep;
