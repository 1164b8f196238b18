/** Of a value that is no text, and of what stands between values, in JSON. In characters. */
const OF_A_VALUE = 4

/** Whether an answer is longer than this as JSON, about: found out without writing it. In characters. */
export function isLonger(answer: unknown, most: number): boolean {
  let length = 0
  const waiting: unknown[] = [answer]
  while (waiting.length > 0 && length <= most) {
    const value = waiting.pop()
    length += OF_A_VALUE
    if (typeof value === 'string') length += value.length
    else if (Array.isArray(value)) for (const entry of value) waiting.push(entry)
    else if (typeof value === 'object' && value !== null)
      for (const key in value) {
        length += key.length
        waiting.push(Reflect.get(value, key))
      }
  }
  return length > most
}
