/** An API key of Better Auth, without the key. */
export interface ApiKey {
  readonly id: string
  /** Of a user or an organization, by the configuration that the key was made under. */
  readonly ownerId: string
  /** `null`: the only one, or the one of keys without. */
  readonly configId: string | null
  /** As JSON: names of actions by that of the resource. */
  readonly permissions: string | null
  /** `null`: nobody said so, which is no. Expiry is by the database's clock. */
  readonly disabled: boolean | null
  readonly expired: boolean | null
  /** That each use of it counts, and Better Auth counts them. */
  readonly metered: boolean
}

/** What the plug-in calls the only configuration. */
const DEFAULT_CONFIG = 'default'

/**
 * Whether a key is an organization's, which nothing in the table says.
 * @param organizationConfigs The configurations of the plug-in whose keys are; those of others are users'.
 */
export function isOfOrganization(
  { configId }: Pick<ApiKey, 'configId'>,
  organizationConfigs: readonly string[],
): boolean {
  return organizationConfigs.includes(configId || DEFAULT_CONFIG)
}

/** The way from an API key to whose it is. Keys and their hashes are never read. */
export interface ApiKeyLookup {
  /**
   * @param hash Of the key, as Better Auth stores it. One statement.
   * @throws GatewayError UNAVAILABLE or TIMEOUT when keys cannot be looked up.
   */
  findByHash(hash: string): Promise<ApiKey | null>
}
