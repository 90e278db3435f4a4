-- What the next word of an origin is to name, so that an old one that is said again counts for nothing (P6).
-- It begins with the incarnation that gave it: words said to a former one are no contact of this one.

alter table contact add column nonce text;
