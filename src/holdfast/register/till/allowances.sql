-- Queries of allowances, and of the accounts that they may be used for.

-- name: allowances()
select kind, data from allowance order by kind;

-- name: allowance(kind)$
select data from allowance where kind = :kind;

-- name: put_allowance(kind, data)!
insert into allowance values (:kind, :data) on conflict do update set data = excluded.data;

-- name: drop_allowance(kind)!
delete from allowance where kind = :kind;

-- name: account_known(mark)^
select account, number_end, left_minor from known_account where mark = :mark;

-- name: left_known(kind, account)$
-- The least that was told of it, by whatever number; null where nothing was.
select min(left_minor) from known_account where kind = :kind and account = :account;

-- name: put_account(mark, kind, account, number_end, left_minor, at_ms)!
-- What was told now counts; where nothing was told of the balance, what was known of it goes.
insert into known_account values (:mark, :kind, :account, :number_end, :left_minor, :at_ms)
on conflict do update set account = excluded.account, number_end = excluded.number_end,
    left_minor = excluded.left_minor, at_ms = excluded.at_ms;

-- name: drop_oldest_accounts(kept)!
delete from known_account where mark in (
    select mark from known_account order by at_ms desc, mark limit -1 offset :kept
);

-- name: move_account(kind, account, delta_minor)!
update known_account set left_minor = left_minor + :delta_minor where kind = :kind and account = :account;

-- name: tried_cards()
select mark, wrong_e3 from tried_card order by tried;

-- name: put_tried(mark, wrong_e3)!
-- As the last one tried.
insert or replace into tried_card (mark, wrong_e3) values (:mark, :wrong_e3);

-- name: drop_oldest_tried(kept)!
delete from tried_card where tried in (select tried from tried_card order by tried desc limit -1 offset :kept);
