-- Epochs that two people gave up: who proposed it and why, who confirmed, and what was known then (P6).

create table lost_epoch (
    id bigint generated always as identity primary key,
    origin text not null references origin,
    epoch text not null,
    reason text not null,
    proposed_by text not null,
    proposed_at_ms bigint not null,
    confirmed_by text,
    confirmed_at_ms bigint,
    withdrawn_by text,
    withdrawn_at_ms bigint,
    held_entries bigint not null,   -- at the proposal, then at the confirmation: more of them later is a return
    claimed_seq bigint not null,    -- the highest head that was claimed and was not here; 0: none
    check (confirmed_by <> proposed_by),
    check (confirmed_at_ms is null or withdrawn_at_ms is null)
);

create index lost_epoch_of on lost_epoch (origin, epoch, id);
create unique index lost_epoch_proposed on lost_epoch (origin, epoch)
where confirmed_at_ms is null and withdrawn_at_ms is null;

insert into lost_epoch (
    origin, epoch, reason, proposed_by, proposed_at_ms, confirmed_by, confirmed_at_ms, held_entries, claimed_seq
)
select origin, epoch, 'declared before reasons were kept', split_part(declared_lost_by, ' and ', 1),
       declared_lost_at_ms, split_part(declared_lost_by, ' and ', 2), declared_lost_at_ms, head_seq - fork_seq, 0
from chain where declared_lost_at_ms is not null and branch = 0;
-- The two columns stay for the version before, and are not written any more.
