-- Drills, found by the index entry_drill (hq/migrations/0021_drills.sql).

-- name: in_drills(chains, seqs)
-- Those of these entries before which a drill began in their chain and had not ended.
select d.chain, d.seq
from unnest(:chains::integer[], :seqs::bigint[]) as d (chain, seq)
where (
    select e.type from entry as e
    where e.chain = d.chain and e.seq < d.seq and e.type in ('drill_started', 'drill_ended')
    order by e.seq desc
    limit 1
) = 'drill_started';

-- name: of_register(origin, limit)
-- The newest entries of a register's drills.
select c.chain, e.seq, e.at_ms, e.data
from chain as c join entry as e on e.chain = c.chain
where c.origin = :origin and e.type in ('drill_started', 'drill_ended')
order by c.chain desc, e.seq desc
limit :limit;
