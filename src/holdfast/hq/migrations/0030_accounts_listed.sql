-- The page of accounts lists the newest first.
create index value_account_opened on value_account (opened_at_ms desc);
create index value_hold_of on value_hold (kind, account, since_ms);
