export interface Profile {
  readonly name: string
  readonly email: string
  /** How organizations.ts names this person. */
  readonly username: string
  readonly phoneNumber?: string
  /** Has not confirmed the address yet. */
  readonly unverified?: true
  /** May administer the whole platform. */
  readonly platformAdmin?: true
}

/** Everybody in the demo signs in with this. */
export const password = 'correct horse battery'

/** The first one belongs to several organizations, the last one to none. */
export const profiles: readonly Profile[] = [
  person('Amara Okafor', 'tidewater', { phoneNumber: '+12025550101' }),
  person('Mei Tanaka', 'platform', { platformAdmin: true, phoneNumber: '+12025550102' }),
  person('Jonas Lindqvist', 'harbor', { phoneNumber: '+12025550103' }),
  person('Priya Raman', 'harbor'),
  person('Tomás Herrera', 'harbor'),
  person('Grace Mensah', 'harbor'),
  person('Ravi Kulkarni', 'harbor'),
  person('Ewa Nowak', 'harbor', { unverified: true }),
  person('Daniel Osei', 'northlight', { phoneNumber: '+12025550108' }),
  person('Hana Kim', 'northlight'),
  person('Leila Haddad', 'northlight'),
  person('Peter Vogel', 'northlight'),
  person('Ines Moreau', 'northlight'),
  person('Samuel Adeyemi', 'northlight'),
  person('Chloe Bennett', 'atlas', { phoneNumber: '+12025550114' }),
  person('Mateo Silva', 'atlas'),
  person('Yuki Sato', 'atlas'),
  person('Olga Ivanova', 'atlas'),
  person('Zoe Papadakis', 'atlas'),
  person('Henrik Dahl', 'fernwood', { phoneNumber: '+12025550119' }),
  person('Fatima Zahra', 'fernwood'),
  person('Arjun Mehta', 'fernwood'),
  person('Lucy Hartmann', 'fernwood'),
  person('Noah Cohen', 'fernwood', { unverified: true }),
  person('Sofia Rossi', 'quarry', { phoneNumber: '+12025550124' }),
  person('Marcus Reid', 'quarry'),
  person('Linh Tran', 'quarry'),
  person('Anders Holm', 'quarry'),
  person('Nadia Benali', 'quarry'),
  person('Isabel Duarte', 'tidewater'),
  person('Kwame Boateng', 'tidewater'),
  person('Robin Ellis', 'visitor', { unverified: true }),
]

/** `example` is a top-level domain that nobody can own, so no mail can reach a stranger. */
function person(
  name: string,
  domain: string,
  rest: Omit<Profile, 'name' | 'email' | 'username'> = {},
): Profile {
  const username = name
    .normalize('NFD')
    .replaceAll(/\p{Diacritic}/gu, '')
    .toLowerCase()
    .replaceAll(' ', '.')
  return { name, username, email: `${username}@${domain}.example`, ...rest }
}
