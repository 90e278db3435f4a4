-- Feeds: the rows that registers sell from (tables: migrations/0004_feeds.sql).

-- name: incarnation()$
select incarnation from incarnation order by number desc limit 1;

-- name: versions()
select feed, n, changed_at_ms from feed;

-- name: lock_feed(feed)$
-- One load of a feed at a time: its versions are dense and in order.
select n from feed where feed = :feed for update;

-- name: version(feed)$
select n from feed where feed = :feed;

-- name: changed(feed, since, limit)
select key, body, n, deleted from feed_row where feed = :feed and n > :since order by n, key limit :limit;

-- name: known(feed, keys)
select key, body from feed_row where feed = :feed and key = any(:keys) and not deleted;

-- name: keys(feed)
select key from feed_row where feed = :feed and not deleted;

-- name: bodies(feed)
select key, body from feed_row where feed = :feed and not deleted order by key;

-- name: beginning(feed, prefix)
select key, body from feed_row where feed = :feed and not deleted and starts_with(key, :prefix) order by key;

-- name: put(feed, keys, bodies, versions)!
-- A null body deletes; the row stays, so that registers hear of it.
insert into feed_row as known (feed, key, body, n, deleted)
select :feed, key, coalesce(body, ''), n, body is null
from unnest(:keys::text[], :bodies::text[], :versions::bigint[]) as row (key, body, n)
on conflict (feed, key) do update set body = excluded.body, n = excluded.n, deleted = excluded.deleted;

-- name: move_version(feed, n, at_ms)!
update feed set n = :n, changed_at_ms = :at_ms where feed = :feed;
