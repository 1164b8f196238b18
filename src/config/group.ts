import { z } from 'zod'
import type { Kind } from './kinds.ts'

/** Environment variables by their names; those that are absent or empty are left out. */
export type Given = Readonly<Record<string, string | undefined>>

/** What the documentation says of a variable. */
export interface Documentation {
  readonly description: string
  /** What holds while it is not set, in Markdown. */
  readonly otherwise: string
  readonly accepts: string
}

/** The documentation of every variable, by its schema. */
export const documentation = z.registry<Documentation>()

/** What one variable demands of others. It is said of the text given, so that it is told together with everything else. */
export interface Rule<Name> {
  readonly about: Name
  readonly brokenBy: (given: Given) => boolean
  readonly problem: string
}

/** Variables that belong together, and the part of the configuration that is made of their values. */
export function group<Variables extends Readonly<Record<string, z.ZodType>>, const Part>(options: {
  readonly title: string
  readonly variables: Variables
  readonly make: (values: z.output<z.ZodObject<Variables>>) => Part
  readonly rules?: readonly Rule<keyof Variables & string>[]
}) {
  const { title, variables, make } = options
  const rules: readonly Rule<string>[] = options.rules ?? []
  return { title, variables, rules, make, schema: z.object(variables).transform(make) }
}

export function required<Value>(kind: Kind<Value>, description: string) {
  const schema = z.string({ error: `is required: ${description}` }).pipe(kind)
  return documented(schema, kind, { description, otherwise: 'required' })
}

/** `otherwise` says what holds without it, which is for the group to bring about. */
export function optional<Value>(kind: Kind<Value>, otherwise: string, description: string) {
  return documented(kind.optional(), kind, { description, otherwise })
}

/** The default is spelled as it would be in the environment; `shown` is for one that depends on the machine. */
export function withDefault<Value>(
  kind: Kind<Value>,
  text: string,
  description: string,
  shown = `\`${text}\``,
) {
  return documented(kind.prefault(text), kind, { description, otherwise: shown })
}

function documented<Schema extends z.ZodType>(
  schema: Schema,
  kind: Kind<unknown>,
  told: Omit<Documentation, 'accepts'>,
): Schema {
  documentation.add(schema, { ...told, accepts: kind.description ?? '' })
  return schema
}
