import { readFileSync } from 'node:fs'

/** A fenced block of README.md. */
export interface Block {
  /** Empty where the fence names none. */
  readonly language: string
  readonly text: string
  /** Of its first fence, counted from 1. */
  readonly line: number
}

export const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

/** Every fenced block, in order, without the indentation of its fence. */
export function readmeBlocks(): readonly Block[] {
  const blocks: Block[] = []
  let open: { language: string; indentation: number; line: number; lines: string[] } | null = null
  for (const [index, line] of readme.split('\n').entries()) {
    const fence = /^( *)```(.*)$/.exec(line)
    if (fence && open) {
      blocks.push({ language: open.language, text: open.lines.join('\n'), line: open.line })
      open = null
    } else if (fence)
      open = {
        language: fence[2] ?? '',
        indentation: fence[1]?.length ?? 0,
        line: index + 1,
        lines: [],
      }
    else open?.lines.push(line.slice(open.indentation))
  }
  if (open) throw new Error(`README.md, line ${open.line}: the block does not end.`)
  return blocks
}

/** The one block that contains this. */
export function readmeBlock(marker: string): Block {
  const found = readmeBlocks().filter(({ text }) => text.includes(marker))
  if (found.length !== 1 || !found[0])
    throw new Error(`${found.length} blocks of README.md contain ${marker}.`)
  return found[0]
}
