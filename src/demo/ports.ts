import { createServer, type Server } from 'node:net'

/**
 * A TCP port that was free a moment ago: whoever uses it must cope with losing the race for it.
 * @param wanted 0: any.
 * @throws Error when something else listens on the one that is wanted, or this user may not.
 */
export async function findFreePort(wanted = 0): Promise<number> {
  const probe = createServer()
  const port = await bind(probe, wanted, '127.0.0.1')
  await close(probe)
  return port
}

/** @param lostThePort What an error says when somebody else took the port first: then another one is tried. */
export async function launchOnFreePort<Server>(
  launch: (port: number) => Promise<Server>,
  lostThePort: RegExp,
): Promise<Server> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await launch(await findFreePort())
    } catch (error) {
      const lost = error instanceof Error && lostThePort.test(error.message)
      if (!lost || attempt === 5) throw error
    }
  }
}

/** Listens on the wanted port, or on any free one when that is taken. Answers the port. */
export async function listen(server: Server, wanted: number, host: string): Promise<number> {
  try {
    return await bind(server, wanted, host)
  } catch (error) {
    if (wanted === 0 || !isTaken(error)) throw error
    return bind(server, 0, host)
  }
}

export function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
}

export function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}

function bind(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}
