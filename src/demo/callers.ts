import type { DemoPerson } from './seed.ts'

/** Whom GraphiQL offers to be: the people, below each organization they are in, a service, and nobody. */
export function callersOf(people: readonly DemoPerson[], serviceToken: string) {
  return [
    ...people.map((person) => ({
      name: person.name,
      token: person.token,
      groups: Object.fromEntries(standing(person)),
    })),
    {
      name: 'A service with every scope',
      token: serviceToken,
      groups: { [NOT_PEOPLE]: '' },
    },
    { name: 'Nobody', token: null, groups: { [NOT_PEOPLE]: '' } },
  ]
}

const NOT_PEOPLE = 'Not a person'

/** Organizations, each with the roles held there. */
function standing({ platformAdmin, organizations }: DemoPerson): readonly [string, string][] {
  const memberships = organizations.map(({ name, roles }): [string, string] => [
    name,
    roles.join(', '),
  ])
  if (platformAdmin) return [['The whole platform', 'admin'], ...memberships]
  return memberships.length > 0 ? memberships : [['No organization', '']]
}
