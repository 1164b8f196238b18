import { readFile } from 'node:fs/promises'
import type { z } from 'zod'

/**
 * Reads a file that a person has written.
 * @throws Error naming the file and everything that is wrong with it.
 */
export async function readJson<Shape>(path: string, shape: z.ZodType<Shape>): Promise<Shape> {
  const text = await readFile(path, 'utf8')
  const { data, error } = shape.safeParse(parse(path, text))
  if (error)
    refuse(
      path,
      error.issues.map(({ path: at, message }) => `${at.join('.')}: ${message}`),
    )
  return data as Shape
}

/** @throws Error unless there is nothing to complain about. */
export function refuse(path: string, complaints: readonly string[]): void {
  if (complaints.length > 0) throw new Error([`${path}:`, ...complaints].join('\n- '))
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`${path} is not JSON: ${error instanceof Error ? error.message : error}`)
  }
}
