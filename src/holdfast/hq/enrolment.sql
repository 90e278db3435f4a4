-- Stores, one-time codes, and who used them (tables: migrations/0001_registers.sql).

-- name: put_store(store, name, currency, timezone)!
insert into store (store, name, currency, timezone) values (:store, :name, :currency, :timezone)
on conflict (store) do update
set name = excluded.name, currency = excluded.currency, timezone = excluded.timezone;

-- name: stores()
select store, name, currency, timezone from store order by store;

-- name: store(store)^
select store, name, currency, timezone from store where store = :store;

-- name: active_in_series(series)^
select origin, name from origin where series = :series and retired_at_ms is null;

-- name: origin(origin)^
select origin, kind, store, series, currency, name, retired_at_ms from origin where origin = :origin;

-- name: origin_of_key(key_id)$
select origin from origin_key where key_id = :key_id limit 1;

-- name: add_code(code_hash, kind, store, series, name, replaces, rekeys, by, now_ms, expires_at_ms)!
insert into enrolment_code (
    code_hash, kind, store, series, name, replaces, rekeys, issued_by, issued_at_ms, expires_at_ms
)
values (:code_hash, :kind, :store, :series, :name, :replaces, :rekeys, :by, :now_ms, :expires_at_ms);

-- name: lock_code(code_hash)^
select kind, store, series, name, replaces, rekeys, expires_at_ms, used_at_ms, origin, public_key,
       withdrawn_at_ms
from enrolment_code where code_hash = :code_hash for update;

-- name: use_code(code_hash, now_ms, origin, public_key)!
update enrolment_code set used_at_ms = :now_ms, origin = :origin, public_key = :public_key
where code_hash = :code_hash and used_at_ms is null;

-- name: open_codes(now_ms, limit)
select code_hash, kind, store, series, name, replaces, rekeys, issued_at_ms, issued_by, expires_at_ms
from enrolment_code
where used_at_ms is null and withdrawn_at_ms is null and expires_at_ms >= :now_ms
order by issued_at_ms desc, code_hash
limit :limit;

-- name: code_state(code_hash)^
select name, rekeys, expires_at_ms, used_at_ms, origin, withdrawn_at_ms, withdrawn_by
from enrolment_code where code_hash = :code_hash;

-- name: withdraw_code(code_hash, by, now_ms)!
-- Also too old from now on, for the version before this one.
update enrolment_code
set withdrawn_at_ms = :now_ms, withdrawn_by = :by, expires_at_ms = least(expires_at_ms, :now_ms - 1)
where code_hash = :code_hash and withdrawn_at_ms is null;

-- name: put_recovery(origin, recovery)!
update origin set recovery = :recovery where origin = :origin;

-- name: recovery(origin)$
select recovery from origin where origin = :origin;

-- name: newest_head(origin)^
-- How far head office has come with the newest epoch.
select epoch, head_seq, head_hash from chain where origin = :origin and branch = 0
order by chain desc limit 1;
