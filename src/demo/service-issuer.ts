import { exportJWK, generateKeyPair, type JSONWebKeySet, SignJWT } from 'jose'

/** Issues tokens to services with a key of its own, as an OAuth server would. */
export interface ServiceIssuer {
  readonly jwks: JSONWebKeySet
  /** A token for 12 hours with every scope. */
  sign(issuer: string, audience: string): Promise<string>
}

export async function createServiceIssuer(): Promise<ServiceIssuer> {
  const alg = 'ES256'
  const kid = 'demo-services'
  const { publicKey, privateKey } = await generateKeyPair(alg)
  return {
    jwks: { keys: [{ ...(await exportJWK(publicKey)), alg, kid, use: 'sig' }] },
    sign: (issuer, audience) =>
      new SignJWT({ scope: 'identity:read identity:pii permissions:check' })
        .setProtectedHeader({ alg, kid })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject('demo-service')
        .setIssuedAt()
        .setExpirationTime('12h')
        .sign(privateKey),
  }
}
