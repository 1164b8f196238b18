import { changeTriggerStatements, changeTriggersOf } from '../../layout/change-trigger-sql.ts'
import type { Check } from '../finding.ts'
import { script } from '../sql.ts'
import { findTriggers } from './triggers.ts'

/** Whether the triggers are there that tell those of changes who have subscribed to them. */
export const checkSubscriptions: Check = async (examined) => {
  const { config, layout } = examined
  const { schema } = config.database
  if (config.permissions.events !== 'postgres' || config.limits.subscriptions.most === 0) return []
  return findTriggers(examined, changeTriggersOf(layout), {
    level: 'warning',
    missing: (names) =>
      `These triggers are missing or disabled, so that subscriptions tell of members, roles and bans alone: ${names}. Let the owner of the tables run what doctor --sql prints, or set LIMIT_SUBSCRIPTIONS=0.`,
    there: 'The triggers for subscriptions are there.',
    sql: script(changeTriggerStatements(layout, schema)),
  })
}
