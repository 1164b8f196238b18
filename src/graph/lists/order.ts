import type { Graph } from '../graph.ts'

/** The type of an argument `orderBy`: what a list can be ordered by, and which way. */
export function defineOrder<const Values extends Record<string, { readonly description: string }>>(
  { builder, refs }: Graph,
  type: string,
  plural: string,
  values: Values,
) {
  const Field = builder.enumType(`${type}OrderField`, {
    description: `What ${plural} can be ordered by.`,
    values,
  })
  return builder.inputType(`${type}Order`, {
    description: `How to order ${plural}; ties by id.`,
    fields: (t) => ({
      field: t.field({ type: Field, required: true, description: 'What to order by.' }),
      direction: t.field({ type: refs.OrderDirection, required: true, description: 'Which way.' }),
    }),
  })
}
