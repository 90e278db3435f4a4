-- Customers at head office (tables: migrations/0020_customers.sql).

-- ---- entries -----------------------------------------------------------------------------------

-- name: open_entries(limit)
-- What can be settled now, in the order of arrival; another process takes other ones.
select e.arrival, e.chain, e.seq, e.origin, e.at_ms, e.kind, e.customer, e.person, e.revision, e.staff, e.state,
       j.data, k.key
from customer_entry e
join entry j on j.chain = e.chain and j.seq = e.seq
left join person_key k on k.person = e.person and k.origin = e.origin
where e.state = 'new' or (e.state = 'waits' and (k.key is not null or exists (
    select from customer c where c.number = e.customer and c.forgotten_at_ms is not null)))
order by e.arrival limit :limit for update of e skip locked;

-- name: set_state(arrival, state)!
update customer_entry set state = :state where arrival = :arrival;

-- name: rename(arrival, number, person, origin)!
-- A number that two copies of one register gave to two people: the second one has it with a mark.
with moved as (update customer_entry set customer = :number where arrival = :arrival)
update person_key set customer = :number where person = :person and origin = :origin;

-- name: lock(number)^
select number, revision, name, email, phone, address, note, into_number, forgotten_at_ms, arrival, chain
from customer where number = :number for update;

-- name: add(number, revision, origin, chain, at_ms)!
insert into customer (number, revision, origin, chain, made_at_ms, changed_at_ms)
values (:number, :revision, :origin, :chain, :at_ms, :at_ms) on conflict do nothing;

-- name: made_in(number, origin, chain, at_ms)!
update customer set origin = :origin, chain = :chain, made_at_ms = :at_ms where number = :number;

-- name: set_details(number, revision, name, email, phone, address, note, at_ms, by, arrival)!
update customer set revision = :revision, name = :name, email = :email, phone = :phone, address = :address,
    note = :note, changed_at_ms = :at_ms, changed_by = :by, arrival = greatest(arrival, :arrival),
    change = nextval('customer_change')
where number = :number;

-- name: drop_words(numbers)!
delete from customer_word where number = any(:numbers);

-- name: add_words(words, numbers)!
insert into customer_word (word, number)
select word, number from unnest(:words::text[], :numbers::text[]) as w (word, number) on conflict do nothing;

-- ---- keys --------------------------------------------------------------------------------------

-- name: add_key(person, origin, customer, key, at_ms)!
insert into person_key values (:person, :origin, :customer, :key, :at_ms) on conflict do nothing;

-- name: forgotten_of(numbers)
select number from customer where number = any(:numbers) and forgotten_at_ms is not null;

-- ---- the feed ----------------------------------------------------------------------------------

-- name: unpublished(limit)
select number, revision, name, email, phone, address, note, into_number, forgotten_at_ms is not null, change
from customer where change > published order by change limit :limit;

-- name: published(numbers, changes)!
update customer c set published = row.change
from unnest(:numbers::text[], :changes::bigint[]) as row (number, change)
where c.number = row.number and c.published < row.change;

-- ---- loading -----------------------------------------------------------------------------------

-- name: known(numbers)
select number, name, email, phone, address, note, into_number is not null or forgotten_at_ms is not null
from customer where number = any(:numbers) for update;

-- name: load(numbers, names, emails, phones, addresses, notes, at_ms, by)!
insert into customer as c (number, revision, name, email, phone, address, note, made_at_ms, changed_at_ms, changed_by)
select number, 1, name, email, phone, address, note, :at_ms, :at_ms, :by
from unnest(:numbers::text[], :names::text[], :emails::text[], :phones::text[], :addresses::text[], :notes::text[])
     as row (number, name, email, phone, address, note)
on conflict (number) do update set revision = c.revision + 1, name = excluded.name, email = excluded.email,
    phone = excluded.phone, address = excluded.address, note = excluded.note,
    changed_at_ms = excluded.changed_at_ms, changed_by = excluded.changed_by, change = nextval('customer_change');

-- ---- reading -----------------------------------------------------------------------------------

-- name: count_them()^
select count(*) filter (where forgotten_at_ms is null and into_number is null),
       count(*) filter (where name is null and forgotten_at_ms is null and into_number is null),
       count(*) filter (where forgotten_at_ms is not null)
from customer;

-- name: newest(limit)
select c.number, c.name, c.email, c.phone, c.address, c.note, c.origin, o.name, c.changed_at_ms, c.into_number,
       c.forgotten_at_ms
from customer c left join origin o on o.origin = c.origin
where c.forgotten_at_ms is null and c.into_number is null
order by c.changed_at_ms desc, c.number limit :limit;

-- name: find(words, pasts, limit)
-- Who has a word for each term: `pasts` is what comes after all that begin so.
select c.number, c.name, c.email, c.phone, c.address, c.note, c.origin, o.name, c.changed_at_ms, c.into_number,
       c.forgotten_at_ms
from customer c left join origin o on o.origin = c.origin
where c.number in (
    select w.number
    from unnest(:words::text[], :pasts::text[]) with ordinality as term (word, past, place)
    join customer_word w on w.word >= term.word collate "C" and w.word < term.past collate "C"
    group by w.number having count(distinct term.place) = cardinality(:words::text[]))
order by c.name, c.number limit :limit;

-- name: one(number)^
select c.number, c.revision, c.name, c.email, c.phone, c.address, c.note, c.origin, o.name, c.made_at_ms,
       c.changed_at_ms, c.changed_by, c.into_number, c.merged_at_ms, c.merged_by,
       c.forgotten_at_ms, c.forgotten_by, c.forgotten_reason
from customer c left join origin o on o.origin = c.origin where c.number = :number;

-- name: merged_into(number)
-- All numbers that lead to this one.
with recursive group_of (number) as (
    select number from customer where into_number = :number
    union
    select c.number from customer c join group_of g on c.into_number = g.number
)
select number from group_of order by number;

-- name: sales_of(numbers, limit)
-- Newest first, by the index document_customer (hq/migrations/0024_customer_documents.sql).
select d.number, d.chain, d.seq, d.type, d.business_date::text, d.at_ms, d.currency, d.total_minor, d.origin, o.name,
       d.customer
from document d left join origin o on o.origin = d.origin
where d.customer = any(:numbers)
order by d.at_ms desc, d.chain, d.seq limit :limit;

-- name: keys_of(numbers)
-- Which registers hold a key of theirs.
select distinct coalesce(o.name, k.origin) from person_key k left join origin o on o.origin = k.origin
where k.customer = any(:numbers) order by 1;

-- ---- merging and forgetting --------------------------------------------------------------------

-- name: set_into(number, into_number, at_ms, by)!
update customer set into_number = :into_number, merged_at_ms = :at_ms, merged_by = :by, revision = revision + 1,
    change = nextval('customer_change')
where number = :number;

-- name: forget(numbers, at_ms, by, reason)!
update customer set name = null, email = '', phone = '', address = '', note = '', changed_by = '',
    forgotten_at_ms = :at_ms, forgotten_by = :by, forgotten_reason = :reason, into_number = null,
    revision = revision + 1, change = nextval('customer_change')
where number = any(:numbers) and forgotten_at_ms is null;

-- name: destroy_keys(numbers)!
delete from person_key where customer = any(:numbers);
