import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startGateway } from './gateway.js'
import { load, sendEach } from './load.js'

const root = join(import.meta.dirname, '../..')
const run = (command, words, cwd) =>
  promisify(execFile)(command, words, { cwd, maxBuffer: 2 ** 26 })

/**
 * This build of the gateway beside that of another commit, on one world: they take turns of a second, in an order drawn
 * anew for each pair, so that whatever else the machine does falls on both. What one takes of the CPU for a request, as a
 * part of what the other takes, says whether a change is worth its lines: where the quarters do not leave 1 on one side, it
 * was not seen to be.
 * @returns The report, in Markdown.
 */
export async function compareBuilds(works, { commit, turns, connections, world, redis, say }) {
  const folder = await mkdtemp(join(tmpdir(), 'bench-compare-'))
  const gateways = {}
  try {
    say(`building ${commit} …`)
    await run('git', ['worktree', 'add', '--detach', folder, commit], root)
    await run('npm', ['ci', '--no-audit', '--no-fund'], folder)
    await run('npm', ['run', '-s', 'build'], folder)
    gateways.this = await startGateway(root, { world, redis })
    gateways.other = await startGateway(folder, { world, redis })
    const rows = []
    for (const [work, { gateway }] of works) {
      const pairs = await measure(gateways, gateway, { turns, connections })
      rows.push(row(work, pairs))
      say(rows.at(-1))
    }
    return `${head({ commit, turns, connections })}\n${rows.join('\n')}\n`
  } finally {
    await Promise.all(Object.values(gateways).map((gateway) => gateway.stop()))
    await run('git', ['worktree', 'remove', '--force', folder], root).catch(() => {})
    await rm(folder, { recursive: true, force: true })
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
    for (let warming = 0; warming < 3; warming++) await turn(gateway)
  }
  const pairs = []
  for (let pair = 0; pair < turns; pair++) {
    const names = Math.random() < 0.5 ? ['this', 'other'] : ['other', 'this']
    const cpu = {}
    for (const name of names) cpu[name] = await turn(gateways[name])
    pairs.push(cpu)
  }
  return pairs
}

function row(work, pairs) {
  const quantile = (numbers, part) =>
    numbers.toSorted((a, b) => a - b)[
      Math.min(numbers.length - 1, Math.floor(numbers.length * part))
    ]
  const ratios = pairs.map((cpu) => cpu.this / cpu.other)
  const micros = (name) =>
    quantile(
      pairs.map((cpu) => cpu[name]),
      0.5,
    ).toFixed(0)
  const [low, middle, high] = [0.25, 0.5, 0.75].map((part) => quantile(ratios, part).toFixed(3))
  return `| ${work} | ${micros('this')} | ${micros('other')} | ${middle} (${low}–${high}) |`
}

function head({ commit, turns, connections }) {
  return `# This build beside that of ${commit}

${turns} pairs of turns of a second at ${connections} connections. The median, and between which ratios half of the pairs are.

| | CPU µs a request | of ${commit} | this as a part of the other |
|---|---|---|---|`
}
