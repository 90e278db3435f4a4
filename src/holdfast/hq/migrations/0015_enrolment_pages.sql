-- Who made a code and who took it back, and who retired a register and why.

alter table enrolment_code add column issued_by text not null default '';
alter table enrolment_code add column withdrawn_at_ms bigint; -- its expires_at_ms is past then too: the version before refuses it
alter table enrolment_code add column withdrawn_by text;

alter table origin add column retired_by text;                -- null: by its own closing entry, or by whoever replaced it
alter table origin add column retired_reason text;

-- Registers that closed their journal were not marked before. No epoch was ever closed for another cause.
update origin o set retired_at_ms = (extract(epoch from e.received_at) * 1000)::bigint
from (
    select distinct on (origin) origin, chain, closed_at_seq from chain where branch = 0 order by origin, chain desc
) newest
join entry e on e.chain = newest.chain and e.seq = newest.closed_at_seq
where newest.origin = o.origin and o.retired_at_ms is null;

-- What one business date came to, over ten thousand registers and years.
create index register_day_date on register_day (business_date);
