import fastify from 'fastify'
import mercurius from 'mercurius'
import { loaders, resolvers, schema } from './mercurius-graph.js'

/* With compiled execution, and for everybody who asks. */

const app = fastify()
await app.register(mercurius, { schema, resolvers, loaders, jit: 1 })
await app.listen({ port: 0, host: '127.0.0.1' })
process.stdout.write(`${app.server.address().port}\n`)
