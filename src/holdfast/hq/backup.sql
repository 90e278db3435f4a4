-- Backups that were verified, and the schedule's failure (tables: migrations/0002_journal.sql, 0006_backups.sql, 0010_backup_numbers.sql).

-- name: next_number(above)$
-- A sequence is not undone by a restore to less than what lies in the folder: `above` is its highest.
select setval('backup_number', greatest(nextval('backup_number'), :above + 1));

-- name: add_backup(number, backup, path, manifest_sha256, taken_at_ms, verified_at_ms, bytes, took_ms, by_schedule)!
insert into backup (
    number, backup, path, manifest_sha256, taken_at_ms, verified_at_ms, bytes, took_ms, by_schedule
)
values (
    :number, :backup, :path, :manifest_sha256, :taken_at_ms, :verified_at_ms, :bytes, :took_ms, :by_schedule
);

-- name: backups(limit)
select backup, path, manifest_sha256, taken_at_ms, verified_at_ms, bytes, took_ms, by_schedule, removed_at_ms
from backup order by number desc limit :limit;

-- name: surplus(keep)
-- Those of the schedule beyond the newest `keep` of it.
select backup, path, manifest_sha256, taken_at_ms, verified_at_ms, bytes, took_ms, by_schedule, removed_at_ms
from backup where by_schedule and removed_at_ms is null
order by number desc offset :keep;

-- name: removed(backup, at_ms)!
update backup set removed_at_ms = :at_ms where backup = :backup;

-- name: failure()^
select since_ms, at_ms, tries, code, sentence from backup_failure;

-- name: failed(at_ms, code, sentence)$
-- How often it failed in a row.
insert into backup_failure as known (since_ms, at_ms, tries, code, sentence)
values (:at_ms, :at_ms, 1, :code, :sentence)
on conflict (one) do update
set at_ms = excluded.at_ms, tries = known.tries + 1, code = excluded.code, sentence = excluded.sentence
returning tries;

-- name: mended()!
delete from backup_failure;

-- name: add_alert(detail)!
insert into alert (kind, detail)
select 'backup', :detail
where not exists (select from alert where kind = 'backup' and acknowledged_at_ms is null);

-- name: close_alerts(at_ms)!
update alert set acknowledged_at_ms = :at_ms, acknowledged_by = 'a later backup'
where kind = 'backup' and acknowledged_at_ms is null;

-- name: standby()$
-- The synchronous standby by which chains are safe, where there is one.
select coalesce(nullif(application_name, ''), 'standby') from pg_stat_replication
where sync_state in ('sync', 'quorum') and current_setting('synchronous_standby_names') <> ''
limit 1;
