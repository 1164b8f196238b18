import { expect, test } from 'vitest'
import { examine } from '../../src/doctor/doctor.ts'
import { triggerStatements } from '../../src/layout/trigger-sql.ts'
import { layout } from '../support/layout.ts'
import { world } from '../support/world.ts'

const { identity, sql } = await world({ own: true })
const on = { PERMISSION_EVENTS: 'postgres' }

async function found(environment: Readonly<Record<string, string>> = on) {
  const { findings } = await examine({
    ...{ DATABASE_URL: identity.readOnlyUrl, AUTH_ISSUER: identity.betterAuth.issuer },
    ...{ NODE_ENV: 'production', ...environment },
  })
  return findings.filter(({ check }) => check === 'subscriptions')
}

test('the triggers for subscriptions are wanted where there are such, each of them, and enabled', async () => {
  expect(await found({})).toEqual([])
  expect(await found({ PERMISSION_EVENTS: 'off' })).toEqual([])
  expect(await found({ ...on, LIMIT_SUBSCRIPTIONS: '0' })).toEqual([])
  await sql(triggerStatements(layout, 'public').join(';'))
  const [finding, ...others] = await found()
  expect(others).toEqual([])
  expect(finding).toMatchObject({
    level: 'warning',
    message: expect.stringContaining('"identity_gateway_tell_update" on "users"'),
  })
  expect(finding?.message).toContain('"identity_gateway_tell_truncate" on "team_members"')
  expect(finding?.message).toContain('or set LIMIT_SUBSCRIPTIONS=0')
  await sql(finding?.sql ?? '')
  expect(await found()).toMatchObject([{ level: 'info' }])
  await sql('alter table sessions disable trigger identity_gateway_tell_delete')
  const [disabled] = await found()
  expect(disabled?.message).toContain(': "identity_gateway_tell_delete" on "sessions".')
  await sql('drop trigger identity_gateway_tell_insert on members')
  expect((await found())[0]?.message).toContain('"identity_gateway_tell_insert" on "members"')
  await sql(finding?.sql ?? '')
  expect(await found()).toMatchObject([{ level: 'info' }])
})
