-- Customers made or changed at this register, and the keys of their personal data.

-- name: customers_mark()^
-- Changes with each change to them.
select count(*), coalesce(sum(revision), 0), (select count(*) from forgotten_customer) from customer;

-- name: revisions()
select number, revision from customer;

-- name: customer(number)^
select c.number, c.revision, c.person, c.nonce, c.sealed, k.key
from customer c left join person_key k on k.person = c.person and k.key <> zeroblob(32)
where c.number = :number;

-- name: all_customers()
select number, revision, person, nonce, sealed from customer;

-- name: all_numbers()
select number from customer_number;

-- name: put_customer(number, revision, person, nonce, sealed)!
insert into customer values (:number, :revision, :person, :nonce, :sealed)
on conflict (number) do update set
    revision = excluded.revision, person = excluded.person, nonce = excluded.nonce, sealed = excluded.sealed;

-- name: last_number(first, last)$
select max(id) from customer_number where id between :first and :last;

-- name: add_number(id, number)!
insert into customer_number values (:id, :number);

-- name: key_of(customer)^
-- Of the personal data of this customer's entries; the newest.
select person, key from person_key where customer = :customer and key <> zeroblob(32) order by id desc limit 1;

-- name: add_key(person, customer, key)!
insert into person_key (person, customer, key) values (:person, :customer, :key);

-- name: keys_mark()^
-- Another one whenever a key was made or destroyed, or somebody forgotten.
select count(*), coalesce(max(id), 0), (select count(*) from forgotten_customer) from person_key;

-- name: persons()
-- Whose key was not destroyed, in the order in which they were made.
select person from person_key where key <> zeroblob(32) order by id;

-- name: person_key(person)^
select person, customer, key from person_key where person = :person and key <> zeroblob(32);

-- name: destroy_keys(customer)!
-- Of the same size, so that SQLite writes over the bytes where they stand.
update person_key set key = zeroblob(32) where customer = :customer;

-- name: drop_customer(number)!
delete from customer where number = :number;

-- name: add_forgotten(number, at_ms)!
insert into forgotten_customer (number, at_ms) values (:number, :at_ms) on conflict do nothing;

-- name: is_forgotten(number)$
select 1 from forgotten_customer where number = :number;

-- name: forgotten()
select number from forgotten_customer order by number;

-- name: unerased()$
select count(*) from forgotten_customer where not erased;

-- name: set_erased()!
update forgotten_customer set erased = 1 where not erased;
