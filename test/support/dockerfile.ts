import { readFileSync } from 'node:fs'

interface Instruction {
  readonly stage: number
  /** `RUN`, `CMD`, … */
  readonly name: string
  readonly value: string
}

let stage = -1
/** What the Dockerfile says, without its comments; lines that go on are one. */
const instructions: readonly Instruction[] = readFileSync(
  new URL('../../Dockerfile', import.meta.url),
  'utf8',
)
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll(/\\\n\s*/g, '')
  .split('\n')
  .flatMap((line) => {
    const [, name, value] = /^([A-Z]+) +(.*)$/.exec(line) ?? []
    if (name === undefined || value === undefined) return []
    if (name === 'FROM') stage++
    return { stage, name, value }
  })

/** Of the stage of this name, or of the image itself, which has none. */
export function valuesOf(name: string, ofStage?: string): readonly string[] {
  const froms = instructions.filter((each) => each.name === 'FROM')
  const wanted =
    ofStage === undefined
      ? froms.length - 1
      : froms.findIndex(({ value }) => value.endsWith(` AS ${ofStage}`))
  return instructions
    .filter((each) => each.stage === wanted && each.name === name)
    .map(({ value }) => value)
}
