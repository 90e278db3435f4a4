-- Administrators, one-time links and sessions (tables: hq/migrations/0005_administrators.sql).

-- name: add_admin(admin, now_ms, store)!
insert into admin (admin, created_at_ms, store) values (:admin, :now_ms, nullif(:store, ''))
on conflict (admin) do nothing;

-- name: has_store(store)$
select exists (select from store where store = :store);

-- name: store_of(admin)$
select store from admin where admin = :admin;

-- name: drop_links(admin)!
-- A new link replaces those before it.
delete from admin_link where admin = :admin and used_at_ms is null;

-- name: add_link(token_hash, admin, now_ms, expires_at_ms)!
insert into admin_link (token_hash, admin, issued_at_ms, expires_at_ms)
values (:token_hash, :admin, :now_ms, :expires_at_ms);

-- name: link(token_hash, now_ms)^
select admin, expires_at_ms
from admin_link
where token_hash = :token_hash and used_at_ms is null and expires_at_ms >= :now_ms;

-- name: use_link(token_hash, now_ms)^
-- One statement, so that of two who click at once one is refused.
update admin_link set used_at_ms = :now_ms
where token_hash = :token_hash and used_at_ms is null and expires_at_ms >= :now_ms
returning admin;

-- name: set_password(admin, password_hash)!
update admin set password_hash = :password_hash, disabled_at_ms = null where admin = :admin;

-- name: password_hash(admin)$
select password_hash from admin where admin = :admin and disabled_at_ms is null;

-- name: signed_in(admin, now_ms)!
update admin set last_sign_in_at_ms = :now_ms where admin = :admin;

-- name: with_password()$
select count(*) from admin where password_hash is not null and disabled_at_ms is null;

-- name: forget_sessions(now_ms)!
delete from session where expires_at_ms < :now_ms;

-- name: add_session(token_hash, admin, csrf, now_ms, expires_at_ms)!
insert into session (token_hash, admin, csrf, began_at_ms, expires_at_ms)
values (:token_hash, :admin, :csrf, :now_ms, :expires_at_ms);

-- name: session(token_hash, now_ms)^
select s.admin, s.csrf, coalesce(a.store, '')
from session as s join admin as a on a.admin = s.admin
where s.token_hash = :token_hash and s.expires_at_ms >= :now_ms and a.disabled_at_ms is null;

-- name: end_session(token_hash)!
delete from session where token_hash = :token_hash;

-- name: end_sessions_of(admin)!
delete from session where admin = :admin;
