import { expect } from 'vitest'
import type { Listening } from '../../support/changes-world.ts'
import type { Subscribed } from '../../support/events.ts'

/** Somebody who subscribes. */
export interface Caller {
  readonly name: string
  /** `null`: a service. */
  readonly userId: string | null
  token: string
}

const VIEWER = `id name role banned sessions(first: 50) { nodes { id } }
  memberships(first: 10) { nodes { organization { id } roles permissions PARTS teams { id } } }`
const ORGANIZATION = `id name members(first: 50) { nodes { user { id } roles } } roles { name permissions source }
  teams(first: 10) { nodes { id name members(first: 20) { nodes { user { id } } } } } VIEWERS`

/** With what the cache may not be asked for. */
const freshly = (text: string) =>
  text.replace(
    /(viewerPermissions|\bpermissions PARTS)/,
    (field) => `${field.split(' ')[0]}(consistency: FRESH)`,
  )

type Kind = 'READ_AGAIN' | 'CHANGED' | 'ENDED'

/**
 * One subscription of somebody, to themselves or to an organization, and what the same caller would be answered if they
 * asked at the moment.
 */
export class Watcher {
  readonly caller: Caller
  /** `null`: it is about the caller. */
  readonly organizationId: string | null
  readonly #at: Listening
  #stream: Subscribed | null = null
  /** Of the stream, what was looked at. */
  #read = 0

  constructor(at: Listening, caller: Caller, organizationId: string | null) {
    this.#at = at
    this.caller = caller
    this.organizationId = organizationId
  }

  get name(): string {
    return `${this.caller.name} ${this.organizationId ?? 'viewer'}`
  }

  get isOpen(): boolean {
    return this.#stream !== null && this.#stream.ended === null
  }

  /** Everything that is told of it. @throws Error where anything comes after the last event, or with another error than a query has. */
  get told(): readonly { readonly kind: Kind; readonly entity: string | null }[] {
    const { events = [] } = this.#stream ?? {}
    const told = events.map(({ data, errors = [] }) => {
      // Teams have members that not everybody sees.
      for (const { extensions } of errors) expect(extensions.code, this.name).toBe('FORBIDDEN')
      const { kind, ...of } =
        data[this.organizationId === null ? 'viewerChanged' : 'organizationChanged']
      const [entity] = Object.values(of)
      return { kind: kind as Kind, entity: entity ? JSON.stringify(entity) : null }
    })
    const end = told.findIndex(({ kind }) => kind === 'ENDED')
    if (end !== -1) expect(told.slice(end + 1), `${this.name} after its end`).toEqual([])
    return told
  }

  /** What it was told since this was last asked. */
  news(): readonly { readonly kind: Kind; readonly entity: string | null }[] {
    const all = this.told
    const news = all.slice(this.#read)
    this.#read = all.length
    return news
  }

  get ended(): Subscribed['ended'] {
    return this.#stream?.ended ?? null
  }

  /** What the caller would be answered now, as text; `null`: nothing. */
  async asked(): Promise<string | null> {
    const { caller, organizationId } = this
    const service = caller.userId === null
    const { data } = await this.#at.gateway.graphql(
      organizationId === null
        ? `{ viewer { ${freshly(VIEWER)} } }`
        : `query ($id: ID!) { organization(id: $id) { ${freshly(this.#organization(service))} } }`,
      { token: caller.token, variables: organizationId === null ? {} : { id: organizationId } },
    )
    const entity = organizationId === null ? data?.viewer : data?.organization
    return entity ? JSON.stringify(entity) : null
  }

  /** Begins another stream, and waits for its first event. Answers whether it goes on. */
  async open(): Promise<boolean> {
    const { caller, organizationId } = this
    const service = caller.userId === null
    this.#stream = await this.#at.subscribe(
      organizationId === null
        ? `subscription { viewerChanged { kind viewer { ${VIEWER.replace('PARTS', '')} } } }`
        : `subscription ($id: ID!) { organizationChanged(id: $id) { kind organization { ${this.#organization(service)} } } }`,
      { token: caller.token, variables: organizationId === null ? {} : { id: organizationId } },
    )
    this.#read = 0
    const { data, errors } = await this.#stream.next()
    if (data && Object.values(data)[0]) return true
    expect(await this.#stream.end()).toBe('complete')
    const codes = errors?.map((error: { extensions: { code: string } }) => error.extensions.code)
    expect([undefined, ['UNAUTHENTICATED']], this.name).toContainEqual(codes)
    this.#stream = null
    return false
  }

  #organization(service: boolean): string {
    return ORGANIZATION.replace('VIEWERS', service ? '' : 'viewerPermissions')
  }
}
