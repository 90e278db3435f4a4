-- Registers that are declared retired (columns: migrations/0015_enrolment_pages.sql).

-- name: lock_origin(origin)^
select name, retired_at_ms, retired_by,
       coalesce((select c.closed_at_seq is not null from chain c
                 where c.origin = o.origin and c.branch = 0 order by c.chain desc limit 1), false)
from origin o where origin = :origin for update;

-- name: declare(origin, by, reason, at_ms)!
update origin set retired_at_ms = :at_ms, retired_by = :by, retired_reason = :reason where origin = :origin;

-- name: withdraw_codes(origin, by, now_ms)!
-- A register out of service gets no other key.
update enrolment_code
set withdrawn_at_ms = :now_ms, withdrawn_by = :by, expires_at_ms = least(expires_at_ms, :now_ms - 1)
where rekeys = :origin and used_at_ms is null and withdrawn_at_ms is null;

-- name: take_back(origin)!
-- Refused by the index origin_series where its series is another's.
update origin set retired_at_ms = null, retired_by = null, retired_reason = null where origin = :origin;
