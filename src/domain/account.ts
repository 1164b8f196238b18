/** A way in which a user signs in, without its secrets. */
export interface Account {
  readonly id: string
  readonly userId: string
  /** `credential` for a password, else the name of the provider. */
  readonly providerId: string
  /** The user's id at the provider. */
  readonly accountId: string
  readonly scopes: readonly string[]
  readonly createdAt: Date
  readonly updatedAt: Date
}

export interface AccountRepository {
  /** Of all these users, the oldest first. */
  findByUserIds(userIds: readonly string[]): Promise<readonly Account[]>
}
