-- When a till was told again that it holds: what it concluded right after that a word from before does not tell.
alter table value_hold add column told_ms bigint not null default 0;
