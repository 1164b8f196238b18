/** A session token as Better Auth gives it away, in its cookie and in the header `set-auth-token`. */
export interface SignedToken {
  readonly token: string
  /** HMAC-SHA256 of the token: 32 bytes. */
  readonly signature: Uint8Array<ArrayBuffer>
}

/** In characters; Better Auth's own are 77, or a few more when percent-encoded. */
const LONGEST = 1024
const SIGNED = /^([\w-]{1,256})\.([A-Za-z0-9+/]{43}=)$/

/** Reads `<token>.<signature in base64>`, raw or percent-encoded. `null` for anything else, such as a bare token. */
export function parseSignedToken(text: string): SignedToken | null {
  if (text.length > LONGEST) return null
  const [, token, signature] = SIGNED.exec(percentDecoded(text)) ?? []
  if (token === undefined || signature === undefined) return null
  return { token, signature: Uint8Array.from(Buffer.from(signature, 'base64')) }
}

const HMAC = { name: 'HMAC', hash: 'SHA-256' }

/** Takes the same time wherever the signatures differ. */
export async function isSignedWith(secret: string, signed: SignedToken): Promise<boolean> {
  const key = await crypto.subtle.importKey('raw', Buffer.from(secret), HMAC, false, ['verify'])
  return crypto.subtle.verify(HMAC, key, signed.signature, Buffer.from(signed.token))
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
