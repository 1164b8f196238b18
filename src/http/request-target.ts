/**
 * Whether the Host header and the target of a request make a URL. What does not is refused before anything else sees
 * it: HTTP wants 400 for it, and libraries throw.
 */
export function isWellFormed(host: string | undefined, target: string | undefined): boolean {
  // What begins with two slashes would be read as another host.
  return (
    (host === undefined || HOST.test(host)) &&
    /^\/(?!\/)/.test(target ?? '') &&
    URL.canParse(`http://${host ?? 'unnamed'}${target}`)
  )
}

/** A name or an address, and perhaps a port: nothing that could move what follows into another part of a URL. */
const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i
