-- Up to where a former key vouches, and codes that give a register that is enrolled another key.

alter table origin_key add column number integer;        -- among its origin's keys, from 1
alter table origin_key add column until_chain integer;   -- null: in force. Epochs up to this chain were here
alter table origin_key add column until_epoch text;      -- of the entry that announced the next key, if one did
alter table origin_key add column until_seq bigint;

update origin_key k set number = counted.number
from (
    select origin, key_id, row_number() over (partition by origin order by added_at_ms, key_id) as number
    from origin_key
) counted
where (counted.origin, counted.key_id) = (k.origin, k.key_id);
alter table origin_key alter column number set not null;

-- Where earlier ones gave way was not recorded: what they signed in epochs that are here stays good.
update origin_key k set until_chain = coalesce((select max(chain) from chain c where c.origin = k.origin), 0),
                        until_seq = 0
where k.number < (select max(number) from origin_key l where l.origin = k.origin);

-- The register that the code gives a key to; null: the code makes a new one.
alter table enrolment_code add column rekeys text references origin;
