import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { changesWorld } from '../support/changes-world.ts'
import type { Person } from '../support/identity.ts'
import { randomFrom } from '../support/random.ts'
import { makeChange, signIn } from './subscriptions/random-changes.ts'
import { changedIds, type Snapshot, takeSnapshot } from './subscriptions/snapshot.ts'
import { type Caller, Watcher } from './subscriptions/watcher.ts'

/*
 * Ten callers subscribe to themselves and to every organization, and random changes are made. Whatever a caller would be
 * answered if they asked is what they were told last, or will be in a moment. Nobody is told of an organization that is
 * not theirs. SEED=… repeats a run, HUNT_SECONDS=… makes it longer.
 */

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)
const HUNT_SECONDS = Number(process.env.HUNT_SECONDS ?? 30)
/** The longest that something may stay untold. */
const LONGEST_MS = 5000

const betterAuth = { tokenLifetime: '12h' }
const { of, listen } = await changesWorld({}, betterAuth)
const { identity, services, ada, bob, carol, eve, rita, ivy, ines, root, acme, evil } = of
const at = await listen({ AUTH_SESSIONS: 'on', BETTER_AUTH_SECRET: identity.betterAuth.secret })

const dora = await identity.signUp('Dora')
const lab = await identity.createOrganization(dora, 'Lab')
for (const organization of [acme, evil]) await identity.addMember(organization, dora, 'member')
for (const person of [bob, ines]) await identity.addMember(lab, person, 'member')

const people = [ada, bob, carol, eve, rita, ivy, ines, dora]
const bySession = [bob, eve, ivy]
const organizations = [acme.id, evil.id, lab.id]
const later = Math.floor(Date.now() / 1000) + 43_200

const callers = new Map<Person | null, Caller>()
for (const person of [...people, root])
  callers.set(person, { name: person.name, userId: person.id, token: await credentialOf(person) })
const serviceToken = await services.token('identity:read identity:pii', { exp: later })
callers.set(null, { name: 'service', userId: null, token: serviceToken })

async function credentialOf(person: Person): Promise<string> {
  return bySession.includes(person) ? ((await signIn(identity, person)) ?? 'none') : person.jwt()
}

const watchers = [...callers.values()].flatMap((caller) => [
  ...(caller.userId === null ? [] : [new Watcher(at, caller, null)]),
  ...organizations.map((id) => new Watcher(at, caller, id)),
])

const access = await at.subscribe(
  'subscription { accessChanged { kind userIds organizationIds resumeToken } }',
  { token: serviceToken },
)
await access.next()

/** Whether what is told of an organization may be told to this caller, who has been a member of these. */
function checkTheirs({ caller, organizationId, name }: Watcher, entity: string, was: Set<string>) {
  if (caller.userId === null) return
  const about =
    organizationId === null
      ? (JSON.parse(entity).memberships.nodes as { organization: { id: string } }[]).map(
          ({ organization }) => organization.id,
        )
      : [organizationId]
  for (const id of about)
    expect(was, `${name} was told of ${id}`).toContain(`${caller.userId} ${id}`)
}

/** Until each watcher was told what they would be answered. Answers how long the last of them took. */
async function settle(): Promise<number> {
  const begun = performance.now()
  const answers = await Promise.all(watchers.map((watcher) => watcher.asked()))
  const isTold = (watcher: Watcher, answer: string | null) =>
    answer === null ? !watcher.isOpen : !watcher.isOpen || watcher.told.at(-1)?.entity === answer
  for (;;) {
    const late = watchers.filter((watcher, index) => !isTold(watcher, answers[index] ?? null))
    const [first] = late
    if (!first) return performance.now() - begun
    if (performance.now() - begun > LONGEST_MS) {
      const answer = answers[watchers.indexOf(first)]
      const { told, ended } = first
      throw new Error(
        `${first.name} would be answered ${answer}, and was told ${JSON.stringify(told.slice(-2))}; ended: ${ended}`,
      )
    }
    await sleep(10)
  }
}

/** Of whom or what something was changed. */
async function untilAccessTold(from: number, before: Snapshot, after: Snapshot): Promise<void> {
  const told = () => access.events.slice(from).map(({ data }) => data.accessChanged)
  const begun = performance.now()
  for (;;) {
    const news = told()
    const all = news.some(({ kind }) => kind === 'READ_AGAIN')
    const users = new Set(news.flatMap(({ userIds }) => userIds))
    const of = new Set(news.flatMap(({ organizationIds }) => organizationIds))
    const missing = [
      ...changedIds(before.users, after.users).filter((id) => !users.has(id)),
      ...changedIds(before.organizations, after.organizations).filter((id) => !of.has(id)),
    ]
    if (all || missing.length === 0) return
    if (performance.now() - begun > LONGEST_MS)
      throw new Error(`accessChanged never told ${missing}`)
    await sleep(10)
  }
}

/** What each watcher is told, and what their stream has ended with, between two moments at which everything was told. */
function checkNews(was: Set<string>): number {
  let count = 0
  for (const watcher of watchers)
    for (const { entity } of watcher.news()) {
      count += 1
      if (entity !== null) checkTheirs(watcher, entity, was)
    }
  return count
}

test(`seed ${seed}: everybody is told what they may see, and nothing else`, {
  timeout: HUNT_SECONDS * 1000 + 60_000,
}, async () => {
  const random = randomFrom(seed)
  const changeable = { identity, people, admin: root, organizations }
  const made = new Map<string, number>()
  let [events, batches, longest, opened, ended] = [0, 0, 0, 0, 0]
  const end = performance.now() + HUNT_SECONDS * 1000
  for (const watcher of watchers) await watcher.open()
  await settle()
  checkNews((await takeSnapshot(identity)).memberships as Set<string>)
  while (performance.now() < end) {
    batches += 1
    const from = access.events.length
    const before = await takeSnapshot(identity)
    const was = new Set(before.memberships)
    const openBefore = watchers.filter(({ isOpen }) => isOpen)
    const names: string[] = []
    try {
      let now = before
      for (let rest = random.chance(0.4) ? random.between(2, 5) : 1; rest > 0; rest -= 1) {
        names.push(await makeChange(random, changeable))
        now = await takeSnapshot(identity)
        for (const one of now.memberships) was.add(one)
      }
      longest = Math.max(longest, await settle())
      await untilAccessTold(from, before, now)
      events += checkNews(was)
      for (const watcher of openBefore.filter(({ isOpen }) => !isOpen)) {
        ended += 1
        expect(watcher.told.at(-1), watcher.name).toEqual({ kind: 'ENDED', entity: null })
        expect(watcher.ended, watcher.name).toBe('complete')
      }
      await openAgain()
    } catch (error) {
      throw new Error(`seed ${seed}, batch ${batches}: ${names.join('; ')}`, { cause: error })
    }
    for (const name of names) made.set(name, (made.get(name) ?? 0) + 1)
  }

  async function openAgain(): Promise<void> {
    for (const [person, caller] of callers) {
      if (person === null || !bySession.includes(person)) continue
      const { data } = await at.gateway.graphql('{ viewer { id } }', { token: caller.token })
      if (!data?.viewer) caller.token = (await signIn(identity, person)) ?? caller.token
    }
    for (const watcher of watchers.filter(({ isOpen }) => !isOpen)) {
      const sees = (await watcher.asked()) !== null
      if (!sees && random.chance(0.9)) continue
      expect(await watcher.open(), watcher.name).toBe(sees)
      opened += 1
    }
    await settle()
  }

  process.stdout.write(
    `measured: seed ${seed}, ${[...made.values()].reduce((sum, one) => sum + one, 0)} changes in ${batches} batches, ${events} events, ${ended} streams ended, ${opened} opened; all told within ${longest.toFixed(0)} ms\n`,
  )
  expect(batches).toBeGreaterThan(5)
})
