// Sends what it is told on its standard input, over and over, until it is; then tells how it was answered.
import { text } from 'node:stream/consumers'

const { url, tokens, bodies, connections } = JSON.parse(await text(process.stdin))
/** @type {Record<number, number>} */
const statuses = {}
let ended = false
process.once('SIGTERM', () => {
  ended = true
})

/** @param {number} asker */
async function send(asker) {
  for (let turn = asker; !ended; turn++) {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${tokens[asker % tokens.length]}`,
      },
      body: bodies[turn % bodies.length],
    })
    await response.arrayBuffer()
    statuses[response.status] = (statuses[response.status] ?? 0) + 1
  }
}

await Promise.all(Array.from({ length: connections }, (_, asker) => send(asker)))
process.stdout.write(JSON.stringify(statuses))
