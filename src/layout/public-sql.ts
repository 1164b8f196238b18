import { literal } from './quote.ts'

/** With these a role makes large objects, which are files that lie in the database until they are removed. */
export const LARGE_OBJECT_MAKERS = ['lo_creat', 'lo_create', 'lo_from_bytea']

/**
 * SQL that takes from everybody (PUBLIC) what PostgreSQL lets everybody do and the gateway never does. Whoever else needs
 * it lacks it then too. What does not belong to whoever runs it stays, with a warning of PostgreSQL.
 */
export function publicStatements(): string[] {
  return [
    `do ${literal(`declare it text;
begin
  for it in
    select format('create, temporary on database %I', current_database())
    where has_database_privilege('public', current_database(), 'create, temporary')
    union all
    select format('create on schema %I', nspname) from pg_catalog.pg_namespace
    where nspname !~ '^pg_' and has_schema_privilege('public', oid, 'create')
    union all
    select format('execute on function %s', oid::regprocedure) from pg_catalog.pg_proc
    where pronamespace = 'pg_catalog'::regnamespace and has_function_privilege('public', oid, 'execute')
      and proname in (${LARGE_OBJECT_MAKERS.map(literal).join(', ')})
  loop
    execute format('revoke %s from public', it);
  end loop;
end`)}`,
  ]
}
