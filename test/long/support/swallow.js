// Answers whatever comes as a refusal does, half a second later and without looking at it; then tells where it listens.
import { createServer } from 'node:http'

const server = createServer((request, response) => {
  request.resume()
  setTimeout(() => response.writeHead(429).end('{"errors":[]}'), 500)
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.stdout.write(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}\n`)
})
