-- What verification reads, as of one moment.

-- name: chains()
select c.chain, c.origin, c.epoch, c.branch, c.parent_chain, c.fork_seq, c.head_seq, c.head_hash,
       o.store, o.series, o.currency
from chain c join origin o using (origin)
order by c.chain;

-- name: hash_at(chain, seq)$
select hash from entry where chain = :chain and seq = :seq;

-- name: entries(chain, after, limit)
select seq, hash, type, version, business_date, at_ms, status, data
from entry where chain = :chain and seq > :after
order by seq limit :limit;

-- name: quarantine(chain)
select seq, cause, resolved_at_ms is not null from quarantine where chain = :chain;

-- name: keys(origin)
select key_id, public_key from origin_key where origin = :origin;

-- name: signed_heads(chain)
select s.seq, e.hash, s.key_id, s.signature
from signed_head s left join entry e using (chain, seq)
where s.chain = :chain order by s.seq;

-- name: proved_at(chain, seq)$
-- Is there a signed head, or a branch that goes on from there by an entry that can be read.
select exists (select from signed_head where chain = :chain and seq = :seq)
    or exists (
        select from chain c
        where c.parent_chain = :chain and c.fork_seq = :seq and not exists (
            select from quarantine q
            where q.chain = c.chain and q.seq = c.fork_seq + 1 and q.cause = 'unreadable'
              and q.resolved_at_ms is null
        )
    );

-- name: reference_of(type, reference)$
select content from reference where type = :type and reference = :reference;

-- name: stock()
-- Without what head office ended on its way: what documents and figures come to.
select store, sku, sum(quantity_milli)::numeric
from (
    select store, sku, quantity_milli from stock_level
    union all
    select 'transit:' || store, sku, -quantity_milli from stock_transfer_end
) as moved
group by store, sku having sum(quantity_milli) <> 0;

-- name: days()
select origin, business_date::text, documents, total_minor, tax_minor, cash_minor from register_day;

-- name: strays()$
-- Rows of documents whose chain nobody knows.
select count(*) from document d where not exists (select from chain c where c.chain = d.chain);
