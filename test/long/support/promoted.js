import { writeFileSync } from 'node:fs'
import { GCProfiler } from 'node:v8'

/*
 * Loaded into a gateway by NODE_OPTIONS: when it ends, writes to the file that PROMOTED_FILE names how many bytes
 * the last quarter of all collections of the young generation have moved to the old one, and how many these were. The first
 * ones move what stays, such as the program.
 */

const profiler = new GCProfiler()
profiler.start()

process.once('exit', () => {
  const all = profiler.stop().statistics.filter(({ gcType }) => gcType === 'Scavenge')
  const collections = all.slice((all.length / 4) * 3)
  const bytes = collections.reduce(
    (sum, { beforeGC, afterGC }) => sum + oldIn(afterGC) - oldIn(beforeGC),
    0,
  )
  writeFileSync(
    process.env.PROMOTED_FILE ?? '',
    JSON.stringify({ bytes, collections: collections.length }),
  )
})

/** @param {any} statistics */
function oldIn({ heapSpaceStatistics }) {
  for (const { spaceName, spaceUsedSize } of heapSpaceStatistics)
    if (spaceName === 'old_space') return spaceUsedSize
  return 0
}
