import type { DemoPerson } from './seed.ts'

/** Whom GraphiQL offers to be: the people, a service, and nobody. */
export function callersOf(people: readonly DemoPerson[], serviceToken: string) {
  return [
    ...people.map(({ name, token, ...person }) => ({
      name: `${name}: ${standing(person)}`,
      token,
    })),
    { name: 'A service with every scope', token: serviceToken },
    { name: 'Nobody', token: null },
  ]
}

/** For example `atlas-foods (owner), harbor-logistics (member, auditor)`. */
export function standing({
  platformAdmin,
  organizations,
}: Pick<DemoPerson, 'platformAdmin' | 'organizations'>): string {
  const memberships = organizations.map(({ slug, roles }) => `${slug} (${roles.join(', ')})`)
  if (platformAdmin) memberships.unshift('platform admin')
  return memberships.join(', ') || 'none'
}
