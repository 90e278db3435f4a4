-- For how long nobody waits any more for a silent register stands in core alone (core.central.grants.OWED_FOR_MS):
-- whoever asks leaves out what expired before that.

create or replace function allowance_at_stake(given value_allowance, now_ms bigint) returns bigint
language sql stable as $$
    select case
        when given.returned_at_ms is not null then 0
        when now_ms >= given.expires_at_ms and exists (
            select from chain c left join entry e on e.chain = c.chain and e.seq = c.head_seq
            where c.origin = given.origin and c.epoch = given.epoch and c.branch = 0
              and (c.closed_at_seq is not null or c.declared_lost_at_ms is not null or e.at_ms > given.expires_at_ms)
        ) then 0
        else greatest(given.amount - given.used, 0)
    end
$$;
