import { exportJWK, generateKeyPair, SignJWT } from 'jose'

/** Issues tokens to services with a key of its own, as an OAuth server would. */
export async function createServiceIssuer() {
  const name = 'demo-service'
  const alg = 'ES256'
  const kid = 'demo-services'
  const { publicKey, privateKey } = await generateKeyPair(alg)
  return {
    jwks: { keys: [{ ...(await exportJWK(publicKey)), alg, kid, use: 'sig' }] },
    /** A token for 12 hours with every scope. */
    sign: ({ issuer, audience }: { readonly issuer: string; readonly audience: string }) =>
      new SignJWT({ client_id: name, scope: 'identity:read identity:pii permissions:check' })
        .setProtectedHeader({ alg, kid })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(name)
        .setIssuedAt()
        .setExpirationTime('12h')
        .sign(privateKey),
  }
}
