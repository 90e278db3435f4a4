-- Who is found by words is found by the last part of the number too, with its leading zeros and without.
insert into customer_word (word, number)
select word, number from (
    select distinct number, regexp_replace(lower(number), '^.*-', '') as word from customer_word
    union
    select distinct number, ltrim(regexp_replace(lower(number), '^.*-', ''), '0') from customer_word
) as ends where word <> '' on conflict do nothing;
