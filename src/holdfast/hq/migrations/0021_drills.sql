-- Where drills began and ended (SW11): what lies between was made in one. Few entries are in this index, and no
-- other entry pays for it.
create index entry_drill on entry (chain, seq) where type in ('drill_started', 'drill_ended');
