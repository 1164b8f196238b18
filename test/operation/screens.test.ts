import { parse, validate } from 'graphql'
import { expect, test } from 'vitest'
import { points } from '../../src/domain/points.ts'
import { pointsOf, schema } from '../support/cost.ts'
import { pageText } from '../support/documentation.ts'
import { screens } from './screens.ts'

const limits = pageText('docs/limits.md')

test('docs/limits.md lists the screens of a usual application with what they cost, all of them within the limit', () => {
  const listed = Object.entries(screens).map(([screen, query]) => {
    expect(validate(schema, parse(query)), screen).toEqual([])
    const points = pointsOf(query)
    expect(points, screen).toBeLessThanOrEqual(10_000)
    return `| ${screen} | ${points.toLocaleString('en-US')} |`
  })
  const [, table] = limits.split('| screen | points |\n|---|---|\n')
  if (process.env.FIGURES) process.stdout.write(`${listed.join('\n')}\n`)
  expect(table?.split('\n').slice(0, listed.length)).toEqual(listed)
})

test('docs/limits.md says what each thing weighs', () => {
  const { object, leaf, nullableLeaf, edge, page, row, count, countOfUser, permission, filters } =
    points
  const [, text] = limits.split('A **point** is about')
  const table = text?.split('The most that')[0] ?? ''
  const weights = (key: keyof typeof filters) => [filters[key]?.page, filters[key]?.count]
  for (const line of [
    `| an object | ${object} |`,
    `| a leaf: each alias counts | ${leaf}, or ${nullableLeaf} where it may be null; an edge or a \`cursor\` ${edge} |`,
    `| ${page}, and ${row} for each entry;`,
    `| each list, and each \`totalCount\`, once for its place in the document | ${points.statement} |`,
    `| \`totalCount\` of each parent | ${count} (of what one user has: ${countOfUser}) |`,
    `counts ${points.objects} objects, or ${points.values} values |`,
    `| a question about permissions (\`can\`, \`permissions\` …) | ${permission} |`,
    `| ${weights('filter.permission').join(', ')} |`,
    `| ${weights('filter.roles').join(', ')} |`,
    `\`orderBy: { field: USER_NAME }\`, \`USER_EMAIL\`, \`ROLE\` | ${filters['orderBy.USER_NAME']?.page} |`,
    `| ${filters['filter.search']?.page.toLocaleString('en-US')} for a page, ${filters['filter.search']?.count.toLocaleString('en-US')} more`,
  ])
    expect(table).toContain(line)
})
