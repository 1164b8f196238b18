import type { Naming } from './better-auth.ts'

export function snake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

function plural(model: string): string {
  return model === 'jwks' ? model : `${model}s`
}

/** What Better Auth calls everything when nobody tells it otherwise. */
export const camelCase: Naming = { table: (model) => model, column: (_, field) => field }

export const pluralSnakeCase: Naming = {
  table: (model) => snake(plural(model)),
  column: (_, field) => snake(field),
}

/** As Drizzle's schema has them. */
export const drizzle: Naming = { table: snake, column: (_, field) => snake(field) }
export const drizzlePlural: Naming = {
  table: (model) => `${snake(model)}s`,
  column: (_, field) => snake(field),
}

/** Tables and the fields of Better Auth itself are renamed; what plug-ins add is not. */
export const mixed: Naming = {
  table: pluralSnakeCase.table,
  column: (model, field) =>
    ['user', 'session', 'account', 'verification'].includes(model) &&
    !/^(active|impersonated|ban|two|phone|display|is)/.test(field)
      ? snake(field)
      : field,
}

/** Tables that are called something else, with columns that are not. */
export const renamedTables: Naming = {
  table: (model) => tables[model] ?? `auth ${model}`,
  column: (_, field) => snake(field),
}

/** Nothing is called what Better Auth calls it. */
export const custom: Naming = {
  table: (model) => tables[model] ?? `auth ${model}`,
  column: (model, field) => columns[`${model}.${field}`] ?? `the_${snake(field)}`,
}

const tables: Readonly<Record<string, string>> = {
  user: 'people',
  organization: 'Tenants',
  member: 'tenant people',
  account: 'sign_ins',
}
const columns: Readonly<Record<string, string>> = {
  'user.name': 'full_name',
  'user.email': 'email_address',
  'user.image': 'Picture',
  'organization.slug': 'handle',
  'member.role': 'the "roles"',
  'session.token': 'the token',
}
