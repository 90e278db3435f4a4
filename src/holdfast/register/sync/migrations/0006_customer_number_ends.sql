-- Who is found by words is found by the last part of the number too, with its leading zeros and without.
insert or ignore into customer_word (generation, word, number)
select distinct generation, lower(substr(number, length(rtrim(number, replace(number, '-', ''))) + 1)), number
from customer_word;
insert or ignore into customer_word (generation, word, number)
select generation, word, number from (
    select distinct generation, number,
        ltrim(lower(substr(number, length(rtrim(number, replace(number, '-', ''))) + 1)), '0') as word
    from customer_word
) where word <> '';
