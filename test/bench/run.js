import assert from 'node:assert/strict'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { compareBuilds } from './compare.js'
import { startGateway } from './gateway.js'
import { ask, load, sendEach } from './load.js'
import { startProcess } from './process.js'
import { startRedis } from './redis.js'
import { write } from './report.js'
import { SAME_WORK, worksFor } from './works.js'
import { createWorld } from './world.js'

/*
 * The gateway, as built for production and with every check it makes, beside its peers: some that make none, and one that
 * does the same work. All are on one machine, one database and one Node.js (that of the image), and take turns, so ratios
 * say more than rates. Each run starts them anew. With --compare the gateway is beside the one of another commit instead.
 */

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '10000' },
    runs: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    connections: { type: 'string', default: '16' },
    only: { type: 'string', default: '' },
    write: { type: 'boolean', default: false },
    compare: { type: 'string' },
    turns: { type: 'string', default: '10' },
  },
})
const [users, rounds, seconds, connections, turns] = [
  'users',
  'rounds',
  'seconds',
  'connections',
  'turns',
].map((name) => Number(values[name]))
const runs = Number(values.runs ?? (values.compare ? 5 : 1))
const here = import.meta.dirname
const say = (line) => process.stderr.write(`${line}\n`)

const redis = await startRedis()
say(`filling the database with ${users} users …`)
const world = await createWorld(users, 2000)
try {
  const works = Object.entries(worksFor(world, await world.session())).filter(([work]) =>
    work.includes(values.only),
  )
  if (values.compare === undefined) await besidePeers(works)
  else {
    const options = { commit: values.compare, runs, turns, connections, world, redis, say }
    process.stdout.write(await compareBuilds(works, options))
  }
} finally {
  for (const part of [redis, world]) await part.stop().catch((error) => say(error.message))
}

async function besidePeers(works) {
  /** Of each work what each run measured. */
  const results = works.map(([work]) => ({ work, runs: [] }))
  for (let run = 0; run < runs; run++) {
    say(`run ${run + 1} of ${runs}`)
    await withServers(async (servers) => {
      for (const [i, [work, contenders]] of works.entries())
        results[i].runs.push(await compare(work, contenders, servers))
    })
  }
  const setting = {
    users,
    runs,
    rounds,
    seconds,
    connections,
    cores: cpus().length,
    node: process.version,
  }
  process.stdout.write(await write({ setting, results }, values.write))
}

async function withServers(work) {
  const stops = []
  const start = async (starting) => {
    const server = await starting
    stops.push(server.stop)
    return server
  }
  try {
    await work(await startServers(start))
  } finally {
    await Promise.all(stops.map((stop) => stop()))
  }
}

async function startServers(start) {
  const { service, origin } = world
  const peer = { DATABASE_URL: world.databaseUrl, REDIS_URL: redis.url }
  const strict = {
    ...peer,
    ISSUER: origin,
    SERVICE_ISSUER: service.issuer,
    SERVICE_JWKS_URL: service.jwksUrl,
  }
  const beside = (file, env) =>
    start(startProcess(process.execPath, [join(here, 'peers', file)], env))
  return {
    gateway: await start(startGateway(join(here, '../..'), { world, redis })),
    mercurius: await beside('mercurius.js', peer),
    [SAME_WORK]: await beside('mercurius-same-work.js', strict),
    postgraphile: await beside('postgraphile.js', peer),
    floor: await beside('floor.js', peer),
    'better-auth': { url: new URL(world.url).origin },
  }
}

async function compare(work, contenders, started) {
  const names = Object.keys(contenders)
  const servers = Object.fromEntries(
    names.map((name) => [name, started[contenders[name].server ?? name]]),
  )
  await proveEqual(work, contenders, servers)
  const measured = Object.fromEntries(
    names.map((name) => [name, { rates: [], latencies: [], cpu: [] }]),
  )
  for (const name of names) await servers[name].forgetPeak?.()
  const run = (name, options) =>
    load(servers[name].url + contenders[name].path, contenders[name].requests, options)
  for (const name of names) {
    await sendEach(servers[name].url + contenders[name].path, contenders[name].requests)
    await run(name, { connections, seconds: Math.min(seconds, 3) })
  }
  for (let round = 0; round < rounds; round++)
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const server = servers[name]
      const before = await server.cpu?.()
      const { rate, requests } = await run(name, { connections, seconds })
      const after = await server.cpu?.()
      const { median } = await run(name, { connections: 1, seconds: Math.ceil(seconds / 2) })
      const own = measured[name]
      own.rates.push(rate)
      own.latencies.push(median)
      if (after !== undefined) own.cpu.push(((after - before) / requests) * 1e6)
      say(`${work} · ${name}: ${rate.toFixed(0)}/s at ${connections}, ${median.toFixed(2)} ms at 1`)
    }
  for (const name of names) {
    let sent = 0
    const statements = await world.countStatements(async () => {
      sent = (await run(name, { connections: 1, seconds: 1 })).requests
    })
    measured[name].statements = statements / sent
    measured[name].memory = (await servers[name].peakMemory?.()) ?? null
  }
  return measured
}

/** Each contender's answers to the same questions; those that answer another question are only looked at. */
async function proveEqual(work, contenders, servers) {
  const sample = [0, 7, 42, 199]
  let expected
  for (const [name, { path, requests, read = (answer) => answer, alone }] of Object.entries(
    contenders,
  )) {
    const answers = []
    for (const i of sample) {
      const response = await ask(servers[name].url + path, requests[i % requests.length])
      const answer = await response.json()
      assert.ok(response.ok && !answer.errors, `${work} · ${name}: ${JSON.stringify(answer)}`)
      answers.push(read(answer))
    }
    if (alone) continue
    expected ??= answers
    assert.deepEqual(answers, expected, `${work} · ${name} answers something else`)
  }
}
