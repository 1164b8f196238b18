import type { BetterAuthPlugin } from 'better-auth'
import { organizationConfig } from '../../support/api-keys.ts'
import type { Identity, Person } from '../../support/identity.ts'
import { oauthProvider } from './oauth-provider.ts'

/* The plug-ins that are packages of their own, for which test/oauth and test/plugins have a package.json. */

const inFolder = async (folder: string, name: string) => {
  const place: string = `../../${folder}/node_modules/@better-auth/${name}/dist/index.mjs`
  return import(place)
}

/**
 * @param isOwner Whom the application lets see subscriptions of an organization: `authorizeReference`.
 */
export async function allPlugIns(
  isOwner: (userId: string, organizationId: string) => Promise<boolean>,
): Promise<readonly BetterAuthPlugin[]> {
  const { apiKey } = await inFolder('oauth', 'api-key')
  const { passkey } = await inFolder('plugins', 'passkey')
  const { sso } = await inFolder('plugins', 'sso')
  const { stripe } = await inFolder('plugins', 'stripe')
  return [
    await oauthProvider(),
    apiKey([{ configId: 'default' }, { configId: organizationConfig, references: 'organization' }]),
    passkey(),
    sso({ domainVerification: { enabled: true } }),
    stripe({
      // Nobody asks Stripe anything: rows are written as its webhooks would have them written.
      stripeClient: {},
      stripeWebhookSecret: 'unused',
      subscription: {
        enabled: true,
        plans: [{ name: 'team', priceId: 'price' }],
        authorizeReference: ({ user, referenceId }: Reference) => isOwner(user.id, referenceId),
      },
      organization: { enabled: true },
      schema: { organization: { modelName: 'organizations' } },
    }),
  ]
}

interface Reference {
  readonly user: { readonly id: string }
  readonly referenceId: string
}

type Rows = readonly Readonly<Record<string, unknown>>[]

/** What the plug-ins list for a person; `null`: they are refused. */
export function listsOf({ betterAuth }: Identity) {
  const ask = async ({ session }: Person, path: string): Promise<unknown> => {
    const response = await fetch(`${betterAuth.url}${path}`, {
      headers: { authorization: `Bearer ${session}` },
    })
    if ([401, 403].includes(response.status)) return null
    if (response.status !== 200)
      throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return response.json()
  }
  return {
    passkeys: async (person: Person) =>
      (await ask(person, '/passkey/list-user-passkeys')) as Rows | null,
    consents: async (person: Person) => (await ask(person, '/oauth2/get-consents')) as Rows | null,
    apiKeys: async (person: Person, organizationId?: string) => {
      const query = organizationId === undefined ? '' : `?organizationId=${organizationId}`
      const answer = (await ask(person, `/api-key/list${query}`)) as { apiKeys: Rows } | null
      return answer?.apiKeys ?? null
    },
    providers: async (person: Person) =>
      ((await ask(person, '/sso/providers')) as { providers: Rows }).providers,
    subscriptions: async (person: Person, organizationId?: string) => {
      const of = `?customerType=organization&referenceId=${organizationId}`
      const query = organizationId === undefined ? '' : of
      return (await ask(person, `/subscription/list${query}`)) as Rows | null
    },
  }
}
