import type { Report } from './doctor.ts'
import type { Finding } from './finding.ts'

const MARKS: Readonly<Record<Finding['level'], string>> = {
  error: 'ERROR  ',
  warning: 'warning',
  info: 'ok     ',
}
const INDENT = ' '.repeat(24)

/** A report in words: a line for each finding, under it the SQL that mends it. */
export function toText({ findings }: Report): string {
  const lines = findings.flatMap(({ check, level, message, sql }) => [
    `${check.padEnd(15)} ${MARKS[level]} ${message}`,
    ...(sql ? sql.split('\n').map((line) => `${INDENT}${line}`.trimEnd()) : []),
  ])
  const count = (wanted: Finding['level']) =>
    findings.filter(({ level }) => level === wanted).length
  const summary = `${count('error')} errors, ${count('warning')} warnings.`
  const more = findings.some(({ sql }) => sql !== undefined)
    ? ['SQL is for the owner of the database to read and run; doctor changes nothing.']
    : []
  return `${[...lines, '', summary, ...more].join('\n')}\n`
}

/** A report as one JSON document. */
export function toJson(report: Report): string {
  return `${JSON.stringify(report, null, 2)}\n`
}
