import { createHmac, createPublicKey, KeyObject, sign as signBytes } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { Signer } from './tokens.ts'

export interface Target {
  /** A key that the gateway trusts for users. */
  readonly trusted: Signer
  readonly issuer: string
  readonly audience: string
  /** Whom to pass for. */
  readonly userId: string
  /** What an honest token of this kind has beside the usual claims, and in its header. */
  readonly claims?: object
  readonly header?: object
  /** Where the attacker serves keys. */
  readonly attackerUrl: string
  readonly services: { readonly issuer: string; readonly audience: string; readonly signer: Signer }
}

/** Tokens that must be refused, by what is wrong with them. */
export async function hostileTokens(target: Target): Promise<Record<string, string>> {
  const { trusted, services, attackerUrl } = target
  const attacker = await generateKeyPair('EdDSA', { extractable: true })
  const publicJwk = await exportJWK(attacker.publicKey)
  const now = Math.floor(Date.now() / 1000)
  const claims = {
    iss: target.issuer,
    aud: target.audience,
    sub: target.userId,
    iat: now,
    exp: now + 86_400,
    ...target.claims,
  }
  const payload = JSON.stringify(claims)
  const honest = { alg: 'EdDSA', kid: trusted.kid, ...target.header }
  const byAttacker = (header: object) =>
    new SignJWT(claims).setProtectedHeader({ ...honest, ...header }).sign(attacker.privateKey)
  const byTrusted = (changes: object, header: object = {}) =>
    trusted.sign({ ...claims, ...changes } as never, { ...target.header, ...header })
  const { kid: _kid, alg: _alg, ...trustedJwk } = trusted.publicJwk
  const publicKey = createPublicKey({ key: trustedJwk, format: 'jwk' } as Parameters<
    typeof createPublicKey
  >[0])
  const publicForms: Record<string, string | Buffer> = {
    'its JWK': JSON.stringify(trusted.publicJwk),
    'its bare JWK': JSON.stringify(trustedJwk),
    'its PEM': publicKey.export({ type: 'spki', format: 'pem' }),
    'its DER': publicKey.export({ type: 'spki', format: 'der' }),
    'its bytes': Buffer.from(String(trustedJwk.x), 'base64url'),
    nothing: '',
  }
  const tokens: Record<string, string> = {
    'an embedded key (jwk)': await byAttacker({ jwk: publicJwk }),
    'a key elsewhere (jku)': await byAttacker({ jku: `${attackerUrl}/jku` }),
    'a certificate elsewhere (x5u)': await byAttacker({ x5u: `${attackerUrl}/x5u` }),
    'an embedded certificate (x5c)': await byAttacker({ x5c: ['AAAA'], x5t: 'AAAA' }),
    'all of these at once': await byAttacker({
      jwk: publicJwk,
      jku: attackerUrl,
      x5u: attackerUrl,
      kid: 'a',
    }),
    'an unknown critical header (crit)': by(
      trusted.privateKey,
      { ...honest, crit: ['x'], x: 1 },
      payload,
    ),
    'a payload that is not encoded (b64)': by(
      trusted.privateKey,
      { ...honest, crit: ['b64'], b64: false },
      payload,
    ),
    'an empty list of critical headers': by(trusted.privateKey, { ...honest, crit: [] }, payload),
    'an empty signature': `${(await byTrusted({})).split('.').slice(0, 2).join('.')}.`,
    'no signature part': (await byTrusted({})).split('.').slice(0, 2).join('.'),
    'a signature of zeros': compact(
      { ...target.header, alg: 'ES256', kid: services.signer.kid },
      payload,
      Buffer.alloc(64),
    ),
    'five parts':
      'eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA',
    'a payload that is no object': by(trusted.privateKey, honest, '"admin"'),
    'a payload that is an array': by(trusted.privateKey, honest, JSON.stringify([claims])),
    'a payload that is no JSON': by(trusted.privateKey, honest, '{"sub":'),
    'a payload of endless nesting': by(
      trusted.privateKey,
      honest,
      `${'['.repeat(2500)}${']'.repeat(2500)}`,
    ),
    'a header of endless nesting': `${encoded(`{"alg":${'['.repeat(2500)}${']'.repeat(2500)}}`)}.${encoded(payload)}.AAAA`,
    'a token within': await byTrusted({ sub: await byTrusted({}) }, { cty: 'JWT' }),
    'nine thousand characters': await byTrusted({ padding: 'x'.repeat(9000) }),
    'another issuer': await byTrusted({ iss: 'https://evil.example.com' }),
    'an issuer that begins like ours': await byTrusted({
      iss: `${target.issuer}.evil.example.com`,
    }),
    'issuers in a list': await byTrusted({ iss: [target.issuer] }),
    'another audience': await byTrusted({ aud: 'evil' }),
    'another type': await byTrusted({}, { typ: 'better-auth.session-cache+jwt' }),
    'an expiry in the past': await byTrusted({ exp: now - 1 }),
    'an expiry that is text': by(
      trusted.privateKey,
      honest,
      JSON.stringify({ ...claims, exp: '9999999999' }),
    ),
    'no expiry': await byTrusted({ exp: undefined }),
    'a start in the future': await byTrusted({ nbf: now + 3600 }),
    'a subject that is an object': await byTrusted({ sub: { $ne: null } }),
    'a subject with NUL': await byTrusted({ sub: `${target.userId}\0` }),
    'the service issuer, signed by the user issuer': await byTrusted({
      iss: services.issuer,
      aud: services.audience,
      scope: 'identity:read',
    }),
    'the user issuer, signed by the service issuer': await services.signer.sign(
      claims,
      target.header,
    ),
    'first the service issuer, then the user issuer, signed for services': bySigner(
      services.signer,
      `{"iss":"${services.issuer}",${payload.slice(1)}`,
    ),
    'first the user issuer, then the service issuer, signed for users': by(
      trusted.privateKey,
      honest,
      `${payload.slice(0, -1)},"iss":"${services.issuer}","aud":"${services.audience}","scope":"identity:read"}`,
    ),
    'two algorithms': `${encoded(`{"alg":"EdDSA","kid":"${trusted.kid}","alg":"none"}`)}.${encoded(payload)}.`,
  }
  for (const alg of ['none', 'None', 'NONE', 'nOnE', '', 'HS256', 'RS1', 'dir'])
    tokens[`the algorithm ${JSON.stringify(alg)}`] = compact(
      { ...honest, alg },
      payload,
      Buffer.alloc(0),
    )
  for (const [form, secret] of Object.entries(publicForms))
    for (const alg of ['HS256', 'HS512'] as const)
      tokens[`${alg} with ${form} as its secret`] = byHmac(alg, secret, { ...honest, alg }, payload)
  for (const kid of [
    '../../../../dev/null',
    "x' union select 'AA' --",
    "' or '1'='1",
    '\0',
    '',
    'x'.repeat(4000),
    7,
    null,
    {},
    ['a'],
    '__proto__',
    'constructor',
    `${attackerUrl}/kid`,
    '| touch /tmp/kid',
  ])
    tokens[`the key id ${JSON.stringify(kid).slice(0, 40)}`] = byHmac(
      'HS256',
      '',
      { ...target.header, alg: 'HS256', kid },
      payload,
    )
  for (const kid of ['../../../../dev/null', "' or '1'='1", '\0', '__proto__', 'x'.repeat(4000)])
    tokens[`EdDSA and the key id ${JSON.stringify(kid).slice(0, 40)}`] = await byAttacker({ kid })
  return tokens
}

function encoded(text: string): string {
  return Buffer.from(text).toString('base64url')
}

function compact(header: object, payload: string, signature: Buffer): string {
  return `${encoded(JSON.stringify(header))}.${encoded(payload)}.${signature.toString('base64url')}`
}

function byHmac(alg: 'HS256' | 'HS512', secret: string | Buffer, header: object, payload: string) {
  const input = `${encoded(JSON.stringify(header))}.${encoded(payload)}`
  const hash = alg === 'HS256' ? 'sha256' : 'sha512'
  return compact(header, payload, createHmac(hash, secret).update(input).digest())
}

/** Signs bytes as they are, also those that no library would. */
function by(key: Signer['privateKey'], header: object, payload: string): string {
  const input = `${encoded(JSON.stringify(header))}.${encoded(payload)}`
  const isEd25519 = key.algorithm.name === 'Ed25519'
  const signature = signBytes(isEd25519 ? null : 'sha256', Buffer.from(input), {
    key: KeyObject.from(key),
    dsaEncoding: 'ieee-p1363',
  })
  return compact(header, payload, signature)
}

function bySigner({ privateKey, alg, kid }: Signer, payload: string): string {
  return by(privateKey, { alg, kid }, payload)
}
