import ipaddr from 'ipaddr.js'
import type { RequestOrigin } from '../domain/rate.ts'

/** Whose word is taken: nobody's, that of the nearest so many proxies, or of proxies with these addresses (CIDR). */
export type TrustedProxies = 'off' | number | readonly string[]

/**
 * Finds the address of a client behind trusted proxies. Each proxy appends the address it was called from to
 * X-Forwarded-For, so the list is read from its end, and only as far as trust goes: what stands before that may be
 * made up. IPv6 is cut to the 64 bits that one customer has. `unknown` where there is no address at all.
 */
export function clientAddressFinder(trusted: TrustedProxies): (origin: RequestOrigin) => string {
  const isTrusted = trust(trusted)
  return ({ remoteAddress, forwardedFor }) => {
    let client = parse(remoteAddress)
    if (!client || trusted === 'off') return client ? network(client) : UNKNOWN
    const farther = (forwardedFor ?? '').slice(-LONGEST).split(',').reverse()
    for (const [index, text] of farther.entries()) {
      const next = parse(text.trim())
      if (!next || !isTrusted(client, index)) break
      client = next
    }
    return network(client)
  }
}

type Address = ipaddr.IPv4 | ipaddr.IPv6

const UNKNOWN = 'unknown'
/** Of the header, in characters. */
const LONGEST = 2000

function parse(text: string | undefined): Address | null {
  return text !== undefined && ipaddr.isValid(text) ? ipaddr.process(text) : null
}

function network(address: Address): string {
  if (address instanceof ipaddr.IPv4) return address.toString()
  return `${address.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`
}

/** Whether to believe the one at this distance, 0 being the other end of the connection. */
function trust(trusted: TrustedProxies): (address: Address, distance: number) => boolean {
  if (trusted === 'off') return () => false
  if (typeof trusted === 'number') return (_address, distance) => distance < trusted
  const ranges = trusted.map((text) => ipaddr.parseCIDR(text.includes('/') ? text : whole(text)))
  return (address) =>
    ranges.some(
      ([range, bits]) => range.kind() === address.kind() && address.match([range, bits] as never),
    )
}

function whole(address: string): string {
  return `${address}/${ipaddr.parse(address).kind() === 'ipv4' ? 32 : 128}`
}
