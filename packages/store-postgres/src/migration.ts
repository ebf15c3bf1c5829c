import { AuthError } from '@authmd/core'

/** A number that no other program locks, made from nothing. */
const lock = '4722366482869645213'

/** The name of a schema as it stands in a statement. Throws `AuthError` `invalid_input`. */
export function quoted(schema: string): string {
  if (/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) return `"${schema}"`
  throw new AuthError('invalid_input', 'a schema is 1 to 63 of a-z, 0-9 and _, no digit first')
}

/**
 * The statements that make the tables, for those who run migrations with a tool or a role of their own.
 * Sent as one query they are one transaction, which a second one waits for; running it again changes
 * nothing. Throws `AuthError` `invalid_input` for the name of the schema.
 */
export function migration(schema = 'authmd'): string {
  const at = quoted(schema)
  return `
select pg_advisory_xact_lock(${lock});
create schema if not exists ${at};
create table if not exists ${at}.records (
  kind text collate "C" not null,
  owner text collate "C" not null,
  id text collate "C" not null,
  revision bigint not null,
  value bytea not null,
  due bigint,
  taken_until timestamptz,
  primary key (kind, owner, id)
);
create index if not exists records_due on ${at}.records (kind, due) where due is not null;
create table if not exists ${at}.leases (
  name bytea primary key,
  token bigint not null,
  expires timestamptz not null
);
delete from ${at}.leases where expires < clock_timestamp() - interval '1 day';
`
}
