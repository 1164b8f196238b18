import { z } from 'zod'
import { jsonFile, type Kind } from './kinds.ts'

/**
 * Trusted documents by the names that clients send, from the file that a compiler wrote: graphql-codegen's and Relay's map,
 * the list of pairs that Relay's older ones wrote, or Apollo's manifest.
 */
export const documentsFile: Kind<Readonly<Record<string, string>>> = jsonFile
  .transform((content, context): unknown => {
    const entries = entriesOf(content)
    if (!(entries instanceof z.ZodError))
      return entries === null ? content : toMap(entries, context)
    for (const { message, path } of entries.issues)
      context.addIssue({ code: 'custom', message, path: [...path] })
    return z.NEVER
  })
  .pipe(
    z.record(z.string(), z.string('is no text'), {
      error:
        'must be a JSON object of documents by their hashes, a list of pairs of hash and document, or a manifest of Apollo',
    }),
  )
  .describe(
    'the path of a JSON file: `{ "<hash>": "<document>" }`, `[["<hash>", "<document>"]]`, or a persisted query manifest of Apollo',
  )

type Entry = readonly [name: string, document: string]

const pairs = z.array(z.tuple([z.string(), z.string()])).min(1)

const manifest = z.object({
  format: z.literal('apollo-persisted-query-manifest', 'must be apollo-persisted-query-manifest'),
  version: z.literal(1, 'must be 1'),
  operations: z.array(
    z.object({ id: z.string('is no text'), body: z.string('is no text') }, 'is no operation'),
  ),
})

/** `null`: it is a map, or nothing that is known. */
function entriesOf(content: unknown): readonly Entry[] | z.ZodError | null {
  const list = pairs.safeParse(content)
  if (list.success) return list.data
  const { operations } = Object(content) as { readonly operations?: unknown }
  if (!Array.isArray(operations)) return null
  const read = manifest.safeParse(content)
  return read.success ? read.data.operations.map(({ id, body }) => [id, body]) : read.error
}

function toMap(entries: readonly Entry[], context: z.RefinementCtx): unknown {
  const documents = new Map<string, string>()
  for (const [name, document] of entries) {
    if ((documents.get(name) ?? document) !== document)
      context.addIssue(`${name} is the name of two documents`)
    documents.set(name, document)
  }
  return Object.fromEntries(documents)
}
