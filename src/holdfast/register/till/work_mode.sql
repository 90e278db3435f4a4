-- Queries of how somebody chose that this register works.

-- name: work_mode()^
select work, since_ms, reason, by from work_mode;

-- name: set_work_mode(work, since_ms, reason, by)!
update work_mode set work = :work, since_ms = :since_ms, reason = :reason, by = :by;
