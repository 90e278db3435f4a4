-- What was noticed in the drill that goes on (core.drill.Tally as JSON): a restart ends it, and tells of it.
alter table drill add column tally blob;
