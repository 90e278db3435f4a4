-- The continuous proof (tables: migrations/0023_central_value.sql, 0028_value_proof.sql).

-- name: lock_proof()$
select pg_try_advisory_xact_lock(hashtext('holdfast value proof'));

-- name: running()^
select id, at_kind, at_account from value_proof where ended_at_ms is null order by id desc limit 1;

-- name: begin(at_ms)$
insert into value_proof (began_at_ms) values (:at_ms) returning id;

-- name: piece(kind, account, limit)
-- The next accounts, each with what its movements come to. One statement: one moment of the ledger.
with part as (
    select kind, account, currency from value_account where (kind, account) > (:kind, :account)
    order by kind, account limit :limit
), walked as (
    select m.kind, m.account, m.number, m.booked, m.counter, m.difference, m.balance, m.remark,
           sum(m.booked) over w as running, lag(m.number, 1, 0::bigint) over w as before,
           row_number() over (partition by m.kind, m.account order by m.number desc) as from_last
    from value_movement m join part using (kind, account)
    window w as (partition by m.kind, m.account order by m.number)
)
select s.kind, s.account, s.currency, count(w.number),
       coalesce(sum(w.balance) filter (where w.from_last = 1), 0),
       coalesce(sum(w.booked), 0), coalesce(sum(w.counter), 0), coalesce(sum(w.difference), 0),
       coalesce(bool_or(w.running <> w.balance), false),
       coalesce(bool_or(w.number <> w.before + 1), false),
       coalesce(bool_or(w.booked + w.counter + w.difference <> 0), false),
       coalesce(bool_or(w.difference <> 0 and w.remark = ''), false)
from part s left join walked w using (kind, account)
group by s.kind, s.account, s.currency
order by s.kind, s.account;

-- name: add_sum(proof, kind, currency, balance, booked, counter, difference)!
insert into value_proof_sum (proof, kind, currency, balance, booked, counter, difference)
values (:proof, :kind, :currency, :balance, :booked, :counter, :difference)
on conflict (proof, kind, currency) do update
set balance = value_proof_sum.balance + excluded.balance, booked = value_proof_sum.booked + excluded.booked,
    counter = value_proof_sum.counter + excluded.counter,
    difference = value_proof_sum.difference + excluded.difference;

-- name: go_on(proof, kind, account, accounts, movements, faults, words)!
update value_proof set at_kind = :kind, at_account = :account, accounts = accounts + :accounts,
    movements = movements + :movements, faults = faults + :faults, first_faults = left(first_faults || :words, 4000)
where id = :proof;

-- name: finish(proof, at_ms)!
update value_proof set ended_at_ms = :at_ms where id = :proof;

-- name: faults_of(proof)^
select faults, first_faults from value_proof where id = :proof;

-- name: alert(detail)!
insert into alert (kind, detail) values ('central-proof', :detail);

-- name: proofs(limit)
select id, began_at_ms, ended_at_ms, accounts, movements, faults, first_faults
from value_proof order by id desc limit :limit;

-- name: sums(proof)
select kind, currency, balance, booked, counter, difference from value_proof_sum where proof = :proof
order by kind, currency;

-- name: forget_before(proof)!
delete from value_proof_sum where proof < :proof;

-- name: forget_runs_before(proof)!
delete from value_proof p where id < :proof and not exists (select from value_proof_sum s where s.proof = p.id);
