import { createServer } from 'node:http'
import {
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from 'jose'
import { close, listen } from '../../src/demo/ports.ts'

/** A key pair of the test's own, to sign whatever a test wants to try. */
export interface Signer {
  readonly kid: string
  readonly alg: string
  readonly privateKey: CryptoKey
  /** With `kid` and `alg`, as a JWKS lists it. */
  readonly publicJwk: JWK
  /** Nothing is added to the claims; `header` is laid over `alg` and `kid`. */
  sign(claims: JWTPayload, header?: Partial<JWTHeaderParameters>): Promise<string>
}

export async function createSigner(alg = 'EdDSA', kid = `key-${alg}`): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  return {
    kid,
    alg,
    privateKey,
    publicJwk: { ...(await exportJWK(publicKey)), kid, alg },
    sign: (claims, header = {}) =>
      new SignJWT(claims).setProtectedHeader({ alg, kid, ...header }).sign(privateKey),
  }
}

/** A JWKS over HTTP whose keys, failures and number of requests a test controls and reads. */
export interface JwksServer {
  readonly url: string
  keys: readonly JWK[]
  /** Anything but 200 is an answer without keys. */
  status: number
  requests: number
  stop(): Promise<void>
}

export async function startJwksServer(...keys: JWK[]): Promise<JwksServer> {
  const server = createServer((_, response) => {
    jwks.requests++
    response.writeHead(jwks.status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(jwks.status === 200 ? { keys: jwks.keys } : {}))
  })
  const port = await listen(server, 0, '127.0.0.1')
  const jwks: JwksServer = {
    url: `http://127.0.0.1:${port}/jwks`,
    keys,
    status: 200,
    requests: 0,
    async stop() {
      server.closeAllConnections()
      await close(server)
    },
  }
  return jwks
}

/** Whoever issues tokens to services. */
export interface ServiceIssuer {
  readonly issuer: string
  readonly audience: string
  readonly jwksUrl: string
  readonly signer: Signer
  readonly jwks: JwksServer
  /** What tells a gateway to accept its tokens. */
  readonly environment: Readonly<Record<string, string>>
  /** A token for ten minutes with these scopes (all of them); `claims` are laid over what it would carry. */
  token(scope?: string, claims?: JWTPayload): Promise<string>
  stop(): Promise<void>
}

export async function startServiceIssuer(alg = 'ES256'): Promise<ServiceIssuer> {
  const signer = await createSigner(alg, 'service-1')
  const jwks = await startJwksServer(signer.publicJwk)
  const issuer = 'https://services.example.com'
  const audience = 'identity-gateway'
  return {
    issuer,
    audience,
    jwksUrl: jwks.url,
    signer,
    jwks,
    environment: {
      SERVICE_ISSUER: issuer,
      SERVICE_AUDIENCE: audience,
      SERVICE_JWKS_URL: jwks.url,
    },
    token(scope = 'identity:read identity:pii permissions:check', claims = {}) {
      const now = Math.floor(Date.now() / 1000)
      const { sub = 'payroll' } = claims
      const usual = { iss: issuer, aud: audience, sub, client_id: sub, iat: now, exp: now + 600 }
      return signer.sign({ ...usual, scope, ...claims })
    },
    stop: () => jwks.stop(),
  }
}
