import { readdirSync, readFileSync } from 'node:fs'

/** A fenced block of a page. */
export interface Block {
  /** For example `docs/limits.md`. */
  readonly page: string
  /** Empty where the fence names none. */
  readonly language: string
  readonly text: string
  /** Of its first fence, counted from 1. */
  readonly line: number
}

/** What is written for whoever uses or changes the gateway, by the paths of the files. */
export const pages: readonly string[] = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'deploy/README.md'],
  ...readdirSync(new URL('../../docs', import.meta.url))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]

export function pageText(page: string): string {
  return readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8')
}

/** Every fenced block of these pages, in order, without the indentation of its fence. */
export function documentedBlocks(of = pages): readonly Block[] {
  return of.flatMap(blocksOf)
}

/** The one block that contains this. */
export function documentedBlock(marker: string): Block {
  const found = documentedBlocks().filter(({ text }) => text.includes(marker))
  if (found.length !== 1 || !found[0])
    throw new Error(`${found.length} blocks of the documentation contain ${marker}.`)
  return found[0]
}

function blocksOf(page: string): readonly Block[] {
  const blocks: Block[] = []
  let open: { language: string; indentation: number; line: number; lines: string[] } | null = null
  for (const [index, line] of pageText(page).split('\n').entries()) {
    const fence = /^( *)```(.*)$/.exec(line)
    if (fence && open) {
      blocks.push({ page, language: open.language, text: open.lines.join('\n'), line: open.line })
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
  if (open) throw new Error(`${page}, line ${open.line}: the block does not end.`)
  return blocks
}

/** The words of the ACL command in docs/permissions.md, for the user of the gateway. */
export function gatewayRedisUser(password = 'secret'): readonly string[] {
  return aclWords('docs/permissions.md', password)
}

/** Those of docs/redis.md, for the user of the plug-in for Better Auth. */
export function pluginRedisUser(): readonly string[] {
  return aclWords('docs/redis.md', 'secret')
}

function aclWords(page: string, password: string): readonly string[] {
  const words = /^ACL (SETUSER .*)$/m.exec(pageText(page))?.[1]?.split(' ') ?? []
  return words.map((word) => (word === '>secret' ? `>${password}` : word))
}
