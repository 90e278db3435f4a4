-- Up to where a chain is in a verified backup.

-- name: advance(chains, seqs, hashes, backup, at_ms)!
-- Only forward, and only where this database still holds the very same entry.
insert into safe as known (chain, seq, hash, backup, at_ms)
select held.chain, held.seq, held.hash, :backup, :at_ms
from unnest(:chains::integer[], :seqs::bigint[], :hashes::bytea[]) as held (chain, seq, hash)
join entry e on e.chain = held.chain and e.seq = held.seq and e.hash = held.hash
on conflict (chain) do update
set seq = excluded.seq, hash = excluded.hash, backup = excluded.backup, at_ms = excluded.at_ms
where excluded.seq > known.seq;

-- name: incarnation()^
select number, incarnation from incarnation order by number desc limit 1;

-- name: begin_incarnation(number, incarnation, at_ms, detail)!
insert into incarnation (number, incarnation, began_at_ms, cause, detail)
values (:number, :incarnation, :at_ms, 'restored', :detail);

-- name: add_alert(detail)!
insert into alert (kind, detail) values ('restored', :detail);

-- name: standby_names()$
select current_setting('synchronous_standby_names');

-- name: heads()
select chain, head_seq, head_hash from chain c
where head_seq > fork_seq
  and not exists (select from safe s where s.chain = c.chain and s.seq >= c.head_seq);

-- name: position()$
-- Asked after the heads: what they stand on was written before this place of the log.
select pg_current_wal_insert_lsn()::text;

-- name: standby_holding(position)$
-- A standby that commits wait for, and that has all up to there on its own disk.
select coalesce(nullif(application_name, ''), 'standby') from pg_stat_replication
where sync_state in ('sync', 'quorum') and flush_lsn >= :position::pg_lsn
order by flush_lsn desc limit 1;
