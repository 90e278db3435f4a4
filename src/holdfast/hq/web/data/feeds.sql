-- What registers are given (tables: hq/migrations/0004_feeds.sql).

-- name: feeds()
select f.feed, f.n, f.changed_at_ms, count(r.key) filter (where not r.deleted)
from feed as f left join feed_row as r on r.feed = f.feed
group by f.feed, f.n, f.changed_at_ms;
