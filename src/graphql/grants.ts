import DataLoader from 'dataloader'
import type { Consistency, Grant, PermissionService, Subject } from '../domain/permission.ts'

/** What subjects may do, asked for together and at most once in a request. */
export class Grants {
  readonly #loaders: Readonly<Record<Consistency, DataLoader<Subject, Grant, string>>>

  constructor(permissions: PermissionService) {
    const loader = (consistency: Consistency) =>
      new DataLoader<Subject, Grant, string>(
        (subjects) => permissions.resolve(subjects, consistency).then((grants) => [...grants]),
        {
          cacheKeyFn: ({ organizationId, userId }) => JSON.stringify([organizationId, userId]),
          maxBatchSize: 1000,
        },
      )
    this.#loaders = { CACHED: loader('CACHED'), FRESH: loader('FRESH') }
  }

  of({ userId, organizationId }: Subject, consistency: Consistency): Promise<Grant> {
    return this.#loaders[consistency].load({ userId, organizationId })
  }
}
