import { LRUCache } from 'lru-cache'

/** Of all texts together, in characters. A parsed document takes up to 150 times its text. */
const MOST = 500_000
const LONGEST = 20_000

/**
 * Documents parsed before, by their text. Bounded by size and not by number alone, so that nobody can fill the memory
 * with large documents that differ in one character; and kept from their second time on, so that those who send each
 * but once leave nothing for the garbage collector to move about.
 */
export function createDocumentCache<Value extends object>() {
  const seen = bounded<true>()
  const kept = bounded<Value>()
  return {
    get: (text: string) => kept.get(text),
    set(text: string, value: Value) {
      if (seen.has(text)) kept.set(text, value)
      else seen.set(text, true)
    },
  }
}

function bounded<Value extends object | true>() {
  return new LRUCache<string, Value>({
    maxSize: MOST,
    maxEntrySize: LONGEST,
    sizeCalculation: (_value, text) => text.length + 1,
  })
}
