-- Quick keys: what a till's screen has at hand.

insert into feed (feed, n) values ('quick_keys', 0);
