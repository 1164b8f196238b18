import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { LRUCache } from 'lru-cache'

/** Where a request came from, as far as the connection and proxies say. */
export interface RequestOrigin {
  /** The other end of the connection; absent where there is none. */
  readonly remoteAddress: string | undefined
  /** The header in which proxies write whom they were called by: X-Forwarded-For or another. */
  readonly forwardedFor: string | null | undefined
}

/** Whose word is taken: nobody's, that of the nearest so many proxies, or of proxies with these addresses (CIDR). */
export type TrustedProxies = 'off' | number | readonly string[]

/**
 * Finds the address of a client behind trusted proxies. Each proxy appends the address it was called from to a header,
 * so the list is read from its end, and only as far as trust goes: what stands before that may be made up. Where no
 * address is named (`unknown`, `_hidden`), the nearest that is known counts. IPv6 is cut to the 64 bits that one customer
 * has. `unknown` where there is no address at all.
 */
export function clientAddressFinder(
  trusted: TrustedProxies,
  header = 'x-forwarded-for',
): (origin: RequestOrigin) => string {
  const isTrusted = trust(trusted)
  return ({ remoteAddress, forwardedFor }) => {
    let client = parse(remoteAddress)
    if (!client || trusted === 'off') return client ? network(client) : UNKNOWN
    const farther = (forwardedFor ?? '').slice(-LONGEST).split(',').reverse()
    for (const [index, element] of farther.entries()) {
      const next = parse(bare(header === 'forwarded' ? forOf(element) : element))
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

/** Of those who call now: a connection has many requests, and to read its address costs as much as to read a header. */
const addresses = new LRUCache<string, Address>({ max: 1000 })

function parse(text: string | undefined): Address | null {
  if (text === undefined) return null
  const known = addresses.get(text)
  if (known) return known
  if (isIP(text) === 0) return null
  const address = ipaddr.process(text)
  addresses.set(text, address)
  return address
}

/**
 * For whom the proxy asks, by an element of the header Forwarded such as `for="[2001:db8::1]:4711";proto=https`. The host
 * beside it is what a client sent, so nothing inside quotes begins another part, and what is torn or escaped counts nothing.
 */
function forOf(element: string): string {
  const outside = element.split('"')
  if (outside.length % 2 === 0 || element.includes('\\')) return ''
  const plain = outside
    .map((text, index) => (index % 2 ? text.replaceAll(';', ' ') : text))
    .join('"')
  return /(?:^|;)\s*for\s*=\s*([^;]*)/i.exec(plain)?.[1] ?? ''
}

/** An address without what proxies write around it: quotes, brackets of IPv6, a port. */
function bare(written: string): string {
  const text = written.trim().replace(/^"(.*)"$/, '$1')
  const [, inBrackets, before] = /^(?:\[([^\]]*)\](?::\d+)?|([\d.]+):\d+)$/.exec(text) ?? []
  return inBrackets ?? before ?? text
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
