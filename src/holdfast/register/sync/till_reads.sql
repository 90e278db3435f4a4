-- What sync reads of the till's database beside its journal. `id` is epoch.n * 2^40 + seq, or + number.

-- name: keep_from_seq(epoch, business_date)$
-- The first entry of the epoch that belongs to a document of that date or a later one, or else its head.
select min(
    coalesce((select min(d.seq) from document d
              where d.id between e.n << 40 and ((e.n + 1) << 40) - 1 and d.business_date >= :business_date),
             1 << 40),
    coalesce((select c.id & 0xffffffffff from chain c
              where c.id between e.n << 40 and ((e.n + 1) << 40) - 1 order by c.id desc limit 1), 1))
from epoch e where e.epoch = :epoch;

-- name: first_kept_seq(epoch, seq)$
-- The first entry from there on whose bytes no purge took.
select t.id & 0xffffffffff
from epoch e join entry t on t.id between (e.n << 40) + :seq and ((e.n + 1) << 40) - 1
where e.epoch = :epoch
order by t.id limit 1;
