-- Transfers that head office ended.

-- name: lock(transfer)
-- Alone with a transfer: two who end it at once do not both move what is left.
select pg_advisory_xact_lock(7303, hashtext(:transfer));

-- name: transfer_of(reference)$
select transfer from stock_transfer_end where reference = :reference limit 1;

-- name: ended(transfer, at_most)
select reference, at_ms, admin, reason, store, sku, description, quantity_milli from stock_transfer_end
where transfer = :transfer order by at_ms desc, reference, store, sku limit :at_most;

-- name: add(reference, transfer, store, sku, description, quantity_milli, at_ms, admin, reason)*!
insert into stock_transfer_end (reference, transfer, store, sku, description, quantity_milli, at_ms, admin, reason)
values (:reference, :transfer, :store, :sku, :description, :quantity_milli, :at_ms, :admin, :reason);

-- name: move(place, sku, quantity_milli)*!
insert into stock_change values (:place, :sku, :quantity_milli);
