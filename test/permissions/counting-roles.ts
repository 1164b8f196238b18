import type {
  DynamicRole,
  RoleRepository,
  RolesRead,
  Subject,
} from '../../src/domain/permission.ts'

interface Read {
  readonly subjects: readonly Subject[]
  /** Lets the repository answer with what it saw when it was asked. */
  release(): void
  fail(error: Error): void
}

/** A database in the test's hand: every statement is counted, and waits to be released when `held` is true. */
export class CountingRoles implements RoleRepository {
  readonly reads: Read[] = []
  /** The role column of every member; changing it is a commit. */
  role: string | null = 'member'
  active = true
  held = false
  dynamicRoles: ReadonlyMap<string, readonly DynamicRole[]> = new Map()
  #clock = Date.now()

  async findDynamicRoles(): Promise<ReadonlyMap<string, readonly DynamicRole[]>> {
    return this.dynamicRoles
  }

  findRoles(
    subjects: readonly Subject[],
    options: { readonly dynamic: boolean },
  ): Promise<RolesRead> {
    this.#clock += 1
    const seen: RolesRead = {
      readAt: new Date(this.#clock),
      subjects: subjects.map((subject) => ({
        ...subject,
        active: this.active,
        memberships: this.role === null ? [] : [this.role],
      })),
      dynamicRoles: options.dynamic ? this.dynamicRoles : new Map(),
    }
    return new Promise((resolve, reject) => {
      const read = { subjects, release: () => resolve(seen), fail: reject }
      this.reads.push(read)
      if (!this.held) read.release()
    })
  }
}
