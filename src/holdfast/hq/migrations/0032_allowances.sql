-- Allowances: in which currency, and what their registers said of them.

alter table value_allowance add column currency text not null default '';
alter table value_allowance add column per_card bigint not null default 0;
alter table value_allowance add column per_transaction bigint not null default 0;
alter table value_allowance add column taken_at_ms bigint;     -- its entry came: the register has it
alter table value_allowance add column returned_at_ms bigint;  -- the register takes nothing of it any more
create index value_allowance_origin on value_allowance (origin, kind);
create index value_allowance_open on value_allowance (expires_at_ms) where returned_at_ms is null;
