-- What the register's page shows beside the fleet's own queries (tables: hq/migrations/0002_journal.sql).

-- name: heads(origin)
select epoch, branch, fork_seq, head_hash from chain where origin = :origin order by chain;
