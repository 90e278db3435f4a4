-- What ingest reads and writes besides COPY. In the order of its locks.

-- name: lock_origin(origin)^
-- One batch of an origin at a time: its chains cannot change under the decision.
select origin, store, series, currency from origin where origin = :origin for update;

-- name: open_period()$
-- A seal takes the same row for update, so no document is posted into a month that is closing (P7).
select period from period where closed_at_ms is null order by period limit 1 for share;

-- name: incarnation()$
select incarnation from incarnation order by number desc limit 1;

-- name: chains_of(origin, epochs)
select c.chain, c.origin, c.epoch, c.branch, c.head_seq, c.head_hash, c.fork_seq, c.parent_chain,
       c.closed_at_seq, s.seq, s.hash
from chain c left join safe s using (chain)
where c.origin = :origin and c.epoch = any(:epochs)
order by c.branch > 0, c.chain;

-- name: newest_chains(origin, limit)
select c.chain, c.origin, c.epoch, c.branch, c.head_seq, c.head_hash, c.fork_seq, c.parent_chain,
       c.closed_at_seq, s.seq, s.hash
from chain c left join safe s using (chain)
where c.origin = :origin
order by c.chain desc limit :limit;

-- name: next_chain()$
select nextval('chain_number');

-- name: hashes_between(chains, first_seq, last_seq)
select chain, seq, hash from entry
where chain = any(:chains) and seq between :first_seq and :last_seq;

-- name: lost_between(chains, first_seq, last_seq)
-- Entries of which only the hash and some remains came.
select chain, seq from quarantine
where chain = any(:chains) and seq between :first_seq and :last_seq
  and cause = 'unreadable' and resolved_at_ms is null;

-- name: hashes_at(chains, seqs)
select e.chain, e.seq, e.hash
from unnest(:chains::integer[], :seqs::bigint[]) as place (chain, seq)
join entry e using (chain, seq);

-- name: references_of(types, references)
select r.type, r.reference, r.chain, r.seq, r.content
from unnest(:types::text[], :references::text[]) as wanted (type, reference)
join reference r using (type, reference);

-- name: add_chain(chain, origin, epoch, branch, parent_chain, fork_seq, head_seq, head_hash)!
insert into chain (chain, origin, epoch, branch, parent_chain, fork_seq, head_seq, head_hash)
values (:chain, :origin, :epoch, :branch, :parent_chain, :fork_seq, :head_seq, :head_hash);

-- name: move_head(chain, head_seq, head_hash)!
-- A head only goes on.
update chain set head_seq = :head_seq, head_hash = :head_hash
where chain = :chain and head_seq < :head_seq;

-- name: opened(chain, segment, cause, parent_epoch, parent_seq, parent_hash)!
update chain
set segment = :segment, cause = :cause,
    parent_epoch = :parent_epoch, parent_seq = :parent_seq, parent_hash = :parent_hash
where chain = :chain;

-- name: closed(chain, seq)!
update chain set closed_at_seq = :seq where chain = :chain;

-- name: add_rotated_key(origin, key_id, public_key)!
insert into origin_key (origin, key_id, public_key, added_at_ms, number)
select :origin, :key_id, :public_key, (extract(epoch from now()) * 1000)::bigint, coalesce(max(number), 0) + 1
from origin_key where origin = :origin
on conflict (origin, key_id) do nothing;

-- name: end_keys(origin, but, replaces, chain, epoch, seq)!
-- A key gives way once; announced again, it keeps the place where it did.
update origin_key set until_chain = :chain, until_epoch = :epoch, until_seq = :seq
where origin = :origin and key_id <> :but and until_chain is null and :replaces in ('', key_id);

-- name: put_key(origin, key_id, public_key, at_ms, number)!
insert into origin_key (origin, key_id, public_key, added_at_ms, number)
select :origin, :key_id, :public_key, :at_ms, coalesce(:number::integer, max(number) + 1, 1)
from origin_key where origin = :origin
on conflict (origin, key_id) do nothing;

-- name: newest_chain(origin)$
select coalesce(max(chain), 0) from chain where origin = :origin;

-- name: identity(origin, key_id)^
select o.kind, o.name, o.store, s.name, o.series, o.currency, s.timezone, k.number, k.public_key
from origin o join store s using (store) join origin_key k using (origin)
where o.origin = :origin and k.key_id = :key_id;

-- name: known(origin, series)^
select coalesce((select max(number) from origin_key where origin = :origin), 0),
       coalesce((select retired_at_ms is not null from origin where origin = :origin), false),
       (select origin from origin where series = :series and retired_at_ms is null);

-- name: readmit_store(store, name, currency, timezone)!
insert into store (store, name, currency, timezone) values (:store, :name, :currency, :timezone)
on conflict (store) do nothing;

-- name: readmit(origin, kind, store, series, currency, name, at_ms)!
insert into origin (origin, kind, store, series, currency, name, enrolled_at_ms)
values (:origin, :kind, :store, :series, :currency, :name, :at_ms)
on conflict (origin) do nothing;

-- name: add_days(origins, dates, documents, totals, taxes, cash)!
insert into register_day as known (origin, business_date, documents, total_minor, tax_minor, cash_minor)
select * from unnest(:origins::text[], :dates::date[], :documents::bigint[], :totals::bigint[],
                     :taxes::bigint[], :cash::bigint[])
on conflict (origin, business_date) do update
set documents = known.documents + excluded.documents,
    total_minor = known.total_minor + excluded.total_minor,
    tax_minor = known.tax_minor + excluded.tax_minor,
    cash_minor = known.cash_minor + excluded.cash_minor;

-- name: check_days(origins, dates)!
-- Z reports came: they are compared with the documents of their business date.
insert into day_check (origin, business_date)
select * from unnest(:origins::text[], :dates::date[])
on conflict (origin, business_date) do update set due = true;

-- name: check_again(origins, dates)!
-- Documents came of a date whose Z reports are here.
update day_check as c set due = true
from unnest(:origins::text[], :dates::date[]) as day (origin, business_date)
where (c.origin, c.business_date) = (day.origin, day.business_date) and not c.due;

-- name: add_signed_head(chain, seq, key_id, signature)!
insert into signed_head (chain, seq, key_id, signature)
values (:chain, :seq, :key_id, :signature)
on conflict (chain, seq) do nothing;

-- name: claims_of(origin, epochs)
select epoch, seq, hash from claim
where origin = :origin and epoch = any(:epochs)
order by epoch, seq, hash;

-- name: add_claim(origin, epoch, seq, hash, at_ms)!
insert into claim (origin, epoch, seq, hash, claimed_at_ms)
values (:origin, :epoch, :seq, :hash, :at_ms)
on conflict (origin, epoch, seq, hash) do nothing;

-- name: forget_claim(origin, epoch, seq, hash)!
delete from claim where origin = :origin and epoch = :epoch and seq = :seq and hash = :hash;

-- name: touch(origin, at_ms)!
insert into contact (origin, at_ms) values (:origin, :at_ms)
on conflict (origin) do update
set at_ms = excluded.at_ms, blocked_code = null, blocked_detail = null, blocked_at_ms = null;

-- name: block(origin, code, detail, at_ms)!
insert into contact (origin, blocked_code, blocked_detail, blocked_at_ms)
values (:origin, :code, :detail, :at_ms)
on conflict (origin) do update
set blocked_code = excluded.blocked_code, blocked_detail = excluded.blocked_detail,
    blocked_at_ms = excluded.blocked_at_ms;

-- name: put_nonce(origin, nonce)!
insert into contact (origin, nonce) values (:origin, :nonce)
on conflict (origin) do update set nonce = excluded.nonce;

-- name: put_heartbeat(origin, at_ms, statement, key_id, signature, skew_ms, nonce)!
with word as (
    insert into heartbeat (origin, received_at_ms, statement, key_id, signature, skew_ms)
    values (:origin, :at_ms, :statement, :key_id, :signature, :skew_ms)
    on conflict (origin) do update
    set received_at_ms = excluded.received_at_ms, statement = excluded.statement,
        key_id = excluded.key_id, signature = excluded.signature, skew_ms = excluded.skew_ms
)
insert into contact (origin, at_ms, nonce) values (:origin, :at_ms, :nonce)
on conflict (origin) do update
set at_ms = excluded.at_ms, nonce = excluded.nonce, blocked_code = null, blocked_detail = null, blocked_at_ms = null;

-- name: news(origin)^
-- One question for all that a heartbeat is answered with: ten thousand registers send them.
select (select incarnation from incarnation order by number desc limit 1), array_agg(feed), array_agg(n),
       (select skew_ms from clock_skew where origin = :origin order by at_ms desc limit 1),
       (select nonce from contact where origin = :origin)
from feed;

-- name: record_skew(origin, at_ms, skew_ms)!
insert into clock_skew (origin, at_ms, skew_ms) values (:origin, :at_ms, :skew_ms)
on conflict (origin, at_ms) do update set skew_ms = excluded.skew_ms;

-- name: forget_skews(origin, keep)!
-- A clock that wavers for years must not fill the disk.
delete from clock_skew where origin = :origin and at_ms < (
    select at_ms from clock_skew where origin = :origin order by at_ms desc offset :keep limit 1
);

-- name: known_incarnations(named)
select incarnation from incarnation where incarnation = any(:named);

-- name: lock_incarnation()$
-- One new incarnation at a time: many registers come back at once after a restore. Whoever waited here
-- must look anew which one counts.
select number from incarnation order by number desc limit 1 for update;

-- name: begin_incarnation(number, incarnation, at_ms, cause, detail)!
insert into incarnation (number, incarnation, began_at_ms, cause, detail)
values (:number, :incarnation, :at_ms, :cause, :detail)
on conflict (number) do nothing;

-- name: add_alert(kind, origin, detail)!
insert into alert (kind, origin, detail) values (:kind, :origin, :detail);

-- name: add_alert_once(kind, origin, detail, at_most)!
insert into alert (kind, origin, detail)
select :kind, :origin, :detail
where (select count(*) from alert where kind = :kind and acknowledged_at_ms is null) < :at_most
  and not exists (
      select from alert where kind = :kind and origin = :origin and acknowledged_at_ms is null
  );

-- name: waiting(chain, seq, limit)
-- What became unreadable at its origin stays so, whatever is upgraded here.
select c.origin, c.epoch, q.chain, q.seq, e.hash, e.data
from quarantine q join entry e using (chain, seq) join chain c using (chain)
where (q.chain, q.seq) > (:chain, :seq) and q.resolved_at_ms is null and q.cause <> 'unreadable'
order by q.chain, q.seq limit :limit;

-- name: resolve_quarantine(chain, seq, at_ms)!
update quarantine set resolved_at_ms = :at_ms, attempts = attempts + 1 where chain = :chain and seq = :seq;

-- name: resolve_entry(chain, seq, status)!
update entry set status = :status where chain = :chain and seq = :seq and status = 'quarantined';

-- name: complete_entry(chain, seq, type, version, date, entry_ms, status, data)!
update entry
set type = :type, version = :version, business_date = :date, at_ms = :entry_ms, status = :status, data = :data
where chain = :chain and seq = :seq and status = 'quarantined';

-- name: attempted(chain, seq, cause, detail)!
update quarantine set cause = :cause, detail = :detail, attempts = attempts + 1
where chain = :chain and seq = :seq;

-- name: speaks_for(session)
-- A register brings its own journal, a store server those of its store's registers too.
-- Of a former key the place where it gave way, and the epochs that were here before.
select o.origin, k.key_id, k.public_key, k.until_epoch, coalesce(k.until_seq, 0),
       case when k.until_chain is not null then array(
           select c.epoch from chain c
           where c.origin = o.origin and c.branch = 0 and c.chain <= k.until_chain
             and c.epoch is distinct from k.until_epoch
       ) end
from origin me
join origin o on o.origin = me.origin or (me.kind = 'store' and o.store = me.store)
join origin_key k on k.origin = o.origin
where me.origin = :session;

-- name: enrol(origin, kind, store, series, currency, name, at_ms, software, recovery, replaces)!
insert into origin (origin, kind, store, series, currency, name, enrolled_at_ms, software, recovery, replaces)
values (:origin, :kind, :store, :series, :currency, :name, :at_ms, :software, :recovery, :replaces);

-- name: retire_itself(origin)!
-- By our clock: its own may say any year.
update origin set retired_at_ms = coalesce(retired_at_ms, (extract(epoch from now()) * 1000)::bigint)
where origin = :origin;

-- name: retire(origin, at_ms)!
update origin set retired_at_ms = coalesce(retired_at_ms, :at_ms) where origin = :origin;
