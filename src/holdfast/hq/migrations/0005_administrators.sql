-- People who sign in at head office.

create table admin (
    admin text primary key,                     -- the name to sign in with
    password_hash text,                         -- argon2; null until the one-time link was used
    created_at_ms bigint not null,
    last_sign_in_at_ms bigint,
    disabled_at_ms bigint
);

create table admin_link (
    token_hash bytea primary key,
    admin text not null references admin,
    issued_at_ms bigint not null,
    expires_at_ms bigint not null,
    used_at_ms bigint
);

create table session (
    token_hash bytea primary key,
    admin text not null references admin,
    csrf text not null,
    began_at_ms bigint not null,
    expires_at_ms bigint not null
);

create index session_expires on session (expires_at_ms);
