import SchemaBuilder from '@pothos/core'
import DataloaderPlugin from '@pothos/plugin-dataloader'
import RelayPlugin from '@pothos/plugin-relay'
import type { Count } from '../domain/page.ts'
import type { Context } from './context.ts'

export interface SchemaTypes {
  Context: Context
  Scalars: {
    ID: { Input: string; Output: string }
    DateTime: { Input: Date; Output: Date }
    JSON: { Input: unknown; Output: unknown }
    Permission: { Input: string; Output: string }
    _Any: { Input: unknown; Output: never }
  }
  DefaultFieldNullability: false
  DefaultEdgesNullability: { list: false; items: false }
  DefaultNodeNullability: false
  Connection: { total: () => Promise<Count> }
}

export type Builder = ReturnType<typeof createBuilder>
/** What the fields of an input type are declared with. */
export type InputFieldBuilder = Parameters<Parameters<Builder['inputType']>[1]['fields']>[0]

/** Connections are Relay's, ids are Better Auth's own: other services hold them already. */
export function createBuilder() {
  return new SchemaBuilder<SchemaTypes>({
    plugins: [DataloaderPlugin, RelayPlugin],
    defaultFieldNullability: false,
    relay: {
      cursorType: 'String',
      nodeQueryOptions: false,
      nodesQueryOptions: false,
      nodesOnConnection: { description: 'The entities of the page, without their edges.' },
      edgesFieldOptions: { description: 'The page, in list order.' },
      nodeFieldOptions: { description: 'The entity at the end of the edge.' },
      cursorFieldOptions: { description: 'Pass it as `after` or `before` to the same field.' },
      pageInfoTypeOptions: { description: 'Where a page lies in its list.' },
      pageInfoFieldOptions: { description: 'Where the page lies in its list.' },
      hasNextPageFieldOptions: { description: 'Whether the list goes on after this page.' },
      hasPreviousPageFieldOptions: {
        description: 'Whether the list has entries before this page.',
      },
      startCursorFieldOptions: {
        description: 'The cursor of the first edge; null on an empty page.',
      },
      endCursorFieldOptions: { description: 'The cursor of the last edge; null on an empty page.' },
      firstArgOptions: {
        description:
          'Size of a page from the start, 1 to 100; 20 when neither `first` nor `last` is given.',
      },
      lastArgOptions: {
        description: 'Size of a page from the end, 1 to 100; not together with `first`.',
      },
      afterArgOptions: {
        description:
          'Only what comes after this cursor, for example the `endCursor` of the page before.',
      },
      beforeArgOptions: {
        description:
          'Only what comes before this cursor, for example the `startCursor` of the page after.',
      },
    },
  })
}
