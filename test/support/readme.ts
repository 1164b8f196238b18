import { readFileSync } from 'node:fs'

/** A fenced block of a file. */
export interface Block {
  /** Empty where the fence names none. */
  readonly language: string
  readonly text: string
  /** Of its first fence, counted from 1. */
  readonly line: number
}

export const readme = textOf('README.md')

/** Every fenced block, in order, without the indentation of its fence. */
export function readmeBlocks(): readonly Block[] {
  return blocksOf('README.md')
}

/** The one block that contains this, of README.md or another file. */
export function readmeBlock(marker: string, file = 'README.md'): Block {
  const found = blocksOf(file).filter(({ text }) => text.includes(marker))
  if (found.length !== 1 || !found[0])
    throw new Error(`${found.length} blocks of ${file} contain ${marker}.`)
  return found[0]
}

function textOf(file: string): string {
  return readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')
}

function blocksOf(file: string): readonly Block[] {
  const blocks: Block[] = []
  let open: { language: string; indentation: number; line: number; lines: string[] } | null = null
  for (const [index, line] of textOf(file).split('\n').entries()) {
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
  if (open) throw new Error(`${file}, line ${open.line}: the block does not end.`)
  return blocks
}

/** The words of the ACL command under Permissions, for the user of the gateway. */
export function readmeRedisUser(password = 'secret'): readonly string[] {
  return aclWords(readme, password)
}

/** Those of docs/redis.md, for the user of the plug-in for Better Auth. */
export function pluginRedisUser(): readonly string[] {
  return aclWords(textOf('docs/redis.md'), 'secret')
}

function aclWords(text: string, password: string): readonly string[] {
  const words = /^ACL (SETUSER .*)$/m.exec(text)?.[1]?.split(' ') ?? []
  return words.map((word) => (word === '>secret' ? `>${password}` : word))
}
