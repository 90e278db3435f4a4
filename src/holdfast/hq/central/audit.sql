-- What people did with central value (table: migrations/0026_prepared_cards.sql).

-- name: note(at_ms, by, act, kind, account, key, store, detail, reason)!
insert into value_audit (at_ms, by, act, kind, account, key, store, detail, reason)
values (:at_ms, :by, :act, :kind, :account, :key, :store, :detail, :reason);

-- name: acts(kind, account, act, store, limit)
select at_ms, by, act, kind, account, key, store, detail, reason from value_audit
where (:account::text = '' or (kind = :kind and account = :account))
    and (:act::text = '' or act = :act) and (:store::text = '' or store = :store)
order by id desc limit :limit;
