import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { median } from './median.js'

const range = (numbers, digits) => {
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)]
  return `${median(numbers).toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`
}

/** The report in Markdown; with `keep`, also written into `results`, with a chart. */
export async function write({ setting, results }, keep) {
  const text = `${[head(setting), ...results.map(table)].join('\n\n')}\n`
  if (keep) {
    const folder = join(import.meta.dirname, 'results')
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, `${setting.users}.md`), text)
    await writeFile(join(folder, `${setting.users}.svg`), chart(results))
  }
  return text
}

function head({ users, runs, rounds, seconds, connections, cores, node }) {
  return `# Beside its peers

${users.toLocaleString('en')} users, ${(users / 10).toLocaleString('en')} organizations, ${(users * 5).toLocaleString('en')} members.
Runs: ${runs}, each with ${rounds} rounds of ${seconds} seconds in turns at ${connections} connections, then at one; ${cores} cores shared by everything; Node.js ${node}.
The gateway authenticates each request and reads what its caller may see; so does the Mercurius of the same work, and Mercurius, PostGraphile and the floor do neither.
A ratio is that of the gateway's rate to the other's in the same round, or of its CPU a request: median (lowest–highest), for each run.`
}

function table({ work, runs }) {
  const all = (name, what) => runs.flatMap((measured) => measured[name][what])
  const beside = (name, what) =>
    name === 'gateway' || all(name, what).length === 0
      ? ''
      : runs.map((run) => range(ratios(run.gateway[what], run[name][what]), 2)).join('<br>')
  const rows = Object.keys(runs[0]).map((name) =>
    [
      name,
      range(all(name, 'rates'), 0),
      beside(name, 'rates'),
      range(all(name, 'latencies'), 2),
      all(name, 'cpu').length > 0 ? range(all(name, 'cpu'), 0) : '',
      beside(name, 'cpu'),
      median(all(name, 'statements')).toFixed(1),
      all(name, 'memory').includes(null) ? '' : range(all(name, 'memory'), 0),
    ].join(' | '),
  )
  return `## ${work}

| | requests/s | gateway is … times | median ms at 1 connection | CPU µs a request | gateway takes … times | statements a request at 1 connection | peak MiB |
|---|---|---|---|---|---|---|---|
${rows.map((row) => `| ${row} |`).join('\n')}`
}

const ratios = (own, others) => own.map((value, round) => value / others[round])

/** Bars of the median rates, each work scaled to its fastest. */
function chart(results) {
  const [bar, label, width] = [18, 130, 420]
  let y = 10
  const parts = []
  for (const { work, runs } of results) {
    parts.push(`<text x="10" y="${y + 12}" font-weight="bold">${work}</text>`)
    y += 20
    const rates = Object.keys(runs[0]).map((name) => [
      name,
      median(runs.flatMap((measured) => measured[name].rates)),
    ])
    const most = Math.max(...rates.map(([, rate]) => rate))
    for (const [name, rate] of rates) {
      const length = Math.max(1, (rate / most) * width)
      parts.push(
        `<text x="${label - 6}" y="${y + 13}" text-anchor="end">${name}</text>`,
        `<rect x="${label}" y="${y}" width="${length.toFixed(1)}" height="${bar - 4}" fill="${name === 'gateway' ? '#2563eb' : '#94a3b8'}"/>`,
        `<text x="${(label + length + 6).toFixed(1)}" y="${y + 13}">${Math.round(rate).toLocaleString('en')}/s</text>`,
      )
      y += bar
    }
    y += 10
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="${y}" font-family="sans-serif" font-size="12" fill="#334155"><title>Requests a second, beside peers</title><rect width="640" height="${y}" fill="#fff"/>
${parts.join('\n')}
</svg>
`
}
