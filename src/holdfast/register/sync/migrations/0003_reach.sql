-- What a person at the till is told of the line beside its mode, as JSON.

alter table link_state add column past text not null default '[]';     -- what did not work lately
alter table link_state add column reach text not null default 'null';  -- which layer is broken
alter table link_state add column tried text not null default 'null';  -- how the try went that somebody asked for
