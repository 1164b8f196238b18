import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startGateway } from './gateway.js'
import { load, sendEach } from './load.js'
import { median } from './median.js'

const root = join(import.meta.dirname, '../..')
const run = (command, words, cwd) =>
  promisify(execFile)(command, words, { cwd, maxBuffer: 2 ** 26 })

/**
 * This build of the gateway beside that of another commit, on one world: they take turns of a second, in an order drawn
 * anew for each pair, so that whatever else the machine does falls on both. Each run starts both anew, because two processes
 * of one build differ by some hundredths for as long as they live. What one takes of the CPU for a request, as a part of what
 * the other takes, says whether a change is worth its lines: where the runs do not leave 1 on one side, it was not seen to be.
 * @returns The report, in Markdown.
 */
export async function compareBuilds(
  works,
  { commit, runs, turns, connections, world, redis, say },
) {
  const folder = await mkdtemp(join(tmpdir(), 'bench-compare-'))
  // Other commits may not have what is asked at other places than the graph.
  works = works.filter(([, { gateway }]) => gateway.path === '/graphql')
  /** Of each work the pairs of each run. */
  const results = works.map(([work]) => ({ work, runs: [] }))
  try {
    say(`building ${commit} …`)
    await run('git', ['worktree', 'add', '--detach', folder, commit], root)
    await run('npm', ['ci', '--no-audit', '--no-fund'], folder)
    await run('npm', ['run', '-s', 'build'], folder)
    for (let nth = 0; nth < runs; nth++) {
      say(`run ${nth + 1} of ${runs}`)
      await withBoth({ this: root, other: folder }, { world, redis }, async (gateways) => {
        for (const [i, [, { gateway }]] of works.entries())
          results[i].runs.push(await measure(gateways, gateway, { turns, connections }))
      })
    }
    return `${[head({ commit, runs, turns, connections }), ...results.map(row)].join('\n')}\n`
  } finally {
    await run('git', ['worktree', 'remove', '--force', folder], root).catch(() => {})
    await rm(folder, { recursive: true, force: true })
  }
}

async function withBoth(roots, parts, work) {
  const gateways = {}
  try {
    for (const name of shuffled(Object.keys(roots)))
      gateways[name] = await startGateway(roots[name], parts)
    await work(gateways)
  } finally {
    await Promise.all(Object.values(gateways).map((gateway) => gateway.stop()))
  }
}

/** Microseconds of CPU a request of both, for each pair of turns. */
async function measure(gateways, { path, requests }, { turns, connections }) {
  const turn = async (gateway) => {
    const before = await gateway.cpu()
    const { requests: sent } = await load(gateway.url + path, requests, { connections, seconds: 1 })
    return (((await gateway.cpu()) - before) / sent) * 1e6
  }
  for (const gateway of Object.values(gateways)) {
    await sendEach(gateway.url + path, requests)
    for (let warming = 0; warming < 5; warming++) await turn(gateway)
  }
  const pairs = []
  for (let pair = 0; pair < turns; pair++) {
    const cpu = {}
    for (const name of shuffled(Object.keys(gateways))) cpu[name] = await turn(gateways[name])
    pairs.push(cpu)
  }
  return pairs
}

function shuffled([one, other]) {
  return Math.random() < 0.5 ? [one, other] : [other, one]
}

function row({ work, runs }) {
  const ratioOf = (pairs) => median(pairs.map((cpu) => cpu.this / cpu.other))
  const micros = (name) => median(runs.flat().map((cpu) => cpu[name])).toFixed(0)
  const ofRuns = runs.map((pairs) => ratioOf(pairs).toFixed(3)).join(', ')
  return `| ${work} | ${micros('this')} | ${micros('other')} | ${ratioOf(runs.flat()).toFixed(3)} (${ofRuns}) |`
}

function head({ commit, runs, turns, connections }) {
  return `# This build beside that of ${commit}

${runs} runs of ${turns} pairs of turns of a second at ${connections} connections. The median of all pairs, and that of each run.

| | CPU µs a request | of ${commit} | this as a part of the other |
|---|---|---|---|`
}
