import DataLoader from 'dataloader'
import {
  type Consistency,
  type Grant,
  type PermissionService,
  pairKey,
  type Subject,
} from '../domain/permission.ts'

/** What subjects may do, asked for together and at most once in a request. */
export class Grants {
  readonly #permissions: PermissionService
  readonly #loaders: { [How in Consistency]?: DataLoader<Subject, Grant, string> } = {}

  constructor(permissions: PermissionService) {
    this.#permissions = permissions
  }

  of({ userId, organizationId }: Subject, consistency: Consistency): Promise<Grant> {
    this.#loaders[consistency] ??= new DataLoader(
      async (subjects) => [...(await this.#permissions.resolve(subjects, consistency))],
      {
        cacheKeyFn: pairKey,
        maxBatchSize: 1000,
      },
    )
    return this.#loaders[consistency].load({ userId, organizationId })
  }
}
