-- Prepared gift cards (tables: migrations/0023_central_value.sql, 0026_prepared_cards.sql).

-- name: add_batch(batch, source, currency, cards, has_pins, by, at_ms)!
insert into value_batch (batch, source, currency, cards, has_pins, made_by, made_at_ms)
values (:batch, :source, :currency, :cards, :has_pins, :by, :at_ms);

-- name: known(macs)
select number_mac from value_account where number_mac = any(:macs);

-- name: batches(limit)
select b.batch, b.source, b.currency, b.cards, b.has_pins, b.made_by, b.made_at_ms,
       count(*) filter (where a.state = 'prepared'), count(*) filter (where a.state = 'blocked')
from (select * from value_batch order by made_at_ms desc, batch limit :limit) b
join value_account a using (batch)
group by b.batch, b.source, b.currency, b.cards, b.has_pins, b.made_by, b.made_at_ms
order by b.made_at_ms desc, b.batch;

-- name: lock_account(kind, account)^
select state, number_end from value_account where kind = :kind and account = :account for update;

-- name: has_movements(kind, account)$
select exists (select from value_movement where kind = :kind and account = :account);

-- name: set_state(kind, account, state)!
update value_account set state = :state where kind = :kind and account = :account;

-- name: lock_batch(batch)$
select cards from value_batch where batch = :batch for update;

-- name: block_unsold(batch)
-- Of a batch whose file went astray: nobody sells one of these any more.
update value_account set state = 'blocked' where batch = :batch and state = 'prepared' returning account;
