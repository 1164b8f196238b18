import { pino } from 'pino'

/** Lines are written together once there are so many characters of them, or so many milliseconds after the first. */
const BLOCK = 32_000
const LONGEST_WAIT_MS = 100
/** Bytes that pino may hold without writing them of itself: more than a block has. */
const HELD = 64_000
/** In bytes. */
const MOST_UNWRITTEN = 4 << 20

let opened: pino.DestinationStream | undefined

/**
 * The one of this process, whoever logs. Lines are gathered for a moment, because a system call for each costs as much as
 * answering a small request; what is gathered is written when the process exits. Pino could gather them, but measures all
 * it holds again with every line. While nobody reads the output, lines beyond the bound are lost.
 */
export function toStandardOutput(): pino.DestinationStream {
  opened ??= open()
  return opened
}

function open(): pino.DestinationStream {
  const output = pino.destination({
    dest: 1,
    sync: false,
    minLength: HELD,
    maxWrite: 2 * HELD,
    periodicFlush: LONGEST_WAIT_MS,
    maxLength: MOST_UNWRITTEN,
  })
  let block = ''
  let timer: NodeJS.Timeout | undefined
  let ended = false
  output.once('finish', () => {
    ended = true
  })
  const handOver = () => {
    clearTimeout(timer)
    timer = undefined
    if (block !== '' && !ended) output.write(block)
    block = ''
  }
  const pour = () => {
    handOver()
    if (!ended) output.flush()
  }
  // Ahead of pino, which writes what it holds then and waits until that is done.
  process.prependListener('beforeExit', handOver)
  process.prependListener('exit', handOver)
  return {
    write: (line) => {
      block += line
      if (block.length >= BLOCK) pour()
      else timer ??= setTimeout(pour, LONGEST_WAIT_MS).unref()
    },
  }
}
