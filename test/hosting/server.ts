// What is bundled.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGateway, loadConfig } from 'identity-gateway'

const gateway = createGateway(loadConfig(process.env))
const server = createServer(gateway.node).listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`)
})
