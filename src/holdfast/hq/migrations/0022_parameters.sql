-- Parameters: what people set for the tills, each change kept for good. The feed `parameters` is its fold
-- (core/parameters/changes.py).

create table parameter_change (
    number bigint generated always as identity primary key,
    key text not null,                          -- as the feed's row: name, and for whom
    name text not null,
    value text,                                 -- JSON; null: from then on nothing is set here
    valid_from text not null,                   -- a business date; 0001-01-01: at once
    made_on text not null,                      -- head office's date then
    undoes bigint references parameter_change,  -- the change that this one takes back
    version bigint not null,                    -- the feed's, from this change on
    made_by text not null,
    made_at_ms bigint not null,
    reason text not null
);
create index parameter_change_key on parameter_change (key, number);
create index parameter_change_name on parameter_change (name, number);
create index parameter_change_version on parameter_change (version);
create unique index parameter_change_undoes on parameter_change (undoes) where undoes is not null;

-- What was loaded before changes were kept.
insert into parameter_change (key, name, value, valid_from, made_on, version, made_by, made_at_ms, reason)
select r.key, split_part(r.key, '@', 1), (r.body::json -> 'value')::text, '0001-01-01', '0001-01-01', r.n, '',
    coalesce(f.changed_at_ms, 0), 'Loaded before changes were kept'
from feed_row r join feed f using (feed)
where r.feed = 'parameters' and not r.deleted
order by r.n, r.key;
