-- Queries of suspended baskets.

-- name: all_suspended()
-- The longest waiting first.
select data from suspended order by at_ms, transaction_id;

-- name: count_suspended()$
select count(*) from suspended;

-- name: suspended(transaction_id)$
select data from suspended where transaction_id = :transaction_id;

-- name: put_suspended(transaction_id, at_ms, data)!
insert into suspended values (:transaction_id, :at_ms, :data);

-- name: replace_suspended(transaction_id, data)!
update suspended set data = :data where transaction_id = :transaction_id;

-- name: drop_suspended(transaction_id)!
delete from suspended where transaction_id = :transaction_id;
