-- Customers of the feed, and what head office was told of persons' keys.

-- name: put_word(generation, word, number)!
insert or ignore into customer_word values (:generation, :word, :number);

-- name: drop_words(generation, number)!
delete from customer_word where generation = :generation and number = :number;

-- name: sweep_words(at_most)!
delete from customer_word where (generation, word, number) in (
    select generation, word, number from customer_word
    where generation not in (select generation from feed_version where feed = 'customers')
    limit :at_most);

-- name: find(word, past, limit)
-- Numbers with a word that begins so; `past`: what comes after all of those.
select distinct number from customer_word
where generation = (select generation from feed_version where feed = 'customers' and is_current = 1)
  and word >= :word and word < :past
limit :limit;

-- name: has(number, word, past)$
select 1 from customer_word
where generation = (select generation from feed_version where feed = 'customers' and is_current = 1)
  and number = :number and word >= :word and word < :past
limit 1;

-- name: add_gone(number)!
insert into customer_gone (number) values (:number) on conflict do nothing;

-- name: gone()
select number from customer_gone order by number;

-- name: unerased()$
select count(*) from customer_gone where not erased;

-- name: set_erased()!
update customer_gone set erased = 1 where not erased;

-- name: sent(incarnation)
select person from person_key_sent where incarnation = :incarnation;

-- name: add_sent(incarnation, person)!
insert into person_key_sent values (:incarnation, :person) on conflict do nothing;

-- name: told(incarnation)$
select customers from forgotten_told where incarnation = :incarnation;

-- name: set_told(incarnation, customers)!
insert into forgotten_told values (:incarnation, :customers)
on conflict (incarnation) do update set customers = excluded.customers;
