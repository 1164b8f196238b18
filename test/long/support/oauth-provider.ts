import { createHash, randomBytes } from 'node:crypto'
import type { BetterAuthPlugin } from 'better-auth'
import type { Identity, Person } from '../../support/identity.ts'

/* Better Auth's own oauth-provider plug-in, for which test/oauth has a package.json, and clients that speak to it. */

export const resource = 'https://identity.example.com/graphql'
/** Another server, which has tokens of its own. */
export const elsewhere = 'https://payroll.example.com/api'
const scopes = ['openid', 'identity:read', 'identity:pii', 'permissions:check']

export async function oauthProvider(): Promise<BetterAuthPlugin> {
  const place: string = '../../oauth/node_modules/@better-auth/oauth-provider/dist/index.mjs'
  const { oauthProvider } = await import(place)
  return oauthProvider({
    loginPage: '/login',
    consentPage: '/consent',
    scopes,
    resources: [resource, elsewhere].map((identifier) => ({ identifier, allowedScopes: scopes })),
    enforcePerClientResources: false,
    clientPrivileges: () => true,
    silenceWarnings: { oauthAuthServerConfig: true, openidConfig: true },
  })
}

export interface Client {
  readonly client_id: string
  readonly client_secret: string
}

export interface Tokens {
  readonly access_token: string
  readonly id_token?: string
  readonly token_type: string
}

/** Where it sends a browser. */
interface Answer {
  readonly redirect_uri?: string
  readonly url?: string
}

type Create = (given: { headers: Headers; body: object }) => Promise<Client>

export function providerOf({ betterAuth }: Identity) {
  const { adminCreateOAuthClient } = betterAuth.auth.api as unknown as Record<string, Create>
  const create = (person: Person, how: object) => {
    const usual = {
      redirect_uris: [REDIRECT],
      scope: scopes.join(' '),
      token_endpoint_auth_method: 'client_secret_post',
    }
    if (!adminCreateOAuthClient) throw new Error('Better Auth has no oauth-provider.')
    return adminCreateOAuthClient({ headers: person.headers, body: { ...usual, ...how } })
  }
  const ask = async (path: string, person: Person, body?: object) => {
    const response = await fetch(`${betterAuth.url}${path}`, {
      redirect: 'manual',
      headers: {
        origin: betterAuth.issuer,
        authorization: `Bearer ${person.session}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const { redirect_uri, url }: Answer = text.startsWith('{') ? JSON.parse(text) : {}
    const page = redirect_uri ?? url ?? response.headers.get('location') ?? ''
    return new URL(page, betterAuth.url)
  }
  const post = async (
    path: string,
    { client_id, client_secret }: Client,
    form: object,
    headers: Readonly<Record<string, string>> = {},
  ) => {
    const body = new URLSearchParams({ client_id, client_secret, ...form })
    const response = await fetch(`${betterAuth.url}${path}`, { method: 'POST', body, headers })
    const text = await response.text()
    return text === '' ? null : (JSON.parse(text) as unknown)
  }
  return {
    createApp: (person: Person) => create(person, { grant_types: ['authorization_code'] }),
    createMachine: (person: Person) =>
      create(person, {
        grant_types: ['client_credentials'],
        client_credentials_scopes: scopes.slice(1),
      }),
    /** Where tokens are asked for. */
    tokenUrl: `${betterAuth.url}/oauth2/token`,
    /** The code flow with PKCE, in which somebody consents to all that is asked for. `headers` go with what asks for the token. */
    async consent(
      person: Person,
      app: Client,
      scope: string,
      further: object = { resource },
      headers = {},
    ) {
      const code_verifier = randomBytes(32).toString('base64url')
      const query = new URLSearchParams({
        client_id: app.client_id,
        response_type: 'code',
        redirect_uri: REDIRECT,
        scope,
        state: 'state',
        code_challenge: createHash('sha256').update(code_verifier).digest('base64url'),
        code_challenge_method: 'S256',
        ...further,
      })
      let page = await ask(`/oauth2/authorize?${query}`, person)
      if (page.pathname === '/consent')
        page = await ask('/oauth2/consent', person, {
          accept: true,
          oauth_query: page.search.slice(1),
        })
      const code = page.searchParams.get('code')
      const grant = {
        grant_type: 'authorization_code',
        code,
        code_verifier,
        redirect_uri: REDIRECT,
      }
      return (await post('/oauth2/token', app, { ...grant, ...further }, headers)) as Tokens
    },
    credentials: async (
      machine: Client,
      scope: string,
      headers = {},
      further: object = { resource },
    ) => {
      const grant = { grant_type: 'client_credentials', scope, ...further }
      return (await post('/oauth2/token', machine, grant, headers)) as Tokens
    },
    revoke: (app: Client, token: string) => post('/oauth2/revoke', app, { token }),
    /** What Better Auth itself says of a token, to the app that has it. */
    async isActive(app: Client, token: string): Promise<boolean> {
      const { active } = (await post('/oauth2/introspect', app, { token })) as { active?: boolean }
      return active === true
    },
  }
}

const REDIRECT = 'https://app.example.com/callback'
