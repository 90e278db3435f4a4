-- Roles: what head office says of them, by currency; those it leaves alone are as they ship.

insert into feed (feed, n) values ('roles', 0);
