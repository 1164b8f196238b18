// Applications of Express and Nest that have one gateway in them, in every place where one can be mounted.
import 'reflect-metadata'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { All, Controller, Module, Req, Res } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import express5 from 'express'
import express4 from 'express4'
import { createGateway, loadConfig } from 'identity-gateway'

const gateway = createGateway(loadConfig(process.env))

function inExpress(express: typeof express5) {
  const app = express()
  app.use('/ahead', gateway.node)
  app.use(express.json({ limit: '1mb' }), express.urlencoded())
  app.use('/behind', gateway.node)
  app.use('/own/graphql', gateway.node)
  app.all('/route/graphql', gateway.node)
  return app.listen(0, '127.0.0.1')
}

@Controller('route/graphql')
class GraphQLController {
  @All()
  answer(@Req() request: IncomingMessage, @Res() response: ServerResponse) {
    gateway.node(request, response)
  }
}

@Module({ controllers: [GraphQLController] })
class AppModule {
  configure(consumer: { apply(...middleware: unknown[]): { forRoutes(path: string): void } }) {
    consumer.apply(gateway.node).forRoutes('/behind')
  }
}

async function inNest(options: { readonly rawBody?: boolean }) {
  const app = await NestFactory.create(AppModule, { ...options, logger: ['error'] })
  // Nest adds its parsers when it begins to listen, after what is used before.
  app.use('/ahead', gateway.node)
  app.use('/own/graphql', gateway.node)
  return app.listen(0, '127.0.0.1')
}

const urls: Record<string, string> = {}
for (const [name, server] of Object.entries({
  'Express 5': inExpress(express5),
  'Express 4': inExpress(express4),
  Nest: await inNest({}),
  'Nest with rawBody': await inNest({ rawBody: true }),
}))
  urls[name] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
process.stdout.write(`${JSON.stringify(urls)}\n`)
